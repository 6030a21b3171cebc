//! Spark's bitmaps of 32,768 bits, one row a bucket: `bitmap_bucket_number`, `bitmap_bit_position`,
//! what counts and reads them, and what `bitmap_and` and its siblings are there.

use super::function::{Answer, Argument, Function, Kind, Returns};
use super::row::Row;
use datafusion::error::Result;
use tagmill_bitmap::write_sorted_u64;

/// Bits of a bucket.
pub(super) const BITS: i64 = 32_768;
/// Bytes of a bucket.
pub(super) const BYTES: usize = 4096;

const NUMBER: Argument = Argument {
    name: "value",
    kind: Kind::Cut,
    about: "A number; what is behind its point is cut off.",
};

const BUCKET: Argument = Argument {
    name: "bytes",
    kind: Kind::Bytes,
    about: "At most 4,096 bytes; missing ones are 0.",
};

/// What the functions of two buckets have in common.
const OF_TWO: Function = Function {
    arguments: &[BUCKET, BUCKET],
    ..Function::BASE
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
        name: "spark_bitmap_and",
        about: "A bucket of 4,096 bytes with the bits that are set in both buckets; NULL if either \
                is NULL. What bitmap_and is with tagmill.dialect = 'spark'.",
        syntax: "spark_bitmap_and(bytes, bytes)",
        example: (
            "SELECT spark_bitmap_count(spark_bitmap_and(X'0F', X'05'))",
            "2",
        ),
        call: |row, out| combine(row, |left, right| left & right, out),
        ..OF_TWO
    },
    Function {
        name: "spark_bitmap_or",
        about: "A bucket of 4,096 bytes with the bits that are set in either bucket; NULL if either \
                is NULL. What bitmap_or is with tagmill.dialect = 'spark'.",
        syntax: "spark_bitmap_or(bytes, bytes)",
        example: (
            "SELECT spark_bitmap_count(spark_bitmap_or(X'0F', X'F0'))",
            "8",
        ),
        call: |row, out| combine(row, |left, right| left | right, out),
        ..OF_TWO
    },
    Function {
        name: "spark_bitmap_xor",
        about: "A bucket of 4,096 bytes with the bits that are set in one of two buckets; NULL if either \
                is NULL. What bitmap_xor is with tagmill.dialect = 'spark'.",
        syntax: "spark_bitmap_xor(bytes, bytes)",
        example: (
            "SELECT spark_bitmap_count(spark_bitmap_xor(X'0F', X'05'))",
            "2",
        ),
        call: |row, out| combine(row, |left, right| left ^ right, out),
        ..OF_TWO
    },
    Function {
        name: "spark_bitmap_andnot",
        about: "A bucket of 4,096 bytes with the bits that are set in the first bucket only; NULL if either \
                is NULL. What bitmap_andnot is with tagmill.dialect = 'spark'.",
        syntax: "spark_bitmap_andnot(bytes, bytes)",
        example: (
            "SELECT spark_bitmap_count(spark_bitmap_andnot(X'0F', X'01'))",
            "3",
        ),
        call: |row, out| combine(row, |left, right| left & !right, out),
        ..OF_TWO
    },
    Function {
        name: "spark_bitmap_contains",
        about: "Whether a bit of a bucket is set; NULL if either is NULL. What bitmap_contains is \
                with tagmill.dialect = 'spark'.",
        syntax: "spark_bitmap_contains(bytes, position)",
        arguments: &[
            BUCKET,
            Argument {
                name: "position",
                kind: Kind::Cut,
                about: "What bitmap_bit_position gives.",
            },
        ],
        returns: Returns::Flag,
        example: ("SELECT spark_bitmap_contains(X'04', 2)", "true"),
        call: |row, _| {
            let (bytes, position) = (row.bytes(0)?, row.bound(1)?);
            let byte = usize::try_from(position / 8)
                .ok()
                .and_then(|byte| bytes.get(byte));
            Ok(Answer::Flag(
                position >= 0 && byte.is_some_and(|byte| byte >> (position % 8) & 1 == 1),
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
                    "arguments 1 and 2: bucket {number} of {} bytes, expected a number from 1 to \
                     281474976710655 and at most {BYTES} bytes",
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

/// The bytes of a bucket.
fn bucket<'r>(row: &Row<'r>, at: usize) -> Result<&'r [u8]> {
    let bytes = row.bytes(at)?;
    if bytes.len() <= BYTES {
        return Ok(bytes);
    }
    Err(row.error(format_args!(
        "argument {} has {} bytes, expected at most {BYTES}",
        at + 1,
        bytes.len()
    )))
}

/// Writes what two buckets give byte for byte.
fn combine(row: &Row<'_>, byte: fn(u8, u8) -> u8, out: &mut Vec<u8>) -> Result<Answer> {
    let (left, right) = (bucket(row, 0)?, bucket(row, 1)?);
    let at = |bytes: &[u8], place: usize| bytes.get(place).copied().unwrap_or(0);
    out.extend((0..BYTES).map(|place| byte(at(left, place), at(right, place))));
    Ok(Answer::Bitmap)
}
