//! Parts of a bitmap: `bitmap_range`, `bitmap_limit`, `bitmap_page`, `bitmap_sample`,
//! `bitmap_subdivide`.

use super::function::{Answer, Argument, BITMAP, END, Function, Kind, Returns, START};
use super::places::from_end;
use super::row::Row;
use datafusion::error::Result;
use tagmill_bitmap::sample;
use tagmill_bitmap::{BitmapRef, page, range};

const COUNT: Argument = Argument {
    name: "count",
    kind: Kind::Element,
    about: "The most values there may be.",
};

/// All functions of the family.
pub(super) static FUNCTIONS: &[Function] = &[
    Function {
        name: "bitmap_range",
        about: "The values from start up to, but without, end; NULL if any is NULL. A range with \
                end <= start gives an empty bitmap.",
        syntax: "bitmap_range(bitmap, start, end)",
        arguments: &[BITMAP, START, END],
        example: (
            "SELECT bitmap_to_array(bitmap_range(bitmap_from_array([1, 3, 5, 7]), 3, 7))",
            "[3, 5]",
        ),
        call: |row, out| write_range(&row.bitmap(0)?, row.element(1)?, row.element(2)?, out),
        ..Function::BASE
    },
    Function {
        name: "bitmap_range_cardinality",
        about: "Number of values from start up to, but without, end; NULL if any is NULL, 0 if \
                end <= start. Nothing is written.",
        syntax: "bitmap_range_cardinality(bitmap, start, end)",
        arguments: &[BITMAP, START, END],
        returns: Returns::Count,
        example: (
            "SELECT bitmap_range_cardinality(bitmap_from_array([1, 3, 5, 7]), 3, 7)",
            "2",
        ),
        call: |row, _| {
            Ok(Answer::Count(count_range(
                &row.bitmap(0)?,
                row.element(1)?,
                row.element(2)?,
            )))
        },
        ..Function::BASE
    },
    Function {
        name: "bitmap_limit",
        about: "At most count values, the smallest from start on; NULL if any is NULL.",
        syntax: "bitmap_limit(bitmap, start, count)",
        arguments: &[BITMAP, START, COUNT],
        example: (
            "SELECT bitmap_to_array(bitmap_limit(bitmap_from_array([1, 3, 5, 7]), 2, 2))",
            "[3, 5]",
        ),
        call: |row, out| write_limit(&row.bitmap(0)?, row.element(1)?, row.element(2)?, out),
        ..Function::BASE
    },
    Function {
        name: "bitmap_page",
        about: "At most count values from a place in ascending order on, counted from 0, negative \
                places from the end; NULL if any is NULL. \
                Beyond the last value the page is empty; one that starts before the first value \
                starts at it.",
        syntax: "bitmap_page(bitmap, place, count)",
        arguments: &[
            BITMAP,
            Argument {
                name: "place",
                kind: Kind::Integer,
                about: "An integer; -1 is the last value.",
            },
            COUNT,
        ],
        example: (
            "SELECT bitmap_to_array(bitmap_page(bitmap_from_array([1, 3, 5, 7]), 1, 2))",
            "[3, 5]",
        ),
        call: write_page,
        ..Function::BASE
    },
    Function {
        name: "bitmap_sample",
        about: "A random part of count values, all if there are no more; NULL if any is NULL. The \
                same bitmap, count and seed always give the same part.",
        syntax: "bitmap_sample(bitmap, count[, seed])",
        arguments: &[
            BITMAP,
            Argument {
                name: "count",
                kind: Kind::Element,
                about: "How many values.",
            },
            Argument {
                name: "seed",
                kind: Kind::Wrapped,
                about: "Any integer; 0 if it is missing.",
            },
        ],
        optional: 1,
        example: (
            "SELECT bitmap_cardinality(bitmap_sample(bitmap_from_array([1, 3, 5, 7]), 2, 42))",
            "2",
        ),
        call: |row, out| {
            let seed = if row.len() > 2 { row.element(2)? } else { 0 };
            sample(&row.bitmap(0)?, row.element(1)?, seed, out);
            Ok(Answer::Bitmap)
        },
        ..Function::BASE
    },
    Function {
        name: "bitmap_subdivide",
        about: "The bitmap cut into pieces of count values in ascending order, the last with the \
                rest, as an array; NULL if any is NULL, an empty array for an \
                empty bitmap. A count of 0 is an error.",
        syntax: "bitmap_subdivide(bitmap, count)",
        arguments: &[BITMAP, COUNT],
        returns: Returns::Bitmaps,
        example: (
            "SELECT bitmap_to_string(unnest(bitmap_subdivide(bitmap_from_array([1, 3, 5]), 2))) \
             AS piece",
            "1,3\n5",
        ),
        call: |row, _| {
            let (bitmap, count) = (row.bitmap(0)?, row.element(1)?);
            if count == 0 {
                return Err(row.error("argument 2 is 0, expected at least 1"));
            }
            pieces(row, &bitmap, count).map(Answer::Bitmaps)
        },
        ..Function::BASE
    },
];

/// The bitmap in pieces of count values, at least 1, in ascending order; none of an empty one.
pub(super) fn pieces(row: &Row<'_>, bitmap: &BitmapRef<'_>, count: u64) -> Result<Vec<Vec<u8>>> {
    let (mut pieces, mut bytes) = (Vec::new(), 0);
    for piece in 0..bitmap.cardinality().div_ceil(count) {
        let mut out = Vec::new();
        page(bitmap, piece * count, count, &mut out);
        bytes += out.len();
        if bytes > i32::MAX as usize {
            return Err(
                row.error("argument 1: its pieces are larger than 2147483647 bytes, expected less")
            );
        }
        pieces.push(out);
    }
    Ok(pieces)
}

/// Writes the values from start up to, but without, end.
pub(super) fn write_range(
    bitmap: &BitmapRef<'_>,
    start: u64,
    end: u64,
    out: &mut Vec<u8>,
) -> Result<Answer> {
    // A first value above the last one is an empty range.
    let (first, last) = if start < end {
        (start, end - 1)
    } else {
        (1, 0)
    };
    range(bitmap, first, last, out);
    Ok(Answer::Bitmap)
}

/// Writes the values from a place on, negative places counted from the end: arguments bitmap,
/// place, count.
pub(super) fn write_page(row: &Row<'_>, out: &mut Vec<u8>) -> Result<Answer> {
    let bitmap = row.bitmap(0)?;
    let place = from_end(row.integer(1)?, bitmap.cardinality()).unwrap_or(0);
    page(&bitmap, place, row.element(2)?, out);
    Ok(Answer::Bitmap)
}

/// Writes the smallest values from start on.
pub(super) fn write_limit(
    bitmap: &BitmapRef<'_>,
    start: u64,
    count: u64,
    out: &mut Vec<u8>,
) -> Result<Answer> {
    page(bitmap, below(bitmap, start), count, out);
    Ok(Answer::Bitmap)
}

/// Number of values below one.
fn below(bitmap: &BitmapRef<'_>, value: u64) -> u64 {
    value.checked_sub(1).map_or(0, |before| bitmap.rank(before))
}

/// Number of values from start up to, but without, end.
pub(super) fn count_range(bitmap: &BitmapRef<'_>, start: u64, end: u64) -> u64 {
    below(bitmap, end).saturating_sub(below(bitmap, start))
}
