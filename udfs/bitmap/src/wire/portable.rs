//! Portable Roaring, 32-bit and 64-bit, as RoaringFormatSpec has it; see [`crate`] for the
//! layout.

use super::defect::WireDefect;
use crate::format::cursor::Cursor;
use crate::format::writer::Writer;
use crate::sets::algebra::write_bitmap32;
use crate::sets::algebra::write_bucket;
use crate::{Bitmap32Ref, BitmapRef, Defect, or_many};

/// Bytes of the smallest bucket: high word, cookie, container count.
const BUCKET_LEAST: usize = 12;

/// Reads one 32-bit bitmap off the cursor and writes it as a bucket.
pub(super) fn copy_bitmap32(
    cursor: &mut Cursor<'_>,
    high: u32,
    writer: &mut Writer<'_>,
) -> Result<(), WireDefect> {
    let bitmap = Bitmap32Ref::parse_checked(cursor)?;
    write_bucket(writer, high, &bitmap);
    Ok(())
}

/// Reads one 32-bit bitmap to the end of the bytes.
pub(super) fn copy_only_bitmap32(
    cursor: &mut Cursor<'_>,
    out: &mut Vec<u8>,
) -> Result<(), WireDefect> {
    let mut writer = Writer::new(out);
    copy_bitmap32(cursor, 0, &mut writer)?;
    writer.finish();
    Ok(cursor.finish()?)
}

/// Reads `count` times what `copy` reads after a little-endian high word, high words ascending, to
/// the end of the bytes. A bucket has at least `least` bytes.
pub(super) fn copy_buckets<'a>(
    cursor: &mut Cursor<'a>,
    count: u64,
    least: usize,
    out: &mut Vec<u8>,
    copy: impl Fn(&mut Cursor<'a>, u32, &mut Writer<'_>) -> Result<(), WireDefect>,
) -> Result<(), WireDefect> {
    expect_room(cursor, count, least)?;
    let mut writer = Writer::new(out);
    let mut previous = None;
    for _ in 0..count {
        let at = cursor.at;
        let found = cursor.take_u32()?;
        if let Some(previous) = previous
            .replace(found)
            .filter(|previous| found <= *previous)
        {
            return Err(Defect::UnorderedHighs {
                at,
                found,
                previous,
            }
            .into());
        }
        copy(cursor, found, &mut writer)?;
    }
    writer.finish();
    Ok(cursor.finish()?)
}

/// Refuses a count of buckets that the bytes left can not hold.
pub(super) fn expect_room(cursor: &Cursor<'_>, count: u64, least: usize) -> Result<(), WireDefect> {
    let most = (cursor.rest.len() / least) as u64;
    if count > most {
        Err(Defect::TooManyBuckets { found: count, most }.into())
    } else {
        Ok(())
    }
}

/// Reads the 64-bit format to the end of the bytes.
pub(super) fn copy_bitmap64(cursor: &mut Cursor<'_>, out: &mut Vec<u8>) -> Result<(), WireDefect> {
    let count = cursor.take_u64()?;
    copy_buckets(cursor, count, BUCKET_LEAST, out, copy_bitmap32)
}

/// See [`super::Format::Portable32`].
pub(super) fn decode32(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), WireDefect> {
    copy_only_bitmap32(&mut Cursor::new(bytes), out)
}

/// See [`super::Format::Portable64`].
pub(super) fn decode64(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), WireDefect> {
    copy_bitmap64(&mut Cursor::new(bytes), out)
}

/// The buckets that have values.
pub(super) fn filled_buckets<'a>(
    bitmap: &BitmapRef<'a>,
) -> impl Iterator<Item = (u32, Bitmap32Ref<'a>)> + use<'a> {
    bitmap
        .buckets()
        .filter(|(_, bucket)| bucket.container_count() > 0)
}

/// See [`super::Format::Portable32`].
pub(super) fn encode32(bitmap: &BitmapRef<'_>, out: &mut Vec<u8>) -> Result<(), WireDefect> {
    let mut filled = filled_buckets(bitmap);
    let first = filled.next();
    if let Some((high, bucket)) = first
        .filter(|(high, _)| *high > 0)
        .or_else(|| filled.next())
    {
        let value = u64::from(high) << 32 | u64::from(bucket.first_from(0).unwrap_or(0));
        return Err(WireDefect::DoesNotFit {
            value,
            target: "a 32-bit bitmap",
            expected: "0 to 4294967295",
        });
    }
    write_bitmap32(first.map(|(_, bucket)| bucket).as_ref(), out);
    Ok(())
}

/// See [`super::Format::Portable64`].
pub(super) fn encode64(bitmap: &BitmapRef<'_>, out: &mut Vec<u8>) {
    or_many(&[*bitmap], out);
}
