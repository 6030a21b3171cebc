//! Users of one shard: a serialized bitmap whose bytes were checked when they were read, or bits.

use tagmill_bitmap::{Bitmap32Ref, BitmapRef, Defect};

/// Bits that one container of a bitmap spans.
const CONTAINER_BITS: usize = 1 << 16;

/// Users of one shard.
pub(crate) struct Users(Set);

enum Set {
    /// Their uids; no bytes, nobody.
    Cell { bitmap: Vec<u8>, shard: u32 },
    /// Bit `i` for the user of ordinal `i`.
    Words(Vec<u64>),
}

impl Users {
    /// The uids of a bitmap that lie in `shard`.
    pub(crate) fn new(bitmap: Vec<u8>, shard: u32) -> Self {
        Self(Set::Cell { bitmap, shard })
    }

    /// The users whose ordinals are set.
    pub(super) fn of_words(words: Vec<u64>) -> Self {
        Self(Set::Words(words))
    }

    /// As many bits as the ordinals of these users need.
    ///
    /// # Errors
    /// A defect of the bytes.
    pub(crate) fn bits(&self) -> Result<usize, Defect> {
        match &self.0 {
            Set::Words(words) => Ok(words.len() * 64),
            Set::Cell { bitmap, shard } => {
                let last = in_bucket(bitmap, *shard, |bucket| {
                    bucket.containers().last().map(|(key, _)| key)
                })?;
                Ok(last
                    .flatten()
                    .map_or(0, |key| (usize::from(key) + 1) * CONTAINER_BITS))
            }
        }
    }

    /// Sets bit `i` for the user of ordinal `i`; ordinals beyond the words are left out.
    ///
    /// # Errors
    /// A defect of the bytes.
    pub(crate) fn or_into(&self, words: &mut [u64]) -> Result<(), Defect> {
        match &self.0 {
            Set::Words(own) => {
                words
                    .iter_mut()
                    .zip(own)
                    .for_each(|(word, own)| *word |= own);
                Ok(())
            }
            Set::Cell { bitmap, shard } => {
                in_bucket(bitmap, *shard, |bucket| bucket.or_into_words(words)).map(drop)
            }
        }
    }
}

fn in_bucket<T>(
    bitmap: &[u8],
    shard: u32,
    take: impl FnOnce(&Bitmap32Ref<'_>) -> T,
) -> Result<Option<T>, Defect> {
    if bitmap.is_empty() {
        return Ok(None);
    }
    let bitmap = BitmapRef::parse_layout(bitmap)?;
    Ok(bitmap.bucket(shard).map(|bucket| take(&bucket)))
}
