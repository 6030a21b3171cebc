//! Order, ranges, edits, shifts, samples and remapping against `BTreeSet`.

use crate::sets::{bytes_of, random, sets};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use tagmill_bitmap::{
    BitmapRef, and_cardinality_many, clear, equals, flip, has_all, has_any, or_cardinality_many,
    page, range, remap_in_turn, write_edited, write_range, xor_cardinality_many,
};
use tagmill_bitmap::{fill, remap, sample, shift};

fn written(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = vec![0xAA; 5];
    write(&mut out);
    out.split_off(5)
}

/// Values at, before and after some of a set, and others.
fn probes(set: &BTreeSet<u64>, seed: u64) -> Vec<u64> {
    let near = set.iter().step_by(1 + set.len() / 12).flat_map(|value| {
        [
            *value,
            value.wrapping_add(1),
            value.wrapping_sub(1),
            value | 0xFFFF,
        ]
    });
    near.chain([0, u64::MAX, 1 << 32, (1 << 32) - 1])
        .chain(random(seed).take(6))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn order_agrees(set in sets(), seed in any::<u64>()) {
        let bytes = bytes_of(&set);
        let bitmap = BitmapRef::parse(&bytes).unwrap();
        prop_assert_eq!(bitmap.min(), set.first().copied());
        prop_assert_eq!(bitmap.max(), set.last().copied());
        for value in probes(&set, seed) {
            prop_assert_eq!(bitmap.rank(value), set.range(..=value).count() as u64);
        }
        let values: Vec<u64> = set.iter().copied().collect();
        for index in (0..values.len()).step_by(1 + values.len() / 50).chain([values.len(), values.len() + 7, values.len().saturating_sub(1)]) {
            prop_assert_eq!(bitmap.select(index as u64), values.get(index).copied());
        }
    }

    #[test]
    fn ranges_agree(set in sets(), seed in any::<u64>()) {
        let bytes = bytes_of(&set);
        let bitmap = BitmapRef::parse(&bytes).unwrap();
        let probes = probes(&set, seed);
        for (first, last) in probes.iter().copied().zip(probes.iter().copied().cycle().skip(3)).step_by(7) {
            let inside: BTreeSet<u64> = set.iter().copied().filter(|value| (first..=last).contains(value)).collect();
            prop_assert!(written(|out| range(&bitmap, first, last, out)) == bytes_of(&inside), "{} to {}", first, last);
            prop_assert!(written(|out| clear(&bitmap, first, last, out)) == bytes_of(&(&set - &inside)), "without \
                {} to {}", first, last);
        }
        for (offset, count) in [(0, 0), (0, 1), (1, 7), (3, 5000), (set.len(), 1), (0, usize::MAX), (5, set.len()), (4096, 4096)] {
            let expected: BTreeSet<u64> = set.iter().copied().skip(offset).take(count).collect();
            prop_assert!(written(|out| page(&bitmap, offset as u64, count as u64, out)) == bytes_of(&expected), "{} from {}", count, offset);
        }
    }

    #[test]
    fn fills_and_flips_agree(set in sets(), start in 0u64..200_000, len in 0u64..200_000, high in prop::sample::select(vec![0u64, 1, u64::from(u32::MAX)])) {
        let bytes = bytes_of(&set);
        let bitmap = BitmapRef::parse(&bytes).unwrap();
        let first = high << 32 | start;
        let last = first + len;
        let filled: BTreeSet<u64> = (first..=last).collect();
        prop_assert!(written(|out| write_range(first, last, out).unwrap()) == bytes_of(&filled));
        prop_assert!(written(|out| fill(&bitmap, first, last, out).unwrap()) == bytes_of(&(&set | &filled)));
        prop_assert!(written(|out| flip(&bitmap, first, last, out).unwrap()) == bytes_of(&(&set ^ &filled)));
    }

    #[test]
    fn shifts_agree(set in sets(), small in -70_000i64..70_000, chunks in -3i64..4, seed in any::<u64>()) {
        let bytes = bytes_of(&set);
        let bitmap = BitmapRef::parse(&bytes).unwrap();
        for distance in [0, small, chunks << 16, chunks << 32, random(seed).next().unwrap() as i64, i64::MAX, i64::MIN] {
            let expected: BTreeSet<u64> = set.iter().filter_map(|value| value.checked_add_signed(distance)).collect();
            prop_assert!(written(|out| shift(&bitmap, distance, out)) == bytes_of(&expected), "by \
                {}", distance);
        }
    }

    #[test]
    fn questions_agree(a in sets(), b in sets()) {
        let joined = &a | &b;
        let bytes = [&a, &b, &joined].map(bytes_of);
        let [left, right, both] = [0, 1, 2].map(|at| BitmapRef::parse(&bytes[at]).unwrap());
        prop_assert_eq!(has_any(&left, &right), !a.is_disjoint(&b));
        prop_assert_eq!(has_all(&left, &right), b.is_subset(&a));
        prop_assert!(has_all(&both, &left) && has_all(&both, &right));
        prop_assert_eq!(has_all(&left, &both), joined.is_subset(&a));
        prop_assert_eq!(equals(&left, &right), a == b);
        prop_assert!(equals(&left, &left));
    }

    #[test]
    fn counts_of_many_agree(common in sets(), several in prop::collection::vec(sets(), 0..6)) {
        for sets in [several.clone(), several.iter().map(|set| set | &common).collect()] {
            let bytes: Vec<Vec<u8>> = sets.iter().map(bytes_of).collect();
            let bitmaps: Vec<BitmapRef<'_>> = bytes.iter().map(|bytes| BitmapRef::parse(bytes).unwrap()).collect();
            let count = |combine: fn(&BTreeSet<u64>, &BTreeSet<u64>) -> BTreeSet<u64>| {
                sets.iter().cloned().reduce(|sum, set| combine(&sum, &set)).unwrap_or_default().len() as u64
            };
            prop_assert_eq!(or_cardinality_many(&bitmaps), count(|a, b| a | b));
            prop_assert_eq!(xor_cardinality_many(&bitmaps), count(|a, b| a ^ b));
            prop_assert_eq!(and_cardinality_many(&bitmaps), count(|a, b| a & b));
        }
    }

    #[test]
    fn a_sample_is_a_part_of_the_wanted_size(set in sets(), count in 0u64..20_000, seed in any::<u64>()) {
        let bytes = bytes_of(&set);
        let bitmap = BitmapRef::parse(&bytes).unwrap();
        let first = written(|out| sample(&bitmap, count, seed, out));
        let part = BitmapRef::parse(&first).unwrap();
        prop_assert_eq!(part.cardinality(), count.min(set.len() as u64));
        let values: BTreeSet<u64> = part.iter().collect();
        prop_assert!(values.is_subset(&set));
        prop_assert!(first == bytes_of(&values));
        prop_assert!(first == written(|out| sample(&bitmap, count, seed, out)));
    }

    #[test]
    fn remapping_agrees(set in sets(), seed in any::<u64>()) {
        let bytes = bytes_of(&set);
        let bitmap = BitmapRef::parse(&bytes).unwrap();
        let probes = probes(&set, seed);
        let pairs: Vec<(u64, u64)> = probes.iter().copied().zip(probes.iter().copied().cycle().skip(1)).collect();
        let froms: BTreeSet<u64> = probes.iter().copied().filter(|from| set.contains(from)).collect();
        let mut seen = BTreeSet::new();
        let added: BTreeSet<u64> = pairs.iter().filter(|(from, _)| set.contains(from) && seen.insert(*from)).map(|(_, to)| *to).collect();
        prop_assert!(written(|out| remap(&bitmap, pairs.iter().copied(), out).unwrap()) == bytes_of(&(&(&set - &froms) | &added)));
        let mut in_turn = set.clone();
        for (from, to) in &pairs {
            if from != to && in_turn.remove(from) {
                in_turn.insert(*to);
            }
        }
        prop_assert!(written(|out| remap_in_turn(&bitmap, pairs.iter().copied(), out).unwrap()) == bytes_of(&in_turn));
        let removed: Vec<u64> = froms.iter().copied().collect();
        prop_assert!(written(|out| write_edited(&bitmap, &removed, &[], out).unwrap()) == bytes_of(&(&set - &froms)));
    }
}

#[test]
fn every_value_is_as_likely_to_be_in_a_sample() {
    let set: BTreeSet<u64> = (0..100).map(|value| value * 1_000_003).collect();
    let bytes = bytes_of(&set);
    let bitmap = BitmapRef::parse(&bytes).unwrap();
    let mut counts = vec![0u32; 100];
    for seed in 0..10_000 {
        let part = written(|out| sample(&bitmap, 10, seed, out));
        BitmapRef::parse(&part)
            .unwrap()
            .iter()
            .for_each(|value| counts[(value / 1_000_003) as usize] += 1);
    }
    // Each value is expected 1,000 times, with a standard deviation of 30.
    assert!(
        counts.iter().all(|count| (850..1150).contains(count)),
        "{counts:?}"
    );
}

#[test]
fn a_range_that_would_take_gigabytes_is_refused() {
    let mut out = Vec::new();
    let error = write_range(5, 5 + (1 << 36), &mut out).unwrap_err();
    assert_eq!(
        error.to_string(),
        "a range from 5 to 68719476741, expected at most 68719476736 values"
    );
    assert!(out.is_empty());
    write_range(0, (1 << 36) - 1, &mut out).unwrap();
    assert_eq!(BitmapRef::parse(&out).unwrap().cardinality(), 1 << 36);
}

#[test]
fn each_value_is_as_likely_in_a_sample() {
    let set: BTreeSet<u64> = (0..10_240)
        .map(|value| value << 3)
        .chain((1 << 33)..(1 << 33) + 10_240)
        .collect();
    let parts: BTreeMap<u64, usize> = set
        .iter()
        .enumerate()
        .map(|(place, value)| (*value, place / 160))
        .collect();
    let bytes = bytes_of(&set);
    let bitmap = BitmapRef::parse(&bytes).unwrap();
    // Few values are drawn by their places, more by a look at each.
    for (count, seeds) in [(4, 10_000), (2_000, 20)] {
        let mut drawn = BTreeMap::new();
        for seed in 0..seeds {
            let part = written(|out| sample(&bitmap, count, seed, out));
            BitmapRef::parse(&part)
                .unwrap()
                .iter()
                .for_each(|value| *drawn.entry(parts[&value]).or_insert(0u64) += 1);
        }
        let mean = seeds * count / 128;
        // Beyond five times the deviation.
        assert!(
            drawn.len() == 128
                && drawn
                    .values()
                    .all(|times| times.abs_diff(mean).pow(2) < 25 * mean),
            "{drawn:?}"
        );
    }
}
