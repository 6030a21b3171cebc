//! A serialized `u16`, and a slice of them.

/// The values of an array container in place: ascending, little endian.
pub(crate) type Values = [[u8; 2]];

/// One of them.
#[inline(always)]
pub(crate) fn value(bytes: &[u8; 2]) -> u16 {
    u16::from_le_bytes(*bytes)
}
