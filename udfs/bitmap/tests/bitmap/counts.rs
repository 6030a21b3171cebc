//! How many values two bitmaps share, where the loops change: few and many runs, the last value,
//! keys 128 apart.

use crate::sets::{bytes_of, random, sets};
use proptest::prelude::*;
use std::collections::BTreeSet;
use tagmill_bitmap::{
    BitmapRef, Container, Expanded, and_cardinality, has_any, or_cardinality_many,
};

/// Runs of one container in which some touch the last value.
fn runs(seed: u64, count: usize, longest: u64) -> BTreeSet<u64> {
    let starts = random(seed).take(count).map(|bits| {
        if bits & 31 == 0 {
            u64::from(u16::MAX)
        } else {
            bits >> 8 & 0xFFFF
        }
    });
    let lengths = random(seed ^ 0xABCD).map(|bits| 1 + bits % longest);
    starts
        .zip(lengths)
        .flat_map(|(start, length)| start..(start + length).min(1 << 16))
        .collect()
}

/// Sets of three values under each of a few keys that share their residue.
fn keyed() -> impl Strategy<Value = BTreeSet<u64>> {
    let key = prop::sample::select(vec![0u64, 1, 63, 64, 127, 128, 129, 255, 256, 65_535]);
    prop::collection::btree_set(key, 0..8).prop_map(|keys| {
        keys.into_iter()
            .flat_map(|key| [key << 16, key << 16 | 7, key << 16 | 0xFFFF])
            .collect()
    })
}

fn agree(left: &BTreeSet<u64>, right: &BTreeSet<u64>) {
    let (a, b) = (bytes_of(left), bytes_of(right));
    let (a, b) = (BitmapRef::parse(&a).unwrap(), BitmapRef::parse(&b).unwrap());
    let shared = left.intersection(right).count() as u64;
    assert_eq!(and_cardinality(&a, &b), shared);
    assert_eq!(and_cardinality(&b, &a), shared);
    assert_eq!(Expanded::from(&a).and_cardinality(&b), shared);
    assert_eq!(Expanded::from(&b).and_cardinality(&a), shared);
    assert_eq!(has_any(&a, &b), shared > 0);
    assert_eq!(
        or_cardinality_many(&[a, b, a]),
        left.union(right).count() as u64
    );
}

proptest! {
    #[test]
    fn runs_and_arrays_share_what_their_sets_share(seed in any::<u64>(), a in 0usize..150, b in 0usize..150, a_longest in 1u64..40, b_longest in 1u64..400) {
        agree(&runs(seed, a, a_longest), &runs(seed ^ 0x5555, b, b_longest));
    }

    #[test]
    fn few_values_are_found_in_runs(seed in any::<u64>(), a in 0usize..6, b in 0usize..12) {
        agree(&runs(seed, a, 1), &runs(seed >> 1, b, 9_000));
    }

    #[test]
    fn sets_of_every_shape_share_what_their_sets_share(a in sets(), b in sets()) {
        agree(&a, &b);
    }

    #[test]
    fn keys_are_told_apart(a in keyed(), b in keyed()) {
        agree(&a, &b);
    }
}

/// The run containers that the tests are about do come up.
#[test]
fn runs_are_run_containers() {
    let bytes = bytes_of(&runs(1, 100, 40));
    let bitmap = BitmapRef::parse(&bytes).unwrap();
    let is_run = |(_, container)| matches!(container, Container::Run(..));
    assert!(
        bitmap
            .buckets()
            .all(|(_, bucket)| bucket.containers().all(is_run))
    );
}
