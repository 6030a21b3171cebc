//! Reading, set algebra and counts against `BTreeSet`.

use crate::sets::{bytes_of, sets};
use proptest::prelude::*;
use std::collections::BTreeSet;
use tagmill_bitmap::{
    BitmapRef, and, and_cardinality, and_many, and_not, and_not_cardinality, or, or_cardinality,
    or_many, write_sorted, xor, xor_cardinality,
};

type Combine = fn(&BitmapRef<'_>, &BitmapRef<'_>, &mut Vec<u8>);
type Count = fn(&BitmapRef<'_>, &BitmapRef<'_>) -> u64;

fn written(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = vec![0xAA; 5];
    write(&mut out);
    out.split_off(5)
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(set in sets()) {
        let bytes = bytes_of(&set);
        let bitmap = BitmapRef::parse(&bytes).unwrap();
        prop_assert_eq!(bitmap.cardinality(), set.len() as u64);
        prop_assert_eq!(bitmap.is_empty(), set.is_empty());
        prop_assert!(bitmap.iter().eq(set.iter().copied()));
        let mut values = Vec::new();
        bitmap.append_to(&mut values);
        prop_assert!(values.iter().eq(set.iter()));
    }

    #[test]
    fn one_bucket_is_written_and_read_alike(set in sets()) {
        let lows: Vec<u32> = set.iter().map(|value| *value as u32).collect::<BTreeSet<u32>>().into_iter().collect();
        let bytes = written(|out| write_sorted(9, &lows, out));
        prop_assert_eq!(&bytes, &bytes_of(&lows.iter().map(|low| 9 << 32 | u64::from(*low)).collect()));
        let bitmap = BitmapRef::parse(&bytes).unwrap();
        let mut found = Vec::new();
        if let Some(bucket) = bitmap.bucket(9) {
            prop_assert_eq!(bucket.cardinality(), lows.len() as u64);
            bucket.append_to(&mut found);
        }
        prop_assert_eq!(found, lows);
        prop_assert!(bitmap.bucket(8).is_none() && bitmap.bucket(10).is_none());
    }

    #[test]
    fn words_hold_the_values_within_them(set in sets(), len in 0usize..5_000) {
        let bytes = bytes_of(&set);
        let mut words = vec![0u64; len];
        if let Some(bucket) = BitmapRef::parse(&bytes).unwrap().bucket(0) {
            bucket.or_into_words(&mut words);
        }
        let within: BTreeSet<u64> = set.iter().copied().filter(|value| *value < len as u64 * 64).collect();
        prop_assert_eq!(words.iter().map(|word| word.count_ones() as usize).sum::<usize>(), within.len());
        prop_assert!(within.iter().all(|value| words[*value as usize / 64] >> (value % 64) & 1 == 1));
    }

    #[test]
    fn contains_agrees(set in sets(), others in prop::collection::vec(any::<u64>(), 20)) {
        let bytes = bytes_of(&set);
        let bitmap = BitmapRef::parse(&bytes).unwrap();
        let near = set.iter().step_by(97).flat_map(|value| [*value, value.wrapping_add(1), value.wrapping_sub(1)]);
        for value in near.chain(others) {
            prop_assert_eq!(bitmap.contains(value), set.contains(&value));
        }
    }

    #[test]
    fn set_algebra_agrees_and_is_canonical(a in sets(), b in sets()) {
        let (a_bytes, b_bytes) = (bytes_of(&a), bytes_of(&b));
        let (left, right) = (BitmapRef::parse(&a_bytes).unwrap(), BitmapRef::parse(&b_bytes).unwrap());
        let cases: [(Combine, Count, BTreeSet<u64>); 4] = [
            (and, and_cardinality, &a & &b),
            (or, or_cardinality, &a | &b),
            (xor, xor_cardinality, &a ^ &b),
            (and_not, and_not_cardinality, &a - &b),
        ];
        for (number, (combine, count, expected)) in cases.into_iter().enumerate() {
            prop_assert_eq!(count(&left, &right), expected.len() as u64, "count of operation {}", number);
            prop_assert!(written(|out| combine(&left, &right, out)) == bytes_of(&expected), "bytes of operation {}", number);
        }
    }

    #[test]
    fn many_agree_with_folding(several in prop::collection::vec(sets(), 0..6)) {
        let bytes: Vec<Vec<u8>> = several.iter().map(bytes_of).collect();
        let bitmaps: Vec<BitmapRef<'_>> = bytes.iter().map(|bytes| BitmapRef::parse(bytes).unwrap()).collect();
        let union = several.iter().fold(BTreeSet::new(), |sum, set| &sum | set);
        prop_assert!(written(|out| or_many(&bitmaps, out)) == bytes_of(&union));
        let shared = several.iter().cloned().reduce(|sum, set| &sum & &set).unwrap_or_default();
        prop_assert!(written(|out| and_many(&bitmaps, out)) == bytes_of(&shared));
    }

    #[test]
    fn intersection_of_many_overlapping_sets_agrees(common in sets(), several in prop::collection::vec(sets(), 3..5)) {
        let several: Vec<BTreeSet<u64>> = several.iter().map(|set| set | &common).collect();
        let bytes: Vec<Vec<u8>> = several.iter().map(bytes_of).collect();
        let bitmaps: Vec<BitmapRef<'_>> = bytes.iter().map(|bytes| BitmapRef::parse(bytes).unwrap()).collect();
        let shared = several.iter().cloned().reduce(|sum, set| &sum & &set).unwrap();
        prop_assert!(written(|out| and_many(&bitmaps, out)) == bytes_of(&shared));
    }
}

#[test]
fn an_empty_set_is_eight_zero_bytes() {
    assert_eq!(written(|out| write_sorted(5, &[], out)), [0; 8]);
    assert!(BitmapRef::parse(&[0; 8]).unwrap().is_empty());
}

#[test]
fn accepts_a_bucket_without_values() {
    let mut bytes = 1u64.to_le_bytes().to_vec();
    bytes.extend_from_slice(&7u32.to_le_bytes());
    bytes.extend_from_slice(&12346u32.to_le_bytes());
    bytes.extend_from_slice(&0u32.to_le_bytes());
    let bitmap = BitmapRef::parse(&bytes).unwrap();
    assert!(bitmap.is_empty());
    assert_eq!(written(|out| or(&bitmap, &bitmap, out)), [0; 8]);
}
