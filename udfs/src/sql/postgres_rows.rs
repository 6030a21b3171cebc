//! How the rows of pg_roaringbitmap's functions are computed: its ranges, and values of 32 or 64
//! bits.

use super::builders::write_values;
use super::edits::Edit;
use super::function::Answer;
use super::row::Row;
use datafusion::error::Result;
use tagmill_bitmap::shift;
use tagmill_bitmap::{BitmapRef, has_all, or_many, page, range};

/// The last value there can be.
fn most(row: &Row<'_>) -> u64 {
    u64::MAX >> (64 - row.function.bits())
}

/// First and last value of a range; `None` if it is empty, all values if it is missing. What is
/// beyond the values of 32 bits is cut off; of 64 bits, what is negative is counted from 2^64 down,
/// and an end of 0 is 2^64.
pub(super) fn bounds(row: &Row<'_>, range: Option<(i128, i128)>) -> Option<(u64, u64)> {
    let Some((start, end)) = range else {
        return Some((0, most(row)));
    };
    let all = 1_i128 << row.function.bits();
    let (start, end) = if row.function.bits() == 32 {
        (start.clamp(0, all), end.clamp(0, all))
    } else {
        let wrapped = |bound: i128| match bound {
            ..0 => (bound + all).max(0),
            0.. => bound.min(all),
        };
        (wrapped(start), if end == 0 { all } else { wrapped(end) })
    };
    (start < end).then(|| (start as u64, (end - 1) as u64))
}

/// How many values are before a range, and how many up to its end.
pub(super) fn places(bitmap: &BitmapRef<'_>, range: Option<(u64, u64)>) -> (u64, u64) {
    range.map_or((0, 0), |(first, last)| {
        (
            first.checked_sub(1).map_or(0, |before| bitmap.rank(before)),
            bitmap.rank(last),
        )
    })
}

/// Edits the values of the range in the second and third argument.
pub(super) fn in_bounds(row: &Row<'_>, edit: Edit, out: &mut Vec<u8>) -> Result<Answer> {
    let bitmap = row.bitmap(0)?;
    match bounds(row, Some((row.bound(1)?, row.bound(2)?))) {
        Some((first, last)) => edit(&bitmap, first, last, out)
            .map_err(|error| row.error(format_args!("arguments 2 and 3: {error}")))?,
        None => or_many(&[bitmap], out),
    }
    Ok(Answer::Bitmap)
}

/// Whether one argument holds the other, a bitmap or a value.
pub(super) fn contains(row: &Row<'_>, whole: usize, part: usize) -> Result<Answer> {
    let bitmap = row.bitmap(whole)?;
    let is_part = if row.is_bitmap(part) {
        has_all(&bitmap, &row.bitmap(part)?)
    } else {
        bitmap.contains(row.element(part)?)
    };
    Ok(Answer::Flag(is_part))
}

/// Writes the bitmap of one argument with the value of the other.
pub(super) fn add(row: &Row<'_>, out: &mut Vec<u8>) -> Result<Answer> {
    let (bitmap, value) = if row.is_bitmap(0) { (0, 1) } else { (1, 0) };
    let mut with = Vec::new();
    write_values(&[row.element(value)?], &mut with);
    let with = BitmapRef::parse_layout(&with).map_err(|defect| row.error(defect))?;
    or_many(&[row.bitmap(bitmap)?, with], out);
    Ok(Answer::Bitmap)
}

/// Writes the bitmap with every value moved.
pub(super) fn moved(row: &Row<'_>, distance: i64, out: &mut Vec<u8>) -> Result<Answer> {
    if row.function.bits() == 64 {
        shift(&row.bitmap(0)?, distance, out);
        return Ok(Answer::Bitmap);
    }
    let mut all = Vec::new();
    shift(&row.bitmap(0)?, distance, &mut all);
    range(
        &BitmapRef::parse_layout(&all).map_err(|defect| row.error(defect))?,
        0,
        most(row),
        out,
    );
    Ok(Answer::Bitmap)
}

/// Writes a page of the values of a range, from either end.
pub(super) fn select(row: &Row<'_>, out: &mut Vec<u8>) -> Result<Answer> {
    let bitmap = row.bitmap(0)?;
    let limit = row.saturated(1)?.max(0) as u64;
    let offset = if row.len() > 2 {
        row.saturated(2)?.max(0) as u64
    } else {
        0
    };
    let is_reverse = row.len() > 3 && row.flag(3)?;
    let start = if row.len() > 4 { row.bound(4)? } else { 0 };
    let end = if row.len() > 5 {
        Some(row.bound(5)?)
    } else {
        None
    };
    let range = match end {
        Some(end) => bounds(row, Some((start, end))),
        None => bounds(row, None)
            .map(|(_, last)| (u64::try_from(start.max(0)).unwrap_or(u64::MAX), last)),
    };
    let (before, up_to) = places(&bitmap, range);
    let total = up_to.saturating_sub(before);
    let skipped = match is_reverse {
        true if total > offset => (total - offset).saturating_sub(limit),
        _ => offset.min(total),
    };
    let count = if is_reverse && total <= offset {
        0
    } else {
        limit.min(total - skipped)
    };
    page(&bitmap, before + skipped, count, out);
    Ok(Answer::Bitmap)
}
