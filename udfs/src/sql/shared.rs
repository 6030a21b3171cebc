//! Names that Doris and StarRocks have and we do not: under them our rules hold until
//! `tagmill.dialect` is set.

use super::counts::count;
use super::function::{
    Answer, Argument, BITMAP, END, Function, HEADERS, Kind, OTHER, Returns, START,
};
use super::parts::{write_limit, write_page, write_range};
use super::row::Sizes;
use tagmill_bitmap::{and_cardinality_many, or_cardinality_many, xor_cardinality_many};

const COUNT: Argument = Argument {
    name: "count",
    kind: Kind::Element,
    about: "The most values there may be.",
};

/// The functions.
pub(super) static FUNCTIONS: &[Function] = &[
    Function {
        name: "bitmap_count",
        about: "As bitmap_cardinality; with tagmill.dialect = 'doris' or 'starrocks' 0 for NULL, \
                with 'spark' the bits of any bytes.",
        syntax: "bitmap_count(bitmap)",
        arguments: &[HEADERS],
        returns: Returns::Count,
        example: (
            "SELECT bitmap_count(bitmap_from_array([1, 3, 5])), bitmap_count(NULL)",
            "3 NULL",
        ),
        call: |row, _| Ok(Answer::Count(row.bitmap(0)?.cardinality())),
        ..Function::BASE
    },
    Function {
        name: "bitmap_and_count",
        about: "As bitmap_and_cardinality; with tagmill.dialect = 'doris' 0 if any is NULL.",
        syntax: "bitmap_and_count(bitmap, bitmap[, ...])",
        arguments: &[BITMAP, OTHER],
        is_variadic: true,
        returns: Returns::Count,
        example: (
            "SELECT bitmap_and_count(bitmap_from_array([1, 3, 5]), bitmap_from_array([3, 5, 7]))",
            "2",
        ),
        call: |row, _| count(row, |sizes| sizes.shared, and_cardinality_many),
        ..Function::BASE
    },
    Function {
        name: "bitmap_or_count",
        about: "As bitmap_or_cardinality; with tagmill.dialect = 'doris' NULLs are left out.",
        syntax: "bitmap_or_count(bitmap, bitmap[, ...])",
        arguments: &[BITMAP, OTHER],
        is_variadic: true,
        returns: Returns::Count,
        example: (
            "SELECT bitmap_or_count(bitmap_from_array([1, 3, 5]), bitmap_from_array([3, 5, 7]))",
            "4",
        ),
        call: |row, _| count(row, Sizes::either, or_cardinality_many),
        ..Function::BASE
    },
    Function {
        name: "bitmap_xor_count",
        about: "As bitmap_xor_cardinality; with tagmill.dialect = 'doris' 0 if any is NULL.",
        syntax: "bitmap_xor_count(bitmap, bitmap[, ...])",
        arguments: &[BITMAP, OTHER],
        is_variadic: true,
        returns: Returns::Count,
        example: (
            "SELECT bitmap_xor_count(bitmap_from_array([1, 3, 5]), bitmap_from_array([3, 5, 7]))",
            "2",
        ),
        call: |row, _| count(row, Sizes::one, xor_cardinality_many),
        ..Function::BASE
    },
    Function {
        name: "bitmap_and_not_count",
        about: "As bitmap_and_not_cardinality; with tagmill.dialect = 'doris' 0 if either is NULL.",
        syntax: "bitmap_and_not_count(bitmap, other)",
        arguments: &[BITMAP, OTHER],
        returns: Returns::Count,
        example: (
            "SELECT bitmap_and_not_count(bitmap_from_array([1, 3, 5]), bitmap_from_array([3, 5, \
             7]))",
            "1",
        ),
        call: |row, _| Ok(Answer::Count(row.sizes()?.first_only())),
        ..Function::BASE
    },
    Function {
        name: "sub_bitmap",
        about: "As bitmap_page; with tagmill.dialect = 'doris' or 'starrocks' NULL where the page \
                would be empty or start before the first value.",
        syntax: "sub_bitmap(bitmap, place, count)",
        arguments: &[
            BITMAP,
            Argument {
                name: "place",
                kind: Kind::Integer,
                about: "An integer; -1 is the last value.",
            },
            COUNT,
        ],
        example: (
            "SELECT bitmap_to_string(sub_bitmap(bitmap_from_string('1,0,1,2,3,1,5'), -3, 2))",
            "2,3",
        ),
        call: write_page,
        ..Function::BASE
    },
    Function {
        name: "bitmap_subset_in_range",
        about: "As bitmap_range; with tagmill.dialect = 'doris' NULL if end <= start or either is \
                negative, with 'starrocks' NULL instead of an empty bitmap, \
                and a negative start is 0.",
        syntax: "bitmap_subset_in_range(bitmap, start, end)",
        arguments: &[BITMAP, START, END],
        example: (
            "SELECT bitmap_to_string(bitmap_subset_in_range(bitmap_from_string('1,2,3,4,5'), 2, \
             4))",
            "2,3",
        ),
        call: |row, out| write_range(&row.bitmap(0)?, row.element(1)?, row.element(2)?, out),
        ..Function::BASE
    },
    Function {
        name: "bitmap_subset_limit",
        about: "As bitmap_limit; with tagmill.dialect = 'doris' NULL if either number is \
                negative, with 'starrocks' NULL instead of an empty bitmap, \
                a negative start is 0, and a negative count takes the largest values up to start.",
        syntax: "bitmap_subset_limit(bitmap, start, count)",
        arguments: &[BITMAP, START, COUNT],
        example: (
            "SELECT bitmap_to_string(bitmap_subset_limit(bitmap_from_string('1,2,3,4,5'), 4, 3))",
            "4,5",
        ),
        call: |row, out| write_limit(&row.bitmap(0)?, row.element(1)?, row.element(2)?, out),
        ..Function::BASE
    },
];
