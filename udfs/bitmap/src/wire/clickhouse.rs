//! State of ClickHouse's `AggregateFunction(groupBitmap, T)`.
//!
//! ```text
//! state := 0: u8, count: LEB128 (at most 32), count x { value: T }        little endian, any order
//!        | 1: u8, length: LEB128, length bytes of portable Roaring        32-bit for T below 8 bytes, else 64-bit
//! state of Nullable(T) := 0: u8 | 1: u8, state of T                       0: there was no value
//! ```
//! Sets of at most 32 values are written as kind 0, ascending. A negative value of a signed type is
//! its two's complement in the bits of the type, as ClickHouse's bitmapMin and bitmapContains have
//! it (seen in 26.9): -1 of Int8 is 255. Its Roaring has 32 bits for all types below 8 bytes.

use super::defect::WireDefect;
use super::listed;
use super::portable::{copy_bitmap64, copy_only_bitmap32, encode32, encode64};
use super::varint;
use crate::format::cursor::Cursor;
use crate::{BitmapRef, SignedError, change_signed_bits, write_sorted_u64};
use std::str::FromStr;

/// The most values of kind 0.
const LISTED_MOST: u64 = 32;

/// The integer type that a state is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Integer {
    /// 0 to 255.
    UInt8,
    /// 0 to 65,535.
    UInt16,
    /// 0 to 4,294,967,295.
    UInt32,
    /// Every value.
    UInt64,
    /// Two's complement of 8 bits.
    Int8,
    /// Two's complement of 16 bits.
    Int16,
    /// Two's complement of 32 bits.
    Int32,
    /// Two's complement of 64 bits.
    Int64,
}

impl Integer {
    /// All types.
    pub const ALL: [Self; 8] = [
        Self::UInt8,
        Self::UInt16,
        Self::UInt32,
        Self::UInt64,
        Self::Int8,
        Self::Int16,
        Self::Int32,
        Self::Int64,
    ];

    /// ClickHouse's name of the type.
    pub fn name(self) -> &'static str {
        match self {
            Self::UInt8 => "UInt8",
            Self::UInt16 => "UInt16",
            Self::UInt32 => "UInt32",
            Self::UInt64 => "UInt64",
            Self::Int8 => "Int8",
            Self::Int16 => "Int16",
            Self::Int32 => "Int32",
            Self::Int64 => "Int64",
        }
    }

    /// Bytes of a value.
    fn width(self) -> usize {
        match self {
            Self::UInt8 | Self::Int8 => 1,
            Self::UInt16 | Self::Int16 => 2,
            Self::UInt32 | Self::Int32 => 4,
            Self::UInt64 | Self::Int64 => 8,
        }
    }

    /// Bits of its values in ClickHouse's Roaring, if they are not as many as its own.
    fn roaring_bits(self) -> Option<(u32, u32)> {
        match self {
            Self::Int8 => Some((8, 32)),
            Self::Int16 => Some((16, 32)),
            _ => None,
        }
    }

    /// The first value that does not fit, and what does.
    fn first_misfit(self) -> Option<(u64, &'static str)> {
        match self.width() {
            1 => Some((1 << 8, "0 to 255")),
            2 => Some((1 << 16, "0 to 65535")),
            4 => Some((1 << 32, "0 to 4294967295")),
            _ => None,
        }
    }
}

impl FromStr for Integer {
    type Err = String;

    /// # Errors
    /// What was found and which names there are.
    fn from_str(name: &str) -> Result<Self, String> {
        let known = || Self::ALL.map(Self::name).join(", ");
        Self::ALL
            .into_iter()
            .find(|integer| integer.name().eq_ignore_ascii_case(name))
            .ok_or_else(|| format!("type {name:?}, expected one of {}", known()))
    }
}

/// See [`super::Format::ClickHouse`].
pub(super) fn decode(integer: Integer, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), WireDefect> {
    decode_state(integer, Cursor::new(bytes), out)
}

/// The rest of the bytes as a state.
fn decode_state(
    integer: Integer,
    mut cursor: Cursor<'_>,
    out: &mut Vec<u8>,
) -> Result<(), WireDefect> {
    let at = cursor.at;
    match cursor.take_u8()? {
        0 => decode_listed(integer, cursor, out),
        1 => decode_roaring(integer, cursor, out),
        found => Err(WireDefect::UnknownCode {
            what: "kind",
            at,
            found,
            expected: "0 (values) or 1 (Roaring)",
        }),
    }
}

fn decode_listed(
    integer: Integer,
    mut cursor: Cursor<'_>,
    out: &mut Vec<u8>,
) -> Result<(), WireDefect> {
    let at = cursor.at;
    let found = varint::read(&mut cursor)?;
    if found > LISTED_MOST {
        return Err(WireDefect::TooManyListed {
            at,
            found,
            most: LISTED_MOST,
        });
    }
    let values = cursor.take(found as usize * integer.width())?;
    cursor.finish()?;
    let word = |bytes: &[u8]| {
        bytes
            .iter()
            .rev()
            .fold(0, |word, byte| word << 8 | u64::from(*byte))
    };
    listed::write(
        values.chunks_exact(integer.width()).map(word).collect(),
        out,
    )
}

fn decode_roaring(
    integer: Integer,
    mut cursor: Cursor<'_>,
    out: &mut Vec<u8>,
) -> Result<(), WireDefect> {
    let length = varint::read(&mut cursor)?;
    let at = cursor.at;
    let rest = cursor.take(usize::try_from(length).unwrap_or(usize::MAX))?;
    cursor.finish()?;
    let mut body = Cursor { rest, at };
    if integer.width() == 8 {
        return copy_bitmap64(&mut body, out);
    }
    let mut low = Vec::new();
    copy_only_bitmap32(&mut body, &mut low)?;
    let low = BitmapRef::parse_layout(&low)?;
    match integer.roaring_bits() {
        Some((own, roaring)) => change_bits(integer, &low, roaring, own, out),
        None => {
            expect_fit(integer, &low)?;
            out.extend_from_slice(low.as_bytes());
            Ok(())
        }
    }
}

/// Writes the values of a signed type in other bits.
fn change_bits(
    integer: Integer,
    bitmap: &BitmapRef<'_>,
    from: u32,
    to: u32,
    out: &mut Vec<u8>,
) -> Result<(), WireDefect> {
    change_signed_bits(bitmap, from, to, out).map_err(|error| match error {
        SignedError::TooWide { value, .. } => WireDefect::DoesNotFit {
            value,
            target: integer.name(),
            expected: "a signed integer of its bits",
        },
        SignedError::Defect(defect) => defect.into(),
    })
}

/// Refuses values that the type can not be.
fn expect_fit(integer: Integer, bitmap: &BitmapRef<'_>) -> Result<(), WireDefect> {
    let misfit = integer
        .first_misfit()
        .and_then(|(first, expected)| Some((bitmap.first_within(first, u64::MAX)?, expected)));
    match misfit {
        Some((value, expected)) => Err(WireDefect::DoesNotFit {
            value,
            target: integer.name(),
            expected,
        }),
        None => Ok(()),
    }
}

/// A state of `Nullable(T)`.
///
/// # Errors
/// See [`super::Format::ClickHouseNullable`].
pub(super) fn decode_nullable(
    integer: Integer,
    bytes: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), WireDefect> {
    let mut cursor = Cursor::new(bytes);
    match cursor.take_u8()? {
        0 => {
            cursor.finish()?;
            write_sorted_u64(&[], out);
            Ok(())
        }
        1 => decode_state(integer, cursor, out),
        found => Err(WireDefect::UnknownCode {
            what: "flag",
            at: 0,
            found,
            expected: "0 (no value) or 1",
        }),
    }
}

/// See [`super::Format::ClickHouseNullable`].
pub(super) fn encode_nullable(
    integer: Integer,
    bitmap: &BitmapRef<'_>,
    out: &mut Vec<u8>,
) -> Result<(), WireDefect> {
    expect_fit(integer, bitmap)?;
    out.push(u8::from(!bitmap.is_empty()));
    if bitmap.is_empty() {
        return Ok(());
    }
    encode(integer, bitmap, out)
}

/// See [`super::Format::ClickHouse`].
pub(super) fn encode(
    integer: Integer,
    bitmap: &BitmapRef<'_>,
    out: &mut Vec<u8>,
) -> Result<(), WireDefect> {
    expect_fit(integer, bitmap)?;
    if bitmap.cardinality() <= LISTED_MOST {
        out.extend_from_slice(&[0, bitmap.cardinality() as u8]);
        bitmap
            .iter()
            .for_each(|value| out.extend_from_slice(&value.to_le_bytes()[..integer.width()]));
        return Ok(());
    }
    let mut roaring = Vec::with_capacity(bitmap.as_bytes().len());
    match integer.roaring_bits() {
        Some((own, wide)) => {
            let mut low = Vec::new();
            change_bits(integer, bitmap, own, wide, &mut low)?;
            encode32(&BitmapRef::parse_layout(&low)?, &mut roaring)?;
        }
        None if integer.width() == 8 => encode64(bitmap, &mut roaring),
        None => encode32(bitmap, &mut roaring)?,
    }
    out.push(1);
    varint::write(roaring.len() as u64, out);
    out.extend_from_slice(&roaring);
    Ok(())
}
