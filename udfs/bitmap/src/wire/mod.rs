//! How other systems write a set down: each of their formats to canonical portable 64-bit Roaring,
//! and back.
//!
//! ```text
//! bytes of another system ──decode──► canonical bitmap ([`crate`]) ──encode──► bytes of another system
//! ```
//! Everything is checked as strictly as our own format: every defect is an error, nothing is
//! allocated that the input's own size does not justify, and containers are copied, never expanded
//! to values. What is written depends on the set alone.

mod bitmap_value;
mod clickhouse;
mod defect;
mod java;
mod listed;
mod native;
mod portable;
mod varint;

pub use clickhouse::Integer;
pub use defect::WireDefect;

use crate::BitmapRef;
use bitmap_value::System;

/// A format of another system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// Portable 32-bit Roaring (RoaringFormatSpec): `rb` of pg_roaringbitmap, Java's
    /// `RoaringBitmap`, CRoaring.
    Portable32,
    /// Portable 64-bit Roaring: `rb64` of pg_roaringbitmap, Java's `Roaring64NavigableMap` in its
    /// portable mode.
    Portable64,
    /// State of ClickHouse's `AggregateFunction(groupBitmap, T)`.
    ClickHouse(Integer),
    /// State of ClickHouse's `AggregateFunction(groupBitmap, Nullable(T))`.
    ClickHouseNullable(Integer),
    /// Apache Doris's `BITMAP`.
    Doris,
    /// StarRocks's `BITMAP`.
    StarRocks,
    /// Java's `Roaring64NavigableMap` in its legacy mode, which is the default there.
    JavaLegacy,
}

impl Format {
    /// The format of a ClickHouse state of a type by its name, such as `UInt64` or
    /// `Nullable(UInt64)`.
    ///
    /// # Errors
    /// What was found and which names there are.
    pub fn of_clickhouse_type(name: &str) -> Result<Self, String> {
        let inner = name
            .trim()
            .strip_suffix(')')
            .and_then(|start| start.split_once('('))
            .filter(|(outer, _)| outer.trim().eq_ignore_ascii_case("Nullable"));
        match inner {
            Some((_, inner)) => inner.trim().parse().map(Self::ClickHouseNullable),
            None => name.trim().parse().map(Self::ClickHouse),
        }
    }

    /// Appends the canonical bitmap of the set that `bytes` hold to `out`; appends nothing on an
    /// error.
    ///
    /// # Errors
    /// The first [`WireDefect`].
    pub fn decode(self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), WireDefect> {
        let start = out.len();
        let decoded = match self {
            Self::Portable32 => portable::decode32(bytes, out),
            Self::Portable64 => portable::decode64(bytes, out),
            Self::ClickHouse(integer) => clickhouse::decode(integer, bytes, out),
            Self::ClickHouseNullable(integer) => clickhouse::decode_nullable(integer, bytes, out),
            Self::Doris => bitmap_value::decode(System::Doris, bytes, out),
            Self::StarRocks => bitmap_value::decode(System::StarRocks, bytes, out),
            Self::JavaLegacy => java::decode(bytes, out),
        };
        if decoded.is_err() {
            out.truncate(start);
        }
        decoded
    }

    /// Appends the set in this format to `out`; appends nothing on an error.
    ///
    /// # Errors
    /// [`WireDefect::DoesNotFit`] with the smallest value that the format has no room for.
    pub fn encode(self, bitmap: &BitmapRef<'_>, out: &mut Vec<u8>) -> Result<(), WireDefect> {
        match self {
            Self::Portable32 => portable::encode32(bitmap, out),
            Self::ClickHouse(integer) => clickhouse::encode(integer, bitmap, out),
            Self::ClickHouseNullable(integer) => clickhouse::encode_nullable(integer, bitmap, out),
            Self::Portable64 => {
                portable::encode64(bitmap, out);
                Ok(())
            }
            Self::Doris | Self::StarRocks => {
                bitmap_value::encode(bitmap, out);
                Ok(())
            }
            Self::JavaLegacy => {
                java::encode(bitmap, out);
                Ok(())
            }
        }
    }
}
