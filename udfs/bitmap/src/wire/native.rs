//! CRoaring's own, not portable serialization of a 32-bit bitmap, which Doris and StarRocks embed.
//!
//! ```text
//! native := 1: u8, count: u32, count x { value: u32 }     ascending; if that is not larger
//!         | 2: u8, portable 32-bit bitmap
//! ```

use super::defect::WireDefect;
use super::portable::copy_bitmap32;
use crate::format::cursor::Cursor;
use crate::format::sorted::write_bucket as write_sorted_bucket;
use crate::format::writer::Writer;

/// Bytes of the smallest one.
pub(super) const LEAST: usize = 5;

/// Reads one off the cursor and writes it as a bucket.
pub(super) fn copy_native(
    cursor: &mut Cursor<'_>,
    high: u32,
    writer: &mut Writer<'_>,
) -> Result<(), WireDefect> {
    let at = cursor.at;
    match cursor.take_u8()? {
        1 => copy_values(cursor, high, writer),
        2 => copy_bitmap32(cursor, high, writer),
        found => Err(WireDefect::UnknownCode {
            what: "CRoaring's kind",
            at,
            found,
            expected: "1 (values) or 2 (containers)",
        }),
    }
}

fn copy_values(
    cursor: &mut Cursor<'_>,
    high: u32,
    writer: &mut Writer<'_>,
) -> Result<(), WireDefect> {
    let count = cursor.take_u32()? as usize;
    let at = cursor.at;
    let values: Vec<u32> = cursor
        .take_fours(count)?
        .iter()
        .map(|bytes| u32::from_le_bytes(*bytes))
        .collect();
    if let Some(index) = values.windows(2).position(|pair| pair[0] >= pair[1]) {
        return Err(WireDefect::UnorderedValues {
            at: at + (index + 1) * 4,
            found: values[index + 1],
            previous: values[index],
        });
    }
    write_sorted_bucket(writer, high, &values);
    Ok(())
}
