//! What shared names are in Doris, after `SET tagmill.dialect = 'doris'`.

use super::builders::{HASHED, TEXT, write_values};
use super::counts::count;
use super::edits::edit;
use super::function::{Answer, Argument, BITMAP, Function, HEADERS, Kind, Nulls, OTHER, Returns};
use super::murmur::{hash32, hash64};
use super::parts::{write_limit, write_range};
use super::row::{Row, Sizes};
use super::texts::write_items;
use datafusion::error::Result;
use tagmill_bitmap::{
    and_cardinality_many, or_cardinality_many, or_many, page, xor_cardinality_many,
};

pub(super) const PLACE: Argument = Argument {
    name: "place",
    kind: Kind::Bound,
    about: "An integer.",
};
pub(super) const COUNT: Argument = Argument {
    name: "count",
    kind: Kind::Bound,
    about: "An integer.",
};
pub(super) const FROM: Argument = Argument {
    name: "start",
    kind: Kind::Bound,
    about: "The first value of the range.",
};
pub(super) const TO: Argument = Argument {
    name: "end",
    kind: Kind::Bound,
    about: "The first value after the range.",
};

/// An element.
const WRAPPED: Argument = Argument {
    name: "value",
    kind: Kind::Wrapped,
    about: "An integer.",
};

const BASE: Function = Function {
    returns: Returns::Count,
    nulls: Nulls::Seen,
    ..Function::BASE
};

/// The functions.
pub(super) static FUNCTIONS: &[Function] = &[
    Function {
        name: "doris_bitmap_count",
        about: "Number of values in a bitmap; 0 for NULL. Also StarRocks's rule.",
        syntax: "doris_bitmap_count(bitmap)",
        arguments: &[HEADERS],
        example: ("SELECT doris_bitmap_count(NULL)", "0"),
        call: |row, _| Ok(Answer::Count(row.bitmap_or_empty(0)?.cardinality())),
        ..BASE
    },
    Function {
        name: "doris_bitmap_or",
        about: "Values that are in any of the bitmaps; NULLs are left out, NULL if all are NULL.",
        syntax: "doris_bitmap_or(bitmap, bitmap[, ...])",
        arguments: &[BITMAP, OTHER],
        is_variadic: true,
        returns: Returns::Bitmap,
        example: (
            "SELECT bitmap_to_array(doris_bitmap_or(bitmap_from_array([1, 3]), NULL))",
            "[1, 3]",
        ),
        call: |row, out| {
            let bitmaps = row.bitmaps()?;
            if bitmaps.is_empty() {
                return Ok(Answer::Null);
            }
            or_many(&bitmaps, out);
            Ok(Answer::Bitmap)
        },
        ..BASE
    },
    Function {
        name: "doris_bitmap_or_count",
        about: "Number of values that are in any of the bitmaps; NULLs are left out, 0 if all are \
                NULL.",
        syntax: "doris_bitmap_or_count(bitmap, bitmap[, ...])",
        arguments: &[BITMAP, OTHER],
        is_variadic: true,
        example: (
            "SELECT doris_bitmap_or_count(bitmap_from_array([1, 3]), NULL)",
            "2",
        ),
        call: |row, _| count(row, Sizes::either, or_cardinality_many),
        ..BASE
    },
    Function {
        name: "doris_bitmap_and_count",
        about: "Number of values that are in all of the bitmaps; 0 if any is NULL.",
        syntax: "doris_bitmap_and_count(bitmap, bitmap[, ...])",
        arguments: &[BITMAP, OTHER],
        is_variadic: true,
        example: (
            "SELECT doris_bitmap_and_count(bitmap_from_array([1, 3]), NULL)",
            "0",
        ),
        call: |row, _| {
            if row.has_null() {
                Ok(Answer::Count(0))
            } else {
                count(row, |sizes| sizes.shared, and_cardinality_many)
            }
        },
        ..BASE
    },
    Function {
        name: "doris_bitmap_xor_count",
        about: "Number of values that are in an odd number of the bitmaps; 0 if any is NULL.",
        syntax: "doris_bitmap_xor_count(bitmap, bitmap[, ...])",
        arguments: &[BITMAP, OTHER],
        is_variadic: true,
        example: (
            "SELECT doris_bitmap_xor_count(bitmap_from_array([1, 3]), NULL)",
            "0",
        ),
        call: |row, _| {
            if row.has_null() {
                Ok(Answer::Count(0))
            } else {
                count(row, Sizes::one, xor_cardinality_many)
            }
        },
        ..BASE
    },
    Function {
        name: "doris_bitmap_and_not_count",
        about: "Number of values of the first bitmap that are not in the second; 0 if either is \
                NULL.",
        syntax: "doris_bitmap_and_not_count(bitmap, other)",
        arguments: &[BITMAP, OTHER],
        example: (
            "SELECT doris_bitmap_and_not_count(bitmap_from_array([1, 3]), NULL)",
            "0",
        ),
        call: |row, _| {
            Ok(Answer::Count(if row.has_null() {
                0
            } else {
                row.sizes()?.first_only()
            }))
        },
        ..BASE
    },
    Function {
        name: "doris_to_bitmap",
        about: "The bitmap of one value; an empty one for NULL, a negative number and text that \
                is no value.",
        syntax: "doris_to_bitmap(value)",
        arguments: &[Argument {
            name: "value",
            kind: Kind::ElementTextOrFlag,
            about: "An integer, text, or a boolean as 0 or 1.",
        }],
        returns: Returns::Bitmap,
        example: ("SELECT bitmap_to_array(doris_to_bitmap(-1))", "[]"),
        call: |row, out| {
            let value = if row.is_null(0) {
                None
            } else {
                row.element_if_any(0)?
            };
            Ok(write_values(value.as_slice(), out))
        },
        ..BASE
    },
    Function {
        name: "to_bitmap_with_check",
        about: "The bitmap of one value, given as an integer or as text; NULL for NULL. Anything \
                else is an error.",
        syntax: "to_bitmap_with_check(value)",
        arguments: &[Argument {
            name: "value",
            kind: Kind::ElementTextOrFlag,
            about: "An integer from 0 to 2^64 - 1, text that is one, or a boolean as 0 or 1.",
        }],
        returns: Returns::Bitmap,
        nulls: Nulls::Spread,
        example: ("SELECT bitmap_to_array(to_bitmap_with_check('7'))", "[7]"),
        call: |row, out| match row.element_if_any(0)? {
            Some(value) => Ok(write_values(&[value], out)),
            None => Err(row.error("argument 1 is not an integer from 0 to 18446744073709551615")),
        },
        ..BASE
    },
    Function {
        name: "doris_bitmap_from_string",
        about: "The bitmap of values with commas between them, empty items skipped; NULL for NULL \
                and for anything else. Also StarRocks's rule.",
        syntax: "doris_bitmap_from_string(text)",
        arguments: &[TEXT],
        returns: Returns::Bitmap,
        nulls: Nulls::Spread,
        example: ("SELECT doris_bitmap_from_string('1, -2')", "NULL"),
        call: |row, out| {
            // As there, empty items are skipped.
            let items = row.text(0)?.split(',').filter(|item| !item.is_empty());
            Ok(if write_items(items, out).is_ok() {
                Answer::Bitmap
            } else {
                Answer::Null
            })
        },
        ..BASE
    },
    Function {
        name: "doris_bitmap_hash",
        about: "The bitmap of the 32-bit MurmurHash3 of a text; an empty one for NULL. Also \
                StarRocks's rule.",
        syntax: "doris_bitmap_hash(value)",
        arguments: &[HASHED],
        returns: Returns::Bitmap,
        example: ("SELECT bitmap_to_array(doris_bitmap_hash(NULL))", "[]"),
        call: |row, out| hashed(row, |text| u64::from(hash32(text)), out),
        ..BASE
    },
    Function {
        name: "doris_bitmap_hash64",
        about: "The bitmap of the 64-bit MurmurHash3 of a text; an empty one for NULL.",
        syntax: "doris_bitmap_hash64(value)",
        arguments: &[HASHED],
        returns: Returns::Bitmap,
        example: ("SELECT bitmap_to_array(doris_bitmap_hash64(NULL))", "[]"),
        call: |row, out| hashed(row, hash64, out),
        ..BASE
    },
    Function {
        name: "doris_sub_bitmap",
        about: "At most count values from a place on, negative places from the end; NULL if count \
                is not above 0, or if the place, without its sign, is not below \
                the number of values.",
        syntax: "doris_sub_bitmap(bitmap, place, count)",
        arguments: &[BITMAP, PLACE, COUNT],
        returns: Returns::Bitmap,
        nulls: Nulls::Spread,
        example: (
            "SELECT doris_sub_bitmap(bitmap_from_array([1, 2]), -2, 1)",
            "NULL",
        ),
        call: |row, out| {
            let (bitmap, place, count) = (row.bitmap(0)?, row.saturated(1)?, row.saturated(2)?);
            let cardinality = bitmap.cardinality();
            if count <= 0 || place.unsigned_abs() >= cardinality {
                return Ok(Answer::Null);
            }
            let start = if place < 0 {
                cardinality - place.unsigned_abs()
            } else {
                place as u64
            };
            page(&bitmap, start, count as u64, out);
            Ok(Answer::Bitmap)
        },
        ..BASE
    },
    Function {
        name: "doris_bitmap_contains",
        about: "Whether a value is in a bitmap; a negative one is counted from 2^64 down. NULL if \
                either is NULL. Also StarRocks's rule.",
        syntax: "doris_bitmap_contains(bitmap, value)",
        arguments: &[BITMAP, WRAPPED],
        returns: Returns::Flag,
        nulls: Nulls::Spread,
        example: (
            "SELECT doris_bitmap_contains(bitmap_from_array([1, 3]), -1)",
            "false",
        ),
        call: |row, _| Ok(Answer::Flag(row.bitmap(0)?.contains(row.element(1)?))),
        ..BASE
    },
    Function {
        name: "doris_bitmap_remove",
        about: "The bitmap without a value; a negative one is counted from 2^64 down. NULL if \
                either is NULL. Also StarRocks's rule.",
        syntax: "doris_bitmap_remove(bitmap, value)",
        arguments: &[BITMAP, WRAPPED],
        returns: Returns::Bitmap,
        nulls: Nulls::Spread,
        example: (
            "SELECT bitmap_to_array(doris_bitmap_remove(bitmap_from_array([1, 3]), 3))",
            "[1]",
        ),
        call: |row, out| edit(row, &[row.element(1)?], &[], out),
        ..BASE
    },
    Function {
        name: "doris_bitmap_subset_in_range",
        about: "The values from start up to, but without, end; NULL if end <= start or either is \
                negative.",
        syntax: "doris_bitmap_subset_in_range(bitmap, start, end)",
        arguments: &[BITMAP, FROM, TO],
        returns: Returns::Bitmap,
        nulls: Nulls::Spread,
        example: (
            "SELECT doris_bitmap_subset_in_range(bitmap_from_array([1, 2]), 2, 2)",
            "NULL",
        ),
        call: |row, out| match (row.natural(1)?, row.natural(2)?) {
            (Some(start), Some(end)) if start < end => {
                write_range(&row.bitmap(0)?, start, end, out)
            }
            _ => Ok(Answer::Null),
        },
        ..BASE
    },
    Function {
        name: "doris_bitmap_subset_limit",
        about: "At most count values, the smallest from start on; NULL if either number is \
                negative.",
        syntax: "doris_bitmap_subset_limit(bitmap, start, count)",
        arguments: &[BITMAP, FROM, COUNT],
        returns: Returns::Bitmap,
        nulls: Nulls::Spread,
        example: (
            "SELECT doris_bitmap_subset_limit(bitmap_from_array([1, 2]), -1, 2)",
            "NULL",
        ),
        call: |row, out| match (row.natural(1)?, row.natural(2)?) {
            (Some(start), Some(count)) => write_limit(&row.bitmap(0)?, start, count, out),
            _ => Ok(Answer::Null),
        },
        ..BASE
    },
];

/// Writes the bitmap of the first argument's hash, an empty one for NULL.
pub(super) fn hashed(row: &Row<'_>, hash: fn(&[u8]) -> u64, out: &mut Vec<u8>) -> Result<Answer> {
    let value = if row.is_null(0) {
        None
    } else {
        Some(hash(row.any_text(0)?.as_bytes()))
    };
    Ok(write_values(value.as_slice(), out))
}
