//! The rows (group, value) that have no bitset: unordered until the log is compacted.

use super::dense::Dense;
use super::radix;
use std::ops::Range;

/// The log is not compacted before it has this many rows.
const LEAST: usize = 1 << 12;
/// A chunk with at least this many rows takes less room as a bitset.
const CROWDED: usize = 1024;
/// How far the log may grow between compactions, if they remove rows.
const GROWTH: usize = 3;
/// How far, if they remove next to none.
const GROWTH_OF_DISTINCT: usize = 6;

/// Rows of eight bytes while all values share one high word, of sixteen from then on.
#[derive(Debug)]
enum Rows {
    /// High word, and `group << 32 | low word`.
    Narrow(u32, Vec<u64>),
    /// `group << 64 | value`.
    Wide(Vec<u128>),
}

/// Rows of values of groups.
#[derive(Debug)]
pub(super) struct Log {
    rows: Rows,
    limit: usize,
}

impl Default for Log {
    fn default() -> Self {
        Self { rows: Rows::Narrow(0, Vec::new()), limit: LEAST }
    }
}

#[inline(always)]
fn narrow(group: u32, value: u64) -> u64 {
    u64::from(group) << 32 | value & 0xFFFF_FFFF
}

#[inline(always)]
fn wide(group: u32, value: u64) -> u128 {
    u128::from(group) << 64 | u128::from(value)
}

impl Log {
    /// Bytes held.
    pub(super) fn bytes(&self) -> usize {
        match &self.rows {
            Rows::Narrow(_, rows) => rows.capacity() * size_of::<u64>(),
            Rows::Wide(rows) => rows.capacity() * size_of::<u128>(),
        }
    }

    /// Adds a row; returns whether the log is full.
    #[inline]
    pub(super) fn push(&mut self, group: u32, value: u64) -> bool {
        match &mut self.rows {
            Rows::Narrow(high, rows) if u64::from(*high) == value >> 32 => {
                rows.push(narrow(group, value));
                rows.len() >= self.limit
            }
            Rows::Narrow(..) => self.push_other_high(group, value),
            Rows::Wide(rows) => {
                rows.push(wide(group, value));
                rows.len() >= self.limit
            }
        }
    }

    #[cold]
    fn push_other_high(&mut self, group: u32, value: u64) -> bool {
        self.adopt_high((value >> 32) as u32);
        self.push(group, value)
    }

    /// Makes room for values with a high word that differs from the others'.
    fn adopt_high(&mut self, found: u32) {
        if let Rows::Narrow(high, rows) = &mut self.rows {
            if rows.is_empty() {
                *high = found;
                return;
            }
            let upper = u64::from(*high) << 32;
            let widened = rows.iter().map(|row| wide((row >> 32) as u32, upper | row & 0xFFFF_FFFF)).collect();
            self.rows = Rows::Wide(widened);
        }
    }

    /// Sorts the rows and removes duplicates.
    pub(super) fn sort(&mut self) {
        match &mut self.rows {
            Rows::Narrow(_, rows) => {
                radix::sort(rows);
                rows.dedup();
            }
            Rows::Wide(rows) => {
                radix::sort(rows);
                rows.dedup();
            }
        }
    }

    /// Sorts the rows, removes duplicates and moves the rows of crowded chunks to bitsets.
    pub(super) fn compact(&mut self, dense: &mut Dense) {
        let before = self.len();
        self.sort();
        let left = match &mut self.rows {
            Rows::Narrow(high, rows) => {
                let high = u64::from(*high) << 32;
                move_crowded(rows, |row| row >> 16, |row| ((row >> 32) as u32, high | row & 0xFFFF_FFFF), dense);
                rows.len()
            }
            Rows::Wide(rows) => {
                move_crowded(rows, |row| row >> 16, |row| ((row >> 64) as u32, row as u64), dense);
                rows.len()
            }
        };
        let growth = if left >= before - before / 8 { GROWTH_OF_DISTINCT } else { GROWTH };
        self.limit = LEAST.max(left * growth);
    }

    /// Number of rows.
    fn len(&self) -> usize {
        match &self.rows {
            Rows::Narrow(_, rows) => rows.len(),
            Rows::Wide(rows) => rows.len(),
        }
    }

    /// Where the rows of a group end that start at `from`. The log is sorted.
    #[inline]
    pub(super) fn end_of_group(&self, group: u32, from: usize) -> usize {
        match &self.rows {
            Rows::Narrow(_, rows) => end_of(rows, from, |row| (row >> 32) as u32 <= group),
            Rows::Wide(rows) => end_of(rows, from, |row| (row >> 64) as u32 <= group),
        }
    }

    /// High word of a row before `end`.
    #[inline]
    pub(super) fn high(&self, row: usize, end: usize) -> Option<u32> {
        if row >= end {
            return None;
        }
        match &self.rows {
            Rows::Narrow(high, _) => Some(*high),
            Rows::Wide(rows) => Some((rows[row] >> 32) as u32),
        }
    }

    /// Replaces `lows` by the lower words of the first rows of the range, as far as they have this high word.
    /// Returns where the others start.
    #[inline]
    pub(super) fn take_bucket(&self, range: Range<usize>, high: u32, lows: &mut Vec<u32>) -> usize {
        lows.clear();
        match &self.rows {
            Rows::Narrow(found, _) if *found != high => range.start,
            Rows::Narrow(_, rows) => {
                lows.extend(rows[range.clone()].iter().map(|row| *row as u32));
                range.end
            }
            Rows::Wide(rows) => {
                let bucket = rows[range.clone()].iter().take_while(|row| (**row >> 32) as u32 == high);
                lows.extend(bucket.map(|row| *row as u32));
                range.start + lows.len()
            }
        }
    }

    /// Takes the rows of the first groups out; the others are counted from 0 again. Sorts the log.
    pub(super) fn split_first(&mut self, count: usize) -> Self {
        self.sort();
        let last = match count.checked_sub(1) {
            Some(last) => u32::try_from(last).unwrap_or(u32::MAX),
            None => return Self::default(),
        };
        let end = self.end_of_group(last, 0);
        let first = match &mut self.rows {
            Rows::Narrow(high, rows) => {
                let first = rows.drain(..end).collect();
                rows.iter_mut().for_each(|row| *row -= (count as u64) << 32);
                Rows::Narrow(*high, first)
            }
            Rows::Wide(rows) => {
                let first = rows.drain(..end).collect();
                rows.iter_mut().for_each(|row| *row -= (count as u128) << 64);
                Rows::Wide(first)
            }
        };
        Self { rows: first, limit: LEAST }
    }
}

/// Index of the first row from `from` on that does not belong: a few steps, then a search.
#[inline(always)]
fn end_of<R: Copy>(rows: &[R], from: usize, belongs: impl Fn(R) -> bool) -> usize {
    let mut low = from;
    let mut step = 1;
    while low + step <= rows.len() && belongs(rows[low + step - 1]) {
        low += step;
        step *= 2;
    }
    let high = rows.len().min(low + step);
    low + rows[low..high].partition_point(|row| belongs(*row))
}

fn move_crowded<R: Copy, C: PartialEq>(rows: &mut Vec<R>, chunk_of: impl Fn(R) -> C, value_of: impl Fn(R) -> (u32, u64), dense: &mut Dense) {
    let mut kept = 0;
    let mut start = 0;
    while start < rows.len() {
        let chunk = chunk_of(rows[start]);
        let end = end_of(rows, start, |row| chunk_of(row) == chunk);
        if end - start >= CROWDED {
            let (group, value) = value_of(rows[start]);
            let words = dense.find_or_make(group, (value >> 32) as u32, (value >> 16) as u16);
            for row in &rows[start..end] {
                let (_, value) = value_of(*row);
                words[usize::from(value as u16 >> 6)] |= 1 << (value & 63);
            }
        } else {
            rows.copy_within(start..end, kept);
            kept += end - start;
        }
        start = end;
    }
    rows.truncate(kept);
}
