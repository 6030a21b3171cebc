//! Set operations that take NULL for an empty bitmap: `bitmap_and_null_as_empty` and its siblings.

use super::function::{Answer, BITMAP, Function, Nulls, OTHER};
use super::row::Row;
use datafusion::error::Result;
use tagmill_bitmap::{BitmapRef, and, and_not, or, xor};

/// All functions of the family.
pub(super) static FUNCTIONS: &[Function] = &[
    Function {
        name: "bitmap_and_null_as_empty",
        about: "Values that are in both bitmaps, where NULL is an empty one; never NULL.",
        syntax: "bitmap_and_null_as_empty(bitmap, other)",
        arguments: &[BITMAP, OTHER],
        nulls: Nulls::Seen,
        example: (
            "SELECT bitmap_to_array(bitmap_and_null_as_empty(bitmap_from_array([1, 3]), NULL))",
            "[]",
        ),
        call: |row, out| combined(row, and, out),
        ..Function::BASE
    },
    Function {
        name: "bitmap_or_null_as_empty",
        about: "Values that are in either bitmap, where NULL is an empty one; never NULL.",
        syntax: "bitmap_or_null_as_empty(bitmap, other)",
        arguments: &[BITMAP, OTHER],
        nulls: Nulls::Seen,
        example: (
            "SELECT bitmap_to_array(bitmap_or_null_as_empty(NULL, bitmap_from_array([1, 3])))",
            "[1, 3]",
        ),
        call: |row, out| combined(row, or, out),
        ..Function::BASE
    },
    Function {
        name: "bitmap_xor_null_as_empty",
        about: "Values that are in exactly one bitmap, where NULL is an empty one; never NULL.",
        syntax: "bitmap_xor_null_as_empty(bitmap, other)",
        arguments: &[BITMAP, OTHER],
        nulls: Nulls::Seen,
        example: (
            "SELECT bitmap_to_array(bitmap_xor_null_as_empty(bitmap_from_array([1, 3]), NULL))",
            "[1, 3]",
        ),
        call: |row, out| combined(row, xor, out),
        ..Function::BASE
    },
    Function {
        name: "bitmap_and_not_null_as_empty",
        about: "Values of the first bitmap that are not in the second, where NULL is an empty \
                one; never NULL.",
        syntax: "bitmap_and_not_null_as_empty(bitmap, other)",
        arguments: &[BITMAP, OTHER],
        nulls: Nulls::Seen,
        example: (
            "SELECT bitmap_to_array(bitmap_and_not_null_as_empty(bitmap_from_array([1, 3]), NULL))",
            "[1, 3]",
        ),
        call: |row, out| combined(row, and_not, out),
        ..Function::BASE
    },
];

fn combined(
    row: &Row<'_>,
    combine: fn(&BitmapRef<'_>, &BitmapRef<'_>, &mut Vec<u8>),
    out: &mut Vec<u8>,
) -> Result<Answer> {
    combine(&row.bitmap_or_empty(0)?, &row.bitmap_or_empty(1)?, out);
    Ok(Answer::Bitmap)
}
