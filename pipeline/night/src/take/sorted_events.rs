//! The events of one source and one shard in order of (seat, tuple): what bitmaps are cut from.

use std::ops::Range;

use super::tuple_order::TupleOrder;
use super::values::Values;

/// Events in order of (seat, event, dimension values), counted.
pub struct SortedEvents {
    /// Event names by code.
    pub names: Values,
    /// Dimension values by code.
    pub dimensions: Vec<Values>,
    /// Distinct tuples in order.
    pub tuples: SortedTuples,
    pub(super) bits: u32,
    pub(super) keys: Vec<u64>,
    pub(super) measures: Vec<Vec<(u64, i64)>>,
    pub(super) times: Vec<(u64, i64)>,
    /// Seats of dropped duplicates, one entry a row.
    pub duplicates: Vec<u32>,
}

impl SortedEvents {
    /// The keys of the seats `start..end`, one an event.
    pub fn keys(&self, start: usize, end: usize) -> &[u64] {
        let at = |seat: usize| {
            self.keys
                .partition_point(|key| key >> self.bits < seat as u64)
        };
        &self.keys[at(start)..at(end)]
    }

    /// The sums of one measure slot for the seats `start..end`: (key, sum).
    pub fn sums(&self, slot: usize, start: usize, end: usize) -> &[(u64, i64)] {
        let sums = &self.measures[slot];
        let at = |seat: usize| sums.partition_point(|&(key, _)| key >> self.bits < seat as u64);
        &sums[at(start)..at(end)]
    }

    /// When the steps of funnels were for the seats `start..end`: (key, microseconds since 1970).
    pub fn times(&self, start: usize, end: usize) -> &[(u64, i64)] {
        let times = &self.times;
        let at = |seat: usize| times.partition_point(|&(key, _)| key >> self.bits < seat as u64);
        &times[at(start)..at(end)]
    }

    /// The number of measure slots.
    pub fn measure_slots(&self) -> usize {
        self.measures.len()
    }

    /// The seat in a key.
    pub fn seat(&self, key: u64) -> usize {
        (key >> self.bits) as usize
    }

    /// The tuple in a key.
    pub fn tuple(&self, key: u64) -> u32 {
        (key & ((1 << self.bits) - 1)) as u32
    }
}

/// The distinct tuples of a shard in order of their typed values, column by column: the position of
/// each value in the typed order of its column.
pub struct SortedTuples {
    columns: Vec<Vec<u32>>,
}

impl SortedTuples {
    /// The tuples of this order.
    pub fn of(order: &TupleOrder) -> Self {
        let sorted = |column: &Vec<u32>| {
            let tuples = order.order.iter();
            tuples.map(|&tuple| column[tuple as usize]).collect()
        };
        Self {
            columns: order.columns.iter().map(sorted).collect(),
        }
    }

    /// The position of the event's name.
    #[inline]
    pub fn event(&self, tuple: u32) -> u32 {
        self.columns[0][tuple as usize]
    }

    /// The tuples of the same event as `tuple`: they stand together.
    pub fn of_same_event(&self, tuple: u32) -> Range<usize> {
        let events = &self.columns[0];
        let event = events.get(tuple as usize).copied().unwrap_or_default();
        events.partition_point(|other| *other < event)
            ..events.partition_point(|other| *other <= event)
    }

    /// The positions of the values in one dimension slot, by tuple; 0 is null.
    pub fn dimension(&self, slot: usize) -> &[u32] {
        &self.columns[1 + slot]
    }
}
