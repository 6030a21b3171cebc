//! The rows of all groups, dealt out to logs by group: each log stays small enough to be sorted in the cache.

use super::dense::Dense;
use super::log::Log;

/// Number of logs.
const PARTS: usize = 256;

/// The logs. Group `g` has its rows in log `(g + shift) % PARTS`.
#[derive(Debug)]
pub(super) struct Logs {
    parts: Vec<Log>,
    shift: usize,
}

impl Default for Logs {
    fn default() -> Self {
        Self { parts: std::iter::repeat_with(Log::default).take(PARTS).collect(), shift: 0 }
    }
}

impl Logs {
    #[inline(always)]
    fn part_of(&self, group: u32) -> usize {
        (group as usize + self.shift) % PARTS
    }

    /// The log that holds a group's rows, and its number.
    #[inline]
    pub(super) fn of_group(&self, group: u32) -> (usize, &Log) {
        let part = self.part_of(group);
        (part, &self.parts[part])
    }

    /// Adds a row; compacts the log if it is full.
    #[inline]
    pub(super) fn push(&mut self, group: u32, value: u64, dense: &mut Dense) {
        let part = self.part_of(group);
        let log = &mut self.parts[part];
        if log.push(group, value) {
            log.compact(dense);
        }
    }

    /// Bytes held.
    pub(super) fn bytes(&self) -> usize {
        self.parts.iter().map(|log| size_of::<Log>() + log.bytes()).sum()
    }

    /// Sorts all logs and removes duplicates.
    pub(super) fn sort(&mut self) {
        self.parts.iter_mut().for_each(Log::sort);
    }

    /// Compacts the log that holds a group's rows.
    pub(super) fn compact_group(&mut self, group: u32, dense: &mut Dense) {
        let part = self.part_of(group);
        self.parts[part].compact(dense);
    }

    /// Takes the rows of the first groups out; the others are counted from 0 again.
    pub(super) fn split_first(&mut self, count: usize) -> Self {
        let shift = self.shift;
        self.shift = (shift + count) % PARTS;
        Self { parts: self.parts.iter_mut().map(|log| log.split_first(count)).collect(), shift }
    }

    /// Where a walk over all groups is in each log, before the first group.
    pub(super) fn starts(&self) -> Vec<usize> {
        vec![0; self.parts.len()]
    }
}
