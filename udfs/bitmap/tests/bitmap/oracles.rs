//! Bytes both ways with CRoaring and with roaring-rs.

use crate::sets::{bytes_of, sets};
use croaring::{Bitmap64, Portable};
use proptest::prelude::*;
use roaring::RoaringTreemap;
use std::collections::BTreeSet;
use tagmill_bitmap::{
    BitmapRef, and, and_cardinality, and_not, clear, equals, flip, has_all, has_any, or, or_many,
    xor,
};
use tagmill_bitmap::{fill, shift};

fn croaring_of(set: &BTreeSet<u64>) -> Bitmap64 {
    Bitmap64::of(&set.iter().copied().collect::<Vec<u64>>())
}

proptest! {
    #[test]
    fn croaring_writes_the_same_bytes(set in sets()) {
        let mut bitmap = croaring_of(&set);
        bitmap.run_optimize();
        prop_assert!(bitmap.serialize::<Portable>() == bytes_of(&set));
    }

    #[test]
    fn croaring_reads_our_bytes(set in sets()) {
        let bitmap = Bitmap64::try_deserialize::<Portable>(&bytes_of(&set)).unwrap();
        prop_assert_eq!(bitmap.internal_validate(), Ok(()));
        prop_assert!(bitmap.iter().eq(set.iter().copied()));
    }

    #[test]
    fn roaring_rs_reads_our_bytes(set in sets()) {
        let bitmap = RoaringTreemap::deserialize_from(bytes_of(&set).as_slice()).unwrap();
        prop_assert!(bitmap.iter().eq(set.iter().copied()));
    }

    #[test]
    fn bytes_of_roaring_rs_are_read(set in sets()) {
        let mut bytes = Vec::new();
        set.iter().copied().collect::<RoaringTreemap>().serialize_into(&mut bytes).unwrap();
        prop_assert!(BitmapRef::parse(&bytes).unwrap().iter().eq(set.iter().copied()));
    }

    #[test]
    fn operands_without_run_containers_give_canonical_results(a in sets(), b in sets()) {
        let bytes = [&a, &b].map(|set| {
            let mut bitmap = croaring_of(set);
            bitmap.remove_run_compression();
            bitmap.serialize::<Portable>()
        });
        let [left, right] = [&bytes[0], &bytes[1]].map(|bytes| BitmapRef::parse(bytes).unwrap());
        let ours = bytes_of(&a);
        let canonical = BitmapRef::parse(&ours).unwrap();
        prop_assert_eq!(and_cardinality(&canonical, &right), a.intersection(&b).count() as u64);
        let mut out = Vec::new();
        for (combine, expected) in [
            (and as fn(&BitmapRef<'_>, &BitmapRef<'_>, &mut Vec<u8>), &a & &b),
            (or, &a | &b),
            (xor, &a ^ &b),
            (and_not, &a - &b),
        ] {
            for operand in [&left, &canonical] {
                out.clear();
                combine(operand, &right, &mut out);
                prop_assert!(out == bytes_of(&expected));
            }
        }
        out.clear();
        or_many(&[left], &mut out);
        prop_assert!(out == ours);
    }

    #[test]
    fn croaring_gives_the_same_places_and_edits(a in sets(), b in sets(), value in any::<u64>(), start in 0u64..300_000, len in 1u64..200_000) {
        let bytes = [bytes_of(&a), bytes_of(&b)];
        let [left, right] = [&bytes[0], &bytes[1]].map(|bytes| BitmapRef::parse(bytes).unwrap());
        let (croaring, other) = (croaring_of(&a), croaring_of(&b));
        prop_assert_eq!((left.min(), left.max()), (croaring.minimum(), croaring.maximum()));
        for value in [value, start, start + len] {
            prop_assert_eq!(left.rank(value), croaring.rank(value));
            prop_assert_eq!(left.select(value), croaring.select(value));
        }
        prop_assert_eq!(has_all(&left, &right), other.is_subset(&croaring));
        prop_assert_eq!(has_any(&left, &right), croaring.intersect(&other));
        prop_assert_eq!(equals(&left, &right), croaring == other);
        let end = start + len;
        // Of two forms of one size CRoaring keeps the one that an operation left: runs are made anew.
        let written = |mut bitmap: Bitmap64| {
            bitmap.remove_run_compression();
            bitmap.run_optimize();
            bitmap.serialize::<Portable>()
        };
        let mut out = Vec::new();
        flip(&left, start, end - 1, &mut out).unwrap();
        prop_assert!(out == written(croaring.flip(start..end)));
        out.clear();
        fill(&left, start, end - 1, &mut out).unwrap();
        let mut filled = croaring.clone();
        filled.add_range(start..end);
        prop_assert!(out == written(filled));
        out.clear();
        clear(&left, start, end - 1, &mut out);
        let mut cleared = croaring.clone();
        cleared.remove_range(start..end);
        prop_assert!(out == written(cleared));
        for distance in [start as i64, -(start as i64), value as i64] {
            out.clear();
            shift(&left, distance, &mut out);
            prop_assert!(out == written(croaring.add_offset(i128::from(distance))), "by {}", distance);
        }
    }
}
