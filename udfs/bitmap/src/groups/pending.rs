//! Bitmaps that groups were given whole: their bytes are kept as they are until the groups are
//! written, and united then. Bytes that may be shared are not even copied.

use super::shared::SharedBytes;
use crate::format::view::BitmapRef;
use crate::sets::algebra::or;
use crate::sets::many::or_many;
use std::ops::Range;

/// Bytes are not united before there are this many.
const LEAST: usize = 1 << 20;
/// How far the bytes may grow between unions.
const GROWTH: usize = 3;
/// How many bitmaps a group has on average, at least, when they are united: with fewer that saves
/// little, and needs room for both.
const LEAST_UNITED: usize = 4;

/// Where a group's bitmap lies.
#[derive(Debug, Clone, Copy)]
struct Entry {
    group: u32,
    /// Number of the shared bytes, or [`OWN`].
    block: u32,
    start: usize,
    end: usize,
}

/// The bytes that are not shared.
const OWN: u32 = u32::MAX;

/// Bytes of others.
#[derive(Debug)]
struct Block {
    bytes: SharedBytes,
    /// How many entries lie in them.
    entries: usize,
    /// How many bytes of those that were offered are kept, beyond those that are not.
    worth: i64,
}

/// Bitmaps of groups; a group may have several.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    own: Vec<u8>,
    /// Shared bytes; `None` when all bitmaps in them have been written.
    blocks: Vec<Option<Block>>,
    entries: Vec<Entry>,
    /// Bytes of all bitmaps.
    len: usize,
    limit: usize,
}

impl Pending {
    /// Bytes held, of shared ones those of bitmaps.
    pub(crate) fn bytes(&self) -> usize {
        self.own.capacity()
            + (self.len - self.own.len())
            + self.entries.capacity() * size_of::<Entry>()
            + self.blocks.capacity() * size_of::<Option<Block>>()
    }

    /// Gives a bitmap to a group. Returns whether bitmaps of groups have been united.
    pub(crate) fn push(&mut self, group: u32, bitmap: &BitmapRef<'_>) -> bool {
        self.push_own(group, bitmap.as_bytes());
        self.is_over() && self.unite()
    }

    fn push_own(&mut self, group: u32, bitmap: &[u8]) {
        let start = self.own.len();
        self.own.extend_from_slice(bitmap);
        self.len += bitmap.len();
        self.entries.push(Entry {
            group,
            block: OWN,
            start,
            end: self.own.len(),
        });
    }

    /// Keeps bytes for bitmaps that are about to be given; returns the number of the first.
    pub(crate) fn share(&mut self, bytes: &[SharedBytes]) -> usize {
        let first = self.blocks.len();
        self.blocks.extend(bytes.iter().map(|bytes| {
            Some(Block {
                bytes: bytes.clone(),
                entries: 0,
                worth: 0,
            })
        }));
        first
    }

    /// Gives a bitmap in shared bytes to a group, if it is to be kept.
    pub(crate) fn offer(&mut self, group: u32, block: usize, range: Range<usize>, is_kept: bool) {
        let Some(Some(shared)) = self.blocks.get_mut(block) else {
            return;
        };
        if !is_kept {
            shared.worth -= range.len() as i64;
            return;
        }
        shared.worth += range.len() as i64;
        shared.entries += 1;
        self.len += range.len();
        self.entries.push(Entry {
            group,
            block: block as u32,
            start: range.start,
            end: range.end,
        });
    }

    /// Lets go of shared bytes, from a number on, that are not worth it: what is kept of them is
    /// copied. Returns whether bitmaps of groups have been united.
    pub(crate) fn settle(&mut self, first: usize) -> bool {
        for entry in self
            .entries
            .iter_mut()
            .rev()
            .take_while(|entry| entry.block != OWN && entry.block as usize >= first)
        {
            let Some(Some(block)) = self
                .blocks
                .get_mut(entry.block as usize)
                .filter(|block| block.as_ref().is_some_and(|block| block.worth < 0))
            else {
                continue;
            };
            block.entries -= 1;
            let start = self.own.len();
            self.own.extend_from_slice(
                block
                    .bytes
                    .as_bytes()
                    .get(entry.start..entry.end)
                    .unwrap_or_default(),
            );
            *entry = Entry {
                group: entry.group,
                block: OWN,
                start,
                end: self.own.len(),
            };
        }
        for block in &mut self.blocks[first..] {
            *block = block.take().filter(|block| block.entries > 0);
        }
        while self.blocks.last().is_some_and(Option::is_none) {
            self.blocks.pop();
        }
        self.is_over() && self.unite()
    }

    fn is_over(&self) -> bool {
        self.len >= self.limit.max(LEAST)
    }

    /// Number of bitmaps.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    fn bytes_of(&self, entry: &Entry) -> &[u8] {
        let bytes = match self.blocks.get(entry.block as usize) {
            Some(block) => block
                .as_ref()
                .map_or(&[][..], |block| block.bytes.as_bytes()),
            None => &self.own,
        };
        bytes.get(entry.start..entry.end).unwrap_or_default()
    }

    /// Takes the bitmaps out that `wanted` chooses, and calls `take` with each and its group.
    pub(crate) fn take_out(
        &mut self,
        wanted: impl Fn(&BitmapRef<'_>) -> bool,
        mut take: impl FnMut(u32, &BitmapRef<'_>),
    ) {
        let all = std::mem::take(self);
        self.limit = all.limit;
        for entry in &all.entries {
            let Ok(bitmap) = BitmapRef::parse_layout(all.bytes_of(entry)) else {
                continue;
            };
            if wanted(&bitmap) {
                take(entry.group, &bitmap);
            } else {
                self.push_own(entry.group, bitmap.as_bytes());
            }
        }
    }

    /// Brings the entries into the order of their groups.
    pub(crate) fn sort(&mut self) {
        if !self.entries.is_sorted_by_key(|entry| entry.group) {
            self.entries.sort_by_key(|entry| entry.group);
        }
    }

    /// Unites the bitmaps of each group, if groups have several; returns whether they have.
    fn unite(&mut self) -> bool {
        self.sort();
        let groups = self.entries.chunk_by(|a, b| a.group == b.group).count();
        if groups * LEAST_UNITED > self.entries.len() {
            self.limit = self.len * 2;
            return false;
        }
        let mut united = Self::default();
        let mut start = 0;
        for entries in self.entries.chunk_by(|a, b| a.group == b.group) {
            let from = united.own.len();
            self.write(None, start..start + entries.len(), &mut united.own);
            united.entries.push(Entry {
                group: entries[0].group,
                block: OWN,
                start: from,
                end: united.own.len(),
            });
            start += entries.len();
        }
        united.len = united.own.len();
        united.limit = united.len * GROWTH;
        *self = united;
        true
    }

    /// Where the entries of a group end that start at `from`. The entries are sorted.
    #[inline]
    pub(crate) fn end_of_group(&self, group: u32, from: usize) -> usize {
        from + self.entries[from..]
            .iter()
            .take_while(|entry| entry.group <= group)
            .count()
    }

    /// Where the entries of a group start, at `from` or after it. The entries are sorted.
    pub(crate) fn start_of_group(&self, group: u32, from: usize) -> usize {
        from + self.entries[from..]
            .iter()
            .take_while(|entry| entry.group < group)
            .count()
    }

    /// The entries of a group. The entries are sorted.
    pub(crate) fn of_group(&self, group: u32) -> Range<usize> {
        self.entries.partition_point(|entry| entry.group < group)
            ..self.entries.partition_point(|entry| entry.group <= group)
    }

    /// Appends the union of the entries' bitmaps, and of another one, to `out`.
    pub(crate) fn write(&self, other: Option<&[u8]>, entries: Range<usize>, out: &mut Vec<u8>) {
        let bytes = self.entries[entries]
            .iter()
            .map(|entry| self.bytes_of(entry));
        let bitmaps: Vec<BitmapRef<'_>> = bytes
            .chain(other)
            .filter_map(|bytes| BitmapRef::parse_layout(bytes).ok())
            .collect();
        match bitmaps.as_slice() {
            [a, b] => or(a, b, out),
            several => or_many(several, out),
        }
    }

    /// Lets go of shared bytes all whose bitmaps have been written; each entry counts once.
    pub(crate) fn release(&mut self, entries: Range<usize>) {
        for entry in &self.entries[entries] {
            let Some(block) = self.blocks.get_mut(entry.block as usize) else {
                continue;
            };
            if let Some(left) = block {
                left.entries -= 1;
            }
            *block = block.take().filter(|block| block.entries > 0);
        }
    }

    /// Takes the bitmaps of the first groups out; the others are counted from 0 again.
    pub(crate) fn split_first(&mut self, count: usize) -> Self {
        self.sort();
        let (mut first, mut others) = (self.without_entries(), self.without_entries());
        for entry in &self.entries {
            let group = entry.group as usize;
            let (target, group) = if group < count {
                (&mut first, group)
            } else {
                (&mut others, group - count)
            };
            match target.blocks.get_mut(entry.block as usize) {
                Some(Some(block)) => {
                    block.entries += 1;
                    target.len += entry.end - entry.start;
                    target.entries.push(Entry {
                        group: group as u32,
                        ..*entry
                    });
                }
                _ => target.push_own(group as u32, self.bytes_of(entry)),
            }
        }
        for block in first.blocks.iter_mut().chain(&mut others.blocks) {
            *block = block.take().filter(|block| block.entries > 0);
        }
        *self = others;
        first
    }

    /// The shared bytes alone, under the same numbers.
    fn without_entries(&self) -> Self {
        let bare = |block: &Block| Block {
            bytes: block.bytes.clone(),
            entries: 0,
            worth: block.worth,
        };
        Self {
            blocks: self
                .blocks
                .iter()
                .map(|block| block.as_ref().map(bare))
                .collect(),
            limit: self.limit,
            ..Self::default()
        }
    }
}
