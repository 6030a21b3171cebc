//! The rows of all groups, dealt out to logs by group: each log stays small enough to be sorted in the cache.

use super::dense::Dense;
use super::log::Log;

/// Number of logs.
const PARTS: usize = 1024;

/// The logs. Group `g` has its rows in log `(g + shift) % PARTS`, which is made with its first row: a set of one group has one.
#[derive(Debug, Default)]
pub(super) struct Logs {
    parts: Vec<Log>,
    /// What stands for a log that was not made.
    none: Log,
    shift: usize,
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
        (part, self.parts.get(part).unwrap_or(&self.none))
    }

    /// Adds a row; compacts the log if it is full.
    #[inline]
    pub(super) fn push(&mut self, group: u32, value: u64, dense: &mut Dense) {
        let part = self.part_of(group);
        if part >= self.parts.len() {
            self.make(part);
        }
        let log = &mut self.parts[part];
        if log.push(group, value) {
            log.compact(dense);
        }
    }

    #[cold]
    fn make(&mut self, part: usize) {
        self.parts.resize_with(part + 1, Log::default);
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
        if let Some(log) = self.parts.get_mut(part) {
            log.compact(dense);
        }
    }

    /// Takes the rows of the first groups out; the others are counted from 0 again.
    pub(super) fn split_first(&mut self, count: usize) -> Self {
        let shift = self.shift;
        self.shift = (shift + count) % PARTS;
        Self { parts: self.parts.iter_mut().map(|log| log.split_first(count)).collect(), shift, ..Self::default() }
    }

    /// Where a walk over all groups is in each log, before the first group.
    pub(super) fn starts(&self) -> Vec<usize> {
        vec![0; PARTS]
    }
}
