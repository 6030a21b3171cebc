//! What shared names are in StarRocks, after `SET tagmill.dialect = 'starrocks'`, and its own
//! `array_to_bitmap` and `subdivide_bitmap`.

use super::builders::{HASHED, write_values};
use super::doris::{COUNT, FROM, PLACE, TO, hashed};
use super::function::{Answer, Argument, BITMAP, Function, Kind, Nulls, Returns};
use super::parts::{pieces, write_limit, write_range};
use tagmill_bitmap::page;
use xxhash_rust::xxh3::xxh3_64;

/// The functions.
pub(super) static FUNCTIONS: &[Function] = &[
    Function {
        name: "starrocks_to_bitmap",
        about: "The bitmap of one value; NULL for NULL, a negative number and text that is no \
                value.",
        syntax: "starrocks_to_bitmap(value)",
        arguments: &[Argument {
            name: "value",
            kind: Kind::ElementTextOrFlag,
            about: "An integer, text, or a boolean as 0 or 1.",
        }],
        example: ("SELECT starrocks_to_bitmap(-1)", "NULL"),
        call: |row, out| {
            let value = row.element_if_any(0)?;
            Ok(value.map_or(Answer::Null, |value| write_values(&[value], out)))
        },
        ..Function::BASE
    },
    Function {
        name: "starrocks_bitmap_hash64",
        about: "The bitmap of the 64-bit XXH3 of a text; an empty one for NULL.",
        syntax: "starrocks_bitmap_hash64(value)",
        arguments: &[HASHED],
        nulls: Nulls::Seen,
        example: (
            "SELECT bitmap_to_array(starrocks_bitmap_hash64('hello'))",
            "[10760762337991515389]",
        ),
        call: |row, out| hashed(row, xxh3_64, out),
        ..Function::BASE
    },
    Function {
        name: "starrocks_sub_bitmap",
        about: "At most count values from a place on, negative places from the end; NULL if count \
                is not above 0, and if the place is before the first value or \
                beyond the last.",
        syntax: "starrocks_sub_bitmap(bitmap, place, count)",
        arguments: &[BITMAP, PLACE, COUNT],
        example: (
            "SELECT bitmap_to_array(starrocks_sub_bitmap(bitmap_from_array([1, 2]), -2, 1))",
            "[1]",
        ),
        call: |row, out| {
            let (bitmap, place, count) = (row.bitmap(0)?, row.saturated(1)?, row.saturated(2)?);
            let cardinality = bitmap.cardinality();
            let start = if place < 0 {
                cardinality.checked_sub(place.unsigned_abs())
            } else {
                Some(place as u64)
            };
            match start {
                Some(start) if count > 0 && start < cardinality => {
                    page(&bitmap, start, count as u64, out);
                    Ok(Answer::Bitmap)
                }
                _ => Ok(Answer::Null),
            }
        },
        ..Function::BASE
    },
    Function {
        name: "starrocks_bitmap_subset_in_range",
        about: "The values from start up to, but without, end, where a negative start is 0; NULL \
                if there are none.",
        syntax: "starrocks_bitmap_subset_in_range(bitmap, start, end)",
        arguments: &[BITMAP, FROM, TO],
        example: (
            "SELECT bitmap_to_array(starrocks_bitmap_subset_in_range(bitmap_from_array([1, 2]), \
             -1, 2))",
            "[1]",
        ),
        call: |row, out| {
            let (bitmap, start, end) = (
                row.bitmap(0)?,
                row.natural(1)?.unwrap_or(0),
                row.natural(2)?.unwrap_or(0),
            );
            if super::parts::count_range(&bitmap, start, end) == 0 {
                return Ok(Answer::Null);
            }
            write_range(&bitmap, start, end, out)
        },
        ..Function::BASE
    },
    Function {
        name: "starrocks_bitmap_subset_limit",
        about: "At most count values, the smallest from start on, or, for a negative count, the \
                largest up to start; a negative start is 0. NULL if there are none.",
        syntax: "starrocks_bitmap_subset_limit(bitmap, start, count)",
        arguments: &[BITMAP, FROM, COUNT],
        example: (
            "SELECT bitmap_to_array(starrocks_bitmap_subset_limit(bitmap_from_array([1, 2, 3]), \
             2, -2))",
            "[1, 2]",
        ),
        call: |row, out| {
            let (bitmap, start, count) = (
                row.bitmap(0)?,
                row.natural(1)?.unwrap_or(0),
                row.saturated(2)?,
            );
            let up_to = bitmap.rank(start);
            if count < 0 && up_to > 0 {
                let wanted = up_to.min(count.unsigned_abs());
                page(&bitmap, up_to - wanted, wanted, out);
                return Ok(Answer::Bitmap);
            }
            let is_any = count > 0 && bitmap.max().is_some_and(|last| last >= start);
            if is_any {
                write_limit(&bitmap, start, count as u64, out)
            } else {
                Ok(Answer::Null)
            }
        },
        ..Function::BASE
    },
    Function {
        name: "subdivide_bitmap",
        about: "The bitmap cut into pieces of count values in ascending order, the last with the \
                rest, as an array of which unnest gives the rows: one empty piece for an empty \
                bitmap, none if count is not above 0. NULL if either is NULL.",
        syntax: "subdivide_bitmap(bitmap, count)",
        arguments: &[BITMAP, COUNT],
        returns: Returns::Bitmaps,
        example: (
            "SELECT bitmap_to_string(unnest(subdivide_bitmap(bitmap_from_array([1, 3, 5]), 2))) \
             AS piece",
            "1,3\n5",
        ),
        call: |row, _| {
            let (bitmap, count) = (row.bitmap(0)?, row.saturated(1)?);
            let pieces = match u64::try_from(count) {
                Err(_) | Ok(0) => Vec::new(),
                Ok(_) if bitmap.is_empty() => vec![bitmap.as_bytes().to_vec()],
                Ok(count) => pieces(row, &bitmap, count)?,
            };
            Ok(Answer::Bitmaps(pieces))
        },
        ..Function::BASE
    },
    Function {
        name: "array_to_bitmap",
        about: "The bitmap of an array's elements; NULL and negative elements are left out. NULL \
                for NULL.",
        syntax: "array_to_bitmap(array)",
        arguments: &[Argument {
            name: "array",
            kind: Kind::FittingElements,
            about: "An array of integers.",
        }],
        example: (
            "SELECT bitmap_to_array(array_to_bitmap([5, -1, NULL, 1]))",
            "[1, 5]",
        ),
        call: |row, out| {
            let mut values = row.elements(0)?;
            values.sort_unstable();
            values.dedup();
            Ok(write_values(&values, out))
        },
        ..Function::BASE
    },
];
