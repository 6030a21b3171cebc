//! Bitmaps that groups were given whole: their bytes are kept as they are until the groups are written, and united then.

use super::algebra::or;
use super::many::or_many;
use super::view::BitmapRef;
use std::ops::Range;

/// Bytes are not united before there are this many.
const LEAST: usize = 1 << 20;
/// How far the bytes may grow between unions.
const GROWTH: usize = 3;

/// Where a group's bitmap lies.
#[derive(Debug, Clone, Copy)]
struct Entry {
    group: u32,
    start: usize,
    end: usize,
}

/// Bitmaps of groups; a group may have several.
#[derive(Debug, Default)]
pub(super) struct Pending {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
    limit: usize,
}

impl Pending {
    /// Bytes held.
    pub(super) fn bytes(&self) -> usize {
        self.bytes.capacity() + self.entries.capacity() * size_of::<Entry>()
    }

    /// Gives a bitmap to a group. Returns whether bitmaps of groups have been united.
    pub(super) fn push(&mut self, group: u32, bitmap: &BitmapRef<'_>) -> bool {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bitmap.as_bytes());
        self.entries.push(Entry { group, start, end: self.bytes.len() });
        self.bytes.len() >= self.limit.max(LEAST) && self.unite()
    }

    /// Number of bitmaps.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Takes the bitmaps out that `wanted` chooses, and calls `take` with each and its group.
    pub(super) fn take_out(&mut self, wanted: impl Fn(&BitmapRef<'_>) -> bool, mut take: impl FnMut(u32, &BitmapRef<'_>)) {
        let all = std::mem::take(self);
        self.limit = all.limit;
        for entry in &all.entries {
            let Ok(bitmap) = BitmapRef::parse_layout(&all.bytes[entry.start..entry.end]) else { continue };
            if wanted(&bitmap) {
                take(entry.group, &bitmap);
            } else {
                let start = self.bytes.len();
                self.bytes.extend_from_slice(bitmap.as_bytes());
                self.entries.push(Entry { group: entry.group, start, end: self.bytes.len() });
            }
        }
    }

    /// Brings the entries into the order of their groups.
    pub(super) fn sort(&mut self) {
        if !self.entries.is_sorted_by_key(|entry| entry.group) {
            self.entries.sort_by_key(|entry| entry.group);
        }
    }

    /// Unites the bitmaps of each group, if groups have several; returns whether they have.
    fn unite(&mut self) -> bool {
        self.sort();
        let groups = self.entries.chunk_by(|a, b| a.group == b.group).count();
        if groups * 2 > self.entries.len() {
            self.limit = self.bytes.len() * 2;
            return false;
        }
        let mut united = Self::default();
        let mut start = 0;
        for entries in self.entries.chunk_by(|a, b| a.group == b.group) {
            self.write(None, start..start + entries.len(), &mut united.bytes);
            let from = united.entries.last().map_or(0, |entry| entry.end);
            united.entries.push(Entry { group: entries[0].group, start: from, end: united.bytes.len() });
            start += entries.len();
        }
        united.limit = united.bytes.len() * GROWTH;
        *self = united;
        true
    }

    /// Where the entries of a group end that start at `from`. The entries are sorted.
    #[inline]
    pub(super) fn end_of_group(&self, group: u32, from: usize) -> usize {
        from + self.entries[from..].iter().take_while(|entry| entry.group <= group).count()
    }

    /// Where the entries of a group start, at `from` or after it. The entries are sorted.
    pub(super) fn start_of_group(&self, group: u32, from: usize) -> usize {
        from + self.entries[from..].iter().take_while(|entry| entry.group < group).count()
    }

    /// The entries of a group. The entries are sorted.
    pub(super) fn of_group(&self, group: u32) -> Range<usize> {
        self.entries.partition_point(|entry| entry.group < group)..self.entries.partition_point(|entry| entry.group <= group)
    }

    /// Appends the union of the entries' bitmaps, and of another one, to `out`.
    pub(super) fn write(&self, other: Option<&[u8]>, entries: Range<usize>, out: &mut Vec<u8>) {
        let bytes = self.entries[entries].iter().map(|entry| &self.bytes[entry.start..entry.end]);
        let bitmaps: Vec<BitmapRef<'_>> = bytes.chain(other).filter_map(|bytes| BitmapRef::parse_layout(bytes).ok()).collect();
        match bitmaps.as_slice() {
            [a, b] => or(a, b, out),
            several => or_many(several, out),
        }
    }

    /// Takes the bitmaps of the first groups out; the others are counted from 0 again.
    pub(super) fn split_first(&mut self, count: usize) -> Self {
        self.sort();
        let (mut first, mut others) = (Self::default(), Self::default());
        for entry in &self.entries {
            let group = entry.group as usize;
            let (target, group) = if group < count { (&mut first, group) } else { (&mut others, group - count) };
            let start = target.bytes.len();
            target.bytes.extend_from_slice(&self.bytes[entry.start..entry.end]);
            target.entries.push(Entry { group: group as u32, start, end: target.bytes.len() });
        }
        others.limit = self.limit;
        *self = others;
        first
    }
}
