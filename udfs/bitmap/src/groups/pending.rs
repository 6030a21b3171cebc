//! Whole bitmaps that were added to groups. Their bytes are kept as they are and united when the
//! groups are written. Shared buffers are referenced, not copied.

use super::shared::SharedBytes;
use crate::format::view::BitmapRef;
use crate::sets::algebra::or;
use crate::sets::many::or_many;
use std::ops::Range;

/// Below this many bytes, nothing is united.
const LEAST: usize = 1 << 20;
/// Growth factor of the bytes between unions.
const GROWTH: usize = 3;
/// The least average of bitmaps per group at which they are united: with fewer, a union saves
/// little and needs memory for both.
const LEAST_UNITED: usize = 4;

/// The place of a group's bitmap.
#[derive(Debug, Clone, Copy)]
struct Entry {
    group: u32,
    /// Index of the shared buffer, or [`OWN`].
    block: u32,
    start: usize,
    end: usize,
}

/// Stands for bytes that were copied.
const OWN: u32 = u32::MAX;

/// A shared buffer.
#[derive(Debug)]
struct Block {
    bytes: SharedBytes,
    /// Number of entries that reference it.
    entries: usize,
    /// Bytes kept minus bytes not kept; negative means the block is not worth holding.
    worth: i64,
}

/// Whole bitmaps of groups; a group may have several.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    own: Vec<u8>,
    /// Shared buffers; `None` when all their bitmaps have been written.
    blocks: Vec<Option<Block>>,
    entries: Vec<Entry>,
    /// Bytes of all bitmaps.
    len: usize,
    limit: usize,
}

impl Pending {
    /// Bytes held; of shared buffers only the bytes of bitmaps.
    pub(crate) fn bytes(&self) -> usize {
        self.own.capacity()
            + (self.len - self.own.len())
            + self.entries.capacity() * size_of::<Entry>()
            + self.blocks.capacity() * size_of::<Option<Block>>()
    }

    /// Adds a copy of a bitmap to a group. Returns whether pending bitmaps were united to save
    /// memory.
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

    /// Keeps buffers for bitmaps that are about to be offered. Returns the index of the first.
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

    /// Offers a range of a shared buffer as a group's bitmap; it is added if `is_kept`, and counted
    /// either way.
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

    /// Frees the shared buffers from index `first` on that are not worth holding, after copying
    /// what is kept of them. Returns whether pending bitmaps were united.
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

    /// Removes the bitmaps that `wanted` selects, and calls `take` with each and its group.
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

    /// Sorts the entries by group.
    pub(crate) fn sort(&mut self) {
        if !self.entries.is_sorted_by_key(|entry| entry.group) {
            self.entries.sort_by_key(|entry| entry.group);
        }
    }

    /// Unites the bitmaps of each group. Returns whether there was anything to unite.
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

    /// The end of the group's entries that start at `from`, in sorted entries.
    #[inline]
    pub(crate) fn end_of_group(&self, group: u32, from: usize) -> usize {
        from + self.entries[from..]
            .iter()
            .take_while(|entry| entry.group <= group)
            .count()
    }

    /// The start of a group's entries, at `from` or later, in sorted entries.
    pub(crate) fn start_of_group(&self, group: u32, from: usize) -> usize {
        from + self.entries[from..]
            .iter()
            .take_while(|entry| entry.group < group)
            .count()
    }

    /// A group's entries, in sorted entries.
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

    /// Frees shared buffers whose bitmaps have all been written; to be called once per entry.
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

    /// Splits off the bitmaps of the first `count` groups; the remaining groups are renumbered from
    /// 0.
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

    /// The shared buffers under the same indices, without entries.
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
