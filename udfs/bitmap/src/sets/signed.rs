//! Signed values in bitmaps of unsigned ones: negative values are counted from 2^bits down, and
//! that is another place for another number of bits.

use super::algebra::or;
use super::clip::range;
use super::shift::shift;
use crate::format::defect::Defect;
use crate::format::view::BitmapRef;

/// Why values do not keep their sign in another number of bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignedError {
    /// A value that the fewer bits do not hold.
    #[error("value {value} is no signed integer of {bits} bits")]
    TooWide {
        /// The smallest such value.
        value: u64,
        /// The fewer bits.
        bits: u32,
    },
    /// Bytes written here are not read.
    #[error(transparent)]
    Defect(#[from] Defect),
}

/// Appends the canonical bitmap of the same signed values to `out`, where negative values of `from`
/// bits are counted from 2^from down, those of `to` bits from 2^to down. Bits are 1 to 64.
///
/// # Errors
/// [`SignedError::TooWide`], before anything is written.
pub fn change_signed_bits(
    bitmap: &BitmapRef<'_>,
    from: u32,
    to: u32,
    out: &mut Vec<u8>,
) -> Result<(), SignedError> {
    let bits = from.min(to);
    let last_of = |bits: u32| u64::MAX >> (64 - bits);
    let half = 1_u64 << (bits - 1);
    let (first_negative, last) = (last_of(from) - half + 1, last_of(from));
    let between = first_negative.checked_sub(half + 1).map(|size| half + size);
    let too_wide = between
        .and_then(|end| bitmap.first_within(half, end))
        .or_else(|| bitmap.first_within(last.checked_add(1)?, u64::MAX));
    if let Some(value) = too_wide {
        return Err(SignedError::TooWide { value, bits });
    }
    let (mut positive, mut negative) = (Vec::new(), Vec::new());
    range(bitmap, 0, half - 1, &mut positive);
    range(bitmap, first_negative, last, &mut negative);
    let distance = (1_i128 << to) - (1_i128 << from);
    // Twice by a half: the whole may have more than 63 bits.
    for part in [distance / 2, distance - distance / 2] {
        let mut moved = Vec::new();
        shift(
            &BitmapRef::parse_layout(&negative)?,
            part as i64,
            &mut moved,
        );
        negative = moved;
    }
    let (positive, negative) = (
        BitmapRef::parse_layout(&positive)?,
        BitmapRef::parse_layout(&negative)?,
    );
    or(&positive, &negative, out);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::write_sorted_u64;

    fn changed(values: &[u64], from: u32, to: u32) -> Result<Vec<u64>, SignedError> {
        let (mut bytes, mut out) = (Vec::new(), Vec::new());
        write_sorted_u64(values, &mut bytes);
        change_signed_bits(&BitmapRef::parse(&bytes).unwrap(), from, to, &mut out)?;
        Ok(BitmapRef::parse(&out).unwrap().iter().collect())
    }

    #[test]
    fn every_signed_value_keeps_its_sign() {
        for few in [8_u32, 16, 32] {
            let least = -(1_i64 << (few - 1));
            for value in [least, least + 1, -1, 0, 1, -least - 1] {
                for (from, to) in [(few, 32), (few, 64), (32, few), (64, few), (few, few)] {
                    let of = |bits: u32| value as u64 & (u64::MAX >> (64 - bits));
                    let found = changed(&[of(from)], from, to);
                    assert_eq!(found, Ok(vec![of(to)]), "{value} from {from} to {to} bits");
                }
            }
        }
    }

    #[test]
    fn what_the_fewer_bits_do_not_hold_is_refused() {
        let too_wide = |values: &[u64], from, to| match changed(values, from, to) {
            Err(SignedError::TooWide { value, .. }) => value,
            other => panic!("{other:?}"),
        };
        assert_eq!(too_wide(&[7, 128, 1 << 31], 32, 8), 128);
        assert_eq!(too_wide(&[7, 0xFFFF_FF7F], 32, 8), 0xFFFF_FF7F);
        assert_eq!(too_wide(&[7, 256], 8, 32), 256);
        assert_eq!(too_wide(&[7, 1 << 31], 64, 32), 1 << 31);
        assert_eq!(too_wide(&[7, 1 << 32], 32, 64), 1 << 32);
    }
}
