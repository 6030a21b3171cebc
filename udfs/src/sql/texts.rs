//! Bitmaps as text and bytes: `bitmap_to_string`, `bitmap_to_base64`, `bitmap_to_hex`,
//! `bitmap_to_binary`, and back.

use super::base64;
use super::function::{Answer, Argument, BITMAP, Function, Kind, Returns};
use super::row::Row;
use datafusion::error::Result;
use std::fmt::Write;
use tagmill_bitmap::{BitmapRef, or_many, write_sorted_u64};

const fn text(about: &'static str) -> Argument {
    Argument {
        name: "text",
        kind: Kind::Text,
        about,
    }
}

/// All functions of the family.
pub(super) static FUNCTIONS: &[Function] = &[
    Function {
        name: "bitmap_to_string",
        about: "The values in ascending order, with commas between them; NULL for NULL, empty \
                text for an empty bitmap.",
        syntax: "bitmap_to_string(bitmap)",
        arguments: &[BITMAP],
        returns: Returns::Text,
        example: (
            "SELECT bitmap_to_string(bitmap_from_array([5, 1, 3]))",
            "1,3,5",
        ),
        call: |row, _| list(row).map(Answer::Text),
        ..Function::BASE
    },
    Function {
        name: "bitmap_from_string",
        about: "The bitmap of values in any order with commas between them; spaces around a value \
                are allowed. NULL for NULL, an empty bitmap for empty text; \
                anything else is an error.",
        syntax: "bitmap_from_string(text)",
        arguments: &[text("Integers from 0 to 2^64 - 1, separated by commas.")],
        example: (
            "SELECT bitmap_to_array(bitmap_from_string('5, 1,3'))",
            "[1, 3, 5]",
        ),
        call: |row, out| match write_list(row.text(0)?, out) {
            Ok(()) => Ok(Answer::Bitmap),
            Err(found) => Err(row.error(format_args!(
                "argument 1 has '{found}', expected integers \
                                                      from 0 to 18446744073709551615 separated by \
                                                      commas"
            ))),
        },
        ..Function::BASE
    },
    Function {
        name: "bitmap_to_base64",
        about: "The canonical bytes of a bitmap in Base64; NULL for NULL.",
        syntax: "bitmap_to_base64(bitmap)",
        arguments: &[BITMAP],
        returns: Returns::Text,
        example: (
            "SELECT bitmap_to_base64(bitmap_from_array([1, 3, 5]))",
            "AQAAAAAAAAAAAAAAOjAAAAEAAAAAAAIAEAAAAAEAAwAFAA==",
        ),
        call: |row, out| {
            Ok(Answer::Text(base64::encode(canonical(
                &row.bitmap(0)?,
                out,
            ))))
        },
        ..Function::BASE
    },
    Function {
        name: "bitmap_from_base64",
        about: "The bitmap of portable 64-bit Roaring bytes in Base64; NULL for NULL. Anything \
                else is an error.",
        syntax: "bitmap_from_base64(text)",
        arguments: &[text("Base64, with or without padding.")],
        example: (
            "SELECT \
             bitmap_to_array(bitmap_from_base64('AQAAAAAAAAAAAAAAOjAAAAEAAAAAAAIAEAAAAAEAAwAFAA=='))",
            "[1, 3, 5]",
        ),
        call: |row, out| {
            let bytes = base64::decode(row.text(0)?)
                .ok_or_else(|| row.error("argument 1 is not Base64"))?;
            read(row, &bytes, out)
        },
        ..Function::BASE
    },
    Function {
        name: "bitmap_to_hex",
        about: "The canonical bytes of a bitmap as hexadecimal digits, lower case; NULL for NULL.",
        syntax: "bitmap_to_hex(bitmap)",
        arguments: &[BITMAP],
        returns: Returns::Text,
        example: (
            "SELECT bitmap_to_hex(bitmap_from_array([1, 3, 5]))",
            "0100000000000000000000003a300000010000000000020010000000010003000500",
        ),
        call: |row, out| {
            let mut digits = String::new();
            canonical(&row.bitmap(0)?, out)
                .iter()
                .try_for_each(|byte| write!(digits, "{byte:02x}"))
                .map_err(|error| row.error(error))?;
            Ok(Answer::Text(digits))
        },
        ..Function::BASE
    },
    Function {
        name: "bitmap_from_hex",
        about: "The bitmap of portable 64-bit Roaring bytes as hexadecimal digits of either case, \
                also after \\x; NULL for NULL. Anything else is an error.",
        syntax: "bitmap_from_hex(text)",
        arguments: &[text("Hexadecimal digits.")],
        example: (
            "SELECT \
             bitmap_to_array(bitmap_from_hex('0100000000000000000000003a300000010000000000020010000000010003000500'))",
            "[1, 3, 5]",
        ),
        call: |row, out| {
            let bytes = from_hex(row.text(0)?).ok_or_else(|| {
                row.error("argument 1 is not an even number of hexadecimal digits")
            })?;
            read(row, &bytes, out)
        },
        ..Function::BASE
    },
    Function {
        name: "bitmap_to_binary",
        about: "The canonical bytes of a bitmap, portable 64-bit Roaring: equal sets are equal \
                bytes. NULL for NULL.",
        syntax: "bitmap_to_binary(bitmap)",
        arguments: &[BITMAP],
        example: (
            "SELECT encode(bitmap_to_binary(bitmap_from_array([])), 'hex')",
            "0000000000000000",
        ),
        call: |row, out| {
            or_many(&[row.bitmap(0)?], out);
            Ok(Answer::Bitmap)
        },
        ..Function::BASE
    },
    Function {
        name: "bitmap_from_binary",
        about: "The bitmap of portable 64-bit Roaring bytes, checked and made canonical; NULL for \
                NULL. Any defect is an error.",
        syntax: "bitmap_from_binary(bytes)",
        arguments: &[Argument {
            name: "bytes",
            kind: Kind::Bytes,
            about: "Portable 64-bit Roaring bytes.",
        }],
        example: (
            "SELECT \
             bitmap_to_array(bitmap_from_binary(X'0100000000000000000000003a300000010000000000020010000000010003000500'))",
            "[1, 3, 5]",
        ),
        call: |row, out| read(row, row.bytes(0)?, out),
        ..Function::BASE
    },
];

/// The canonical bytes, written to the output.
fn canonical<'o>(bitmap: &BitmapRef<'_>, out: &'o mut Vec<u8>) -> &'o [u8] {
    or_many(&[*bitmap], out);
    out
}

/// Checks bytes and writes the bitmap they are.
fn read(row: &Row<'_>, bytes: &[u8], out: &mut Vec<u8>) -> Result<Answer> {
    let bitmap = BitmapRef::parse(bytes)
        .map_err(|defect| row.error(format_args!("argument 1: {defect}")))?;
    or_many(&[bitmap], out);
    Ok(Answer::Bitmap)
}

fn list(row: &Row<'_>) -> Result<String> {
    let mut text = String::new();
    for value in row.bitmap(0)?.iter() {
        if !text.is_empty() {
            text.push(',');
        }
        text.push_str(&value.to_string());
        if text.len() > i32::MAX as usize {
            return Err(
                row.error("argument 1: its text is longer than 2147483647 bytes, expected less")
            );
        }
    }
    Ok(text)
}

/// Writes the bitmap of a list of values; gives back what is not a value.
pub(super) fn write_list<'t>(text: &'t str, out: &mut Vec<u8>) -> Result<(), &'t str> {
    let items = (!text.trim().is_empty()).then(|| text.split(','));
    write_items(items.into_iter().flatten(), out)
}

/// Writes the bitmap of values; gives back what is not a value.
pub(super) fn write_items<'t>(
    items: impl Iterator<Item = &'t str>,
    out: &mut Vec<u8>,
) -> Result<(), &'t str> {
    let mut values = Vec::new();
    for item in items {
        values.push(item.trim().parse::<u64>().map_err(|_| item)?);
    }
    values.sort_unstable();
    values.dedup();
    write_sorted_u64(&values, out);
    Ok(())
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let text = text.strip_prefix("\\x").unwrap_or(text);
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let digit = |digit: u8| char::from(digit).to_digit(16);
    let bytes = pairs
        .iter()
        .map(|[high, low]| Some((digit(*high)? << 4 | digit(*low)?) as u8));
    if rest.is_empty() {
        bytes.collect()
    } else {
        None
    }
}
