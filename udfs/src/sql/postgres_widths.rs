//! Between pg_roaringbitmap's bitmaps of 32 and of 64 bits: `rb64_from_roaringbitmap` and
//! `rb64_to_roaringbitmap`. Its integers are signed, and a conversion keeps their sign: -5 is
//! 2^32 - 5 among 32-bit values, and 2^64 - 5 among 64-bit ones.

use super::function::{Answer, BITMAP, Function};
use super::row::Row;
use datafusion::error::Result;
use tagmill_bitmap::change_signed_bits;

/// The functions.
pub(super) static FUNCTIONS: &[Function] = &[
    Function {
        name: "rb64_from_roaringbitmap",
        about: "The bitmap of 64-bit values from one of 32-bit values, which keep their sign: \
                those from 2^31 on are negative, and counted from 2^64 down. A value of more than \
                32 bits is an error. NULL for NULL.",
        syntax: "rb64_from_roaringbitmap(bitmap)",
        arguments: &[BITMAP],
        example: (
            "SELECT rb64_to_array(rb64_from_roaringbitmap(rb_build([7, -5])))",
            "[7, 18446744073709551611]",
        ),
        call: |row, out| with_bits(row, 32, 64, out),
        ..Function::BASE
    },
    Function {
        name: "rb64_to_roaringbitmap",
        about: "The bitmap of 32-bit values from one of 64-bit values, which keep their sign: \
                those from 2^64 - 2^31 on are negative, and counted from 2^32 down. A value that \
                is no signed integer of 32 bits is an error. NULL for NULL.",
        syntax: "rb64_to_roaringbitmap(bitmap)",
        arguments: &[BITMAP],
        example: (
            "SELECT rb_to_array(rb64_to_roaringbitmap(rb64_build([7, -5])))",
            "[7, 4294967291]",
        ),
        call: |row, out| with_bits(row, 64, 32, out),
        ..Function::BASE
    },
];

fn with_bits(row: &Row<'_>, from: u32, to: u32, out: &mut Vec<u8>) -> Result<Answer> {
    change_signed_bits(&row.bitmap(0)?, from, to, out)
        .map_err(|error| row.error(format_args!("argument 1: {error}")))?;
    Ok(Answer::Bitmap)
}
