//! The functions of pg_roaringbitmap whose edge rules are not ours: `rb_*` for 32-bit values,
//! `rb64_*` for 64-bit ones.
//!
//! PostgreSQL has signed integers only: a negative one is counted from 2^32 or 2^64 down, as there.
//! Values are given as UInt64. Ranges of `rb_*` are cut to 0 to 2^32; in `rb64_*` an end of 0 is
//! 2^64.

use super::builders::write_values;
use super::edits::{cleared, edit};
use super::function::{Answer, Argument, BITMAP, Function, Kind, OTHER, Returns};
use super::postgres_rows::{add, bounds, contains, in_bounds, moved, places, select};
use std::sync::LazyLock;
use tagmill_bitmap::fill;
use tagmill_bitmap::{equals, flip, range};

const EITHER: Argument = Argument {
    name: "bitmap or value",
    kind: Kind::BitmapOrElement,
    about: "A bitmap, or an integer.",
};
const VALUE: Argument = Argument {
    name: "value",
    kind: Kind::Wrapped,
    about: "An integer.",
};
const START: Argument = Argument {
    name: "start",
    kind: Kind::Bound,
    about: "The first value of the range.",
};
const END: Argument = Argument {
    name: "end",
    kind: Kind::Bound,
    about: "The first value after the range.",
};
const DISTANCE: Argument = Argument {
    name: "distance",
    kind: Kind::Integer,
    about: "An integer.",
};

const BASE: Function = Function::BASE;

/// The functions of both kinds.
pub(super) static FUNCTIONS: LazyLock<Vec<Function>> = LazyLock::new(|| {
    [SETS, RANGES, PLACES]
        .into_iter()
        .flatten()
        .flat_map(|function| [widened(function), Function { ..*function }])
        .collect()
});

/// The same function for 64-bit values.
fn widened(function: &Function) -> Function {
    // Names live as long as the program, and there are a few of them.
    let wide = |text: &str| -> &'static str { text.replace("rb_", "rb64_").leak() };
    Function {
        name: wide(function.name),
        syntax: wide(function.syntax),
        example: (wide(function.example.0), function.example.1),
        ..*function
    }
}

static SETS: &[Function] = &[
    Function {
        name: "rb_build",
        about: "The bitmap of an array's elements; a NULL element is an error. NULL for NULL.",
        syntax: "rb_build(array)",
        arguments: &[Argument {
            name: "array",
            kind: Kind::WrappedElements,
            about: "An array of integers.",
        }],
        example: ("SELECT rb_to_array(rb_build([5, 1, 5]))", "[1, 5]"),
        call: |row, out| {
            let mut values = row.elements(0)?;
            values.sort_unstable();
            values.dedup();
            Ok(write_values(&values, out))
        },
        ..BASE
    },
    Function {
        name: "rb_contains",
        about: "Whether the first bitmap holds a value, or every value of a bitmap; NULL if \
                either is NULL.",
        syntax: "rb_contains(bitmap, bitmap or value)",
        arguments: &[BITMAP, EITHER],
        returns: Returns::Flag,
        example: (
            "SELECT rb_contains(rb_build([1, 5]), 5), rb_contains(rb_build([1, 5]), rb_build([5, \
             7]))",
            "true false",
        ),
        call: |row, _| contains(row, 0, 1),
        ..BASE
    },
    Function {
        name: "rb_containedby",
        about: "Whether a value, or every value of a bitmap, is in the second bitmap; NULL if \
                either is NULL.",
        syntax: "rb_containedby(bitmap or value, bitmap)",
        arguments: &[EITHER, BITMAP],
        returns: Returns::Flag,
        example: ("SELECT rb_containedby(5, rb_build([1, 5]))", "true"),
        call: |row, _| contains(row, 1, 0),
        ..BASE
    },
    Function {
        name: "rb_not_equals",
        about: "Whether the bitmaps hold different values; NULL if either is NULL.",
        syntax: "rb_not_equals(bitmap, other)",
        arguments: &[BITMAP, OTHER],
        returns: Returns::Flag,
        example: (
            "SELECT rb_not_equals(rb_build([1, 5]), rb_build([5]))",
            "true",
        ),
        call: |row, _| Ok(Answer::Flag(!equals(&row.bitmap(0)?, &row.bitmap(1)?))),
        ..BASE
    },
    Function {
        name: "rb_jaccard_dist",
        about: "Number of values in both bitmaps by the number of values in either; NaN for two \
                empty ones, NULL if either is NULL.",
        syntax: "rb_jaccard_dist(bitmap, other)",
        arguments: &[BITMAP, OTHER],
        returns: Returns::Float,
        example: (
            "SELECT rb_jaccard_dist(rb_build([1, 3, 5]), rb_build([3, 5, 7]))",
            "0.5",
        ),
        call: |row, _| {
            let sizes = row.sizes()?;
            Ok(Answer::Float(sizes.shared as f64 / sizes.either() as f64))
        },
        ..BASE
    },
    Function {
        name: "rb_add",
        about: "The bitmap with a value added, in either order of arguments; NULL if either is \
                NULL.",
        syntax: "rb_add(bitmap, value)",
        arguments: &[EITHER, EITHER],
        example: (
            "SELECT rb_to_array(rb_add(rb_build([1, 5]), 3))",
            "[1, 3, 5]",
        ),
        call: add,
        ..BASE
    },
    Function {
        name: "rb_remove",
        about: "The bitmap without a value; NULL if either is NULL.",
        syntax: "rb_remove(bitmap, value)",
        arguments: &[BITMAP, VALUE],
        example: ("SELECT rb_to_array(rb_remove(rb_build([1, 5]), 5))", "[1]"),
        call: |row, out| edit(row, &[row.element(1)?], &[], out),
        ..BASE
    },
];

static RANGES: &[Function] = &[
    Function {
        name: "rb_fill",
        about: "The bitmap with every value from start up to, but without, end; NULL if any is \
                NULL. A range of more than 2^36 values is an error.",
        syntax: "rb_fill(bitmap, start, end)",
        arguments: &[BITMAP, START, END],
        example: (
            "SELECT rb_to_array(rb_fill(rb_build([1, 2, 3]), 5, 7))",
            "[1, 2, 3, 5, 6]",
        ),
        call: |row, out| in_bounds(row, fill, out),
        ..BASE
    },
    Function {
        name: "rb_clear",
        about: "The bitmap without the values from start up to, but without, end; NULL if any is \
                NULL.",
        syntax: "rb_clear(bitmap, start, end)",
        arguments: &[BITMAP, START, END],
        example: (
            "SELECT rb_to_array(rb_clear(rb_build([1, 2, 3]), 2, 3))",
            "[1, 3]",
        ),
        call: |row, out| in_bounds(row, cleared, out),
        ..BASE
    },
    Function {
        name: "rb_flip",
        about: "The bitmap in which, from start up to, but without, end, those values are that \
                were not; NULL if any is NULL. A range of more than 2^36 values is \
                an error.",
        syntax: "rb_flip(bitmap, start, end)",
        arguments: &[BITMAP, START, END],
        example: (
            "SELECT rb_to_array(rb_flip(rb_build([1, 2, 3]), 2, 10))",
            "[1, 4, 5, 6, 7, 8, 9]",
        ),
        call: |row, out| in_bounds(row, flip, out),
        ..BASE
    },
    Function {
        name: "rb_range",
        about: "The values from start up to, but without, end; NULL if any is NULL.",
        syntax: "rb_range(bitmap, start, end)",
        arguments: &[BITMAP, START, END],
        example: (
            "SELECT rb_to_array(rb_range(rb_build([1, 2, 3]), 2, 3))",
            "[2]",
        ),
        call: |row, out| {
            let (first, last) = bounds(row, Some((row.bound(1)?, row.bound(2)?))).unwrap_or((1, 0));
            range(&row.bitmap(0)?, first, last, out);
            Ok(Answer::Bitmap)
        },
        ..BASE
    },
    Function {
        name: "rb_range_cardinality",
        about: "Number of values from start up to, but without, end; NULL if any is NULL.",
        syntax: "rb_range_cardinality(bitmap, start, end)",
        arguments: &[BITMAP, START, END],
        returns: Returns::Count,
        example: (
            "SELECT rb_range_cardinality(rb_build([1, 2, 3]), 2, 3)",
            "1",
        ),
        call: |row, _| {
            let (before, up_to) = places(
                &row.bitmap(0)?,
                bounds(row, Some((row.bound(1)?, row.bound(2)?))),
            );
            Ok(Answer::Count(up_to - before))
        },
        ..BASE
    },
];

static PLACES: &[Function] = &[
    Function {
        name: "rb_rank",
        about: "Number of values that are not above a value; NULL if either is NULL.",
        syntax: "rb_rank(bitmap, value)",
        arguments: &[BITMAP, VALUE],
        returns: Returns::Count,
        example: ("SELECT rb_rank(rb_build([1, 10, 100]), 99)", "2"),
        call: |row, _| Ok(Answer::Count(row.bitmap(0)?.rank(row.element(1)?))),
        ..BASE
    },
    Function {
        name: "rb_index",
        about: "The place of a value in ascending order, counted from 0; -1 if it is not in the \
                bitmap, NULL if either is NULL.",
        syntax: "rb_index(bitmap, value)",
        arguments: &[BITMAP, VALUE],
        returns: Returns::Integer,
        example: (
            "SELECT rb_index(rb_build([1, 2, 3]), 3), rb_index(rb_build([1, 2, 3]), 4)",
            "2 -1",
        ),
        call: |row, _| {
            let (bitmap, value) = (row.bitmap(0)?, row.element(1)?);
            Ok(Answer::Integer(if bitmap.contains(value) {
                bitmap.rank(value) as i64 - 1
            } else {
                -1
            }))
        },
        ..BASE
    },
    Function {
        name: "rb_select",
        about: "Of the values from start up to, but without, end, at most limit ones from a place \
                on, or, if reverse, the same counted from the end; NULL if any is \
                NULL. As there, a reversed page that reaches beyond the first value has limit \
                values all the same.",
        syntax: "rb_select(bitmap, limit[, offset[, reverse[, start[, end]]]])",
        arguments: &[
            BITMAP,
            Argument {
                name: "limit",
                kind: Kind::Integer,
                about: "The most values there may be.",
            },
            Argument {
                name: "offset",
                kind: Kind::Integer,
                about: "How many are skipped; 0 if it is missing.",
            },
            Argument {
                name: "reverse",
                kind: Kind::Flag,
                about: "Whether to count from the end; false if it is missing.",
            },
            START,
            END,
        ],
        optional: 4,
        example: (
            "SELECT rb_to_array(rb_select(rb_build([1, 2, 3, 4, 5, 6, 7, 8, 9]), 5, 2))",
            "[3, 4, 5, 6, 7]",
        ),
        call: select,
        ..BASE
    },
    Function {
        name: "rb_shiftright",
        about: "Every value plus a distance, which may be negative; values that would leave the \
                range are dropped. NULL if either is NULL.",
        syntax: "rb_shiftright(bitmap, distance)",
        arguments: &[BITMAP, DISTANCE],
        example: (
            "SELECT rb_to_array(rb_shiftright(rb_build([1, 2, 3]), 3))",
            "[4, 5, 6]",
        ),
        call: |row, out| moved(row, row.integer(1)?, out),
        ..BASE
    },
    Function {
        name: "rb_shiftleft",
        about: "Every value less a distance, which may be negative; values that would leave the \
                range are dropped. NULL if either is NULL.",
        syntax: "rb_shiftleft(bitmap, distance)",
        arguments: &[BITMAP, DISTANCE],
        example: (
            "SELECT rb_to_array(rb_shiftleft(rb_build([1, 2, 3]), 2))",
            "[0, 1]",
        ),
        call: |row, out| {
            let distance = row
                .integer(1)?
                .checked_neg()
                .ok_or_else(|| row.error("argument 2 is -9223372036854775808, expected more"))?;
            moved(row, distance, out)
        },
        ..BASE
    },
];
