//! ClickHouse's `numericIndexedVector*`: a number per index, which is a bit-sliced index here.
//!
//! What an index has in one of two vectors only counts as 0 in the other, as in ClickHouse 26.9; in
//! comparisons of order a number below 0 compares with no such 0, as there. Numbers are integers of
//! 64 bits; ClickHouse's Float64 has no place here.

use super::function::{Answer, Argument, Function, Kind, Returns};
use super::hologres::INDEX;
use super::index_value::Numbers;
use super::row::Row;
use datafusion::error::Result;
use std::cmp::Ordering;
use std::collections::BTreeSet;

const VECTOR: Argument = Argument {
    name: "vector",
    ..INDEX
};
const OTHER: Argument = Argument {
    name: "other",
    kind: Kind::IndexOrInteger,
    about: "Another vector, or a number for every index of the first.",
};

const BASE: Function = Function::BASE;

/// Functions that make a vector of two.
const POINTWISE: Function = Function {
    arguments: &[VECTOR, OTHER],
    returns: Returns::Index,
    ..BASE
};

/// The functions of one vector.
pub(super) static READERS: &[Function] = &[
    Function {
        name: "numericIndexedVectorBuild",
        about: "The vector of a map from indices to numbers; numbers of one index are added up. \
                NULL for NULL.",
        syntax: "numericIndexedVectorBuild(map)",
        arguments: &[Argument {
            name: "map",
            kind: Kind::NumberMap,
            about: "A map from integers to integers.",
        }],
        returns: Returns::Index,
        example: (
            "SELECT numericIndexedVectorToMap(numericIndexedVectorBuild(MAP {1: 10, 2: -20}))",
            "{1: 10, 2: -20}",
        ),
        call: |row, _| row.number_map(0).map(Answer::Index),
        ..BASE
    },
    Function {
        name: "numericIndexedVectorToMap",
        about: "The map from indices to numbers. NULL for NULL.",
        syntax: "numericIndexedVectorToMap(vector)",
        arguments: &[VECTOR],
        returns: Returns::Map,
        example: (
            "SELECT numericIndexedVectorToMap(numericIndexedVectorBuild(MAP {1: 10, 3: 0}))",
            "{1: 10, 3: 0}",
        ),
        call: |row, _| row.numbers(0).map(Answer::Pairs),
        ..BASE
    },
    Function {
        name: "numericIndexedVectorCardinality",
        about: "Number of indices that have a number, 0 included. NULL for NULL.",
        syntax: "numericIndexedVectorCardinality(vector)",
        arguments: &[VECTOR],
        returns: Returns::Count,
        example: (
            "SELECT numericIndexedVectorCardinality(numericIndexedVectorBuild(MAP {1: 10, 3: 0}))",
            "2",
        ),
        call: |row, _| {
            let count = row.index(0)?.count();
            count
                .map(Answer::Count)
                .map_err(|defect| row.error(format_args!("argument 1: {defect}")))
        },
        ..BASE
    },
    Function {
        name: "numericIndexedVectorAllValueSum",
        about: "The sum of all numbers, as a decimal without fraction. NULL for NULL.",
        syntax: "numericIndexedVectorAllValueSum(vector)",
        arguments: &[VECTOR],
        returns: Returns::Decimal,
        example: (
            "SELECT numericIndexedVectorAllValueSum(numericIndexedVectorBuild(MAP {1: 10, 2: \
             -20}))",
            "-10",
        ),
        call: |row, _| {
            let sum = row.index(0)?.sum();
            sum.map(Answer::Decimal)
                .map_err(|defect| row.error(format_args!("argument 1: {defect}")))
        },
        ..BASE
    },
    Function {
        name: "numericIndexedVectorGetValue",
        about: "The number of an index; 0 if it has none. NULL if either is NULL.",
        syntax: "numericIndexedVectorGetValue(vector, index)",
        arguments: &[
            VECTOR,
            Argument {
                name: "index",
                kind: Kind::Element,
                about: "An integer.",
            },
        ],
        returns: Returns::Decimal,
        example: (
            "SELECT numericIndexedVectorGetValue(numericIndexedVectorBuild(MAP {1: 10}), 1), \
             numericIndexedVectorGetValue(numericIndexedVectorBuild(MAP {1: 10}), 9)",
            "10 0",
        ),
        call: |row, _| {
            let number = row.index(0)?.number(row.element(1)?);
            number
                .map(|number| Answer::Decimal(number.unwrap_or(0)))
                .map_err(|defect| row.error(format_args!("argument 1: {defect}")))
        },
        ..BASE
    },
];

/// The functions of two vectors that give numbers.
pub(super) static ARITHMETIC: &[Function] = &[
    Function {
        name: "numericIndexedVectorPointwiseAdd",
        about: "The sums of the numbers of each index. NULL if either is NULL.",
        syntax: "numericIndexedVectorPointwiseAdd(vector, other)",
        example: (
            "SELECT numericIndexedVectorToMap(numericIndexedVectorPointwiseAdd(\
             numericIndexedVectorBuild(MAP {1: 10}), numericIndexedVectorBuild(MAP {1: 5, 2: 7})))",
            "{1: 15, 2: 7}",
        ),
        call: |row, _| calculated(row, i64::checked_add),
        ..POINTWISE
    },
    Function {
        name: "numericIndexedVectorPointwiseSubtract",
        about: "The differences of the numbers of each index. NULL if either is NULL.",
        syntax: "numericIndexedVectorPointwiseSubtract(vector, other)",
        example: (
            "SELECT numericIndexedVectorToMap(numericIndexedVectorPointwiseSubtract(\
             numericIndexedVectorBuild(MAP {1: 10}), numericIndexedVectorBuild(MAP {1: 5, 2: 7})))",
            "{1: 5, 2: -7}",
        ),
        call: |row, _| calculated(row, i64::checked_sub),
        ..POINTWISE
    },
    Function {
        name: "numericIndexedVectorPointwiseMultiply",
        about: "The products of the numbers of each index. NULL if either is NULL.",
        syntax: "numericIndexedVectorPointwiseMultiply(vector, other)",
        example: (
            "SELECT numericIndexedVectorToMap(numericIndexedVectorPointwiseMultiply(\
             numericIndexedVectorBuild(MAP {1: 10}), 2))",
            "{1: 20}",
        ),
        call: |row, _| calculated(row, i64::checked_mul),
        ..POINTWISE
    },
    Function {
        name: "numericIndexedVectorPointwiseDivide",
        about: "The quotients of the numbers of each index, cut to integers; 0 where the other \
                number is 0. NULL if either is NULL.",
        syntax: "numericIndexedVectorPointwiseDivide(vector, other)",
        example: (
            "SELECT numericIndexedVectorToMap(numericIndexedVectorPointwiseDivide(\
             numericIndexedVectorBuild(MAP {1: 7, 2: -7}), 2))",
            "{1: 3, 2: -3}",
        ),
        call: |row, _| {
            calculated(row, |number, other| match other {
                0 => Some(0),
                other => number.checked_div(other),
            })
        },
        ..POINTWISE
    },
];

/// The functions of two vectors that give 1 for each index where something holds.
pub(super) static COMPARISONS: &[Function] = &[
    Function {
        name: "numericIndexedVectorPointwiseEqual",
        about: "1 for each index with equal numbers. NULL if either is NULL.",
        syntax: "numericIndexedVectorPointwiseEqual(vector, other)",
        example: (
            "SELECT numericIndexedVectorToMap(numericIndexedVectorPointwiseEqual(\
             numericIndexedVectorBuild(MAP {1: 10, 2: 20}), 20))",
            "{2: 1}",
        ),
        call: |row, _| equal(row, Ordering::is_eq),
        ..POINTWISE
    },
    Function {
        name: "numericIndexedVectorPointwiseNotEqual",
        about: "1 for each index with different numbers. NULL if either is NULL.",
        syntax: "numericIndexedVectorPointwiseNotEqual(vector, other)",
        example: (
            "SELECT numericIndexedVectorToMap(numericIndexedVectorPointwiseNotEqual(\
             numericIndexedVectorBuild(MAP {1: 10, 2: 20}), 20))",
            "{1: 1}",
        ),
        call: |row, _| equal(row, Ordering::is_ne),
        ..POINTWISE
    },
    Function {
        name: "numericIndexedVectorPointwiseLess",
        about: "1 for each index with a smaller number than the other. \
                What only one vector has is compared with 0 if it is not below 0, and else left \
                out. NULL if either is NULL.",
        syntax: "numericIndexedVectorPointwiseLess(vector, other)",
        example: (
            "SELECT numericIndexedVectorToMap(numericIndexedVectorPointwiseLess(\
             numericIndexedVectorBuild(MAP {1: 10, 2: 20}), 20))",
            "{1: 1}",
        ),
        call: |row, _| ordered(row, Ordering::is_lt),
        ..POINTWISE
    },
    Function {
        name: "numericIndexedVectorPointwiseLessEqual",
        about: "1 for each index with a number not above the other. \
                What only one vector has is compared with 0 if it is not below 0, and else left \
                out. NULL if either is NULL.",
        syntax: "numericIndexedVectorPointwiseLessEqual(vector, other)",
        example: (
            "SELECT numericIndexedVectorToMap(numericIndexedVectorPointwiseLessEqual(\
             numericIndexedVectorBuild(MAP {1: 10, 2: 20}), 20))",
            "{1: 1, 2: 1}",
        ),
        call: |row, _| ordered(row, Ordering::is_le),
        ..POINTWISE
    },
    Function {
        name: "numericIndexedVectorPointwiseGreater",
        about: "1 for each index with a larger number than the other. \
                What only one vector has is compared with 0 if it is not below 0, and else left \
                out. NULL if either is NULL.",
        syntax: "numericIndexedVectorPointwiseGreater(vector, other)",
        example: (
            "SELECT numericIndexedVectorToMap(numericIndexedVectorPointwiseGreater(\
             numericIndexedVectorBuild(MAP {1: 10, 2: 20}), 10))",
            "{2: 1}",
        ),
        call: |row, _| ordered(row, Ordering::is_gt),
        ..POINTWISE
    },
    Function {
        name: "numericIndexedVectorPointwiseGreaterEqual",
        about: "1 for each index with a number not below the other. \
                What only one vector has is compared with 0 if it is not below 0, and else left \
                out. NULL if either is NULL.",
        syntax: "numericIndexedVectorPointwiseGreaterEqual(vector, other)",
        example: (
            "SELECT numericIndexedVectorToMap(numericIndexedVectorPointwiseGreaterEqual(\
             numericIndexedVectorBuild(MAP {1: 10, 2: 20}), 10))",
            "{1: 1, 2: 1}",
        ),
        call: |row, _| ordered(row, Ordering::is_ge),
        ..POINTWISE
    },
];

/// The numbers of an index in two vectors; `None` in one that does not have it.
type Pair = (u64, Option<i64>, Option<i64>);

/// The two numbers of each index of either vector, or of the first where the other is a number.
fn pairs(row: &Row<'_>) -> Result<Vec<Pair>> {
    let numbers = row.numbers(0)?;
    if !row.is_index(1) {
        let other = Some(row.integer(1)?);
        let pairs = numbers
            .into_iter()
            .map(|(at, number)| (at, Some(number), other));
        return Ok(pairs.collect());
    }
    let others = row.numbers(1)?;
    let indices: BTreeSet<u64> = numbers.keys().chain(others.keys()).copied().collect();
    let pairs = indices.into_iter().map(|at| {
        let of = |numbers: &Numbers| numbers.get(&at).copied();
        (at, of(&numbers), of(&others))
    });
    Ok(pairs.collect())
}

fn calculated(row: &Row<'_>, calculate: fn(i64, i64) -> Option<i64>) -> Result<Answer> {
    let results = pairs(row)?.into_iter().map(|(at, number, other)| {
        let (number, other) = (number.unwrap_or(0), other.unwrap_or(0));
        calculate(number, other)
            .map(|result| (at, result))
            .ok_or_else(|| {
                row.error(format_args!(
                    "arguments 1 and 2 have {number} and {other} for {at}, which give more than \
                     64 bits"
                ))
            })
    });
    results.collect::<Result<Numbers>>().map(Answer::Index)
}

/// 1 for each index where the numbers are different, or not.
fn equal(row: &Row<'_>, is_so: fn(Ordering) -> bool) -> Result<Answer> {
    let found = pairs(row)?
        .into_iter()
        .filter(|(_, number, other)| is_so(number.unwrap_or(0).cmp(&other.unwrap_or(0))));
    Ok(ones(found))
}

/// 1 for each index where the numbers are in this order. A number below 0 is neither before nor
/// after that of an index that the other vector does not have.
fn ordered(row: &Row<'_>, is_so: fn(Ordering) -> bool) -> Result<Answer> {
    let found = pairs(row)?.into_iter().filter(|(_, number, other)| {
        let is_one_below = matches!((number, other), (Some(..0), None) | (None, Some(..0)));
        !is_one_below && is_so(number.unwrap_or(0).cmp(&other.unwrap_or(0)))
    });
    Ok(ones(found))
}

fn ones(pairs: impl Iterator<Item = Pair>) -> Answer {
    Answer::Index(pairs.map(|(at, ..)| (at, 1)).collect())
}
