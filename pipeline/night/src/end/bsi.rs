//! Bit-sliced indexes: per-user integers -> one list of ordinals a binary digit, and one of all
//! users that have a value.
//!
//! Slice -1 holds everyone with a value; slice `i` those with bit `i` of `value - offset` set. The
//! offset is 0 unless there are negative values, then the nearest `-2^k` below them.

use datafusion::error::{DataFusionError, Result};

use super::cutter::Cutter;

/// Slice of the users that have a value.
pub const EXISTS: i16 = -1;

/// Keys of one integer: 64 digits and the existence.
const KEYS: u32 = 65;

/// The stored offset for values of which `min` is the smallest.
pub fn offset_for(min: i64) -> i64 {
    if min >= 0 {
        return 0;
    }
    let magnitude = min
        .unsigned_abs()
        .checked_next_power_of_two()
        .unwrap_or(1 << 63);
    (magnitude as i64).wrapping_neg()
}

/// Cuts `(group, ordinal, value)` triples, ordinals ascending in each group, into slices: calls
/// `emit(group, slice, ordinals)` in that order. Groups are below `groups`; values are not below
/// `offset`.
pub fn cut_slices(
    cutter: &mut Cutter,
    groups: u32,
    offset: i64,
    values: impl Iterator<Item = (u32, u32, i64)> + Clone,
    mut emit: impl FnMut(u32, i16, &[u32]) -> Result<()>,
) -> Result<()> {
    if u64::from(groups) * u64::from(KEYS) > u64::from(u32::MAX) {
        return Err(DataFusionError::Internal(format!(
            "{groups} groups of slices"
        )));
    }
    let rows = values.size_hint().1.unwrap_or(0);
    let pairs = values.flat_map(|(group, ordinal, value)| {
        let key = group * KEYS;
        std::iter::once((key, ordinal)).chain(
            Digits(value.wrapping_sub(offset) as u64).map(move |digit| (key + 1 + digit, ordinal)),
        )
    });
    cutter.cut_walking(
        u64::from(groups) * u64::from(KEYS),
        rows,
        pairs,
        |key, ordinals| emit(key / KEYS, (key % KEYS) as i16 + EXISTS, ordinals),
    )
}

/// The binary digits of a number that are 1, lowest first.
#[derive(Clone)]
struct Digits(u64);

impl Iterator for Digits {
    type Item = u32;

    #[inline]
    fn next(&mut self) -> Option<u32> {
        let digit = (self.0 != 0).then(|| self.0.trailing_zeros())?;
        self.0 &= self.0 - 1;
        Some(digit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    #[test]
    fn offsets_are_powers_of_two_below_the_smallest() {
        assert_eq!(
            [0, 5, -1, -2, -3, -128, i64::MIN].map(offset_for),
            [0, 0, -1, -2, -4, -128, i64::MIN]
        );
    }

    proptest! {
        #[test]
        fn slices_add_up_to_the_values(values in prop::collection::vec(any::<i64>(), 1..200)) {
            let offset = offset_for(values.iter().copied().min().unwrap());
            let triples = values.iter().enumerate().map(|(i, &v)| ((i % 3) as u32, i as u32, v));
            let mut sums: BTreeMap<u32, (u32, i128)> = BTreeMap::new();
            cut_slices(&mut Cutter::default(), 3, offset, triples, |group, slice, ordinals| {
                for &ordinal in ordinals {
                    let (owner, sum) = sums.entry(ordinal).or_insert((group, i128::from(offset)));
                    assert_eq!(*owner, group);
                    *sum += if slice == EXISTS { 0 } else { 1i128 << slice };
                }
                Ok(())
            }).unwrap();
            for (i, &value) in values.iter().enumerate() {
                prop_assert_eq!(sums[&(i as u32)].1, i128::from(value));
            }
        }
    }
}
