//! Arithmetic, coalesce and CASE make decimals of UInt64: who takes an integer takes these.

use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::logical_expr::Documentation;
use std::sync::Arc;

/// The types that stand for all: one of each that functions take, and a list.
fn samples() -> Vec<DataType> {
    let list = |item| DataType::List(Arc::new(Field::new_list_field(item, true)));
    vec![
        DataType::BinaryView,
        DataType::Utf8,
        DataType::Int64,
        list(DataType::Int64),
        DataType::Boolean,
    ]
}

/// What SQL makes of integers, in the place of Int64.
fn made_of_integers(found: &DataType) -> Vec<DataType> {
    let made = [
        DataType::UInt64,
        DataType::Decimal128(20, 0),
        DataType::Decimal128(38, 0),
        DataType::Decimal256(40, 0),
    ];
    match found {
        DataType::Int64 => made.to_vec(),
        DataType::List(_) => made
            .map(|item| DataType::List(Arc::new(Field::new_list_field(item, true))))
            .to_vec(),
        _ => Vec::new(),
    }
}

/// Every row of `count` samples.
fn rows_of_samples(count: usize) -> Vec<Vec<DataType>> {
    (0..count).fold(vec![Vec::new()], |rows, _| {
        let longer = rows.iter().flat_map(|row| {
            samples().into_iter().map(|sample| {
                let mut row = row.clone();
                row.push(sample);
                row
            })
        });
        longer.collect()
    })
}

/// The calls with an integer that a function takes, but not with what SQL makes of integers.
fn refused(name: &str, count: usize, takes: impl Fn(&[DataType]) -> bool) -> (usize, Vec<String>) {
    let (mut tried, mut refused) = (0, Vec::new());
    for row in rows_of_samples(count).into_iter().filter(|row| takes(row)) {
        for at in 0..count {
            for made in made_of_integers(&row[at]) {
                let mut call = row.clone();
                call[at] = made;
                tried += 1;
                if !takes(&call) {
                    refused.push(format!("{name}{call:?}"));
                }
            }
        }
    }
    (tried, refused)
}

#[test]
fn what_sql_makes_of_uint64_is_taken_where_an_integer_is() {
    let count = |documentation: Option<&Documentation>| {
        documentation
            .and_then(|documentation| documentation.arguments.as_ref())
            .map_or(0, Vec::len)
    };
    let (mut tried, mut missing) = (0, Vec::new());
    let mut add = |(more, refused): (usize, Vec<String>)| {
        tried += more;
        missing.extend(refused);
    };
    for function in tagmill_udfs::scalar_functions() {
        add(refused(
            function.name(),
            count(function.documentation()),
            |types| function.coerce_types(types).is_ok(),
        ));
    }
    for function in tagmill_udfs::aggregate_functions() {
        add(refused(
            function.name(),
            count(function.documentation()),
            |types| function.coerce_types(types).is_ok(),
        ));
    }
    assert!(tried > 300, "{tried}");
    assert!(missing.is_empty(), "{missing:#?}");
}
