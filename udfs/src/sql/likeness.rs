//! How alike two bitmaps are, and what changed from one to the other: `bitmap_jaccard`,
//! `bitmap_overlap`, `bitmap_changes`.

use super::function::{Answer, Argument, BITMAP, Function, Kind, Nulls, OTHER, Returns};
use tagmill_bitmap::and_not;

/// All functions of the family.
pub(super) static FUNCTIONS: &[Function] = &[
    Function {
        name: "bitmap_jaccard",
        about: "The Jaccard coefficient: the number of values in both bitmaps by the number of \
                values in either, from 0 to 1. NULL if either is NULL, and for two \
                empty bitmaps. No result is written.",
        syntax: "bitmap_jaccard(bitmap, other)",
        arguments: &[BITMAP, OTHER],
        returns: Returns::Float,
        example: (
            "SELECT bitmap_jaccard(bitmap_from_array([1, 3, 5]), bitmap_from_array([3, 5, 7]))",
            "0.5",
        ),
        call: |row, _| {
            let sizes = row.sizes()?;
            Ok(ratio(sizes.shared, sizes.either()))
        },
        ..Function::BASE
    },
    Function {
        name: "bitmap_overlap",
        about: "The overlap coefficient: the number of values in both bitmaps by the number of \
                values of the smaller one, from 0 to 1. NULL if either is NULL or \
                empty. No result is written.",
        syntax: "bitmap_overlap(bitmap, other)",
        arguments: &[BITMAP, OTHER],
        returns: Returns::Float,
        example: (
            "SELECT bitmap_overlap(bitmap_from_array([1, 3]), bitmap_from_array([3, 5, 7]))",
            "0.5",
        ),
        call: |row, _| {
            let sizes = row.sizes()?;
            Ok(ratio(sizes.shared, sizes.first.min(sizes.second)))
        },
        ..Function::BASE
    },
    Function {
        name: "bitmap_changes",
        about: "What changed from one day's bitmap to another's, as a struct of two bitmaps: \
                entered, the values that came, and left, those that went. A missing \
                (NULL) day is an empty one; NULL if both are NULL.",
        syntax: "bitmap_changes(before, after)",
        arguments: &[
            Argument {
                name: "before",
                kind: Kind::Bitmap,
                about: "Portable 64-bit Roaring bytes.",
            },
            Argument {
                name: "after",
                kind: Kind::Bitmap,
                about: "Portable 64-bit Roaring bytes.",
            },
        ],
        returns: Returns::Changes,
        nulls: Nulls::Seen,
        example: (
            "SELECT bitmap_to_array(c['entered']), bitmap_to_array(c['left']) \
             FROM (SELECT bitmap_changes(bitmap_from_array([1, 3]), bitmap_from_array([3, 5])) AS \
             c)",
            "[5] [1]",
        ),
        call: |row, _| {
            if row.is_null(0) && row.is_null(1) {
                return Ok(Answer::Null);
            }
            let (before, after) = (row.bitmap_or_empty(0)?, row.bitmap_or_empty(1)?);
            let (mut entered, mut left) = (Vec::new(), Vec::new());
            and_not(&after, &before, &mut entered);
            and_not(&before, &after, &mut left);
            Ok(Answer::Changes(entered, left))
        },
        ..Function::BASE
    },
];

/// A ratio, NULL if there is nothing to divide by.
fn ratio(part: u64, whole: u64) -> Answer {
    if whole == 0 {
        Answer::Null
    } else {
        Answer::Float(part as f64 / whole as f64)
    }
}
