//! Rows partitioned into logs by ranges of groups. Ranges are wide enough to bound the number of
//! logs, and logs small enough to be sorted and written within the cache. Large logs are
//! delta-packed.

use super::dense::Dense;
use super::log::{Log, Scratch, end_of};
use super::rows::LogRow;

/// The most logs.
const PARTS: usize = 1024;

/// Below this average of rows per group, no log is compacted.
const ROWS_PER_GROUP: usize = 16;

/// Below this many bytes, nothing is packed.
const UNPACKED: usize = 4 << 20;

/// Scratch memory up to this size is kept, even if the logs are much smaller.
const LEAST_SCRATCH: usize = 1 << 18;

/// The logs. The rows of group `g` are in log `g >> shift`.
#[derive(Debug)]
pub(crate) struct Parts<R> {
    logs: Vec<Log<R>>,
    /// The open block of each log, moved out of the log so that those of a thousand logs are
    /// adjacent in memory. A block is moved back while its log is read.
    tails: Vec<Vec<R>>,
    shift: u32,
    /// Bytes allocated by the logs.
    bytes: usize,
    scratch: Scratch<R>,
}

impl<R> Default for Parts<R> {
    fn default() -> Self {
        Self {
            logs: Vec::new(),
            tails: Vec::new(),
            shift: 0,
            bytes: 0,
            scratch: Scratch::default(),
        }
    }
}

impl<R: LogRow> Parts<R> {
    /// Appends a row; compacts its log if it has reached its limit.
    #[inline]
    pub(crate) fn push(&mut self, row: R, high: u32, dense: &mut Dense) {
        let part = (row.group() >> self.shift) as usize;
        match self.tails.get_mut(part) {
            Some(tail) if tail.len() < tail.capacity() => tail.push(row),
            _ => self.push_to_full(row, Some((high, dense))),
        }
    }

    /// Appends a row whose log has no room or does not exist yet; compacts the log only if bitsets
    /// are given.
    #[cold]
    #[inline(never)]
    fn push_to_full(&mut self, row: R, dense: Option<(u32, &mut Dense)>) {
        while (row.group() >> self.shift) as usize >= PARTS {
            self.join_neighbours();
        }
        let part = (row.group() >> self.shift) as usize;
        if part >= self.logs.len() {
            self.bytes += (part + 1 - self.logs.len()) * size_of::<Log<R>>();
            self.logs.resize_with(part + 1, Log::default);
            self.tails.resize_with(part + 1, Vec::new);
        }
        self.give_back(part);
        let least = ROWS_PER_GROUP << self.shift;
        if let Some((high, dense)) = dense
            && self.logs[part].is_over(least)
        {
            self.compact(part, high, dense);
        }
        let log = &mut self.logs[part];
        self.bytes -= log.bytes();
        if self.bytes >= UNPACKED && log.is_packable(least) {
            log.pack(&mut self.scratch);
        }
        if log.is_full() {
            log.open_block();
        }
        self.bytes += log.bytes();
        log.push(row);
        self.tails[part] = std::mem::take(&mut log.tail);
    }

    /// Moves the open block of a log back into it, if it was moved out.
    fn give_back(&mut self, part: usize) {
        if self.tails[part].capacity() > 0 {
            self.logs[part].tail = std::mem::take(&mut self.tails[part]);
        }
    }

    /// Moves the open blocks of all logs back.
    fn gather(&mut self) {
        (0..self.logs.len()).for_each(|part| self.give_back(part));
    }

    /// Merges logs in pairs, which doubles the groups per log.
    fn join_neighbours(&mut self) {
        self.shift += 1;
        self.gather();
        let mut logs = std::mem::take(&mut self.logs).into_iter();
        while let Some(mut log) = logs.next() {
            match logs.next() {
                Some(next) if next.len() > 0 => log.append(&next),
                _ => {}
            }
            self.logs.push(log);
        }
        self.tails.truncate(self.logs.len());
        self.bytes = self.logs.iter().map(Log::bytes).sum();
    }

    fn compact(&mut self, part: usize, high: u32, dense: &mut Dense) {
        let log = &mut self.logs[part];
        self.bytes -= log.bytes();
        log.compact(ROWS_PER_GROUP << self.shift, &mut self.scratch, |rows| {
            let value = u64::from(high) << 32 | rows[0].low();
            let words =
                dense.find_or_make(rows[0].group(), (value >> 32) as u32, (value >> 16) as u16);
            rows.iter()
                .for_each(|row| words[usize::from(row.low() as u16 >> 6)] |= 1 << (row.low() & 63));
        });
        self.bytes += log.bytes();
        if self.scratch.bytes() > LEAST_SCRATCH && self.scratch.bytes() / 8 > self.bytes {
            // Most of what was sorted has become bitsets.
            self.scratch = Scratch::default();
        }
    }

    /// Compacts the log that holds a group's rows.
    pub(crate) fn compact_group(&mut self, group: u32, high: u32, dense: &mut Dense) {
        let part = (group >> self.shift) as usize;
        if part < self.logs.len() {
            self.give_back(part);
            self.compact(part, high, dense);
        }
    }

    /// The sorted rows of a group; they stay in the log.
    pub(crate) fn of_group(&mut self, group: u32) -> &[R] {
        let part = (group >> self.shift) as usize;
        if part >= self.logs.len() {
            return &[];
        }
        self.give_back(part);
        self.logs[part].sort_to(&mut self.scratch);
        let rows = self.scratch.rows.as_slice();
        &rows[rows.partition_point(|row| row.group() < group)
            ..rows.partition_point(|row| row.group() <= group)]
    }

    /// Whether there are no rows.
    pub(crate) fn is_empty(&self) -> bool {
        self.logs.iter().all(|log| log.len() == 0) && self.tails.iter().all(Vec::is_empty)
    }

    /// Bytes held; O(1).
    pub(crate) fn bytes(&self) -> usize {
        self.bytes + self.scratch.bytes()
    }

    /// The same rows in another representation.
    pub(crate) fn map<T: LogRow>(&mut self, change: impl Fn(R) -> T) -> Parts<T> {
        self.gather();
        let logs: Vec<Log<T>> = self.logs.iter().map(|log| log.map(&change)).collect();
        let tails = logs.iter().map(|_| Vec::new()).collect();
        Parts {
            bytes: logs.iter().map(Log::bytes).sum(),
            logs,
            tails,
            shift: self.shift,
            scratch: Scratch::default(),
        }
    }

    /// Splits off the rows of the first `count` groups; the remaining groups are renumbered from 0.
    pub(crate) fn split_first(&mut self, count: u32) -> Self {
        let (mut first, mut others) = (
            Self {
                shift: self.shift,
                ..Self::default()
            },
            Self::default(),
        );
        let mut rows = Vec::new();
        self.gather();
        for (part, log) in std::mem::take(&mut self.logs).into_iter().enumerate() {
            if (part as u64 + 1) << self.shift <= u64::from(count) {
                first.logs.push(log);
                first.tails.push(Vec::new());
                continue;
            }
            log.copy_to(&mut rows);
            for row in &rows {
                match row.group().checked_sub(count) {
                    Some(group) => others.add(R::new(group, row.low())),
                    None => first.add(*row),
                }
            }
        }
        *self = others;
        first
    }

    /// Appends a row without compacting.
    fn add(&mut self, row: R) {
        match self.tails.get_mut((row.group() >> self.shift) as usize) {
            Some(tail) if tail.len() < tail.capacity() => tail.push(row),
            _ => self.push_to_full(row, None),
        }
    }

    /// Walks the rows group by group.
    pub(crate) fn into_walk(mut self) -> Walk<R> {
        self.gather();
        Walk {
            logs: self.logs.into_iter(),
            shift: self.shift,
            taken: 0,
            scratch: self.scratch,
            at: 0,
        }
    }
}

/// An iterator over groups; a log is sorted when its first group is requested.
#[derive(Debug)]
pub(crate) struct Walk<R> {
    logs: std::vec::IntoIter<Log<R>>,
    shift: u32,
    /// Number of logs consumed.
    taken: u64,
    /// The sorted rows of the last one.
    scratch: Scratch<R>,
    /// Index of the next group's first row.
    at: usize,
}

impl<R: LogRow> Walk<R> {
    /// The rows of a group; to be called with ascending groups. Groups left out are skipped.
    #[inline]
    pub(crate) fn of_group(&mut self, group: u32) -> &[R] {
        if u64::from(group >> self.shift) >= self.taken {
            self.take_to(u64::from(group >> self.shift));
        }
        let rows = self.scratch.rows.as_slice();
        if rows.get(self.at).is_some_and(|row| row.group() < group) {
            self.at = end_of(rows, self.at, |row| row.group() < group);
        }
        let start = self.at;
        self.at = end_of(rows, start, |row| row.group() <= group);
        &rows[start..self.at]
    }

    #[cold]
    #[inline(never)]
    fn take_to(&mut self, part: u64) {
        self.at = 0;
        self.scratch.rows.clear();
        let log = self.logs.nth((part - self.taken) as usize);
        self.taken = part + 1;
        if let Some(log) = log {
            log.sort_to(&mut self.scratch);
        }
    }
}
