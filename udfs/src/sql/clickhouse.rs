//! ClickHouse's functions whose edge rules are not ours. The other names of ClickHouse are aliases
//! (see `names`).

use super::builders::write_values;
use super::edits::pairs;
use super::function::{Answer, Argument, BITMAP, Function, HEADERS, Kind, OTHER, Returns};
use tagmill_bitmap::{has_all, has_any, page, remap_in_turn};

/// Its functions with rules of their own.
pub(super) static FUNCTIONS: &[Function] = &[
    Function {
        name: "bitmapMin",
        about: "The smallest value; 18446744073709551615 for an empty bitmap, as ClickHouse has \
                it for UInt64. NULL for NULL.",
        syntax: "bitmapMin(bitmap)",
        arguments: &[HEADERS],
        returns: Returns::Count,
        example: (
            "SELECT bitmapMin(bitmapBuild([3, 5])), bitmapMin(bitmap_empty())",
            "3 18446744073709551615",
        ),
        call: |row, _| Ok(Answer::Count(row.bitmap(0)?.min().unwrap_or(u64::MAX))),
        ..Function::BASE
    },
    Function {
        name: "bitmapMax",
        about: "The largest value; 0 for an empty bitmap. NULL for NULL.",
        syntax: "bitmapMax(bitmap)",
        arguments: &[HEADERS],
        returns: Returns::Count,
        example: (
            "SELECT bitmapMax(bitmapBuild([3, 5])), bitmapMax(bitmap_empty())",
            "5 0",
        ),
        call: |row, _| Ok(Answer::Count(row.bitmap(0)?.max().unwrap_or(0))),
        ..Function::BASE
    },
    Function {
        name: "bitmapContains",
        about: "1 if a value is in a bitmap, or else 0; a negative value is counted from 2^64 \
                down. NULL if either is NULL.",
        syntax: "bitmapContains(bitmap, value)",
        arguments: &[
            BITMAP,
            Argument {
                name: "value",
                kind: Kind::Wrapped,
                about: "An integer.",
            },
        ],
        returns: Returns::Byte,
        example: ("SELECT bitmapContains(bitmapBuild([1, 5]), 5)", "1"),
        call: |row, _| Ok(Answer::Flag(row.bitmap(0)?.contains(row.element(1)?))),
        ..Function::BASE
    },
    Function {
        name: "bitmapHasAll",
        about: "1 if the first bitmap holds every value of the second, an empty one included, or \
                else 0. NULL if either is NULL.",
        syntax: "bitmapHasAll(bitmap, other)",
        arguments: &[BITMAP, OTHER],
        returns: Returns::Byte,
        example: (
            "SELECT bitmapHasAll(bitmapBuild([1, 5]), bitmapBuild([5]))",
            "1",
        ),
        call: |row, _| Ok(Answer::Flag(has_all(&row.bitmap(0)?, &row.bitmap(1)?))),
        ..Function::BASE
    },
    Function {
        name: "bitmapHasAny",
        about: "1 if any value is in both bitmaps, or else 0. NULL if either is NULL.",
        syntax: "bitmapHasAny(bitmap, other)",
        arguments: &[BITMAP, OTHER],
        returns: Returns::Byte,
        example: (
            "SELECT bitmapHasAny(bitmapBuild([1, 5]), bitmapBuild([7]))",
            "0",
        ),
        call: |row, _| Ok(Answer::Flag(has_any(&row.bitmap(0)?, &row.bitmap(1)?))),
        ..Function::BASE
    },
    Function {
        name: "bitmapBuild",
        about: "The bitmap of an array's elements; a NULL element is an error, a negative one is \
                counted from 2^bits of its type down: 2^8 for Int8, 2^64 for Int64. NULL for NULL.",
        syntax: "bitmapBuild(array)",
        arguments: &[Argument {
            name: "array",
            kind: Kind::NarrowElements,
            about: "An array of integers.",
        }],
        example: ("SELECT bitmapToArray(bitmapBuild([5, 1, 5]))", "[1, 5]"),
        call: |row, out| {
            let mut values = row.elements(0)?;
            values.sort_unstable();
            values.dedup();
            Ok(write_values(&values, out))
        },
        ..Function::BASE
    },
    Function {
        name: "bitmapTransform",
        about: "The bitmap with each value that is in one array replaced by what stands at its \
                place in the other, one after the other: what comes in can be \
                replaced in turn. NULL if any is NULL; arrays of different lengths are an error.",
        syntax: "bitmapTransform(bitmap, from, to)",
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
            "SELECT bitmapToArray(bitmapTransform(bitmapBuild([1, 3, 5]), [1, 3], [3, 100]))",
            "[5, 100]",
        ),
        call: |row, out| {
            let pairs = pairs(row)?;
            remap_in_turn(&row.bitmap(0)?, pairs.into_iter(), out)
                .map_err(|defect| row.error(format_args!("argument 1: {defect}")))?;
            Ok(Answer::Bitmap)
        },
        ..Function::BASE
    },
    Function {
        name: "subBitmap",
        about: "At most count values from a place in ascending order on, counted from 0; empty \
                beyond the last. NULL if any is NULL; negative numbers are an error.",
        syntax: "subBitmap(bitmap, place, count)",
        arguments: &[
            BITMAP,
            Argument {
                name: "place",
                kind: Kind::Element,
                about: "An integer, 0 or more.",
            },
            Argument {
                name: "count",
                kind: Kind::Element,
                about: "The most values there may be.",
            },
        ],
        example: (
            "SELECT bitmapToArray(subBitmap(bitmapBuild([1, 3, 5]), 1, 5))",
            "[3, 5]",
        ),
        call: |row, out| {
            page(&row.bitmap(0)?, row.element(1)?, row.element(2)?, out);
            Ok(Answer::Bitmap)
        },
        ..Function::BASE
    },
];
