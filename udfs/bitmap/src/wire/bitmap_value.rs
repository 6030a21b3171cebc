//! `BITMAP` of Apache Doris and of StarRocks: both grew out of one `BitmapValue`.
//!
//! ```text
//! value := 0                                                  empty
//!        | 1, u32                                             one value
//!        | 2, portable 32-bit bitmap
//!        | 3, u64                                             one value
//!        | 4, count: LEB128, count x { high: u32, portable 32-bit bitmap }
//!        | 5, count: u8 (at most 32), count x { value: u64 }  any order; Doris only
//!        | 10, count: u32, count x { value: u64 }             any order
//!        | 12, native 32-bit bitmap
//!        | 13, count: LEB128, count x { high: u32, native 32-bit bitmap }
//! ```
//! Little endian; high words ascend; for native see [`super::native`]. From
//! `be/src/util/bitmap_value.h` of both. All readers know codes 0 to 4, so only these are written.

use super::defect::WireDefect;
use super::listed;
use super::native::{self, copy_native};
use super::portable::{copy_bitmap32, copy_buckets, copy_only_bitmap32, filled_buckets};
use super::varint;
use crate::format::cursor::Cursor;
use crate::format::writer::Writer;
use crate::sets::algebra::write_bitmap32;
use crate::{Bitmap32Ref, BitmapRef, or_many, write_sorted_u64};

/// Which of the two wrote the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum System {
    Doris,
    StarRocks,
}

const EMPTY: u8 = 0;
const SINGLE32: u8 = 1;
const BITMAP32: u8 = 2;
const SINGLE64: u8 = 3;
const BITMAP64: u8 = 4;
const SET: u8 = 5;
const SET_V2: u8 = 10;
const BITMAP32_V2: u8 = 12;
const BITMAP64_V2: u8 = 13;

/// The most values of a set of code 5.
const SET_MOST: u64 = 32;
/// Bytes of the smallest bucket: high word, cookie, container count.
const BUCKET_LEAST: usize = 12;
/// Bytes of a high word.
const HIGH: usize = 4;

/// See [`super::Format::Doris`] and [`super::Format::StarRocks`].
pub(super) fn decode(system: System, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), WireDefect> {
    let mut cursor = Cursor::new(bytes);
    let code = cursor.take_u8()?;
    match code {
        EMPTY => {
            write_sorted_u64(&[], out);
            Ok(cursor.finish()?)
        }
        SINGLE32 => {
            write_sorted_u64(&[u64::from(cursor.take_u32()?)], out);
            Ok(cursor.finish()?)
        }
        SINGLE64 => {
            write_sorted_u64(&[cursor.take_u64()?], out);
            Ok(cursor.finish()?)
        }
        BITMAP32 => copy_only_bitmap32(&mut cursor, out),
        BITMAP64 => {
            let count = varint::read(&mut cursor)?;
            copy_buckets(&mut cursor, count, BUCKET_LEAST, out, copy_bitmap32)
        }
        SET if system == System::Doris => {
            let (at, count) = (cursor.at, u64::from(cursor.take_u8()?));
            if count > SET_MOST {
                return Err(WireDefect::TooManyListed {
                    at,
                    found: count,
                    most: SET_MOST,
                });
            }
            copy_set(cursor, count as usize, out)
        }
        SET_V2 => {
            let count = cursor.take_u32()?;
            copy_set(cursor, count as usize, out)
        }
        BITMAP32_V2 => {
            let mut writer = Writer::new(out);
            copy_native(&mut cursor, 0, &mut writer)?;
            writer.finish();
            Ok(cursor.finish()?)
        }
        BITMAP64_V2 => {
            let count = varint::read(&mut cursor)?;
            copy_buckets(&mut cursor, count, HIGH + native::LEAST, out, copy_native)
        }
        found => {
            let (what, expected) = match system {
                System::Doris => ("Doris's code", "0 to 5, 10, 12 or 13"),
                System::StarRocks => ("StarRocks's code", "0 to 4, 10, 12 or 13"),
            };
            Err(WireDefect::UnknownCode {
                what,
                at: 0,
                found,
                expected,
            })
        }
    }
}

fn copy_set(mut cursor: Cursor<'_>, count: usize, out: &mut Vec<u8>) -> Result<(), WireDefect> {
    let values = cursor.take_eights(count)?;
    cursor.finish()?;
    listed::write(
        values
            .iter()
            .map(|bytes| u64::from_le_bytes(*bytes))
            .collect(),
        out,
    )
}

/// See [`super::Format::Doris`] and [`super::Format::StarRocks`].
pub(super) fn encode(bitmap: &BitmapRef<'_>, out: &mut Vec<u8>) {
    let buckets: Vec<(u32, Bitmap32Ref<'_>)> = filled_buckets(bitmap).collect();
    match buckets.as_slice() {
        [] => out.push(EMPTY),
        [(0, bucket)] if bitmap.cardinality() == 1 => {
            out.push(SINGLE32);
            out.extend_from_slice(&bucket.first_from(0).unwrap_or(0).to_le_bytes());
        }
        [(high, bucket)] if bitmap.cardinality() == 1 => {
            out.push(SINGLE64);
            out.extend_from_slice(&bucket.first_from(0).unwrap_or(0).to_le_bytes());
            out.extend_from_slice(&high.to_le_bytes());
        }
        [(0, bucket)] => {
            out.push(BITMAP32);
            write_bitmap32(Some(bucket), out);
        }
        several => {
            out.push(BITMAP64);
            varint::write(several.len() as u64, out);
            // After its count, portable 64-bit Roaring is the same.
            let start = out.len();
            or_many(&[*bitmap], out);
            out.drain(start..start + size_of::<u64>());
        }
    }
}
