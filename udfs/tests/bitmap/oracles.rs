//! Bytes both ways with CRoaring and with roaring-rs.

use crate::sets::{bytes_of, sets};
use croaring::{Bitmap64, Portable};
use proptest::prelude::*;
use roaring::RoaringTreemap;
use std::collections::BTreeSet;
use tagmill_udfs::bitmap::{BitmapRef, and, and_cardinality, and_not, or, or_many, xor};

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
}
