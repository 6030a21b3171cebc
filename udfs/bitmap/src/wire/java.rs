//! Java's `Roaring64NavigableMap` in its legacy serialization mode, the default of that class.
//!
//! ```text
//! legacy := is signed: u8 (0 or 1), count: i32, count x { high: i32, portable 32-bit bitmap }
//! ```
//! Count and high words big endian, as `DataOutput.writeInt` has them; high words ascend, as signed
//! integers if the flag is set. From `Roaring64NavigableMap.serializeLegacy`. Written as not
//! signed.

use super::defect::WireDefect;
use super::portable::{expect_room, filled_buckets};
use crate::format::cursor::Cursor;
use crate::format::writer::Writer;
use crate::sets::algebra::write_bitmap32;
use crate::sets::algebra::write_bucket;
use crate::{Bitmap32Ref, BitmapRef, Defect};

/// Bytes of the smallest bucket: high word, cookie, container count.
const BUCKET_LEAST: usize = 12;

/// See [`super::Format::JavaLegacy`].
pub(super) fn decode(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), WireDefect> {
    let mut cursor = Cursor::new(bytes);
    let found = cursor.take_u8()?;
    if found > 1 {
        return Err(WireDefect::UnknownCode {
            what: "flag of signed longs",
            at: 0,
            found,
            expected: "0 or 1",
        });
    }
    let sign = if found == 1 { 1 << 31 } else { 0 };
    let count = cursor.take_u32()?.swap_bytes();
    expect_room(&cursor, u64::from(count), BUCKET_LEAST)?;
    let mut buckets: Vec<(u32, Bitmap32Ref<'_>)> = Vec::with_capacity(count as usize);
    for _ in 0..count {
        let at = cursor.at;
        let found = cursor.take_u32()?.swap_bytes();
        if let Some((previous, _)) = buckets.last()
            && found ^ sign <= previous ^ sign
        {
            return Err(Defect::UnorderedHighs {
                at,
                found,
                previous: *previous,
            }
            .into());
        }
        buckets.push((found, Bitmap32Ref::parse_checked(&mut cursor)?));
    }
    cursor.finish()?;
    buckets.sort_by_key(|(high, _)| *high);
    let mut writer = Writer::new(out);
    buckets
        .iter()
        .for_each(|(high, bucket)| write_bucket(&mut writer, *high, bucket));
    writer.finish();
    Ok(())
}

/// See [`super::Format::JavaLegacy`].
pub(super) fn encode(bitmap: &BitmapRef<'_>, out: &mut Vec<u8>) {
    out.push(0);
    out.extend_from_slice(&(filled_buckets(bitmap).count() as u32).to_be_bytes());
    for (high, bucket) in filled_buckets(bitmap) {
        out.extend_from_slice(&high.to_be_bytes());
        write_bitmap32(Some(&bucket), out);
    }
}
