//! (key, ordinal) pairs -> one ascending list of ordinals a key: the step before every bitmap.
//!
//! Few keys: count, then scatter into one array (each key is one output stream). Many keys for few
//! pairs: sort.

use tagmill_bitmap::sort_rows;

/// Scattering pays while the keys' counters are not many more than the pairs.
const KEYS_PER_PAIR: u64 = 4;
const MOST_DENSE_KEYS: u64 = 1 << 24;

/// Collects pairs and cuts them into lists; keeps its memory from one use to the next.
#[derive(Default)]
pub struct Cutter {
    pairs: Vec<u64>,
    scratch: Vec<u64>,
    places: Vec<u32>,
    ordinals: Vec<u32>,
}

impl Cutter {
    /// Adds a pair. Ordinals of one key ascend (equal ones may repeat) from call to call.
    #[inline]
    pub fn push(&mut self, key: u32, ordinal: u32) {
        self.pairs.push(u64::from(key) << 32 | u64::from(ordinal));
    }

    /// Pairs added since the last cut.
    pub fn len(&self) -> usize {
        self.pairs.len()
    }

    /// Calls `emit(key, ordinals)` for each key that has a pair, keys ascending, ordinals strictly
    /// ascending; then forgets the pairs. All keys are below `keys`.
    pub fn cut<E>(
        &mut self,
        keys: u64,
        emit: impl FnMut(u32, &[u32]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut pairs = std::mem::take(&mut self.pairs);
        let done = match is_dense(keys, pairs.len()) {
            true => self.scatter(
                keys as usize,
                pairs.iter().map(|&pair| ((pair >> 32) as u32, pair as u32)),
                emit,
            ),
            false => self.cut_sorted(&mut pairs, emit),
        };
        pairs.clear();
        self.pairs = pairs;
        done
    }

    /// [`Self::cut`] of `pairs`, of which there are about `rows`: they are walked twice instead of
    /// being kept.
    pub fn cut_walking<E>(
        &mut self,
        keys: u64,
        rows: usize,
        pairs: impl Iterator<Item = (u32, u32)> + Clone,
        emit: impl FnMut(u32, &[u32]) -> Result<(), E>,
    ) -> Result<(), E> {
        if is_dense(keys, rows) {
            return self.scatter(keys as usize, pairs, emit);
        }
        pairs.for_each(|(key, ordinal)| self.push(key, ordinal));
        self.cut(keys, emit)
    }

    fn scatter<E>(
        &mut self,
        keys: usize,
        pairs: impl Iterator<Item = (u32, u32)> + Clone,
        mut emit: impl FnMut(u32, &[u32]) -> Result<(), E>,
    ) -> Result<(), E> {
        let Self {
            places, ordinals, ..
        } = self;
        places.clear();
        places.resize(keys, 0);
        pairs.clone().for_each(|(key, _)| places[key as usize] += 1);
        let total = starts(places) as usize;
        if ordinals.len() < total {
            ordinals.resize(total, 0);
        }
        pairs.for_each(|(key, ordinal)| {
            let place = &mut places[key as usize];
            ordinals[*place as usize] = ordinal;
            *place += 1;
        });
        let mut start = 0;
        for (key, &end) in places.iter().enumerate() {
            let list = &mut ordinals[start..end as usize];
            start = end as usize;
            if !list.is_empty() {
                let distinct = dedup(list);
                emit(key as u32, &list[..distinct])?;
            }
        }
        Ok(())
    }

    fn cut_sorted<E>(
        &mut self,
        pairs: &mut [u64],
        mut emit: impl FnMut(u32, &[u32]) -> Result<(), E>,
    ) -> Result<(), E> {
        sort_rows(pairs, &mut self.scratch);
        for run in pairs.chunk_by(|a, b| a >> 32 == b >> 32) {
            self.ordinals.clear();
            self.ordinals.extend(run.iter().map(|&pair| pair as u32));
            let distinct = dedup(&mut self.ordinals);
            emit((run[0] >> 32) as u32, &self.ordinals[..distinct])?;
        }
        Ok(())
    }
}

/// Turns counts into first places; returns their sum.
fn starts(counts: &mut [u32]) -> u32 {
    let mut next = 0;
    for count in counts {
        next += std::mem::replace(count, next);
    }
    next
}

fn is_dense(keys: u64, pairs: usize) -> bool {
    keys <= MOST_DENSE_KEYS && keys <= KEYS_PER_PAIR * pairs as u64
}

/// Moves the distinct values of an ascending list to its front and returns how many there are.
fn dedup(list: &mut [u32]) -> usize {
    if list.windows(2).all(|pair| pair[0] != pair[1]) {
        return list.len();
    }
    let mut kept = 1;
    for at in 1..list.len() {
        if list[at] != list[kept - 1] {
            list[kept] = list[at];
            kept += 1;
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::{BTreeMap, BTreeSet};
    use std::convert::Infallible;

    proptest! {
        #[test]
        fn both_ways_agree_with_a_map_of_sets(mut pairs in prop::collection::vec((0u32..50, 0u32..400), 0..2000), keys in prop_oneof![Just(50u64), Just(1 << 30)]) {
            pairs.sort_by_key(|&(_, ordinal)| ordinal);
            let mut oracle: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
            let mut cutter = Cutter::default();
            for &(key, ordinal) in &pairs {
                oracle.entry(key).or_default().insert(ordinal);
                cutter.push(key, ordinal);
            }
            let (mut got, mut walked) = (Vec::new(), Vec::new());
            cutter.cut(keys, |key, list| { got.push((key, list.to_vec())); Ok::<_, Infallible>(()) }).unwrap();
            cutter.cut_walking(keys, pairs.len(), pairs.iter().copied(), |key, list| { walked.push((key, list.to_vec())); Ok::<_, Infallible>(()) }).unwrap();
            let expected: Vec<(u32, Vec<u32>)> = oracle.into_iter().map(|(k, set)| (k, set.into_iter().collect())).collect();
            prop_assert_eq!(&got, &expected);
            prop_assert_eq!(walked, expected);
        }
    }
}
