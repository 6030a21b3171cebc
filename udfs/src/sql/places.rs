//! Places in ascending order: `bitmap_min`, `bitmap_max`, `bitmap_rank`, `bitmap_index`,
//! `bitmap_select`.

use super::function::{Answer, Argument, BITMAP, Function, HEADERS, Kind, Returns, VALUE};

/// All functions of the family.
pub(super) static FUNCTIONS: &[Function] = &[
    Function {
        name: "bitmap_min",
        about: "The smallest value; NULL for NULL and for an empty bitmap.",
        syntax: "bitmap_min(bitmap)",
        arguments: &[HEADERS],
        returns: Returns::Count,
        example: ("SELECT bitmap_min(bitmap_from_array([3, 1, 5]))", "1"),
        call: |row, _| Ok(number(row.bitmap(0)?.min())),
        ..Function::BASE
    },
    Function {
        name: "bitmap_max",
        about: "The largest value; NULL for NULL and for an empty bitmap.",
        syntax: "bitmap_max(bitmap)",
        arguments: &[HEADERS],
        returns: Returns::Count,
        example: ("SELECT bitmap_max(bitmap_from_array([3, 1, 5]))", "5"),
        call: |row, _| Ok(number(row.bitmap(0)?.max())),
        ..Function::BASE
    },
    Function {
        name: "bitmap_rank",
        about: "Number of values that are not above a value; NULL if either is NULL.",
        syntax: "bitmap_rank(bitmap, value)",
        arguments: &[BITMAP, VALUE],
        returns: Returns::Count,
        example: ("SELECT bitmap_rank(bitmap_from_array([1, 3, 5]), 4)", "2"),
        call: |row, _| Ok(Answer::Count(row.bitmap(0)?.rank(row.element(1)?))),
        ..Function::BASE
    },
    Function {
        name: "bitmap_index",
        about: "The place of a value in ascending order, counted from 0; NULL if it is not in the \
                bitmap, and if either is NULL.",
        syntax: "bitmap_index(bitmap, value)",
        arguments: &[BITMAP, VALUE],
        returns: Returns::Count,
        example: ("SELECT bitmap_index(bitmap_from_array([1, 3, 5]), 5)", "2"),
        call: |row, _| {
            let (bitmap, value) = (row.bitmap(0)?, row.element(1)?);
            Ok(number(
                bitmap
                    .contains(value)
                    .then(|| bitmap.rank(value).saturating_sub(1)),
            ))
        },
        ..Function::BASE
    },
    Function {
        name: "bitmap_select",
        about: "The value at a place in ascending order, counted from 0, negative places from the \
                end; NULL beyond the ends, and if either is NULL.",
        syntax: "bitmap_select(bitmap, place)",
        arguments: &[
            BITMAP,
            Argument {
                name: "place",
                kind: Kind::Integer,
                about: "An integer; -1 is the last value.",
            },
        ],
        returns: Returns::Count,
        example: (
            "SELECT bitmap_select(bitmap_from_array([1, 3, 5]), -1)",
            "5",
        ),
        call: |row, _| {
            let bitmap = row.bitmap(0)?;
            let place = from_end(row.integer(1)?, bitmap.cardinality());
            Ok(number(place.and_then(|place| bitmap.select(place))))
        },
        ..Function::BASE
    },
];

/// A place counted from 0, of one that counts from the end if it is negative; `None` before the
/// first.
pub(super) fn from_end(place: i64, cardinality: u64) -> Option<u64> {
    if place >= 0 {
        Some(place as u64)
    } else {
        cardinality.checked_sub(place.unsigned_abs())
    }
}

/// A number, or NULL.
pub(super) fn number(value: Option<u64>) -> Answer {
    value.map_or(Answer::Null, Answer::Count)
}
