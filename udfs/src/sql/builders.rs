//! Bitmaps of nothing, of one value, of the hash of a text: `bitmap_empty`, `to_bitmap`,
//! `bitmap_hash`, `bitmap_hash64`.

use super::function::{Answer, Argument, Function, Kind};
use super::murmur::{hash32, hash64};
use super::row::Row;
use datafusion::error::Result;
use tagmill_bitmap::write_sorted_u64;

pub(super) const TEXT: Argument = Argument {
    name: "text",
    kind: Kind::Text,
    about: "Text.",
};

/// All functions of the family.
pub(super) static FUNCTIONS: &[Function] = &[
    Function {
        name: "bitmap_empty",
        about: "The bitmap without values.",
        syntax: "bitmap_empty()",
        arguments: &[],
        example: ("SELECT bitmap_to_array(bitmap_empty())", "[]"),
        call: |_, out| Ok(write_values(&[], out)),
        ..Function::BASE
    },
    Function {
        name: "to_bitmap",
        about: "The bitmap of one value, given as an integer or as text; NULL for NULL. Anything \
                else is an error.",
        syntax: "to_bitmap(value)",
        arguments: &[Argument {
            name: "value",
            kind: Kind::ElementOrText,
            about: "An integer from 0 to 2^64 - 1, or text that is one.",
        }],
        example: ("SELECT bitmap_to_array(to_bitmap(7))", "[7]"),
        call: |row, out| match value(row)? {
            Some(value) => Ok(write_values(&[value], out)),
            None => Err(row.error("argument 1 is not an integer from 0 to 18446744073709551615")),
        },
        ..Function::BASE
    },
    Function {
        name: "bitmap_hash",
        about: "The bitmap of the 32-bit MurmurHash3 of a text, with the seed of Doris and \
                StarRocks; NULL for NULL.",
        syntax: "bitmap_hash(text)",
        arguments: &[TEXT],
        example: (
            "SELECT bitmap_to_array(bitmap_hash('hello'))",
            "[1321743225]",
        ),
        call: |row, out| {
            Ok(write_values(
                &[u64::from(hash32(row.text(0)?.as_bytes()))],
                out,
            ))
        },
        ..Function::BASE
    },
    Function {
        name: "bitmap_hash64",
        about: "The bitmap of the 64-bit MurmurHash3 of a text, as in Doris; NULL for NULL.",
        syntax: "bitmap_hash64(text)",
        arguments: &[TEXT],
        example: (
            "SELECT bitmap_to_array(bitmap_hash64('hello'))",
            "[15231136565543391023]",
        ),
        call: |row, out| Ok(write_values(&[hash64(row.text(0)?.as_bytes())], out)),
        ..Function::BASE
    },
];

/// Writes the bitmap of ascending values.
pub(super) fn write_values(values: &[u64], out: &mut Vec<u8>) -> Answer {
    write_sorted_u64(values, out);
    Answer::Bitmap
}

/// The first argument as an element; `None` if it is none.
pub(super) fn value(row: &Row<'_>) -> Result<Option<u64>> {
    if let Ok(text) = row.text(0) {
        return Ok(text.trim().parse().ok());
    }
    match row.integer(0) {
        Ok(value) => Ok(u64::try_from(value).ok()),
        Err(_) => row.element(0).map(Some),
    }
}
