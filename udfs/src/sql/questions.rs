//! Questions answered by true or false: `bitmap_has_all`, `bitmap_has_any`, `bitmap_equals`,
//! `bitmap_is_empty`.

use super::function::{Answer, BITMAP, Function, HEADERS, OTHER, Returns};
use tagmill_bitmap::{equals, has_all, has_any};

/// All functions of the family.
pub(super) static FUNCTIONS: &[Function] = &[
    Function {
        name: "bitmap_has_all",
        about: "Whether the first bitmap holds every value of the second, an empty one included; \
                NULL if either is NULL.",
        syntax: "bitmap_has_all(bitmap, other)",
        arguments: &[BITMAP, OTHER],
        returns: Returns::Flag,
        example: (
            "SELECT bitmap_has_all(bitmap_from_array([1, 3, 5]), bitmap_from_array([3, 5]))",
            "true",
        ),
        call: |row, _| Ok(Answer::Flag(has_all(&row.bitmap(0)?, &row.bitmap(1)?))),
        ..Function::BASE
    },
    Function {
        name: "bitmap_has_any",
        about: "Whether any value is in both bitmaps; NULL if either is NULL.",
        syntax: "bitmap_has_any(bitmap, other)",
        arguments: &[BITMAP, OTHER],
        returns: Returns::Flag,
        example: (
            "SELECT bitmap_has_any(bitmap_from_array([1, 3]), bitmap_from_array([3, 7]))",
            "true",
        ),
        call: |row, _| Ok(Answer::Flag(has_any(&row.bitmap(0)?, &row.bitmap(1)?))),
        ..Function::BASE
    },
    Function {
        name: "bitmap_equals",
        about: "Whether both bitmaps hold the same values, however their bytes were written; NULL \
                if either is NULL.",
        syntax: "bitmap_equals(bitmap, other)",
        arguments: &[BITMAP, OTHER],
        returns: Returns::Flag,
        example: (
            "SELECT bitmap_equals(bitmap_from_array([1, 3]), bitmap_from_array([3, 1, 1]))",
            "true",
        ),
        call: |row, _| Ok(Answer::Flag(equals(&row.bitmap(0)?, &row.bitmap(1)?))),
        ..Function::BASE
    },
    Function {
        name: "bitmap_is_empty",
        about: "Whether a bitmap has no values; NULL for NULL.",
        syntax: "bitmap_is_empty(bitmap)",
        arguments: &[HEADERS],
        returns: Returns::Flag,
        example: ("SELECT bitmap_is_empty(bitmap_from_array([]))", "true"),
        call: |row, _| Ok(Answer::Flag(row.bitmap(0)?.is_empty())),
        ..Function::BASE
    },
];
