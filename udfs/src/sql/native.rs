//! Bitmaps in the bytes of Doris and StarRocks under their own function names; `bitmap_to_doris`
//! and its siblings have the plain bytes.

use super::base64;
use super::function::{Answer, Argument, BITMAP, Function, Kind, Returns};
use super::row::Row;
use datafusion::error::Result;
use tagmill_bitmap::wire::Format;

const TEXT: Argument = Argument {
    name: "text",
    kind: Kind::Text,
    about: "Base64.",
};

/// The functions.
pub(super) static FUNCTIONS: &[Function] = &[
    Function {
        name: "doris_bitmap_to_base64",
        about: "The bytes of Doris's BITMAP in Base64; NULL for NULL.",
        syntax: "doris_bitmap_to_base64(bitmap)",
        arguments: &[BITMAP],
        returns: Returns::Text,
        example: (
            "SELECT doris_bitmap_to_base64(bitmap_from_array([1]))",
            "AQEAAAA=",
        ),
        call: |row, out| encoded(row, Format::Doris, out),
        ..Function::BASE
    },
    Function {
        name: "doris_bitmap_from_base64",
        about: "The set of Base64 of Doris's BITMAP; NULL for NULL, and for text that is no \
                Base64. Base64 of other bytes is an error.",
        syntax: "doris_bitmap_from_base64(text)",
        arguments: &[TEXT],
        example: (
            "SELECT \
             bitmap_to_array(doris_bitmap_from_base64('BQMBAAAAAAAAAAMAAAAAAAAABQAAAAAAAAA='))",
            "[1, 3, 5]",
        ),
        call: |row, out| match base64::decode(row.text(0)?) {
            Some(bytes) => Format::Doris
                .decode(&bytes, out)
                .map(|()| Answer::Bitmap)
                .map_err(|defect| row.error(format_args!("argument 1: {defect}"))),
            None => Ok(Answer::Null),
        },
        ..Function::BASE
    },
    Function {
        name: "starrocks_bitmap_to_base64",
        about: "The bytes of StarRocks's BITMAP in Base64; NULL for NULL.",
        syntax: "starrocks_bitmap_to_base64(bitmap)",
        arguments: &[BITMAP],
        returns: Returns::Text,
        example: (
            "SELECT starrocks_bitmap_to_base64(bitmap_from_array([1]))",
            "AQEAAAA=",
        ),
        call: |row, out| encoded(row, Format::StarRocks, out),
        ..Function::BASE
    },
    Function {
        name: "base64_to_bitmap",
        about: "The set of Base64 of StarRocks's BITMAP; NULL for NULL and for anything else.",
        syntax: "base64_to_bitmap(text)",
        arguments: &[TEXT],
        example: (
            "SELECT bitmap_to_array(base64_to_bitmap('AQEAAAA=')), base64_to_bitmap('?')",
            "[1] NULL",
        ),
        call: |row, out| {
            Ok(decoded(
                base64::decode(row.text(0)?).as_deref(),
                Format::StarRocks,
                out,
            ))
        },
        ..Function::BASE
    },
    Function {
        name: "starrocks_bitmap_from_binary",
        about: "The set of bytes of StarRocks's BITMAP; NULL for NULL and for anything else.",
        syntax: "starrocks_bitmap_from_binary(bytes)",
        arguments: &[Argument {
            name: "bytes",
            kind: Kind::Bytes,
            about: "What bitmap_to_binary gives in StarRocks.",
        }],
        example: (
            "SELECT bitmap_to_array(starrocks_bitmap_from_binary(X'0107000000')), \
             starrocks_bitmap_from_binary(X'FF')",
            "[7] NULL",
        ),
        call: |row, out| Ok(decoded(Some(row.bytes(0)?), Format::StarRocks, out)),
        ..Function::BASE
    },
];

fn encoded(row: &Row<'_>, format: Format, out: &mut Vec<u8>) -> Result<Answer> {
    format
        .encode(&row.bitmap(0)?, out)
        .map_err(|defect| row.error(format_args!("argument 1: {defect}")))?;
    Ok(Answer::Text(base64::encode(out)))
}

fn decoded(bytes: Option<&[u8]>, format: Format, out: &mut Vec<u8>) -> Answer {
    let is_read = bytes.is_some_and(|bytes| format.decode(bytes, out).is_ok());
    if is_read {
        Answer::Bitmap
    } else {
        Answer::Null
    }
}
