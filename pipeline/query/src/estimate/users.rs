//! Users of one shard, as a serialized bitmap whose bytes were checked when they were read.

use tagmill_bitmap::{Bitmap32Ref, BitmapRef, Defect};

/// Bits that one container of a bitmap spans.
const CONTAINER_BITS: usize = 1 << 16;

/// Users of one shard.
pub(crate) struct Users {
    /// Their uids; no bytes, nobody.
    bitmap: Vec<u8>,
    shard: u32,
}

impl Users {
    /// The uids of a bitmap that lie in `shard`.
    pub(crate) fn new(bitmap: Vec<u8>, shard: u32) -> Self {
        Self { bitmap, shard }
    }

    /// As many bits as the ordinals of these users need.
    ///
    /// # Errors
    /// A defect of the bytes.
    pub(crate) fn bits(&self) -> Result<usize, Defect> {
        let last = self.with_bucket(|bucket| bucket.containers().last().map(|(key, _)| key))?;
        Ok(last
            .flatten()
            .map_or(0, |key| (usize::from(key) + 1) * CONTAINER_BITS))
    }

    /// Sets bit `i` for the user of ordinal `i`; ordinals beyond the words are left out.
    ///
    /// # Errors
    /// A defect of the bytes.
    pub(crate) fn or_into(&self, words: &mut [u64]) -> Result<(), Defect> {
        self.with_bucket(|bucket| bucket.or_into_words(words))
            .map(drop)
    }

    fn with_bucket<T>(
        &self,
        take: impl FnOnce(&Bitmap32Ref<'_>) -> T,
    ) -> Result<Option<T>, Defect> {
        if self.bitmap.is_empty() {
            return Ok(None);
        }
        let bitmap = BitmapRef::parse_layout(&self.bitmap)?;
        Ok(bitmap.bucket(self.shard).map(|bucket| take(&bucket)))
    }
}
