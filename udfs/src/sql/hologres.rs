//! Hologres's functions of a bit-sliced index, which is one value: `bsi_build` and what reads it.
//!
//! An index is the list of slices that `bsi_build_agg` gives. Numbers have 64 bits and may be below
//! zero; Hologres has those from 1 to 2^31 - 1.

use super::function::{Answer, Argument, BITMAP, Function, Kind, Returns};
use super::index_value::Numbers;
use super::row::Row;
use datafusion::error::Result;
use std::collections::BTreeSet;
use std::fmt::Write;
use tagmill_bitmap::{BitmapRef, Bsi, Comparison, Defect, or_many};

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
            Ok(super::builders::write_values(&numbers, out))
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

#[cold]
fn refused(row: &Row<'_>, defect: Defect) -> datafusion::error::DataFusionError {
    row.error(format_args!("argument 1: {defect}"))
}

/// Writes a bitmap that an index gave.
fn write(row: &Row<'_>, bytes: Result<Vec<u8>, Defect>, out: &mut Vec<u8>) -> Result<Answer> {
    let bytes = bytes.map_err(|defect| refused(row, defect))?;
    if bytes.is_empty() {
        return Ok(super::builders::write_values(&[], out));
    }
    let bitmap = BitmapRef::parse_layout(&bytes).map_err(|defect| refused(row, defect))?;
    or_many(&[bitmap], out);
    Ok(Answer::Bitmap)
}

fn keep(row: &Row<'_>, index: &mut Bsi, filter: &BitmapRef<'_>) -> Result<()> {
    index.keep(filter).map_err(|defect| refused(row, defect))
}

/// The index in the first argument, of the members that the argument at a place lets through.
fn filtered(row: &Row<'_>, at: usize) -> Result<Bsi> {
    let mut index = row.index(0)?;
    if row.len() > at {
        keep(row, &mut index, &row.bitmap(at)?)?;
    }
    Ok(index)
}

/// The numbers of the index in the first argument, of the members that the second lets through.
fn kept(row: &Row<'_>) -> Result<Numbers> {
    let mut numbers = row.numbers(0)?;
    if row.len() > 1 {
        let filter = row.bitmap(1)?;
        numbers.retain(|member, _| filter.contains(*member));
    }
    Ok(numbers)
}

fn compared(row: &Row<'_>, comparison: Comparison, out: &mut Vec<u8>) -> Result<Answer> {
    let number = row.integer(1)?.into();
    write(row, filtered(row, 2)?.compare(comparison, number), out)
}

/// `bsi_compare`.
fn by_name(row: &Row<'_>, out: &mut Vec<u8>) -> Result<Answer> {
    let mut index = row.index(1)?;
    let first = if row.is_bitmap(2) {
        keep(row, &mut index, &row.bitmap(2)?)?;
        3
    } else {
        2
    };
    let numbers = (first..row.len()).map(|at| row.integer(at));
    let numbers = numbers.collect::<Result<Vec<i64>>>()?;
    let name = row.text(0)?.to_ascii_uppercase();
    let comparison = match name.as_str() {
        "LT" => Some(Comparison::Less),
        "LE" => Some(Comparison::LessOrEqual),
        "GT" => Some(Comparison::Greater),
        "GE" => Some(Comparison::GreaterOrEqual),
        "EQ" => Some(Comparison::Equal),
        "NEQ" => Some(Comparison::NotEqual),
        _ => None,
    };
    match (comparison, name.as_str(), numbers.as_slice()) {
        (Some(comparison), _, [number]) => {
            write(row, index.compare(comparison, (*number).into()), out)
        }
        (None, "RANGE", [low, high]) => {
            write(row, index.between((*low).into(), (*high).into()), out)
        }
        _ => Err(row.error(format_args!(
            "argument 1 is '{name}' with {} numbers, expected 'LT', 'LE', 'GT', 'GE', 'EQ' or \
             'NEQ' with 1, or 'RANGE' with 2",
            numbers.len()
        ))),
    }
}

fn built(row: &Row<'_>) -> Result<Numbers> {
    let (members, values) = (row.elements(0)?, row.number_list(1)?);
    if members.len() != values.len() {
        return Err(row.error(format_args!(
            "arguments 1 and 2 have {} and {} values, expected the same number",
            members.len(),
            values.len()
        )));
    }
    let mut numbers = Numbers::new();
    for (member, number) in members.into_iter().zip(values) {
        if numbers.insert(member, number).is_some() {
            return Err(row.error(format_args!(
                "argument 1 has {member} twice, expected each member once"
            )));
        }
    }
    Ok(numbers)
}

/// Adds the numbers of other members.
///
/// # Errors
/// A sum of more than 64 bits.
pub(super) fn add(sums: &mut Numbers, others: Numbers) -> Result<(), String> {
    for (member, number) in others {
        let sum = sums.entry(member).or_default();
        *sum = sum
            .checked_add(number)
            .ok_or_else(|| format!("the numbers of member {member} add up to more than 64 bits"))?;
    }
    Ok(())
}

/// Adds other members.
///
/// # Errors
/// A member that is there already.
pub(super) fn merge(all: &mut Numbers, others: Numbers) -> Result<(), String> {
    for (member, number) in others {
        if all.insert(member, number).is_some() {
            return Err(format!(
                "member {member} is in two indices, expected indices without a member in common; \
                 bsi_add adds their numbers"
            ));
        }
    }
    Ok(())
}

fn show(row: &Row<'_>) -> Result<String> {
    let (numbers, count) = (row.numbers(0)?, row.integer(1)?);
    let count = usize::try_from(count).unwrap_or(0);
    let shown = numbers
        .iter()
        .take(count)
        .map(|(member, number)| format!("{member}={number}"));
    let mut text = shown.collect::<Vec<String>>().join(",");
    if numbers.len() > count {
        write!(text, "...left {}", numbers.len() - count).map_err(|error| row.error(error))?;
    }
    Ok(text)
}

fn stat(row: &Row<'_>) -> Result<String> {
    let (mut bounds, mut numbers) = (row.number_list(0)?, row.numbers(1)?);
    if row.len() > 2 {
        let filter = row.bitmap(2)?;
        numbers.retain(|member, _| filter.contains(*member));
    }
    if !bounds.is_sorted_by(|a, b| a < b) || bounds.first().is_some_and(|first| *first <= 0) {
        return Err(row.error("argument 1: expected bounds above 0 that ascend"));
    }
    let most = numbers.values().max().copied().unwrap_or(0);
    if bounds.last().is_none_or(|last| *last < most) {
        bounds.push(most);
    }
    let mut below = 0;
    let intervals = bounds.into_iter().map(|bound| {
        let is_in = |number: &&i64| **number > below && **number <= bound;
        let text = format!(
            "({below},{bound}]={}",
            numbers.values().filter(is_in).count()
        );
        below = bound;
        text
    });
    Ok(intervals.collect::<Vec<String>>().join(";"))
}
