//! State of ClickHouse's `AggregateFunction(groupBitmap, T)`.
//!
//! ```text
//! state := 0: u8, count: LEB128 (at most 32), count x { value: T }        little endian, any order
//!        | 1: u8, length: LEB128, length bytes of portable Roaring        32-bit for T below 8 bytes, else 64-bit
//! ```
//! Sets of at most 32 values are written as kind 0, ascending. A state of a signed type holds a
//! negative value as its two's complement of 32 bits, or of 64 for Int64, as ClickHouse's own
//! Roaring does (seen in 26.9): so -1 of Int8 is 4294967295 here.

use super::defect::WireDefect;
use super::listed;
use super::portable::{copy_bitmap64, copy_only_bitmap32, encode32, encode64};
use super::varint;
use crate::BitmapRef;
use crate::format::cursor::Cursor;
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
    /// 0 to 127, and the negative ones as two's complement of 32 bits.
    Int8,
    /// 0 to 32,767, and the negative ones as two's complement of 32 bits.
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

    /// The value in the first bytes of a little-endian word of zeros.
    fn value(self, word: u64) -> u64 {
        match self {
            Self::Int8 => u64::from(word as u8 as i8 as u32),
            Self::Int16 => u64::from(word as u16 as i16 as u32),
            _ => word,
        }
    }

    /// The ranges of values that do not fit, and what does.
    fn misfits(self) -> (&'static [(u64, u64)], &'static str) {
        const ABOVE_32: (u64, u64) = (1 << 32, u64::MAX);
        match self {
            Self::UInt8 => (&[(1 << 8, u64::MAX)], "0 to 255"),
            Self::UInt16 => (&[(1 << 16, u64::MAX)], "0 to 65535"),
            Self::UInt32 | Self::Int32 => (&[ABOVE_32], "0 to 4294967295"),
            Self::Int8 => (
                &[(1 << 7, (1 << 32) - (1 << 7) - 1), ABOVE_32],
                "0 to 127 or 4294967168 to 4294967295",
            ),
            Self::Int16 => (
                &[(1 << 15, (1 << 32) - (1 << 15) - 1), ABOVE_32],
                "0 to 32767 or 4294934528 to 4294967295",
            ),
            Self::UInt64 | Self::Int64 => (&[], "any value"),
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
    let mut cursor = Cursor::new(bytes);
    match cursor.take_u8()? {
        0 => decode_listed(integer, cursor, out),
        1 => decode_roaring(integer, cursor, out),
        found => Err(WireDefect::UnknownCode {
            what: "kind",
            at: 0,
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
        values
            .chunks_exact(integer.width())
            .map(|bytes| integer.value(word(bytes)))
            .collect(),
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
    let start = out.len();
    copy_only_bitmap32(&mut body, out)?;
    expect_fit(integer, &BitmapRef::parse_layout(&out[start..])?)
}

/// Refuses values that the type can not be.
fn expect_fit(integer: Integer, bitmap: &BitmapRef<'_>) -> Result<(), WireDefect> {
    let (ranges, expected) = integer.misfits();
    match ranges
        .iter()
        .find_map(|(first, last)| bitmap.first_within(*first, *last))
    {
        Some(value) => Err(WireDefect::DoesNotFit {
            value,
            target: integer.name(),
            expected,
        }),
        None => Ok(()),
    }
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
    if integer.width() == 8 {
        encode64(bitmap, &mut roaring);
    } else {
        encode32(bitmap, &mut roaring)?;
    }
    out.push(1);
    varint::write(roaring.len() as u64, out);
    out.extend_from_slice(&roaring);
    Ok(())
}
