//! The table of conversions, cell by cell: columns of every type × every use × null, extreme and
//! special values, against what is written out here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, StringArray, TimestampMicrosecondArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use tagmill_schemas::conversion::{How, Origin, Use, conversion};
use tagmill_schemas::value::{Value, ValueType};

use crate::cells::{A, Bad, Column, Infinite, Is, decimals, numbers, others};
use crate::hand::{DAY, Hand, NOON, day};

/// A file of a column: row `i` is of user `ui`.
fn file(array: &ArrayRef) -> Vec<(&'static str, ArrayRef)> {
    let rows = array.len();
    let all = |text: &str| -> ArrayRef { Arc::new(StringArray::from(vec![text; rows])) };
    let users = (0..rows).map(|row| format!("u{row}"));
    let time = TimestampMicrosecondArray::from(vec![NOON; rows]).with_timezone("UTC");
    vec![
        ("app", all("shop")),
        ("user", Arc::new(StringArray::from_iter_values(users))),
        ("event", all("visit")),
        ("time", Arc::new(time)),
        ("x", Arc::clone(array)),
    ]
}

fn source(name: &str, kind: &str, folder: &str, columns: &str) -> String {
    format!(
        "[[source]]\nname = '{name}'\nkind = '{kind}'\npath = '@OUT@/raw/{folder}/dt={{date}}/*.parquet'\ncolumns = {{ app = 'app', {columns} }}\n"
    )
}

fn tag(name: &str, source: &str, value_type: ValueType, value: &str, multi: bool) -> String {
    let value = match value {
        "" => String::new(),
        value => format!("value = '{value}'\n"),
    };
    format!(
        "[[tag]]\nname = '{name}'\nsource = '{source}'\ntype = '{value_type}'\nmulti = {multi}\n{value}"
    )
}

/// An attributes source of one tag.
fn attributes(value_type: ValueType, multi: bool) -> String {
    let name = format!("a_{value_type}");
    source(&name, "attributes", "x", "user = 'user'") + &tag(&name, &name, value_type, "x", multi)
}

/// The values by user that a source published, and its counts.
struct Found {
    values: BTreeMap<String, BTreeSet<String>>,
    counts: BTreeMap<String, u64>,
}

impl Found {
    fn check(&self, what: &str, reason: &str, expected: &[Is]) {
        let count = |wanted: Is| expected.iter().filter(|is| **is == wanted).count() as u64;
        for (row, is) in expected.iter().enumerate() {
            let found: Vec<_> = self
                .values
                .get(&format!("u{row}"))
                .into_iter()
                .flatten()
                .collect();
            match is {
                A(value) => assert_eq!(found, [value], "{what}, row {row}"),
                _ => assert!(found.is_empty(), "{what}, row {row}: {found:?}"),
            }
        }
        let counted = |metric: &str| self.counts.get(metric).copied().unwrap_or(0);
        let rejected = format!("rejected:{reason}");
        assert_eq!(counted(&rejected), count(Bad), "{what} {:?}", self.counts);
        assert_eq!(
            counted("infinite"),
            count(Infinite),
            "{what} {:?}",
            self.counts
        );
    }
}

async fn found(hand: &Hand, source: &str, tag: &str) -> Found {
    let release = hand.published().await;
    let ids: BTreeMap<u64, String> = release
        .dictionary()
        .await
        .into_iter()
        .map(|((_, user), uid)| (uid, user))
        .collect();
    let mut values: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut add = |value: String, users: BTreeSet<u64>| {
        for uid in users {
            values
                .entry(ids[&uid].clone())
                .or_default()
                .insert(value.clone());
        }
    };
    for ((_, name, value), users) in release.tags().await {
        if name == tag {
            add(text_of(value), users);
        }
    }
    let (_, dimensions) = release.behaviour(day(DAY)).await;
    for ((_, _, dimension, value, _, _), users) in dimensions {
        if let (true, Some(value)) = (dimension == tag, value) {
            add(value, users);
        }
    }
    let counts = release.quality().await.into_iter();
    let counts = counts.filter(|((name, _, _), _)| name == source);
    let mut by_metric: BTreeMap<String, u64> = BTreeMap::new();
    for ((_, _, metric), count) in counts {
        *by_metric.entry(metric).or_default() += count;
    }
    Found {
        values,
        counts: by_metric,
    }
}

/// Doubles are compared as such: the text is what this test writes.
fn text_of(value: tagmill_testdata::oracle::value::Value) -> String {
    use tagmill_testdata::oracle::value::Value::{Boolean, Date, Double, Integer, String};
    match value {
        String(text) => text,
        Integer(number) => number.to_string(),
        Double(number) if number.abs() >= 1e40 => format!("{number:e}"),
        Double(number) => number.to_string(),
        Boolean(truth) => truth.to_string(),
        Date(days) => Value::Date(days).to_string(),
    }
}

fn how(column: &Column, used: Use) -> How {
    conversion(Origin::of(column.array.data_type()).unwrap(), used).how
}

/// The uses of the table, with the place of each in a cell.
const TAGS: [(ValueType, usize); 5] = [
    (ValueType::String, 1),
    (ValueType::Integer, 2),
    (ValueType::Double, 3),
    (ValueType::Date, 4),
    (ValueType::Boolean, 5),
];

fn as_lists(array: &ArrayRef) -> ArrayRef {
    cast(array, &DataType::new_list(array.data_type().clone(), true)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn attributes_and_lists_take_each_cell_as_the_table_says() {
    for column in numbers().into_iter().chain(others()) {
        let taken = TAGS
            .iter()
            .filter(|(t, _)| how(&column, Use::Tag(*t)) != How::Refused);
        for multi in [false, true] {
            let sections: String = taken.clone().map(|(t, _)| attributes(*t, multi)).collect();
            let hand = Hand::new(&[&sections]);
            let array = match multi {
                true => as_lists(&column.array),
                false => Arc::clone(&column.array),
            };
            hand.write(&format!("raw/x/dt={DAY}/part.parquet"), file(&array));
            hand.init_and_run()
                .await
                .unwrap_or_else(|e| panic!("{} {multi}: {e}", column.name));
            for (value_type, at) in taken.clone() {
                let name = format!("a_{value_type}");
                let cells: Vec<Is> = column.cells.iter().map(|cell| cell[*at]).collect();
                let what = format!("{} as {value_type}, list {multi}", column.name);
                let reason = format!("bad_{name}");
                found(&hand, &name, &name)
                    .await
                    .check(&what, &reason, &cells);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn group_tags_take_each_cell_as_attributes_do() {
    let columns = "user = 'user', tag = 'tag', value = 'x'";
    for column in numbers().into_iter().chain(others()) {
        for (value_type, at) in TAGS {
            // Group tags are read as text, so nothing is refused: what attributes refuse has its
            // rows rejected, except for a date as a date.
            if how(&column, Use::Tag(value_type)) == How::Refused {
                continue;
            }
            let name = format!("g_{value_type}");
            let sections = source(&name, "group_tags", "x", columns)
                + &tag(&name, &name, value_type, "", false);
            let hand = Hand::new(&[&sections]);
            let mut written = file(&column.array);
            let tags = StringArray::from(vec![name.as_str(); column.array.len()]);
            written.push(("tag", Arc::new(tags)));
            hand.write(&format!("raw/x/dt={DAY}/part.parquet"), written);
            hand.init_and_run()
                .await
                .unwrap_or_else(|e| panic!("{} as {value_type}: {e}", column.name));
            // true as an integer is `true`.
            let is_word = column.name == "boolean" && at != 1 && at != 5;
            let cells: Vec<Is> = column
                .cells
                .iter()
                .map(|cell| match cell[at] {
                    A(_) if is_word => Bad,
                    is => is,
                })
                .collect();
            let what = format!("group tag: {} as {value_type}", column.name);
            found(&hand, &name, &name)
                .await
                .check(&what, "bad_value", &cells);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn dimensions_and_ids_are_one_text_whatever_the_type() {
    for column in numbers().into_iter().chain(others()) {
        let events = source(
            "e",
            "behaviour",
            "x",
            "user = 'user', event = 'event', time = 'time'",
        ) + "[source.dimensions]\nx = 'x'\n";
        let hand = Hand::new(&[&events]);
        hand.write(&format!("raw/x/dt={DAY}/part.parquet"), file(&column.array));
        hand.init_and_run()
            .await
            .unwrap_or_else(|e| panic!("{}: {e}", column.name));
        let cells: Vec<Is> = column.cells.iter().map(|cell| cell[1]).collect();
        let what = format!("dimension: {}", column.name);
        found(&hand, "e", "x").await.check(&what, "bad_x", &cells);

        let ids = source("i", "attributes", "x", "user = 'x'")
            + &tag("u", "i", ValueType::String, "app", false);
        let hand = Hand::new(&[&ids]);
        hand.write(&format!("raw/x/dt={DAY}/part.parquet"), file(&column.array));
        let result = hand.init_and_run().await;
        if how(&column, Use::Id) == How::Refused {
            let error = result.unwrap_err().to_string();
            assert!(error.contains("expected text or a number"), "{error}");
            continue;
        }
        result.unwrap_or_else(|e| panic!("{}: {e}", column.name));
        let release = hand.published().await;
        let users: BTreeSet<String> = release
            .dictionary()
            .await
            .into_keys()
            .map(|(_, user)| user)
            .collect();
        let expected: BTreeSet<String> = column
            .cells
            .iter()
            .filter_map(|cell| match cell[0] {
                A(id) => Some(id.to_owned()),
                _ => None,
            })
            .collect();
        assert_eq!(users, expected, "{}", column.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_table_refuses_is_refused_before_anything_is_read() {
    for column in numbers().into_iter().chain(others()) {
        for (value_type, _) in TAGS {
            if how(&column, Use::Tag(value_type)) != How::Refused {
                continue;
            }
            let hand = Hand::new(&[&attributes(value_type, false)]);
            hand.write(&format!("raw/x/dt={DAY}/part.parquet"), file(&column.array));
            let error = hand.init_and_run().await.unwrap_err().to_string();
            let place = format!("tag a_{value_type} value");
            assert!(
                error.contains(&place) && error.contains("expected a "),
                "{} as {value_type}: {error}",
                column.name
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tag_survives_that_its_column_became_floats() {
    let hand = Hand::new(&[&attributes(ValueType::String, false)]);
    let zips: [ArrayRef; 3] = [
        Arc::new(Int64Array::from(vec![Some(94_107), Some(10_001)])),
        Arc::new(Float64Array::from(vec![
            Some(94_107.0),
            Some(10_001.0),
            None,
        ])),
        Arc::new(decimals(12, 2, &[9_410_700, 1_000_100])),
    ];
    hand.init().await;
    let mut seen = Vec::new();
    for (night, zips) in zips.iter().enumerate() {
        let date = (day(DAY) + chrono::Days::new(night as u64)).to_string();
        hand.write(&format!("raw/x/dt={date}/part.parquet"), file(zips));
        hand.run(&date).await.unwrap();
        seen.push(hand.published().await.tags().await);
    }
    assert_eq!(seen[0].len(), 2);
    assert!(seen.iter().all(|tags| *tags == seen[0]), "{seen:?}");
}
