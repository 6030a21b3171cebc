//! A union of bitmaps for each key of each group. Keys are numbered from 0; key `k` of group `g` is
//! set `g * keys + k` of [`GroupSets`], so that sets stand in the order of their groups and cost
//! nothing where there are none.

use datafusion::common::exec_datafusion_err;
use datafusion::error::Result;
use std::ops::Range;
use tagmill_bitmap::{BitmapRef, DrainedGroups, GroupSets, write_sorted};

/// The sets of all groups.
#[derive(Debug)]
pub(super) struct KeyedSets {
    /// Keys of a group.
    keys: usize,
    sets: GroupSets,
    /// A bit for each set that was given a bitmap, if only an empty one.
    given: Vec<u64>,
}

/// The sets that are given among some.
fn ones(given: &[u64], range: Range<usize>) -> impl Iterator<Item = usize> {
    let mut next = range.start;
    std::iter::from_fn(move || {
        while next < range.end {
            let word = given.get(next / 64)? >> (next % 64);
            if word != 0 {
                let found = next + word.trailing_zeros() as usize;
                next = found + 1;
                return (found < range.end).then_some(found);
            }
            next = (next / 64 + 1) * 64;
        }
        None
    })
}

fn set_bit(given: &mut Vec<u64>, at: usize) {
    if given.len() <= at / 64 {
        given.resize(at / 64 + 1, 0);
    }
    given[at / 64] |= 1 << (at % 64);
}

impl KeyedSets {
    /// Sets of groups with so many keys.
    pub(super) fn new(keys: usize) -> Self {
        Self {
            keys: keys.max(1),
            sets: GroupSets::default(),
            given: Vec::new(),
        }
    }

    /// Number of keys.
    pub(super) fn keys(&self) -> usize {
        self.keys
    }

    /// Adds the values of a checked bitmap to a key of a group.
    ///
    /// # Errors
    /// An execution error beyond 2^32 sets.
    pub(super) fn add(&mut self, group: usize, key: usize, bitmap: &BitmapRef<'_>) -> Result<()> {
        let set = group * self.keys + key;
        if u32::try_from(set).is_err() {
            return Err(exec_datafusion_err!(
                "group {group} of {} keys each, expected at most 2^32 keys of all groups",
                self.keys
            ));
        }
        set_bit(&mut self.given, set);
        if !bitmap.is_empty() {
            self.sets.merge(set, bitmap);
        }
        Ok(())
    }

    /// Bytes held.
    pub(super) fn size(&self) -> usize {
        self.sets.size() + self.given.capacity() * size_of::<u64>()
    }

    /// The bitmaps of a group with their keys, which stay.
    pub(super) fn of_group(&mut self, group: usize) -> Vec<(usize, Vec<u8>)> {
        let first = group * self.keys;
        let sets: Vec<usize> = ones(&self.given, first..first + self.keys).collect();
        let written = sets.into_iter().map(|set| {
            let mut bytes = Vec::new();
            if !self.sets.write(set, &mut bytes) {
                write_sorted(0, &[], &mut bytes);
            }
            (set - first, bytes)
        });
        written.collect()
    }

    /// Takes out all groups.
    pub(super) fn drain(&mut self) -> DrainedKeys {
        DrainedKeys::new(
            self.keys,
            self.sets.drain(),
            std::mem::take(&mut self.given),
        )
    }

    /// Takes out the first `count` groups; the others are counted from 0 again.
    pub(super) fn drain_first(&mut self, count: usize) -> DrainedKeys {
        let sets = count * self.keys;
        let (mut given, mut others) = (Vec::new(), Vec::new());
        for set in ones(&self.given, 0..self.given.len() * 64) {
            match set.checked_sub(sets) {
                Some(set) => set_bit(&mut others, set),
                None => set_bit(&mut given, set),
            }
        }
        self.given = others;
        DrainedKeys::new(self.keys, self.sets.drain_first(sets), given)
    }
}

/// Groups taken out of [`KeyedSets`].
#[derive(Debug)]
pub(super) struct DrainedKeys {
    keys: usize,
    sets: DrainedGroups,
    given: Vec<u64>,
    /// The next group.
    group: usize,
    bytes: Vec<u8>,
    found: Vec<(usize, Range<usize>)>,
}

impl DrainedKeys {
    fn new(keys: usize, sets: DrainedGroups, given: Vec<u64>) -> Self {
        Self {
            keys,
            sets,
            given,
            group: 0,
            bytes: Vec::new(),
            found: Vec::new(),
        }
    }

    /// The canonical bitmaps of the next group with their keys, ascending.
    pub(super) fn next_group(&mut self) -> impl Iterator<Item = (usize, &[u8])> {
        let first = self.group * self.keys;
        self.group += 1;
        self.bytes.clear();
        self.found.clear();
        for set in ones(&self.given, first..first + self.keys) {
            let start = self.bytes.len();
            self.sets.skip_to(set);
            if !self.sets.write_next(&mut self.bytes) {
                write_sorted(0, &[], &mut self.bytes);
            }
            self.found.push((set - first, start..self.bytes.len()));
        }
        self.found
            .iter()
            .map(|(key, range)| (*key, &self.bytes[range.clone()]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{BTreeMap, BTreeSet};
    use tagmill_bitmap::write_sorted_u64;

    type Expected = BTreeMap<(usize, usize), BTreeSet<u64>>;

    fn bytes_of(values: &BTreeSet<u64>) -> Vec<u8> {
        let mut bytes = Vec::new();
        write_sorted_u64(&values.iter().copied().collect::<Vec<_>>(), &mut bytes);
        bytes
    }

    /// Random bitmaps of (group, key): empty ones, tiny ones, some with thousands of values.
    fn fill(keys: usize, groups: usize, seed: u64) -> (KeyedSets, Expected) {
        let mut state = seed | 1;
        let mut next = |below: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state % below
        };
        let (mut sets, mut expected) = (KeyedSets::new(keys), Expected::new());
        for _ in 0..groups * 3 {
            let (group, key) = (next(groups as u64) as usize, next(keys as u64) as usize);
            let (count, range) = [
                (0, 1),
                (1, 10),
                (3, 1_000_000),
                (40, 3 << 32),
                (9_000, 100_000),
            ][next(5) as usize];
            let values: BTreeSet<u64> = (0..count).map(|_| next(range)).collect();
            let bytes = bytes_of(&values);
            sets.add(group, key, &BitmapRef::parse(&bytes).unwrap())
                .unwrap();
            expected.entry((group, key)).or_default().extend(values);
        }
        (sets, expected)
    }

    fn assert_drained(mut drained: DrainedKeys, groups: Range<usize>, expected: &Expected) {
        for group in groups {
            let found: Vec<(usize, Vec<u8>)> = drained
                .next_group()
                .map(|(key, bytes)| (key, bytes.to_vec()))
                .collect();
            let wanted: Vec<(usize, Vec<u8>)> = expected
                .range((group, 0)..(group + 1, 0))
                .map(|((_, key), set)| (*key, bytes_of(set)))
                .collect();
            assert!(found == wanted, "group {group}");
        }
    }

    #[test]
    fn each_key_has_the_union_of_its_bitmaps() {
        for (keys, groups, seed) in [(1, 1, 3), (3, 40, 5), (64, 200, 7), (100, 9, 11)] {
            let (mut sets, expected) = fill(keys, groups, seed);
            assert!(sets.size() > 0);
            for group in 0..groups.min(5) {
                let wanted: Vec<(usize, Vec<u8>)> = expected
                    .range((group, 0)..(group + 1, 0))
                    .map(|((_, key), set)| (*key, bytes_of(set)))
                    .collect();
                assert!(sets.of_group(group) == wanted, "group {group}");
            }
            assert_drained(sets.drain(), 0..groups, &expected);
            assert!(sets.of_group(0).is_empty());
        }
    }

    #[test]
    fn groups_left_behind_are_counted_from_zero() {
        for (keys, groups, count, seed) in [
            (3, 40, 7, 5),
            (64, 100, 99, 7),
            (100, 9, 0, 11),
            (7, 30, 30, 13),
        ] {
            let (mut sets, expected) = fill(keys, groups, seed);
            let first = sets.drain_first(count);
            let others: Expected = expected
                .range((count, 0)..)
                .map(|((group, key), set)| ((group - count, *key), set.clone()))
                .collect();
            assert_drained(first, 0..count, &expected);
            assert_drained(sets.drain(), 0..groups - count, &others);
        }
    }

    #[test]
    fn refuses_more_sets_than_can_be_numbered() {
        let bytes = bytes_of(&BTreeSet::new());
        let error = KeyedSets::new(64)
            .add(1 << 26, 0, &BitmapRef::parse(&bytes).unwrap())
            .unwrap_err();
        assert!(
            error.to_string().contains(
                "group 67108864 of 64 keys each, expected at most 2^32 keys of all groups"
            ),
            "{error}"
        );
    }
}
