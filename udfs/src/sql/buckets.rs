//! Spark's bitmaps of 32,768 bits, one row a bucket: `bitmap_bucket_number`, `bitmap_bit_position`,
//! and what counts and reads them.

use super::function::{Answer, Argument, Function, Kind, Returns};
use tagmill_bitmap::write_sorted_u64;

/// Bits of a bucket.
pub(super) const BITS: i64 = 32_768;
/// Bytes of a bucket.
pub(super) const BYTES: usize = 4096;

const NUMBER: Argument = Argument {
    name: "value",
    kind: Kind::Integer,
    about: "An integer.",
};

/// All functions of the family.
pub(super) static FUNCTIONS: &[Function] = &[
    Function {
        name: "bitmap_bucket_number",
        about: "The number of the bucket of 32,768 bits that a value falls into: 1 for 1 to \
                32,768, and so on; values not above 0 are in 0, -1 ... NULL for NULL.",
        syntax: "bitmap_bucket_number(value)",
        arguments: &[NUMBER],
        returns: Returns::Integer,
        example: ("SELECT bitmap_bucket_number(32769)", "2"),
        call: |row, _| {
            let value = row.integer(0)?;
            Ok(Answer::Integer(if value > 0 {
                (value - 1) / BITS + 1
            } else {
                value / BITS
            }))
        },
        ..Function::BASE
    },
    Function {
        name: "bitmap_bit_position",
        about: "The bit of a value in its bucket, from 0 to 32,767; NULL for NULL.",
        syntax: "bitmap_bit_position(value)",
        arguments: &[NUMBER],
        returns: Returns::Integer,
        example: ("SELECT bitmap_bit_position(32769)", "0"),
        call: |row, _| {
            let value = row.integer(0)?;
            Ok(Answer::Integer(if value > 0 {
                (value - 1) % BITS
            } else {
                -(value % BITS)
            }))
        },
        ..Function::BASE
    },
    Function {
        name: "spark_bitmap_count",
        about: "Number of bits set in a bucket, or in any bytes; NULL for NULL. What bitmap_count \
                is with tagmill.dialect = 'spark'.",
        syntax: "spark_bitmap_count(bytes)",
        arguments: &[Argument {
            name: "bytes",
            kind: Kind::Bytes,
            about: "Any bytes.",
        }],
        returns: Returns::Integer,
        example: ("SELECT spark_bitmap_count(X'F00F')", "8"),
        call: |row, _| {
            Ok(Answer::Integer(
                row.bytes(0)?
                    .iter()
                    .map(|byte| i64::from(byte.count_ones()))
                    .sum(),
            ))
        },
        ..Function::BASE
    },
    Function {
        name: "bitmap_from_bucket",
        about: "The bitmap of the values above 0 that a bucket holds, of its number and its \
                bytes; NULL if either is NULL. Bytes beyond 4,096, a number below 1 \
                or one whose values do not fit into 63 bits are an error.",
        syntax: "bitmap_from_bucket(number, bytes)",
        arguments: &[
            Argument {
                name: "number",
                kind: Kind::Integer,
                about: "What bitmap_bucket_number gives.",
            },
            Argument {
                name: "bytes",
                kind: Kind::Bytes,
                about: "What bitmap_construct_agg gives.",
            },
        ],
        example: (
            "SELECT bitmap_to_array(bitmap_from_bucket(2, X'05'))",
            "[32769, 32771]",
        ),
        call: |row, out| {
            let (number, bytes) = (row.integer(0)?, row.bytes(1)?);
            let first = number
                .checked_sub(1)
                .and_then(|before| before.checked_mul(BITS))
                .filter(|first| *first >= 0 && *first <= i64::MAX - BITS);
            let Some(first) = first.filter(|_| bytes.len() <= BYTES) else {
                return Err(row.error(format_args!(
                    "bucket {number} of {} bytes, expected a number from 1 \
                                            to 281474976710655 and at most {BYTES} bytes",
                    bytes.len()
                )));
            };
            let set = (0..bytes.len() * 8).filter(|bit| bytes[bit / 8] >> (bit % 8) & 1 == 1);
            write_sorted_u64(
                &set.map(|bit| first as u64 + 1 + bit as u64)
                    .collect::<Vec<u64>>(),
                out,
            );
            Ok(Answer::Bitmap)
        },
        ..Function::BASE
    },
];
