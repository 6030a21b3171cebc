//! Hologres's functions of a bit-sliced index, which is one value: `bsi_build` and what reads it.
//!
//! An index is the list of slices that `bsi_build_agg` gives. Numbers have 64 bits and may be below
//! zero; Hologres has those from 1 to 2^31 - 1.

use super::builders::write_values;
use super::function::{Answer, Argument, BITMAP, Function, Kind, Returns};
use super::hologres_rows::{
    add, built, by_name, compared, filtered, keep, kept, merge, refused, show, stat, write,
};
use super::index_value::Numbers;
use std::collections::BTreeSet;
use tagmill_bitmap::Comparison;

pub(super) const INDEX: Argument = Argument {
    name: "index",
    kind: Kind::Index,
    about: "What bsi_build or bsi_build_agg gives.",
};
const NUMBER: Argument = Argument {
    name: "number",
    kind: Kind::Integer,
    about: "An integer.",
};
const FILTER: Argument = Argument {
    name: "filter",
    kind: Kind::Bitmap,
    about: "Only these members; all if it is missing.",
};
const FILTER_OR_NUMBER: Argument = Argument {
    name: "filter or number",
    kind: Kind::BitmapOrInteger,
    about: "Only these members, which may be missing, or an integer.",
};

const BASE: Function = Function::BASE;

/// Functions of an index and perhaps a filter.
const FILTERED: Function = Function {
    arguments: &[INDEX, FILTER],
    optional: 1,
    ..BASE
};

/// Functions that compare an index with a number.
const COMPARED: Function = Function {
    arguments: &[INDEX, NUMBER, FILTER],
    optional: 1,
    ..BASE
};

/// The functions that make an index.
pub(super) static MAKERS: &[Function] = &[
    Function {
        name: "bsi_build",
        about: "The index of members and their numbers. NULL for NULL; a member twice, a NULL \
                element, and arrays of different lengths are an error.",
        syntax: "bsi_build(members, numbers)",
        arguments: &[
            Argument {
                name: "members",
                kind: Kind::Elements,
                about: "An array of integers.",
            },
            Argument {
                name: "numbers",
                kind: Kind::Numbers,
                about: "An array of integers, as long as the other.",
            },
        ],
        returns: Returns::Index,
        example: (
            "SELECT bsi_show(bsi_build([1, 2, 3], [2, 4, 6]), 9)",
            "1=2,2=4,3=6",
        ),
        call: |row, _| built(row).map(Answer::Index),
        ..BASE
    },
    Function {
        name: "bsi_add_value",
        about: "The index with the number of one member, in the place of one it may have had. \
                NULL if any is NULL.",
        syntax: "bsi_add_value(index, member, number)",
        arguments: &[
            INDEX,
            Argument {
                name: "member",
                kind: Kind::Element,
                about: "An integer.",
            },
            NUMBER,
        ],
        returns: Returns::Index,
        example: (
            "SELECT bsi_show(bsi_add_value(bsi_build([1], [2]), 4, 8), 9)",
            "1=2,4=8",
        ),
        call: |row, _| {
            let mut numbers = row.numbers(0)?;
            numbers.insert(row.element(1)?, row.integer(2)?);
            Ok(Answer::Index(numbers))
        },
        ..BASE
    },
    Function {
        name: "bsi_filter",
        about: "The index of those members that are in a bitmap. NULL if either is NULL.",
        syntax: "bsi_filter(index, filter)",
        arguments: &[INDEX, BITMAP],
        returns: Returns::Index,
        example: (
            "SELECT bsi_show(bsi_filter(bsi_build([1, 2, 3], [2, 4, 6]), rb_build([1, 2])), 9)",
            "1=2,2=4",
        ),
        call: |row, _| {
            let (mut numbers, filter) = (row.numbers(0)?, row.bitmap(1)?);
            numbers.retain(|member, _| filter.contains(*member));
            Ok(Answer::Index(numbers))
        },
        ..BASE
    },
    Function {
        name: "bsi_add",
        about: "The index of the members of either index with the sums of their numbers; who is \
                missing in one counts as 0 there. NULL if either is NULL.",
        syntax: "bsi_add(index, other)",
        arguments: &[INDEX, INDEX],
        returns: Returns::Index,
        example: (
            "SELECT bsi_show(bsi_add(bsi_build([1, 2, 3], [2, 4, 6]), bsi_build([1, 2], [2, 4])), \
             9)",
            "1=4,2=8,3=6",
        ),
        call: |row, _| {
            let mut sums = row.numbers(0)?;
            add(&mut sums, row.numbers(1)?).map_err(|what| row.error(what))?;
            Ok(Answer::Index(sums))
        },
        ..BASE
    },
    Function {
        name: "bsi_merge",
        about: "The index of the members of two indices that have none in common; one in both is \
                an error. NULL if either is NULL.",
        syntax: "bsi_merge(index, other)",
        arguments: &[INDEX, INDEX],
        returns: Returns::Index,
        example: (
            "SELECT bsi_show(bsi_merge(bsi_build([1], [2]), bsi_build([3], [6])), 9)",
            "1=2,3=6",
        ),
        call: |row, _| {
            let mut all = row.numbers(0)?;
            merge(&mut all, row.numbers(1)?).map_err(|what| row.error(what))?;
            Ok(Answer::Index(all))
        },
        ..BASE
    },
    Function {
        name: "bsi_transpose_with_count",
        about: "The index of the different numbers, as members, and how many members have each. \
                NULL if any is NULL; numbers below zero are counted from 2^64 down.",
        syntax: "bsi_transpose_with_count(index[, filter])",
        returns: Returns::Index,
        example: (
            "SELECT bsi_show(bsi_transpose_with_count(bsi_build([1, 2, 3], [2, 4, 4])), 9)",
            "2=1,4=2",
        ),
        call: |row, _| {
            let mut counts = Numbers::new();
            for number in kept(row)?.into_values() {
                *counts.entry(number as u64).or_default() += 1;
            }
            Ok(Answer::Index(counts))
        },
        ..FILTERED
    },
];

/// The functions that read an index.
pub(super) static READERS: &[Function] = &[
    Function {
        name: "bsi_ebm",
        about: "The members of an index; NULL for NULL.",
        syntax: "bsi_ebm(index)",
        arguments: &[INDEX],
        example: (
            "SELECT rb_to_array(bsi_ebm(bsi_build([1, 2, 3], [2, 4, 6])))",
            "[1, 2, 3]",
        ),
        call: |row, out| {
            let index = row.index(0)?;
            write(row, Ok(index.members().to_vec()), out)
        },
        ..BASE
    },
    Function {
        name: "bsi_iterate",
        about: "The members and their numbers, ascending, as an array of arrays of two; unnest \
                gives the rows. NULL for NULL.",
        syntax: "bsi_iterate(index)",
        arguments: &[INDEX],
        returns: Returns::Pairs,
        example: (
            "SELECT unnest(bsi_iterate(bsi_build([1, 2], [2, 4]))) AS pair",
            "[1, 2]\n[2, 4]",
        ),
        call: |row, _| row.numbers(0).map(Answer::Pairs),
        ..BASE
    },
    Function {
        name: "bsi_show",
        about: "The first members and their numbers as text, and how many are left. NULL if \
                either is NULL.",
        syntax: "bsi_show(index, count)",
        arguments: &[INDEX, NUMBER],
        returns: Returns::Text,
        example: (
            "SELECT bsi_show(bsi_build([1, 2, 3], [2, 4, 6]), 2)",
            "1=2,2=4...left 1",
        ),
        call: |row, _| show(row).map(Answer::Text),
        ..BASE
    },
    Function {
        name: "bsi_sum",
        about: "The sum of the numbers and how many members have one, as an array of two. NULL if \
                any is NULL.",
        syntax: "bsi_sum(index[, filter])",
        returns: Returns::Numbers,
        example: (
            "SELECT bsi_sum(bsi_build([1, 2, 3, 4], [2, 4, 6, 8]))",
            "[20, 4]",
        ),
        call: |row, _| {
            let index = filtered(row, 1)?;
            let sums = index.sum().and_then(|sum| Ok((sum, index.count()?)));
            let (sum, count) = sums.map_err(|defect| refused(row, defect))?;
            Ok(Answer::Numbers(vec![sum, i128::from(count)]))
        },
        ..FILTERED
    },
    Function {
        name: "bsi_stat",
        about: "How many members have a number in each interval, as text: above the bound before, \
                and not above this one; the first is 0, the last the largest number. NULL if any \
                is NULL.",
        syntax: "bsi_stat(bounds, index[, filter])",
        arguments: &[
            Argument {
                name: "bounds",
                kind: Kind::Numbers,
                about: "An array of ascending integers.",
            },
            INDEX,
            FILTER,
        ],
        optional: 1,
        returns: Returns::Text,
        example: (
            "SELECT bsi_stat([1, 3, 5], bsi_build([1, 2, 3, 4], [2, 4, 6, 8]))",
            "(0,1]=0;(1,3]=1;(3,5]=1;(5,8]=2",
        ),
        call: |row, _| stat(row).map(Answer::Text),
        ..BASE
    },
    Function {
        name: "bsi_transpose",
        about: "The different numbers as a bitmap; those below zero are counted from 2^64 down. \
                NULL if any is NULL.",
        syntax: "bsi_transpose(index[, filter])",
        example: (
            "SELECT rb_to_array(bsi_transpose(bsi_build([1, 2, 3], [2, 4, 4])))",
            "[2, 4]",
        ),
        call: |row, out| {
            let numbers: BTreeSet<u64> = kept(row)?
                .into_values()
                .map(|number| number as u64)
                .collect();
            let numbers: Vec<u64> = numbers.into_iter().collect();
            Ok(write_values(&numbers, out))
        },
        ..FILTERED
    },
    Function {
        name: "bsi_topk",
        about: "The members with the largest numbers; of equal ones the smallest members. NULL if \
                any is NULL.",
        syntax: "bsi_topk(index[, filter], count)",
        arguments: &[INDEX, FILTER_OR_NUMBER, NUMBER],
        optional: 1,
        example: (
            "SELECT rb_to_array(bsi_topk(bsi_build([1, 2, 3, 4, 5], [2, 4, 6, 8, 10]), 3))",
            "[3, 4, 5]",
        ),
        call: |row, out| {
            let mut index = row.index(0)?;
            let count = if row.is_bitmap(1) && row.len() > 2 {
                keep(row, &mut index, &row.bitmap(1)?)?;
                row.integer(2)?
            } else {
                row.integer(1)?
            };
            write(row, index.top(u64::try_from(count).unwrap_or(0)), out)
        },
        ..BASE
    },
];

/// The functions that compare.
pub(super) static COMPARISONS: &[Function] = &[
    Function {
        name: "bsi_eq",
        about: "The members with a number. NULL if any is NULL.",
        syntax: "bsi_eq(index, number[, filter])",
        example: (
            "SELECT rb_to_array(bsi_eq(bsi_build([1, 2, 3, 4], [2, 4, 4, 8]), 4))",
            "[2, 3]",
        ),
        call: |row, out| compared(row, Comparison::Equal, out),
        ..COMPARED
    },
    Function {
        name: "bsi_neq",
        about: "The members with another number. NULL if any is NULL.",
        syntax: "bsi_neq(index, number[, filter])",
        example: (
            "SELECT rb_to_array(bsi_neq(bsi_build([1, 2, 3, 4], [2, 4, 4, 8]), 4))",
            "[1, 4]",
        ),
        call: |row, out| compared(row, Comparison::NotEqual, out),
        ..COMPARED
    },
    Function {
        name: "bsi_lt",
        about: "The members with a number below one. NULL if any is NULL.",
        syntax: "bsi_lt(index, number[, filter])",
        example: (
            "SELECT rb_to_array(bsi_lt(bsi_build([1, 2, 3, 4], [2, 4, 4, 8]), 4))",
            "[1]",
        ),
        call: |row, out| compared(row, Comparison::Less, out),
        ..COMPARED
    },
    Function {
        name: "bsi_le",
        about: "The members with a number that is not above one. NULL if any is NULL.",
        syntax: "bsi_le(index, number[, filter])",
        example: (
            "SELECT rb_to_array(bsi_le(bsi_build([1, 2, 3, 4], [2, 4, 4, 8]), 4))",
            "[1, 2, 3]",
        ),
        call: |row, out| compared(row, Comparison::LessOrEqual, out),
        ..COMPARED
    },
    Function {
        name: "bsi_gt",
        about: "The members with a number above one. NULL if any is NULL.",
        syntax: "bsi_gt(index, number[, filter])",
        example: (
            "SELECT rb_to_array(bsi_gt(bsi_build([1, 2, 3, 4], [2, 4, 4, 8]), 4))",
            "[4]",
        ),
        call: |row, out| compared(row, Comparison::Greater, out),
        ..COMPARED
    },
    Function {
        name: "bsi_ge",
        about: "The members with a number that is not below one. NULL if any is NULL.",
        syntax: "bsi_ge(index, number[, filter])",
        example: (
            "SELECT rb_to_array(bsi_ge(bsi_build([1, 2, 3, 4], [2, 4, 4, 8]), 4))",
            "[2, 3, 4]",
        ),
        call: |row, out| compared(row, Comparison::GreaterOrEqual, out),
        ..COMPARED
    },
    Function {
        name: "bsi_range",
        about: "The members with a number from low to high, both included. NULL if any is NULL.",
        syntax: "bsi_range(index, low, high[, filter])",
        arguments: &[INDEX, NUMBER, NUMBER, FILTER],
        optional: 1,
        example: (
            "SELECT rb_to_array(bsi_range(bsi_build([1, 2, 3, 4], [2, 4, 4, 8]), 3, 5))",
            "[2, 3]",
        ),
        call: |row, out| {
            let (low, high) = (row.integer(1)?, row.integer(2)?);
            write(row, filtered(row, 3)?.between(low.into(), high.into()), out)
        },
        ..BASE
    },
    Function {
        name: "bsi_compare",
        about: "The members whose number compares so: 'LT', 'LE', 'GT', 'GE', 'EQ', 'NEQ', or \
                'RANGE', which takes two numbers. NULL if any is NULL.",
        syntax: "bsi_compare(comparison, index[, filter], number[, number])",
        arguments: &[
            Argument {
                name: "comparison",
                kind: Kind::Text,
                about: "The name of a comparison.",
            },
            INDEX,
            FILTER_OR_NUMBER,
            NUMBER,
            NUMBER,
        ],
        optional: 2,
        example: (
            "SELECT rb_to_array(bsi_compare('RANGE', bsi_build([1, 2, 3, 4], [2, 4, 4, 8]), 3, 5))",
            "[2, 3]",
        ),
        call: |row, out| by_name(row, out),
        ..BASE
    },
];
