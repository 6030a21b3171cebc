//! Bitmaps of nothing, of one value, of the hash of a text: `bitmap_empty`, `to_bitmap`,
//! `bitmap_hash`, `bitmap_hash64`.

use super::function::{Answer, Argument, Function, Kind};
use super::murmur::{hash32, hash64};
use tagmill_bitmap::write_sorted_u64;

/// Text with a value in it.
pub(super) const TEXT: Argument = Argument {
    name: "text",
    kind: Kind::Text,
    about: "Text.",
};
/// What is hashed as text.
pub(super) const HASHED: Argument = Argument {
    name: "value",
    kind: Kind::AnyText,
    about: "Text, or an integer, a decimal, a date or a boolean (0 or 1), hashed as its text.",
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
        about: "The bitmap of one value, given as an integer, text or a boolean; NULL for NULL. \
                Anything else is an error.",
        syntax: "to_bitmap(value)",
        arguments: &[Argument {
            name: "value",
            kind: Kind::ElementTextOrFlag,
            about: "An integer from 0 to 2^64 - 1, text that is one, or a boolean as 0 or 1.",
        }],
        example: ("SELECT bitmap_to_array(to_bitmap(7))", "[7]"),
        call: |row, out| match row.element_if_any(0)? {
            Some(value) => Ok(write_values(&[value], out)),
            None => Err(row.error("argument 1 is not an integer from 0 to 18446744073709551615")),
        },
        ..Function::BASE
    },
    Function {
        name: "bitmap_hash",
        about: "The bitmap of the 32-bit MurmurHash3 of a text, with the seed of Doris and \
                StarRocks; NULL for NULL.",
        syntax: "bitmap_hash(value)",
        arguments: &[HASHED],
        example: (
            "SELECT bitmap_to_array(bitmap_hash('hello'))",
            "[1321743225]",
        ),
        call: |row, out| {
            Ok(write_values(
                &[u64::from(hash32(row.any_text(0)?.as_bytes()))],
                out,
            ))
        },
        ..Function::BASE
    },
    Function {
        name: "bitmap_hash64",
        about: "The bitmap of the 64-bit MurmurHash3 of a text, as in Doris; NULL for NULL.",
        syntax: "bitmap_hash64(value)",
        arguments: &[HASHED],
        example: (
            "SELECT bitmap_to_array(bitmap_hash64('hello'))",
            "[15231136565543391023]",
        ),
        call: |row, out| Ok(write_values(&[hash64(row.any_text(0)?.as_bytes())], out)),
        ..Function::BASE
    },
];

/// Writes the bitmap of ascending values.
pub(super) fn write_values(values: &[u64], out: &mut Vec<u8>) -> Answer {
    write_sorted_u64(values, out);
    Answer::Bitmap
}
