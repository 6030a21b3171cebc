//! Places of values in ascending order: the first and the last, how many are not above a value,
//! which one is the n-th.

use crate::format::container::{Container, run_bounds};
use crate::format::view::BitmapRef;
use crate::kernels::value::value;
use crate::kernels::words;

impl Container<'_> {
    /// The smallest value; `None` for a damaged bitset without bits.
    pub(crate) fn first(&self) -> Option<u16> {
        match self {
            Self::Array(values) => values.first().map(value),
            Self::Bitset(block, _) => {
                let index = block.iter().position(|word| *word != [0; 8])?;
                Some((index * 64) as u16 | u64::from_le_bytes(block[index]).trailing_zeros() as u16)
            }
            Self::Run(runs, _) => runs.first().map(|run| run_bounds(run).0),
        }
    }

    /// The largest value; `None` for a damaged bitset without bits.
    pub(crate) fn last(&self) -> Option<u16> {
        match self {
            Self::Array(values) => values.last().map(value),
            Self::Bitset(block, _) => {
                let index = block.iter().rposition(|word| *word != [0; 8])?;
                Some((index * 64) as u16 | u64::from_le_bytes(block[index]).ilog2() as u16)
            }
            Self::Run(runs, _) => runs.last().map(|run| run_bounds(run).1),
        }
    }

    /// Number of values that are not above `value`.
    pub(crate) fn rank(&self, value: u16) -> u32 {
        match self {
            Self::Array(values) => {
                values.partition_point(|bytes| u16::from_le_bytes(*bytes) <= value) as u32
            }
            Self::Bitset(block, _) => {
                let index = usize::from(value >> 6);
                let part = u64::from_le_bytes(block[index]) & u64::MAX >> (63 - (value & 63));
                words::count_part(&block[..index]) + part.count_ones()
            }
            Self::Run(runs, _) => {
                let below = runs
                    .iter()
                    .map(run_bounds)
                    .take_while(|(first, _)| *first <= value);
                below
                    .map(|(first, last)| u32::from(last.min(value) - first) + 1)
                    .sum()
            }
        }
    }

    /// The value with `index` smaller ones.
    pub(crate) fn select(&self, index: u32) -> Option<u16> {
        let mut left = index;
        match self {
            Self::Array(values) => values.get(index as usize).map(value),
            Self::Bitset(block, _) => block.iter().enumerate().find_map(|(at, bytes)| {
                let word = u64::from_le_bytes(*bytes);
                if left >= word.count_ones() {
                    left -= word.count_ones();
                    return None;
                }
                let above = (0..left).fold(word, |word, _| word & (word - 1));
                Some((at * 64) as u16 | above.trailing_zeros() as u16)
            }),
            Self::Run(runs, _) => runs.iter().map(run_bounds).find_map(|(first, last)| {
                let len = u32::from(last - first) + 1;
                if left < len {
                    return Some(first + left as u16);
                }
                left -= len;
                None
            }),
        }
    }
}

/// A value from its high word, its container's key and its low half.
fn join(high: u32, key: u16, low: u16) -> u64 {
    u64::from(high) << 32 | u64::from(key) << 16 | u64::from(low)
}

impl BitmapRef<'_> {
    /// The smallest value; `None` for an empty bitmap. Reads one container.
    pub fn min(&self) -> Option<u64> {
        let (high, bucket) = self
            .buckets()
            .find(|(_, bucket)| bucket.container_count() > 0)?;
        Some(join(high, bucket.key(0)?, bucket.container_at(0)?.first()?))
    }

    /// The largest value; `None` for an empty bitmap. Reads one container.
    pub fn max(&self) -> Option<u64> {
        let (high, bucket) = self
            .buckets()
            .filter(|(_, bucket)| bucket.container_count() > 0)
            .last()?;
        let last = bucket.container_count() - 1;
        Some(join(
            high,
            bucket.key(last)?,
            bucket.container_at(last)?.last()?,
        ))
    }

    /// Number of values that are not above `value`. Reads one container; the others are counted by
    /// their descriptors.
    pub fn rank(&self, value: u64) -> u64 {
        let (high, key) = ((value >> 32) as u32, (value >> 16) as u16);
        let mut rank = 0;
        for (found, bucket) in self.buckets().take_while(|(found, _)| *found <= high) {
            if found < high {
                rank += bucket.cardinality();
                continue;
            }
            let at = bucket.indices(0, key);
            let Some(last) = at.end.checked_sub(1) else {
                continue;
            };
            let is_own = bucket.key(last) == Some(key);
            rank += bucket.cardinality_of_first(if is_own { last } else { at.end });
            if is_own && let Some(container) = bucket.container_at(last) {
                rank += u64::from(container.rank(value as u16));
            }
        }
        rank
    }

    /// The value with `index` smaller ones; `None` beyond the last. Reads one container.
    pub fn select(&self, index: u64) -> Option<u64> {
        let mut left = index;
        for (high, bucket) in self.buckets() {
            let cardinality = bucket.cardinality();
            if left >= cardinality {
                left -= cardinality;
                continue;
            }
            let (at, before) = bucket.find_nth(left)?;
            return Some(join(
                high,
                bucket.key(at)?,
                bucket.container_at(at)?.select((left - before) as u32)?,
            ));
        }
        None
    }
}
