//! Takes bytes off the front of serialized bytes; running out of them is a defect.

use super::defect::Defect;

/// A position in the bytes of a whole value.
pub(crate) struct Cursor<'a> {
    pub(crate) rest: &'a [u8],
    pub(crate) at: usize,
}

impl<'a> Cursor<'a> {
    /// At the start of the bytes.
    #[inline]
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, at: 0 }
    }

    /// Refuses bytes that are left.
    pub(crate) fn finish(&self) -> Result<(), Defect> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(Defect::TrailingBytes {
                at: self.at,
                count: self.rest.len(),
            })
        }
    }

    /// The next byte.
    pub(crate) fn take_u8(&mut self) -> Result<u8, Defect> {
        Ok(self.take(1)?[0])
    }

    /// The next little-endian u64.
    pub(crate) fn take_u64(&mut self) -> Result<u64, Defect> {
        Ok(self
            .take(8)?
            .first_chunk()
            .map_or(0, |bytes| u64::from_le_bytes(*bytes)))
    }

    /// The next `count` pieces of 8 bytes.
    pub(crate) fn take_eights(&mut self, count: usize) -> Result<&'a [[u8; 8]], Defect> {
        Ok(self.take(count * 8)?.as_chunks().0)
    }

    /// The next `wanted` bytes.
    #[inline]
    pub(crate) fn take(&mut self, wanted: usize) -> Result<&'a [u8], Defect> {
        let Some((taken, rest)) = self.rest.split_at_checked(wanted) else {
            return Err(Defect::Truncated {
                at: self.at,
                wanted,
                left: self.rest.len(),
            });
        };
        self.rest = rest;
        self.at += wanted;
        Ok(taken)
    }

    /// The next little-endian u32.
    #[inline]
    pub(crate) fn take_u32(&mut self) -> Result<u32, Defect> {
        Ok(self
            .take(4)?
            .first_chunk()
            .map_or(0, |bytes| u32::from_le_bytes(*bytes)))
    }

    /// The next `count` pieces of 4 bytes.
    #[inline]
    pub(crate) fn take_fours(&mut self, count: usize) -> Result<&'a [[u8; 4]], Defect> {
        Ok(self.take(count * 4)?.as_chunks().0)
    }
}
