//! A set of ordinals of one shard, dense: bit i of the words is ordinal i. As long as its largest
//! member needs, not longer.

use tagmill_bitmap::{BitmapRef, Defect};

/// Words that one container of a bitmap spans.
const CONTAINER_WORDS: usize = 1 << 10;

/// Ordinals of one shard.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Set(Vec<u64>);

impl Set {
    pub(super) fn words(&self) -> &[u64] {
        &self.0
    }

    /// Adds the uids of a bitmap cell that lie in `shard`.
    ///
    /// # Errors
    /// The defect of damaged bytes.
    pub(super) fn add_bitmap(&mut self, bytes: &[u8], shard: u32) -> Result<(), Defect> {
        let bitmap = BitmapRef::parse(bytes)?;
        let Some(bucket) = bitmap.bucket(shard) else {
            return Ok(());
        };
        let Some((last, _)) = bucket.containers().last() else {
            return Ok(());
        };
        self.grow((usize::from(last) + 1) * CONTAINER_WORDS);
        bucket.or_into_words(&mut self.0);
        Ok(())
    }

    pub(super) fn insert(&mut self, ordinal: u32) {
        let word = ordinal as usize / 64;
        self.grow(word + 1);
        self.0[word] |= 1 << (ordinal % 64);
    }

    pub(super) fn len(&self) -> u64 {
        self.0.iter().map(|word| u64::from(word.count_ones())).sum()
    }

    pub(super) fn union(mut self, other: Self) -> Self {
        self.grow(other.0.len());
        self.0.iter_mut().zip(&other.0).for_each(|(a, b)| *a |= b);
        self
    }

    pub(super) fn intersection(mut self, other: Self) -> Self {
        self.intersect(&other);
        self
    }

    pub(super) fn intersect(&mut self, other: &Self) {
        self.0.truncate(other.0.len());
        self.0.iter_mut().zip(&other.0).for_each(|(a, b)| *a &= b);
    }

    pub(super) fn subtract(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(a, b)| *a &= !b);
    }

    /// Every ordinal up to `words` * 64 that is not in the set.
    pub(super) fn complement(mut self, words: usize) -> Self {
        self.0.resize(words, 0);
        self.0.iter_mut().for_each(|word| *word = !*word);
        self
    }

    fn grow(&mut self, words: usize) {
        if self.0.len() < words {
            self.0.resize(words, 0);
        }
    }
}
