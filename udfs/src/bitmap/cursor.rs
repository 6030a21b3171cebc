//! Takes bytes off the front of a serialized bitmap; running out of them is a defect.

use super::defect::Defect;

/// A position in the bytes of a whole 64-bit bitmap.
pub(super) struct Cursor<'a> {
    pub(super) rest: &'a [u8],
    pub(super) at: usize,
}

impl<'a> Cursor<'a> {
    /// The next `wanted` bytes.
    #[inline]
    pub(super) fn take(&mut self, wanted: usize) -> Result<&'a [u8], Defect> {
        let Some((taken, rest)) = self.rest.split_at_checked(wanted) else {
            return Err(Defect::Truncated { at: self.at, wanted, left: self.rest.len() });
        };
        self.rest = rest;
        self.at += wanted;
        Ok(taken)
    }

    /// The next little-endian u32.
    #[inline]
    pub(super) fn take_u32(&mut self) -> Result<u32, Defect> {
        Ok(self.take(4)?.first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes)))
    }

    /// The next `count` pieces of 4 bytes.
    #[inline]
    pub(super) fn take_fours(&mut self, count: usize) -> Result<&'a [[u8; 4]], Defect> {
        Ok(self.take(count * 4)?.as_chunks().0)
    }
}
