//! Bit-sliced indexes: per-user integers -> one list of ordinals a binary digit, and one of all
//! users that have a value.
//!
//! Every slice is worth the same wherever it stands, see [`Slice`]; which ones there are is said by
//! the [`Width`] of the values.

use datafusion::error::{DataFusionError, Result};
use tagmill_bitmap::{Slice, Width};

use super::cutter::Cutter;

/// Cuts `(group, ordinal, value)` triples, ordinals ascending in each group, into slices: calls
/// `emit(group, slice, ordinals)` in that order. Groups are below `groups`; `width` is that of the
/// values or of more.
pub fn cut_slices(
    cutter: &mut Cutter,
    groups: u32,
    width: Width,
    values: impl Iterator<Item = (u32, u32, i64)> + Clone,
    mut emit: impl FnMut(u32, Slice, &[u32]) -> Result<()>,
) -> Result<()> {
    let keys = width.keys();
    if u64::from(groups) * u64::from(keys) > u64::from(u32::MAX) {
        return Err(DataFusionError::Internal(format!(
            "{groups} groups of slices"
        )));
    }
    let rows = values.size_hint().1.unwrap_or(0);
    let pairs = values.flat_map(|(group, ordinal, value)| {
        let first = group * keys;
        width.keys_of(value).map(move |key| (first + key, ordinal))
    });
    cutter.cut_walking(
        u64::from(groups) * u64::from(keys),
        rows,
        pairs,
        |key, ordinals| emit(key / keys, width.slice(key % keys), ordinals),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    /// What the slices of values are worth by ordinal, and who has a value.
    fn cut(groups: u32, values: &[i64]) -> BTreeMap<u32, (u32, i128)> {
        let triples = values
            .iter()
            .enumerate()
            .map(|(i, &v)| (i as u32 % groups, i as u32, v));
        let mut sums = BTreeMap::new();
        let (mut before, mut existing) = (None, Vec::new());
        let width = Width::of(values.iter().copied());
        let emit = |group: u32, slice: Slice, ordinals: &[u32]| {
            assert!(before < Some((group, slice.number())));
            before = Some((group, slice.number()));
            for &ordinal in ordinals {
                let (owner, sum) = sums.entry(ordinal).or_insert((group, 0));
                assert_eq!(*owner, group);
                *sum += slice.weight();
                if slice == Slice::Exists {
                    existing.push(ordinal);
                }
            }
            Ok(())
        };
        cut_slices(&mut Cutter::default(), groups, width, triples, emit).unwrap();
        existing.sort_unstable();
        assert!(existing.iter().copied().eq(0..values.len() as u32));
        sums
    }

    proptest! {
        #[test]
        fn slices_add_up_to_the_values(
            wide in prop::collection::vec(any::<i64>(), 1..200),
            bits in 0u32..64,
            far in any::<bool>(),
        ) {
            let mut values: Vec<i64> = wide.iter().map(|value| value >> bits).collect();
            if far {
                values.extend([i64::MIN, i64::MAX, 0, -1]);
            }
            let sums = cut(3, &values);
            for (i, &value) in (0..).zip(&values) {
                prop_assert_eq!(sums[&i].1, i128::from(value));
            }
        }
    }
}
