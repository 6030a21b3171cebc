//! Sets of many groups against a map of `BTreeSet`s.

use crate::sets::{bytes_of, random, sets};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use tagmill_bitmap::{BitmapRef, DrainedGroups, GroupSets, SharedBytes};

type Groups = BTreeMap<usize, BTreeSet<u64>>;

/// Rows of (group, value), with crowded chunks or many groups, under one high word or several.
fn rows() -> impl Strategy<Value = Vec<(usize, u64)>> {
    let groups = prop::sample::select(vec![1u64, 5, 1_000, 60_000]);
    let range = prop::sample::select(vec![100u64, 70_000, 3_000_000]);
    let highs = prop::sample::select(vec![1u64, 1, 3]);
    (groups, range, highs, any::<u64>(), 0usize..200_000).prop_map(
        |(groups, range, highs, seed, count)| {
            let mut numbers = random(seed);
            let mut next = || numbers.next().unwrap();
            (0..count)
                .map(|_| {
                    (
                        (next() % groups) as usize,
                        ((2 + next() % highs) << 32) | (next() % range),
                    )
                })
                .collect()
        },
    )
}

fn collect(rows: &[(usize, u64)]) -> Groups {
    let mut groups = Groups::new();
    for (group, value) in rows {
        groups.entry(*group).or_default().insert(*value);
    }
    groups
}

fn fill(rows: &[(usize, u64)]) -> GroupSets {
    let mut sets = GroupSets::default();
    rows.chunks(8192)
        .for_each(|batch| sets.insert_all(batch.iter().copied()));
    sets
}

/// The same as batches of columns.
fn fill_batches(rows: &[(usize, u64)]) -> GroupSets {
    let mut sets = GroupSets::default();
    let mut count = 0;
    for batch in rows.chunks(8192) {
        let (groups, values): (Vec<usize>, Vec<u64>) = batch.iter().copied().unzip();
        count = groups
            .iter()
            .fold(count, |count, group| count.max(group + 1));
        sets.insert_batch(&groups, &values, count);
    }
    sets
}

/// Merges bitmaps that lie one after the other in two shared buffers.
fn merge_shared(sets: &mut GroupSets, bitmaps: &[(usize, BTreeSet<u64>)]) {
    let mut buffers = [Vec::new(), Vec::new()];
    let mut places = Vec::new();
    for (index, (group, set)) in bitmaps
        .iter()
        .enumerate()
        .filter(|(_, (_, set))| !set.is_empty())
    {
        let buffer = &mut buffers[index % 2];
        let start = buffer.len();
        buffer.extend(bytes_of(set));
        places.push((*group, index % 2, start..buffer.len()));
    }
    sets.merge_shared(buffers.map(SharedBytes::new).to_vec(), places.into_iter());
}

fn assert_groups(drained: &mut DrainedGroups, range: std::ops::Range<usize>, expected: &Groups) {
    for group in range {
        let mut bytes = Vec::new();
        assert_eq!(
            drained.write_next(&mut bytes),
            expected.contains_key(&group),
            "group {group}"
        );
        let set = expected.get(&group).map(bytes_of).unwrap_or_default();
        assert!(bytes == set, "group {group}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn values_in_any_order_give_canonical_sets(rows in rows()) {
        let expected = collect(&rows);
        let count = expected.keys().last().map_or(0, |last| last + 2);
        assert_groups(&mut fill(&rows).drain(), 0..count, &expected);
    }

    #[test]
    fn groups_left_behind_are_counted_from_zero(rows in rows(), part in 0usize..1_000) {
        let expected = collect(&rows);
        let count = expected.keys().last().map_or(0, |last| last + 1);
        let part = part.min(count);
        let mut sets = fill(&rows);
        assert_groups(&mut sets.drain_first(part), 0..part, &expected);
        let rest: Groups = expected.into_iter().filter(|(group, _)| *group >= part).map(|(group, set)| (group - part, set)).collect();
        assert_groups(&mut sets.drain(), 0..count - part, &rest);
    }

    #[test]
    fn values_in_ascending_order_give_canonical_sets(rows in rows(), part in 0usize..1_000) {
        let mut rows = rows;
        rows.sort_by_key(|(_, value)| *value);
        let expected = collect(&rows);
        let count = expected.keys().last().map_or(0, |last| last + 1);
        assert_groups(&mut fill_batches(&rows).drain(), 0..count, &expected);
        let part = part.min(count);
        let mut sets = fill(&rows);
        assert_groups(&mut sets.drain_first(part), 0..part, &expected);
        sets.insert_all(rows.iter().copied().filter(|(group, _)| *group >= part).map(|(group, value)| (group - part, value)));
        let rest: Groups = expected.into_iter().filter(|(group, _)| *group >= part).map(|(group, set)| (group - part, set)).collect();
        assert_groups(&mut sets.drain(), 0..count - part, &rest);
    }

    #[test]
    fn groups_without_values_are_skipped(rows in rows(), bitmaps in prop::collection::vec((0usize..2_000, sets()), 0..8), apart in 1usize..70) {
        let rows: Vec<(usize, u64)> = rows.into_iter().map(|(group, value)| (group * apart, value)).collect();
        let (mut expected, mut groups) = (collect(&rows), fill(&rows));
        for (group, set) in bitmaps.iter().filter(|(_, set)| !set.is_empty()) {
            groups.merge(*group, &BitmapRef::parse(&bytes_of(set)).unwrap());
            expected.entry(*group).or_default().extend(set);
        }
        let mut drained = groups.drain();
        for (group, set) in expected {
            let mut bytes = Vec::new();
            drained.skip_to(group);
            prop_assert!(drained.write_next(&mut bytes));
            prop_assert!(bytes == bytes_of(&set), "group {}", group);
        }
    }

    #[test]
    fn merging_bitmaps_is_union(bitmaps in prop::collection::vec((0usize..4, sets()), 0..8), rows in rows(), part in 0usize..5) {
        let mut expected = collect(&rows);
        let mut groups = fill(&rows);
        let (copied, shared) = bitmaps.split_at(bitmaps.len() / 2);
        for (group, set) in copied {
            groups.merge(*group, &BitmapRef::parse(&bytes_of(set)).unwrap());
        }
        merge_shared(&mut groups, shared);
        for (group, set) in bitmaps.iter().filter(|(_, set)| !set.is_empty()) {
            expected.entry(*group).or_default().extend(set);
        }
        let mut one = Vec::new();
        groups.write(2, &mut one);
        prop_assert!(one == expected.get(&2).map(bytes_of).unwrap_or_default());
        groups.insert_all(rows.iter().map(|(group, value)| (*group, value ^ 1)));
        rows.iter().for_each(|(group, value)| {
            expected.entry(*group).or_default().insert(value ^ 1);
        });
        let mut first = groups.drain_first(part);
        let rest: Groups = expected.iter().filter(|(group, _)| **group >= part).map(|(group, set)| (group - part, set.clone())).collect();
        assert_groups(&mut groups.drain(), 0..rest.keys().last().map_or(0, |last| last + 1), &rest);
        assert_groups(&mut first, 0..part, &expected);
    }
}

/// Bitmaps of small containers wait as bytes until there are megabytes of them; those of few groups
/// become bitsets then, unless their union stays thin.
#[test]
fn many_small_bitmaps_of_few_groups_are_united() {
    for (groups, range) in [(1, 2 << 20), (3, 2 << 20), (9, 2 << 20), (1, 1 << 40)] {
        let mut numbers = random(7);
        let (mut sets, mut expected) = (GroupSets::default(), Groups::new());
        for index in 0..600 {
            let base = (numbers.next().unwrap() % range) & !0xFFFF;
            let set: BTreeSet<u64> = numbers
                .by_ref()
                .take(3_000)
                .map(|bits| base + bits % (2 << 20))
                .collect();
            if index / 10 % 2 == 0 {
                sets.merge(index % groups, &BitmapRef::parse(&bytes_of(&set)).unwrap());
            } else {
                merge_shared(&mut sets, &[(index % groups, set.clone())]);
            }
            expected.entry(index % groups).or_default().extend(set);
        }
        let mut one = Vec::new();
        sets.write(0, &mut one);
        assert!(
            one == bytes_of(&expected[&0]),
            "{groups} groups below {range}"
        );
        assert_groups(&mut sets.drain(), 0..groups, &expected);
    }
}

/// Shared bytes are held as long as their bitmaps are needed, and not at all for the sake of a few
/// of them.
#[test]
fn shared_bytes_are_let_go_of() {
    struct Held(std::sync::Arc<Vec<u8>>);
    impl AsRef<[u8]> for Held {
        fn as_ref(&self) -> &[u8] {
            &self.0
        }
    }
    let large: BTreeSet<u64> = (0..40_000).map(|value| value * 3).collect();
    for (tiny, is_held) in [(10, true), (40_000, false)] {
        let (mut bytes, mut places, mut expected) = (Vec::new(), Vec::new(), Groups::new());
        let sets = std::iter::once(large.clone())
            .chain((0..tiny).map(|value| BTreeSet::from([value << 20])));
        for (group, set) in sets.enumerate() {
            let start = bytes.len();
            bytes.extend(bytes_of(&set));
            places.push((group, 0, start..bytes.len()));
            expected.insert(group, set);
        }
        let bytes = std::sync::Arc::new(bytes);
        let mut sets = GroupSets::default();
        sets.merge_shared(
            vec![SharedBytes::new(Held(std::sync::Arc::clone(&bytes)))],
            places.into_iter(),
        );
        assert_eq!(
            std::sync::Arc::strong_count(&bytes) > 1,
            is_held,
            "beside {tiny} tiny ones"
        );
        let mut drained = sets.drain();
        assert_groups(&mut drained, 0..1, &expected);
        assert_eq!(std::sync::Arc::strong_count(&bytes), 1);
        assert_groups(&mut drained, 1..expected.len(), &expected);
    }
}

#[test]
fn duplicates_do_not_grow_the_state() {
    let mut sets = GroupSets::default();
    for round in 0..200 {
        sets.insert_all(
            (0..10_000u64).map(|value| ((value % 50) as usize, (value * 7 + round) % 900)),
        );
    }
    assert!(
        sets.size() < 4 << 20,
        "{} bytes for 45,000 distinct rows",
        sets.size()
    );
}

#[test]
fn a_lone_value_costs_eight_bytes() {
    let mut sets = GroupSets::default();
    for first in (0..4_000_000usize).step_by(8192) {
        sets.insert_all((first..first + 8192).map(|group| (group, group as u64)));
    }
    assert!(
        sets.size() <= 4_000_000 * 8 * 5 / 2,
        "{} bytes for 4,000,000 groups",
        sets.size()
    );
}

/// Rows of large logs are packed: what waits to be packed takes more room here than what is.
#[test]
fn many_values_of_many_groups_cost_less_than_rows() {
    const GROUPS: u64 = 500;
    for is_sorted in [false, true] {
        let mut numbers = random(11);
        let (mut sets, mut expected) = (GroupSets::default(), Groups::new());
        for first in (0..4_000_000u64).step_by(8192) {
            let rows: Vec<(usize, u64)> = (first..first + 8192)
                .map(|row| {
                    let bits = numbers.next().unwrap();
                    (
                        (bits % GROUPS) as usize,
                        if is_sorted {
                            row
                        } else {
                            (bits >> 32) % 4_000_000
                        },
                    )
                })
                .collect();
            sets.insert_all(rows.iter().copied());
            rows.iter()
                .filter(|(group, _)| *group < 3)
                .for_each(|(group, value)| _ = expected.entry(*group).or_default().insert(*value));
        }
        assert!(
            sets.size() < 4_000_000 * 6,
            "{} bytes for 4,000,000 values",
            sets.size()
        );
        assert_groups(&mut sets.drain(), 0..3, &expected);
    }
}

/// Packed rows are written, left behind, given other groups to their log and high words to their
/// values like any others.
#[test]
fn packed_rows_give_canonical_sets() {
    for (groups, is_wide, is_sorted) in [
        (100, false, false),
        (300, false, true),
        (300, true, false),
        (1_500, true, true),
    ] {
        let mut numbers = random(groups);
        let rows: Vec<(usize, u64)> = (0..1_500_000u64)
            .map(|row| {
                // Groups come in one after the other at first, so that logs are joined; some rows
                // come twice.
                let (bits, known) = (numbers.next().unwrap(), groups.min(1 + row / 600));
                let low = if is_sorted {
                    row * 20
                } else {
                    (bits >> 32) % 30_000_000
                };
                (
                    (bits % known) as usize,
                    if is_wide && row > 900_000 {
                        1 << 32 | low
                    } else {
                        low / 2
                    },
                )
            })
            .collect();
        let (expected, part) = (collect(&rows), groups as usize / 3);
        let mut sets = fill(&rows);
        let mut one = Vec::new();
        assert!(sets.write(7, &mut one));
        assert!(one == bytes_of(&expected[&7]));
        assert_groups(&mut sets.drain_first(part), 0..part, &expected);
        sets.insert_all(
            rows.iter()
                .copied()
                .step_by(3)
                .filter(|(group, _)| *group >= part)
                .map(|(group, value)| (group - part, value)),
        );
        let rest: Groups = expected
            .into_iter()
            .filter(|(group, _)| *group >= part)
            .map(|(group, set)| (group - part, set))
            .collect();
        assert_groups(&mut sets.drain(), 0..groups as usize - part, &rest);
    }
}
