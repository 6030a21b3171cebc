//! An append-only log of (group, value) rows for groups without a bitset. Recent rows are raw, in
//! fixed blocks; older rows are sorted and delta-packed.

use super::packing::{pack, unpack};
use super::rows::LogRow;
use crate::kernels::sort;

/// Fewer rows than this are never compacted.
const LEAST: usize = 1 << 12;
/// A chunk with at least this many rows is smaller as a bitset.
pub(crate) const CROWDED: usize = 1024;
/// Growth factor between compactions, if they remove rows.
const GROWTH: usize = 3;
/// The largest growth factor, if they remove next to none.
const GROWTH_OF_DISTINCT: usize = 16;
/// Rows of a block, at least and at most.
const BLOCK: (usize, usize) = (32, 8192);

/// Scratch memory of sorting, reused from one sort to the next.
#[derive(Debug)]
pub(crate) struct Scratch<R> {
    /// The rows to sort, and the buffer they are sorted into.
    pub(crate) rows: Vec<R>,
    buffer: Vec<R>,
    /// The buffer rows are packed into.
    packed: Vec<u8>,
}

impl<R> Default for Scratch<R> {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            buffer: Vec::new(),
            packed: Vec::new(),
        }
    }
}

impl<R> Scratch<R> {
    /// Bytes held.
    pub(crate) fn bytes(&self) -> usize {
        (self.rows.capacity() + self.buffer.capacity()) * size_of::<R>() + self.packed.capacity()
    }
}

/// An append-only log of (group, value) rows.
#[derive(Debug)]
pub(crate) struct Log<R> {
    /// Packed rows.
    packed: Vec<Box<[u8]>>,
    /// Number of packed rows.
    packed_len: usize,
    /// Full blocks.
    blocks: Vec<Vec<R>>,
    /// The open block. It has room for the first rows of a log without reallocation.
    pub(crate) tail: Vec<R>,
    /// Rows of `blocks`.
    closed: usize,
    /// Bytes allocated by `packed`, `blocks` and `tail`.
    bytes: usize,
    /// The number of rows at which the log is compacted.
    limit: usize,
    /// Whether values ascend in order of arrival, those in `tail` left aside; none then exceeds
    /// `last`.
    ascends: bool,
    /// The largest value so far, if `ascends`.
    last: u64,
}

impl<R> Default for Log<R> {
    fn default() -> Self {
        Self {
            packed: Vec::new(),
            packed_len: 0,
            blocks: Vec::new(),
            tail: Vec::new(),
            closed: 0,
            bytes: 0,
            limit: LEAST,
            ascends: true,
            last: 0,
        }
    }
}

impl<R: LogRow> Log<R> {
    /// Bytes held.
    pub(crate) fn bytes(&self) -> usize {
        size_of::<Self>() + self.bytes
    }

    /// Whether the next row needs a new block.
    #[inline(always)]
    pub(crate) fn is_full(&self) -> bool {
        self.tail.len() == self.tail.capacity()
    }

    /// Appends a row; the open block has room for it.
    #[inline(always)]
    pub(crate) fn push(&mut self, row: R) {
        self.tail.push(row);
    }

    /// Whether the log has reached its limit, and at least `least` rows, so that compacting it
    /// pays.
    pub(crate) fn is_over(&self, least: usize) -> bool {
        self.len() >= self.limit.max(least)
    }

    /// Whether there are enough unpacked rows, and at least `least`, so that packing them pays.
    pub(crate) fn is_packable(&self, least: usize) -> bool {
        self.len() - self.packed_len >= least.max(LEAST)
    }

    /// Closes the open block and opens a new one.
    pub(crate) fn open_block(&mut self) {
        self.close_block();
        self.tail
            .reserve_exact((self.closed / 2).clamp(BLOCK.0, BLOCK.1));
        self.bytes += self.tail.capacity() * size_of::<R>() + size_of::<Vec<R>>();
    }

    fn close_block(&mut self) {
        self.ascends = self.ascends_to_tail();
        if let Some(last) = self.tail.last() {
            self.last = last.low();
            self.closed += self.tail.len();
            self.blocks.push(std::mem::take(&mut self.tail));
        }
    }

    /// Number of rows.
    pub(crate) fn len(&self) -> usize {
        self.packed_len + self.closed + self.tail.len()
    }

    fn ascends_to_tail(&self) -> bool {
        self.ascends
            && self
                .tail
                .first()
                .is_none_or(|first| self.last <= first.low())
            && self.tail.is_sorted_by_key(|row| row.low())
    }

    /// Sorts the rows that are not packed yet, removes duplicates among them and delta-packs them.
    pub(crate) fn pack(&mut self, scratch: &mut Scratch<R>) {
        self.close_block();
        scratch.rows.clear();
        self.blocks
            .iter()
            .for_each(|block| scratch.rows.extend_from_slice(block));
        sort::sort(
            &mut scratch.rows,
            if self.ascends { R::VALUE_BITS } else { 0 },
            &mut scratch.buffer,
        );
        scratch.rows.dedup();
        self.bytes -= self.bytes_of_blocks();
        (self.blocks, self.closed) = (Vec::new(), 0);
        self.push_packed(&scratch.rows, &mut scratch.packed);
    }

    fn bytes_of_blocks(&self) -> usize {
        self.blocks
            .iter()
            .map(|block| block.capacity() * size_of::<R>() + size_of::<Vec<R>>())
            .sum()
    }

    fn push_packed(&mut self, rows: &[R], scratch: &mut Vec<u8>) {
        self.packed.push(pack(rows, scratch));
        self.packed_len += rows.len();
        self.bytes += self
            .packed
            .last()
            .map_or(0, |packed| packed.len() + size_of::<Box<[u8]>>());
    }

    /// Replaces the contents of `rows` by all rows, packed ones first. Returns whether the values
    /// of each group ascend.
    pub(crate) fn copy_to(&self, rows: &mut Vec<R>) -> bool {
        rows.clear();
        rows.reserve(self.len());
        self.packed.iter().for_each(|packed| unpack(packed, rows));
        for block in self.blocks.iter().chain([&self.tail]) {
            rows.extend_from_slice(block);
        }
        self.ascends_to_tail()
    }

    /// Copies all rows into `scratch.rows`, sorted and without duplicates. Returns whether the
    /// values of each group ascended already.
    pub(crate) fn sort_to(&self, scratch: &mut Scratch<R>) -> bool {
        let ascends = self.copy_to(&mut scratch.rows);
        sort::sort(
            &mut scratch.rows,
            if ascends { R::VALUE_BITS } else { 0 },
            &mut scratch.buffer,
        );
        scratch.rows.dedup();
        ascends
    }

    /// Replaces all rows. `ascends`: the values of each group ascend, and so far every value
    /// arrived in ascending order.
    fn replace(&mut self, rows: Vec<R>, ascends: bool) {
        let limit = self.limit;
        let bytes = rows.capacity() * size_of::<R>() + size_of::<Vec<R>>();
        let last = rows
            .iter()
            .map(|row| row.low())
            .max()
            .unwrap_or(if ascends { self.last } else { 0 });
        *self = Self {
            limit,
            ascends,
            last,
            ..Self::default()
        };
        if !rows.is_empty() {
            (self.closed, self.bytes) = (rows.len(), bytes);
            self.blocks.push(rows);
        }
    }

    /// Removes duplicates, and moves the rows of crowded chunks to `take`. The log is not compacted
    /// again below `least` rows.
    pub(crate) fn compact(
        &mut self,
        least: usize,
        scratch: &mut Scratch<R>,
        take: impl FnMut(&[R]),
    ) {
        let before = self.len();
        let ascends = self.sort_to(scratch);
        let is_distinct = scratch.rows.len() >= before - before / 8;
        let fullest = take_crowded(&mut scratch.rows, take);
        let left = scratch.rows.as_slice();
        // To where the fullest chunk becomes crowded, if that can be told.
        let grown = match is_distinct {
            true => (left.len() * CROWDED * 5 / 4 / fullest.max(1))
                .clamp(left.len() * 4 / 3, left.len() * GROWTH_OF_DISTINCT),
            false => left.len() * GROWTH,
        };
        self.limit = if left.is_empty() {
            CROWDED
        } else {
            grown.max(least).max(LEAST)
        };
        let was_packed = !self.packed.is_empty();
        self.replace(left.to_vec(), ascends);
        if was_packed && !left.is_empty() {
            self.pack(scratch);
        }
    }

    /// Appends the rows of a log of other groups.
    pub(crate) fn append(&mut self, other: &Self) {
        let (mut rows, mut others) = (Vec::new(), Vec::new());
        let ascends = self.copy_to(&mut rows) & other.copy_to(&mut others);
        rows.append(&mut others);
        self.limit = self.limit.max(other.limit);
        self.replace(rows, ascends);
    }

    /// The same rows in another representation.
    pub(crate) fn map<T: LogRow>(&self, change: impl Fn(R) -> T) -> Log<T> {
        let (mut log, mut rows, mut scratch) = (Log::<T>::default(), Vec::new(), Vec::new());
        for packed in &self.packed {
            rows.clear();
            unpack(packed, &mut rows);
            let rows: Vec<T> = rows.iter().map(|row| change(*row)).collect();
            log.push_packed(&rows, &mut scratch);
        }
        for block in self
            .blocks
            .iter()
            .chain([&self.tail])
            .filter(|block| !block.is_empty())
        {
            log.blocks
                .push(block.iter().map(|row| change(*row)).collect());
            log.closed += block.len();
        }
        log.bytes += log.bytes_of_blocks();
        Log {
            limit: self.limit,
            ascends: false,
            ..log
        }
    }
}

/// Index of the first row from `from` on that does not belong: a galloping search.
#[inline(always)]
pub(crate) fn end_of<R: Copy>(rows: &[R], from: usize, belongs: impl Fn(R) -> bool) -> usize {
    let mut low = from;
    let mut step = 1;
    while low + step <= rows.len() && belongs(rows[low + step - 1]) {
        low += step;
        step *= 2;
    }
    let high = rows.len().min(low + step);
    low + rows[low..high].partition_point(|row| belongs(*row))
}

/// Moves crowded chunks of sorted rows to `take`. Returns the row count of the fullest chunk that
/// stays.
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
