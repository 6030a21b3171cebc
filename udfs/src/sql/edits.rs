//! A bitmap with values added, removed, replaced or moved: `bitmap_add`, `bitmap_remove`,
//! `bitmap_fill`, `bitmap_clear`, `bitmap_flip`, `bitmap_shift`, `bitmap_transform`.

use super::function::{Answer, Argument, BITMAP, END, Function, Kind, START, VALUE};
use super::row::Row;
use datafusion::error::Result;
use std::collections::BTreeSet;
use tagmill_bitmap::{BitmapRef, RangeError, clear, flip, or_many, write_edited};
use tagmill_bitmap::{fill, remap, shift};

/// All functions of the family.
pub(super) static FUNCTIONS: &[Function] = &[
    Function {
        name: "bitmap_add",
        about: "The bitmap with one or more values added; NULL if any is NULL.",
        syntax: "bitmap_add(bitmap, value[, ...])",
        arguments: &[BITMAP, VALUE],
        is_variadic: true,
        example: (
            "SELECT bitmap_to_array(bitmap_add(bitmap_from_array([1, 3]), 2, 9))",
            "[1, 2, 3, 9]",
        ),
        call: |row, out| edit(row, &[], &listed(row)?, out),
        ..Function::BASE
    },
    Function {
        name: "bitmap_remove",
        about: "The bitmap without one or more values; NULL if any is NULL.",
        syntax: "bitmap_remove(bitmap, value[, ...])",
        arguments: &[BITMAP, VALUE],
        is_variadic: true,
        example: (
            "SELECT bitmap_to_array(bitmap_remove(bitmap_from_array([1, 3, 5]), 3, 4))",
            "[1, 5]",
        ),
        call: |row, out| edit(row, &listed(row)?, &[], out),
        ..Function::BASE
    },
    Function {
        name: "bitmap_fill",
        about: "The bitmap with every value from start up to, but without, end; NULL if any is \
                NULL. A range of more than 2^36 values is an error.",
        syntax: "bitmap_fill(bitmap, start, end)",
        arguments: &[BITMAP, START, END],
        example: (
            "SELECT bitmap_to_array(bitmap_fill(bitmap_from_array([1, 3]), 5, 7))",
            "[1, 3, 5, 6]",
        ),
        call: |row, out| in_range(row, row.element(1)?, row.element(2)?, fill, out),
        ..Function::BASE
    },
    Function {
        name: "bitmap_clear",
        about: "The bitmap without the values from start up to, but without, end; NULL if any is \
                NULL.",
        syntax: "bitmap_clear(bitmap, start, end)",
        arguments: &[BITMAP, START, END],
        example: (
            "SELECT bitmap_to_array(bitmap_clear(bitmap_from_array([1, 3, 5]), 2, 5))",
            "[1, 5]",
        ),
        call: |row, out| in_range(row, row.element(1)?, row.element(2)?, cleared, out),
        ..Function::BASE
    },
    Function {
        name: "bitmap_flip",
        about: "The bitmap in which, from start up to, but without, end, those values are that \
                were not; NULL if any is NULL. A range of more than 2^36 values \
                is an error.",
        syntax: "bitmap_flip(bitmap, start, end)",
        arguments: &[BITMAP, START, END],
        example: (
            "SELECT bitmap_to_array(bitmap_flip(bitmap_from_array([1, 3, 9]), 2, 5))",
            "[1, 2, 4, 9]",
        ),
        call: |row, out| in_range(row, row.element(1)?, row.element(2)?, flip, out),
        ..Function::BASE
    },
    Function {
        name: "bitmap_shift",
        about: "Every value plus a distance, which may be negative; values that would leave 0 to \
                2^64 - 1 are dropped. NULL if either is NULL.",
        syntax: "bitmap_shift(bitmap, distance)",
        arguments: &[
            BITMAP,
            Argument {
                name: "distance",
                kind: Kind::Integer,
                about: "An integer.",
            },
        ],
        example: (
            "SELECT bitmap_to_array(bitmap_shift(bitmap_from_array([1, 3, 5]), -2))",
            "[1, 3]",
        ),
        call: |row, out| {
            shift(&row.bitmap(0)?, row.integer(1)?, out);
            Ok(Answer::Bitmap)
        },
        ..Function::BASE
    },
    Function {
        name: "bitmap_transform",
        about: "The bitmap with each value that is in one array replaced by what stands at its \
                place in the other, all at once: what comes in is not replaced in \
                turn, and of equal values the first counts. NULL if any is NULL; arrays of \
                different lengths are an error.",
        syntax: "bitmap_transform(bitmap, from, to)",
        arguments: &[
            BITMAP,
            Argument {
                name: "from",
                kind: Kind::Elements,
                about: "An array of integers.",
            },
            Argument {
                name: "to",
                kind: Kind::Elements,
                about: "An array of integers, as long as the other.",
            },
        ],
        example: (
            "SELECT bitmap_to_array(bitmap_transform(bitmap_from_array([1, 3, 5]), [1, 3], [3, \
             100]))",
            "[3, 5, 100]",
        ),
        call: |row, out| {
            let pairs = pairs(row)?;
            remap(&row.bitmap(0)?, pairs.into_iter(), out)
                .map_err(|defect| row.error(format_args!("argument 1: {defect}")))?;
            Ok(Answer::Bitmap)
        },
        ..Function::BASE
    },
];

/// The values after the first argument, ascending.
fn listed(row: &Row<'_>) -> Result<Vec<u64>> {
    let values = (1..row.len())
        .map(|at| row.element(at))
        .collect::<Result<BTreeSet<u64>>>()?;
    Ok(values.into_iter().collect())
}

/// Writes the bitmap of the first argument without some values and with others.
pub(super) fn edit(
    row: &Row<'_>,
    removed: &[u64],
    added: &[u64],
    out: &mut Vec<u8>,
) -> Result<Answer> {
    write_edited(&row.bitmap(0)?, removed, added, out)
        .map_err(|defect| row.error(format_args!("argument 1: {defect}")))?;
    Ok(Answer::Bitmap)
}

/// What an edit does to the values from the first to the last.
pub(super) type Edit = fn(&BitmapRef<'_>, u64, u64, &mut Vec<u8>) -> Result<(), RangeError>;

/// Clears a range, as an [`Edit`].
pub(super) fn cleared(
    bitmap: &BitmapRef<'_>,
    first: u64,
    last: u64,
    out: &mut Vec<u8>,
) -> Result<(), RangeError> {
    clear(bitmap, first, last, out);
    Ok(())
}

/// Edits the values from start up to, but without, end.
pub(super) fn in_range(
    row: &Row<'_>,
    start: u64,
    end: u64,
    edit: Edit,
    out: &mut Vec<u8>,
) -> Result<Answer> {
    let bitmap = row.bitmap(0)?;
    if start < end {
        edit(&bitmap, start, end - 1, out)
            .map_err(|error| row.error(format_args!("arguments 2 and 3: {error}")))?;
    } else {
        or_many(&[bitmap], out);
    }
    Ok(Answer::Bitmap)
}

/// The pairs of two arrays of the same length.
pub(super) fn pairs(row: &Row<'_>) -> Result<Vec<(u64, u64)>> {
    let (from, to) = (row.elements(1)?, row.elements(2)?);
    if from.len() != to.len() {
        return Err(row.error(format_args!(
            "arguments 2 and 3 have {} and {} values, expected the same number",
            from.len(),
            to.len()
        )));
    }
    Ok(from.into_iter().zip(to).collect())
}
