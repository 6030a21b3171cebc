//! Numbers that are not of their tag's type: what they do to their row, and to nobody else's.

use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, Float64Array, Int64Array, ListArray};
use arrow::buffer::OffsetBuffer;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field};

use crate::hand::{DAY, EVENTS, Hand, PROFILES, day};
use crate::types::{PART, text};

#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_does_not_fit_rejects_its_row_only() {
    let spend = "[[tag]]\nname = 'spend'\nsource = 'profiles'\ntype = 'double'\nscale = 2\nvalue \
                 = 'spend'\n[[tag]]\nname = 'age'\nsource = 'profiles'\ntype = 'integer'\nvalue = \
                 'age'\n";
    let hand = Hand::new(&[
        PROFILES,
        spend,
        EVENTS,
        "[source.measures]\namount = { value = 'amount', scale = 2 }\n",
    ]);
    let of = |values: &[&str]| text(values, &DataType::Utf8);
    hand.write(
        PART,
        vec![
            ("app", of(&["shop"; 4])),
            ("user", of(&["u1", "u2", "u3", "u4"])),
            (
                "spend",
                Arc::new(Float64Array::from(vec![
                    Some(1e300),
                    Some(1.5),
                    Some(f64::INFINITY),
                    Some(f64::NAN),
                ])) as ArrayRef,
            ),
            (
                "age",
                Arc::new(arrow::array::UInt64Array::from(vec![1, u64::MAX, 2, 3])),
            ),
        ],
    );
    let amounts = [Some(f64::NAN), Some(1e18), Some(-1e18), None, Some(7.0)];
    let rows: Vec<_> = amounts
        .iter()
        .enumerate()
        .map(|(row, amount)| (if row < 3 { "u1" } else { "u2" }, *amount))
        .collect();
    hand.write_events(
        DAY,
        &rows
            .iter()
            .map(|(user, amount)| ("shop", *user, "visit", None, *amount))
            .collect::<Vec<_>>(),
    );
    hand.init_and_run().await.unwrap();
    let release = hand.published().await;
    let quality = release.quality().await;
    let of = |source: &str, metric: &str| {
        quality
            .get(&(
                source.to_owned(),
                Some("shop".to_owned()),
                metric.to_owned(),
            ))
            .copied()
    };
    assert_eq!(
        (
            of("profiles", "rejected:bad_spend"),
            of("profiles", "rejected:bad_age"),
            of("profiles", "accepted")
        ),
        (Some(1), Some(1), Some(2))
    );
    assert_eq!(
        (
            of("events", "rejected:bad_amount"),
            of("events", "accepted")
        ),
        (Some(2), Some(3))
    );
    let measures = release.measures(day(DAY)).await;
    let sums = |measure: &str| {
        measures[&(
            "shop".to_owned(),
            "visit".to_owned(),
            measure.to_owned(),
            0,
            false,
        )]
            .values()
            .copied()
            .collect::<Vec<_>>()
    };
    assert_eq!(
        (sums("amount"), sums("*").iter().sum::<i128>()),
        (vec![700], 3)
    );
}

/// As a text of 1.5 is no integer, a double of it is none.
#[tokio::test(flavor = "multi_thread")]
async fn an_integer_is_not_what_is_before_the_point() {
    let numbers: ArrayRef = Arc::new(Float64Array::from(vec![
        Some(1.0),
        Some(1.5),
        Some(-0.25),
        None,
        Some(-9e15),
    ]));
    let lists = |item: ArrayRef| {
        let item_field = Arc::new(Field::new_list_field(item.data_type().clone(), true));
        Arc::new(ListArray::new(
            item_field,
            OffsetBuffer::from_lengths([1; 5]),
            item,
            None,
        )) as ArrayRef
    };
    let of = |values: &[&str]| text(values, &DataType::Utf8);
    let kinds = [
        (DataType::Float64, "-9000000000000000"),
        (DataType::Float32, "-9000000000000000"),
        (DataType::Decimal128(20, 2), "-9000000000000000"),
    ];
    for (kind, largest) in kinds {
        let column = cast(&numbers, &kind).unwrap();
        for (multi, column) in [(false, Arc::clone(&column)), (true, lists(column))] {
            let hand = Hand::new(&[
                PROFILES,
                &format!(
                    "[[tag]]\nname = 'n'\nsource = 'profiles'\ntype = 'integer'\nmulti = \
                     {multi}\nvalue = 'n'\n"
                ),
            ]);
            hand.write(
                PART,
                vec![
                    ("app", of(&["shop"; 5])),
                    ("user", of(&["u1", "u2", "u3", "u4", "u5"])),
                    ("n", column),
                ],
            );
            hand.init_and_run()
                .await
                .unwrap_or_else(|e| panic!("{kind} {multi}: {e}"));
            let release = hand.published().await;
            let found: Vec<_> = release
                .tags()
                .await
                .into_keys()
                .map(|(_, _, value)| value.to_string())
                .collect();
            assert_eq!(found, [largest, "1"], "{kind} {multi}");
            let rejected = release
                .quality()
                .await
                .get(&(
                    "profiles".to_owned(),
                    Some("shop".to_owned()),
                    "rejected:bad_n".to_owned(),
                ))
                .copied();
            assert_eq!(rejected, Some(2), "{kind} {multi}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_is_no_date_and_a_date_no_number() {
    for (kind, column) in [
        (
            "date",
            Arc::new(Int64Array::from(vec![20_261_119])) as ArrayRef,
        ),
        ("integer", Arc::new(Date32Array::from(vec![20_000]))),
    ] {
        let tag = format!(
            "[[tag]]\nname = 'born'\nsource = 'profiles'\ntype = '{kind}'\nvalue = 'born'\n"
        );
        let hand = Hand::new(&[PROFILES, &tag]);
        hand.write(
            PART,
            vec![
                ("app", text(&["shop"], &DataType::Utf8)),
                ("user", text(&["u1"], &DataType::Utf8)),
                ("born", column),
            ],
        );
        let error = hand.init_and_run().await.unwrap_err().to_string();
        assert!(
            error.contains("tag born value") && error.contains("expected a "),
            "{error}"
        );
    }
}
