//! The rows of some groups that have no bitset, in order of arrival, in blocks that never move.

use super::radix;
use super::rows::LogRow;

/// The log is not compacted before it has this many rows.
const LEAST: usize = 1 << 12;
/// A chunk with at least this many rows takes less room as a bitset.
pub(super) const CROWDED: usize = 1024;
/// How far the log may grow between compactions, if they remove rows.
const GROWTH: usize = 3;
/// How far at most, if they remove next to none.
const GROWTH_OF_DISTINCT: usize = 16;
/// Rows of a block, at least and at most.
const BLOCK: (usize, usize) = (32, 1024);

/// Where rows are sorted; kept from one sort to the next.
#[derive(Debug)]
pub(super) struct Scratch<R> {
    /// Rows, and where they are sorted to.
    pub(super) rows: Vec<R>,
    buffer: Vec<R>,
}

impl<R> Default for Scratch<R> {
    fn default() -> Self {
        Self { rows: Vec::new(), buffer: Vec::new() }
    }
}

impl<R> Scratch<R> {
    /// Bytes held.
    pub(super) fn bytes(&self) -> usize {
        (self.rows.capacity() + self.buffer.capacity()) * size_of::<R>()
    }
}

/// Rows of values of groups.
#[derive(Debug)]
pub(super) struct Log<R> {
    /// Blocks that are not added to any more.
    blocks: Vec<Vec<R>>,
    /// The block that rows are added to; the first rows of a log fill it without a reallocation.
    tail: Vec<R>,
    /// Rows of `blocks`.
    closed: usize,
    /// Bytes behind `blocks` and `tail`.
    bytes: usize,
    /// Compacted when it has this many rows.
    limit: usize,
    /// Whether the values in `blocks` ascend in order of arrival, whatever their groups.
    ascends: bool,
}

impl<R> Default for Log<R> {
    fn default() -> Self {
        Self { blocks: Vec::new(), tail: Vec::new(), closed: 0, bytes: 0, limit: LEAST, ascends: true }
    }
}

impl<R: LogRow> Log<R> {
    /// A log of these rows.
    pub(super) fn of_rows(rows: Vec<R>) -> Self {
        let mut log = Self::default();
        log.replace(rows);
        log
    }

    /// Bytes held.
    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>() + self.bytes
    }

    /// Whether a block has to be opened before the next row is added.
    #[inline(always)]
    pub(super) fn is_full(&self) -> bool {
        self.tail.len() == self.tail.capacity()
    }

    /// Adds a row.
    #[inline(always)]
    pub(super) fn push(&mut self, row: R) {
        self.tail.push(row);
    }

    /// Whether there are so many rows that the log should be compacted.
    pub(super) fn is_over(&self) -> bool {
        self.len() >= self.limit
    }

    /// Makes room for more rows.
    pub(super) fn open_block(&mut self) {
        if !self.tail.is_empty() {
            self.ascends = self.ascends_to_tail();
            self.closed += self.tail.len();
            self.blocks.push(std::mem::take(&mut self.tail));
        }
        self.tail.reserve_exact((self.closed / 2).clamp(BLOCK.0, BLOCK.1));
        self.bytes += self.tail.capacity() * size_of::<R>() + size_of::<Vec<R>>();
    }

    /// Number of rows.
    pub(super) fn len(&self) -> usize {
        self.closed + self.tail.len()
    }

    fn ascends_to_tail(&self) -> bool {
        let last = self.blocks.last().and_then(|block| block.last());
        self.ascends && last.is_none_or(|last| self.tail.first().is_none_or(|first| last.low() <= first.low())) && self.tail.is_sorted_by_key(|row| row.low())
    }

    /// Replaces the contents of `rows` by the rows in order of arrival; returns whether their values ascend.
    pub(super) fn copy_to(&self, rows: &mut Vec<R>) -> bool {
        rows.clear();
        rows.reserve(self.len());
        for block in self.blocks.iter().chain([&self.tail]) {
            rows.extend_from_slice(block);
        }
        self.ascends_to_tail()
    }

    /// Copies the rows, sorted and without duplicates; returns whether their values ascended before.
    pub(super) fn sort_to(&self, scratch: &mut Scratch<R>) -> bool {
        let ascends = self.copy_to(&mut scratch.rows);
        radix::sort(&mut scratch.rows, if ascends { R::VALUE_BITS } else { 0 }, &mut scratch.buffer);
        scratch.rows.dedup();
        ascends
    }

    /// Replaces the rows.
    fn replace(&mut self, rows: Vec<R>) {
        let limit = self.limit;
        *self = Self { limit, closed: rows.len(), bytes: rows.capacity() * size_of::<R>(), ..Self::default() };
        if !rows.is_empty() {
            self.ascends = rows.is_sorted_by_key(|row| row.low());
            self.blocks.push(rows);
        }
    }

    /// Removes duplicates, and the rows of crowded chunks, which are given to `take`. `least` rows are not compacted again.
    pub(super) fn compact(&mut self, least: usize, scratch: &mut Scratch<R>, take: impl FnMut(&[R])) {
        let before = self.len();
        let ascends = self.sort_to(scratch);
        let fullest = take_crowded(&mut scratch.rows, take);
        let mut left = scratch.rows.clone();
        if ascends {
            left.sort_by_key(|row| row.low());
        }
        let growth = if left.len() >= before - before / 8 { (CROWDED * 5 / 4 / fullest.max(1)).clamp(2, GROWTH_OF_DISTINCT) } else { GROWTH };
        self.limit = if left.is_empty() { CROWDED } else { (left.len() * growth).max(least).max(LEAST) };
        self.replace(left);
    }

    /// Puts the rows of two logs together; if the values of both ascend, so do those of the result.
    pub(super) fn append(&mut self, other: &Self) {
        let (mut rows, mut others) = (Vec::new(), Vec::new());
        let ascends = self.copy_to(&mut rows) & other.copy_to(&mut others);
        rows.append(&mut others);
        if ascends {
            rows.sort_by_key(|row| row.low());
        }
        self.limit = self.limit.max(other.limit);
        self.replace(rows);
    }

    /// The same rows in another form, in the same order.
    pub(super) fn map<T: LogRow>(&self, change: impl Fn(R) -> T) -> Log<T> {
        Log { limit: self.limit, ..Log::of_rows(self.blocks.iter().chain([&self.tail]).flatten().map(|row| change(*row)).collect()) }
    }
}

/// Index of the first row from `from` on that does not belong: a few steps, then a search.
#[inline(always)]
pub(super) fn end_of<R: Copy>(rows: &[R], from: usize, belongs: impl Fn(R) -> bool) -> usize {
    let mut low = from;
    let mut step = 1;
    while low + step <= rows.len() && belongs(rows[low + step - 1]) {
        low += step;
        step *= 2;
    }
    let high = rows.len().min(low + step);
    low + rows[low..high].partition_point(|row| belongs(*row))
}

/// Removes crowded chunks from sorted rows; returns how many rows the fullest of the others has.
fn take_crowded<R: LogRow>(rows: &mut Vec<R>, mut take: impl FnMut(&[R])) -> usize {
    let (mut kept, mut start, mut fullest) = (0, 0, 0);
    while start < rows.len() {
        let chunk = rows[start].chunk();
        let end = end_of(rows, start, |row| row.chunk() == chunk);
        if end - start >= CROWDED {
            take(&rows[start..end]);
        } else {
            fullest = fullest.max(end - start);
            rows.copy_within(start..end, kept);
            kept += end - start;
        }
        start = end;
    }
    rows.truncate(kept);
    fullest
}
