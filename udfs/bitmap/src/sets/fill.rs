//! Ranges of values as bitmaps: made, added, flipped.

use super::algebra::{or, xor};
use crate::format::defect::Defect;
use crate::format::encode::write_runs;
use crate::format::view::BitmapRef;
use crate::format::writer::Writer;

/// The most values a range may have: its bitmap takes 15 MB.
pub const RANGE_MOST: u64 = 1 << 36;

/// Why a range is not written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RangeError {
    /// The range has more than [`RANGE_MOST`] values.
    #[error("a range from {first} to {last}, expected at most {RANGE_MOST} values")]
    TooLong {
        /// The first value.
        first: u64,
        /// The last value.
        last: u64,
    },
    /// Bytes written here are not read.
    #[error(transparent)]
    Defect(#[from] Defect),
}

/// Appends the canonical bitmap of the values from `first` to `last`, both included, to `out`; an
/// empty one if `first` is above `last`.
///
/// # Errors
/// [`RangeError::TooLong`], before anything is written.
pub fn write_range(first: u64, last: u64, out: &mut Vec<u8>) -> Result<(), RangeError> {
    if first <= last && last - first >= RANGE_MOST {
        return Err(RangeError::TooLong { first, last });
    }
    let mut writer = Writer::new(out);
    for high in if first <= last {
        first >> 32..(last >> 32) + 1
    } else {
        0..0
    } {
        let start = first.max(high << 32) as u32;
        let end = last.min(high << 32 | u64::from(u32::MAX)) as u32;
        let (head, tail) = ((start >> 16) as u16, (end >> 16) as u16);
        writer.begin_bucket(high as u32, usize::from(tail - head) + 1, true);
        for key in head..=tail {
            let from = if key == head { start as u16 } else { 0 };
            let to = if key == tail { end as u16 } else { u16::MAX };
            write_runs(&mut writer, key, &[u32::from(from) << 16 | u32::from(to)]);
        }
        writer.end_bucket();
    }
    writer.finish();
    Ok(())
}

/// Appends the canonical bitmap of the bitmap's values and those from `first` to `last` to `out`.
///
/// # Errors
/// As [`write_range`].
pub fn fill(
    bitmap: &BitmapRef<'_>,
    first: u64,
    last: u64,
    out: &mut Vec<u8>,
) -> Result<(), RangeError> {
    let mut range = Vec::new();
    write_range(first, last, &mut range)?;
    or(bitmap, &BitmapRef::parse_layout(&range)?, out);
    Ok(())
}

/// Appends the canonical bitmap to `out` in which those values from `first` to `last` are that the
/// bitmap has not, and outside the range the bitmap's.
///
/// # Errors
/// As [`write_range`].
pub fn flip(
    bitmap: &BitmapRef<'_>,
    first: u64,
    last: u64,
    out: &mut Vec<u8>,
) -> Result<(), RangeError> {
    let mut range = Vec::new();
    write_range(first, last, &mut range)?;
    xor(bitmap, &BitmapRef::parse_layout(&range)?, out);
    Ok(())
}
