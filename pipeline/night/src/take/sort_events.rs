//! Events in order of arrival -> in order of (seat, tuple), duplicates dropped, measures added up.

use super::events::{EventRows, MeasureRows};
use super::measure::NO_SUM;
use super::sorted_events::{SortedEvents, SortedTuples};
use super::tuple_order::TupleOrder;
use super::tuple_order::bits_for;
use crate::plan::columns::NO_KEY;
use tagmill_bitmap::sort_rows;

impl EventRows {
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
        let steps = std::mem::take(&mut self.times);
        let of_steps = steps.rows.iter().zip(steps.values);
        let kept = of_steps.filter(|(row, _)| dropped.binary_search(row).is_err());
        let mut times: Vec<(u64, i64)> = kept
            .map(|(&row, time)| (keys[row as usize], time))
            .collect();
        times.sort_unstable();
        let duplicates = dropped
            .iter()
            .map(|&row| (keys[row as usize] >> bits) as u32)
            .collect();
        for row in dropped.into_iter().rev() {
            keys.swap_remove(row as usize);
        }
        sort_rows(keys, keys_scratch);
        let (tuples, keys) = (SortedTuples::of(&order), std::mem::take(keys));
        SortedEvents {
            names: self.names,
            dimensions: self.dimensions,
            tuples,
            bits,
            keys,
            measures,
            times,
            duplicates,
        }
    }

    /// Rows that repeat an earlier one, ascending: same seat and key. Of equal rows the one with
    /// the smallest tuple, measures and time stays, so arrival does not matter.
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
            let measures = self.measures.iter();
            measures.chain([&self.times]).map(value).collect()
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

/// Equal keys become one sum; [`NO_SUM`] where it does not fit.
fn sums(pairs: &[(u64, i64)]) -> Vec<(u64, i64)> {
    let sum = |run: &[(u64, i64)]| {
        let sum: i128 = run.iter().map(|&(_, value)| i128::from(value)).sum();
        (run[0].0, i64::try_from(sum).unwrap_or(NO_SUM))
    };
    pairs.chunk_by(|a, b| a.0 == b.0).map(sum).collect()
}
