//! The events of one source and one shard: kept as fixed-width columns, sorted once, counted per
//! (seat, tuple).
//!
//! ```text
//! row      = (provisional seat, tuple)         6 bytes; a tuple is (event, dimension codes)
//! measure  = (row, value)                      only where there is a value
//! sorted   = seat << tuple bits | tuple rank   one u64, radix sorted
//!                                              equal keys are one item with a count: what bitmaps are cut from
//! ```

use std::ops::Range;

use datafusion::error::{DataFusionError, Result};
use tagmill_bitmap::sort_rows;

use super::measure::NO_SUM;
use super::narrow::NarrowColumn;
use super::tuples::Tuples;
use super::values::{Values, positions};
use crate::end::cutter::Cutter;

/// The dedupe key of an event that has none: nothing says that it is a duplicate of another one.
pub const NO_KEY: u128 = 0;

/// Events as they stream in.
pub struct EventRows {
    /// Event names.
    pub names: Values,
    /// One encoder a dimension slot.
    pub dimensions: Vec<Values>,
    tuples: Tuples,
    seats: NarrowColumn,
    tuple_of: NarrowColumn,
    /// Tuples of the batch at hand.
    batch: Vec<u32>,
    measures: Vec<MeasureRows>,
    /// 128-bit hashes of the dedupe key; empty when the source has none.
    keys: Vec<u128>,
}

#[derive(Default)]
struct MeasureRows {
    rows: Vec<u32>,
    values: Vec<i64>,
}

impl EventRows {
    /// No events yet; one encoder for each dimension slot, and a number of measure slots.
    pub fn new(names: Values, dimensions: Vec<Values>, measures: usize) -> Self {
        let tuples = Tuples::new(1 + dimensions.len());
        let measures = (0..measures).map(|_| MeasureRows::default()).collect();
        Self {
            names,
            dimensions,
            tuples,
            seats: NarrowColumn::default(),
            tuple_of: NarrowColumn::default(),
            batch: Vec::new(),
            measures,
            keys: Vec::new(),
        }
    }

    /// Makes room for so many events. Room that is not used is not touched.
    pub fn reserve(&mut self, events: usize) {
        self.seats.reserve(events);
        self.tuple_of.reserve(events);
    }

    /// How many events there are.
    pub fn len(&self) -> usize {
        self.seats.len()
    }

    /// Calls `each` with the provisional seat of every event, copies included.
    pub fn for_each_seat(&self, mut each: impl FnMut(u32)) {
        self.seats.for_each(|_, seat| each(seat));
    }

    /// The codes of these events.
    pub fn name_codes(&mut self, events: &[String]) -> Vec<u32> {
        events
            .iter()
            .map(|event| self.names.string_code(event.as_bytes()))
            .collect()
    }

    /// Heap bytes held.
    pub fn size(&self) -> usize {
        let measures: usize = self
            .measures
            .iter()
            .map(|m| m.rows.capacity() * 4 + m.values.capacity() * 8)
            .sum();
        let values: usize = self.dimensions.iter().map(Values::size).sum();
        self.seats.size()
            + self.tuple_of.size()
            + self.keys.capacity() * 16
            + measures
            + values
            + self.tuples.size()
    }

    /// Appends events. `codes` are the event and dimension codes (see [`EventRows::names`]), one
    /// column each.
    ///
    /// # Errors
    /// More than 2^32 events, which rows and counts of 32 bits can not number.
    pub fn push(
        &mut self,
        seats: &[u32],
        codes: &[Vec<u32>],
        keys: impl IntoIterator<Item = u128>,
    ) -> Result<()> {
        if self.len() + seats.len() > u32::MAX as usize {
            return Err(DataFusionError::ResourcesExhausted(format!(
                "{} events of one source in one shard; a warehouse with more shards is needed",
                self.len() + seats.len()
            )));
        }
        self.seats.extend(seats);
        let sizes: Vec<usize> = std::iter::once(&self.names)
            .chain(&self.dimensions)
            .map(Values::len)
            .collect();
        self.batch.clear();
        self.tuples.intern_batch(codes, &sizes, &mut self.batch);
        self.tuple_of.extend(&self.batch);
        self.keys.extend(keys);
        Ok(())
    }

    /// Appends the value of one measure slot for the event with number `row`.
    pub fn push_measure(&mut self, slot: usize, row: usize, value: i64) {
        self.measures[slot].rows.push(row as u32);
        self.measures[slot].values.push(value);
    }

    /// Sorts, drops duplicates and counts. `seat_of` turns provisional seats into final ones.
    pub fn sort(mut self, seat_of: &[u32], buffers: &mut SortBuffers) -> SortedEvents {
        let order = TupleOrder::of(&self.tuples, &self.names, &self.dimensions);
        let bits = bits_for(self.tuples.len());
        let SortBuffers {
            keys,
            keys_scratch,
            pairs,
            pairs_scratch,
            ..
        } = buffers;
        keys.clear();
        keys.reserve(self.len());
        std::mem::take(&mut self.seats)
            .for_each(|_, seat| keys.push(u64::from(seat_of[seat as usize]) << bits));
        std::mem::take(&mut self.tuple_of)
            .for_each(|row, tuple| keys[row] |= u64::from(order.rank[tuple as usize]));
        let dropped = if self.keys.is_empty() {
            Vec::new()
        } else {
            self.duplicates(keys, bits)
        };
        let mut measures = Vec::with_capacity(self.measures.len());
        for measure in std::mem::take(&mut self.measures) {
            let values = measure.rows.iter().zip(measure.values);
            pairs.clear();
            pairs.extend(
                values
                    .filter(|(row, _)| dropped.binary_search(row).is_err())
                    .map(|(&row, value)| (keys[row as usize], value)),
            );
            sort_rows(pairs, pairs_scratch);
            measures.push(sums(pairs));
        }
        let duplicates = dropped
            .iter()
            .map(|&row| (keys[row as usize] >> bits) as u32)
            .collect();
        for row in dropped.into_iter().rev() {
            keys.swap_remove(row as usize);
        }
        sort_rows(keys, keys_scratch);
        let (tuples, keys) = (order.sorted(), std::mem::take(keys));
        SortedEvents {
            names: self.names,
            dimensions: self.dimensions,
            tuples,
            bits,
            keys,
            measures,
            duplicates,
        }
    }

    /// Rows that repeat an earlier one, ascending: same seat and key. Of equal rows the one with
    /// the smallest tuple and measures stays, so arrival does not matter.
    fn duplicates(&mut self, sorted_keys: &[u64], bits: u32) -> Vec<u32> {
        let keys = std::mem::take(&mut self.keys);
        let mut rows: Vec<u32> = (0..keys.len() as u32)
            .filter(|&row| keys[row as usize] != NO_KEY)
            .collect();
        let content = |row: u32| sorted_keys[row as usize];
        let scope = |row: u32| (keys[row as usize], content(row) >> bits);
        rows.sort_unstable_by_key(|&row| scope(row));
        let mut dropped = Vec::new();
        let mut first = 0;
        for at in 1..=rows.len() {
            let same = at < rows.len() && scope(rows[at]) == scope(rows[first]);
            if same {
                continue;
            }
            if at - first > 1 {
                self.keep_smallest(&mut rows[first..at], content, &mut dropped);
            }
            first = at;
        }
        dropped.sort_unstable();
        dropped
    }

    /// Of the rows of one dedupe key, adds all but the smallest to `dropped`.
    fn keep_smallest(
        &self,
        rows: &mut [u32],
        content: impl Fn(u32) -> u64,
        dropped: &mut Vec<u32>,
    ) {
        let measures = |row: u32| -> Vec<Option<i64>> {
            let value = |m: &MeasureRows| m.rows.binary_search(&row).ok().map(|at| m.values[at]);
            self.measures.iter().map(value).collect()
        };
        rows.sort_by_cached_key(|&row| (content(row), measures(row)));
        dropped.extend_from_slice(&rows[1..]);
    }
}

/// Memory of a sort, for the next shard to use: fresh pages cost more than the sort.
#[derive(Default)]
pub struct SortBuffers {
    keys: Vec<u64>,
    keys_scratch: Vec<u64>,
    pairs: Vec<(u64, i64)>,
    pairs_scratch: Vec<(u64, i64)>,
    /// For the bitmaps of the apps.
    pub cutter: Cutter,
}

impl SortBuffers {
    /// Takes back the memory of events that are written.
    pub fn take_back(&mut self, sorted: impl Iterator<Item = SortedEvents>) {
        self.keys = sorted
            .map(|events| events.keys)
            .max_by_key(Vec::capacity)
            .unwrap_or_default();
    }
}

/// Events in order of (seat, event, dimension values), counted.
pub struct SortedEvents {
    /// Event names by code.
    pub names: Values,
    /// Dimension values by code.
    pub dimensions: Vec<Values>,
    /// Distinct tuples in order.
    pub tuples: SortedTuples,
    bits: u32,
    keys: Vec<u64>,
    measures: Vec<Vec<(u64, i64)>>,
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

/// The order of tuples: event name, then the dimension slots, typed, null first.
struct TupleOrder {
    /// Tuples in order.
    order: Vec<u32>,
    /// By tuple its position.
    rank: Vec<u32>,
    /// By column and tuple: the position of its value.
    columns: Vec<Vec<u32>>,
}

impl TupleOrder {
    fn of(tuples: &Tuples, names: &Values, dimensions: &[Values]) -> Self {
        let ranks: Vec<Vec<u32>> = std::iter::once(names)
            .chain(dimensions)
            .map(Values::ranks)
            .collect();
        let bits: Vec<u32> = ranks.iter().map(|r| bits_for(r.len())).collect();
        let mut columns = tuples.columns();
        for (column, ranks) in columns.iter_mut().zip(&ranks) {
            column
                .iter_mut()
                .for_each(|code| *code = ranks[*code as usize]);
        }
        let mut order: Vec<u32> = (0..tuples.len() as u32).collect();
        if bits.iter().sum::<u32>() <= 64 {
            let packed = |tuple: u32| {
                columns
                    .iter()
                    .zip(&bits)
                    .fold(0u64, |key, (column, &bits)| {
                        key << bits | u64::from(column[tuple as usize])
                    })
            };
            let mut keyed: Vec<(u64, u32)> =
                order.iter().map(|&tuple| (packed(tuple), tuple)).collect();
            sort_rows(&mut keyed, &mut Vec::new());
            order = keyed.into_iter().map(|(_, tuple)| tuple).collect();
        } else {
            order.sort_by_cached_key(|&tuple| {
                columns
                    .iter()
                    .map(|column| column[tuple as usize])
                    .collect::<Vec<_>>()
            });
        }
        Self {
            rank: positions(&order),
            order,
            columns,
        }
    }

    fn sorted(&self) -> SortedTuples {
        let column = |column: &Vec<u32>| {
            self.order
                .iter()
                .map(|&tuple| column[tuple as usize])
                .collect()
        };
        SortedTuples {
            columns: self.columns.iter().map(column).collect(),
        }
    }
}

/// Equal keys become one sum; [`NO_SUM`] where it does not fit.
fn sums(pairs: &[(u64, i64)]) -> Vec<(u64, i64)> {
    let sum = |run: &[(u64, i64)]| {
        let sum: i128 = run.iter().map(|&(_, value)| i128::from(value)).sum();
        (run[0].0, i64::try_from(sum).unwrap_or(NO_SUM))
    };
    pairs.chunk_by(|a, b| a.0 == b.0).map(sum).collect()
}

/// How many bits numbers below `count` need.
fn bits_for(count: usize) -> u32 {
    usize::BITS - count.saturating_sub(1).leading_zeros()
}

#[cfg(test)]
mod tests {
    use super::bits_for;

    #[test]
    fn bits_cover_every_number() {
        assert_eq!([0, 1, 2, 3, 256, 257].map(bits_for), [0, 0, 1, 2, 8, 9]);
    }
}
