//! How many values a set operation gives: `bitmap_and_cardinality` and its siblings.

use super::function::{Answer, BITMAP, Function, OTHER, Returns};
use super::row::{Row, Sizes};
use datafusion::error::Result;
use tagmill_bitmap::{BitmapRef, and_cardinality_many, or_cardinality_many, xor_cardinality_many};

/// All functions of the family.
pub(super) static FUNCTIONS: &[Function] = &[
    Function {
        name: "bitmap_and_cardinality",
        about: "Number of values that are in all of the bitmaps; NULL if any is NULL. No result \
                is written.",
        syntax: "bitmap_and_cardinality(bitmap, bitmap[, ...])",
        arguments: &[BITMAP, OTHER],
        is_variadic: true,
        returns: Returns::Count,
        example: (
            "SELECT bitmap_and_cardinality(bitmap_from_array([1, 3, 5]), bitmap_from_array([3, 5, \
             7]))",
            "2",
        ),
        call: |row, _| count(row, |sizes| sizes.shared, and_cardinality_many),
        ..Function::BASE
    },
    Function {
        name: "bitmap_or_cardinality",
        about: "Number of values that are in any of the bitmaps; NULL if any is NULL. No result \
                is written.",
        syntax: "bitmap_or_cardinality(bitmap, bitmap[, ...])",
        arguments: &[BITMAP, OTHER],
        is_variadic: true,
        returns: Returns::Count,
        example: (
            "SELECT bitmap_or_cardinality(bitmap_from_array([1, 3, 5]), bitmap_from_array([3, 5, \
             7]))",
            "4",
        ),
        call: |row, _| count(row, Sizes::either, or_cardinality_many),
        ..Function::BASE
    },
    Function {
        name: "bitmap_xor_cardinality",
        about: "Number of values that are in an odd number of the bitmaps; NULL if any is NULL. \
                No result is written.",
        syntax: "bitmap_xor_cardinality(bitmap, bitmap[, ...])",
        arguments: &[BITMAP, OTHER],
        is_variadic: true,
        returns: Returns::Count,
        example: (
            "SELECT bitmap_xor_cardinality(bitmap_from_array([1, 3, 5]), bitmap_from_array([3, 5, \
             7]))",
            "2",
        ),
        call: |row, _| count(row, Sizes::one, xor_cardinality_many),
        ..Function::BASE
    },
    Function {
        name: "bitmap_and_not_cardinality",
        about: "Number of values of the first bitmap that are not in the second; NULL if either \
                is NULL. No result is written.",
        syntax: "bitmap_and_not_cardinality(bitmap, other)",
        arguments: &[BITMAP, OTHER],
        returns: Returns::Count,
        example: (
            "SELECT bitmap_and_not_cardinality(bitmap_from_array([1, 3, 5]), \
             bitmap_from_array([3, 5, 7]))",
            "1",
        ),
        call: |row, _| Ok(Answer::Count(row.sizes()?.first_only())),
        ..Function::BASE
    },
];

/// Counts two bitmaps, or more of them; NULLs are left out.
pub(super) fn count(
    row: &Row<'_>,
    two: fn(Sizes) -> u64,
    many: fn(&[BitmapRef<'_>]) -> u64,
) -> Result<Answer> {
    if row.len() == 2 && !row.has_null() {
        return Ok(Answer::Count(two(row.sizes()?)));
    }
    Ok(Answer::Count(many(&row.bitmaps()?)))
}
