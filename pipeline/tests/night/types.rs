//! Columns of every type that engines write.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Date32Array, Decimal128Array, Float64Array, Int64Array, ListArray, StringArray,
    TimestampMicrosecondArray,
};
use arrow::buffer::OffsetBuffer;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field};
use tagmill_testdata::oracle::value::Value;

use crate::compare::same;
use crate::days::{EVENT_PART, HALF_DAY, events_at, visitors};
use crate::hand::{DAY, EVENTS, Hand, NOON, PROFILE_TAGS, PROFILES, day};

pub const PART: &str = "raw/profiles/dt=2026-11-19/part.parquet";

pub fn text(values: &[&str], data_type: &DataType) -> ArrayRef {
    cast(&StringArray::from_iter_values(values), data_type).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_and_integers_of_every_width_are_the_same_values() {
    let dictionary =
        DataType::Dictionary(Box::new(DataType::UInt16), Box::new(DataType::LargeUtf8));
    let texts = [
        DataType::Utf8,
        DataType::LargeUtf8,
        DataType::Utf8View,
        dictionary,
    ];
    let numbers = [
        DataType::Int8,
        DataType::Int16,
        DataType::Int32,
        DataType::Int64,
        DataType::UInt8,
        DataType::UInt16,
        DataType::UInt32,
        DataType::UInt64,
        DataType::Decimal128(9, 0),
        DataType::Float64,
        DataType::Utf8,
    ];
    for (number, wanted) in numbers.iter().enumerate() {
        let hand = Hand::new(&[PROFILES, PROFILE_TAGS]);
        let of = |values: &[&str]| text(values, &texts[number % texts.len()]);
        let ages = cast(&Int64Array::from(vec![Some(30), None, Some(7)]), wanted).unwrap();
        hand.write(
            PART,
            vec![
                ("app", of(&["shop", "shop", "tea"])),
                ("user", of(&["u1", "u2", "u1"])),
                ("city", of(&["北京", "Oslo", "北京"])),
                ("age", ages),
            ],
        );
        hand.init_and_run()
            .await
            .unwrap_or_else(|e| panic!("{wanted}: {e}"));
        let found = hand
            .published()
            .await
            .tags()
            .await
            .into_iter()
            .map(|(key, users)| (key, users.len()))
            .collect();
        let key = |app: &str, tag: &str, value: Value| (app.to_owned(), tag.to_owned(), value);
        let city = |name: &str| Value::String(name.to_owned());
        let expected = [
            key("shop", "city", city("北京")),
            key("shop", "city", city("Oslo")),
            key("tea", "city", city("北京")),
            key("shop", "age", Value::Integer(30)),
            key("tea", "age", Value::Integer(7)),
        ];
        same(
            &wanted.to_string(),
            &found,
            &expected.map(|key| (key, 1)).into(),
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn measures_of_every_type_are_the_same_sums() {
    let cents: ArrayRef = Arc::new(
        Decimal128Array::from(vec![Some(1250), Some(-325), None])
            .with_precision_and_scale(12, 2)
            .unwrap(),
    );
    for wanted in [
        DataType::Decimal128(12, 2),
        DataType::Decimal128(30, 6),
        DataType::Decimal256(40, 3),
        DataType::Float64,
        DataType::Float32,
    ] {
        let hand = Hand::new(&[
            EVENTS,
            "[source.measures]\namount = { value = 'amount', scale = 2 }\n",
        ]);
        let mut columns = events_at(Arc::new(TimestampMicrosecondArray::from(vec![NOON; 3])));
        columns[1].1 = text(&["u1", "u1", "u2"], &DataType::Utf8);
        columns.push(("amount", cast(&cents, &wanted).unwrap()));
        hand.write(EVENT_PART, columns);
        hand.init_and_run()
            .await
            .unwrap_or_else(|e| panic!("{wanted}: {e}"));
        let measures = hand.published().await.measures(day(DAY)).await;
        let sums: Vec<i128> = measures[&(
            "shop".to_owned(),
            "visit".to_owned(),
            "amount".to_owned(),
            0,
            false,
        )]
            .values()
            .copied()
            .collect();
        assert_eq!(sums, [925], "{wanted}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tags_of_five_types_and_several_values_come_from_expressions() {
    let tags = "[[tag]]\nname = 'born'\nsource = 'profiles'\ntype = 'date'\nvalue = \
                'born'\n[[tag]]\nname = 'age'\nsource = 'profiles'\ntype = 'integer'\nvalue = \
                \"date_part('year', $date) - date_part('year', born)\"\n[[tag]]\nname = \
                'ratio'\nsource = 'profiles'\ntype = 'double'\nscale = 1\nvalue = \
                'ratio'\n[[tag]]\nname = 'rich'\nsource = 'profiles'\ntype = 'boolean'\nvalue = \
                'ratio > 1'\n[[tag]]\nname = 'likes'\nsource = 'profiles'\ntype = 'string'\nmulti \
                = true\nvalue = \"string_to_array(likes, '|')\"\n";
    let hand = Hand::new(&[PROFILES, tags]);
    hand.write(
        PART,
        vec![
            ("app", text(&["shop"; 3], &DataType::Utf8)),
            ("user", text(&["u1", "u2", "u3"], &DataType::Utf8)),
            (
                "born",
                Arc::new(Date32Array::from(vec![Some(0), Some(-1), None])) as ArrayRef,
            ),
            (
                "ratio",
                Arc::new(Float64Array::from(vec![
                    Some(0.25),
                    Some(f64::NAN),
                    Some(-0.0),
                ])),
            ),
            ("likes", text(&["a|b|a", "", "b"], &DataType::Utf8)),
        ],
    );
    hand.init_and_run().await.unwrap();
    let release = hand.published().await;
    let found: BTreeMap<_, _> = release
        .tags()
        .await
        .into_iter()
        .map(|((_, tag, value), users)| ((tag, value.to_string()), users.len()))
        .collect();
    let expected = [
        ("born", "1970-01-01", 1),
        ("born", "1969-12-31", 1),
        ("age", "56", 1),
        ("age", "57", 1),
        ("ratio", "0.25", 1),
        ("ratio", "0", 1),
        ("rich", "false", 2),
        ("likes", "a", 1),
        ("likes", "b", 2),
    ];
    same(
        "tags",
        &found,
        &expected
            .map(|(tag, value, users)| ((tag.to_owned(), value.to_owned()), users))
            .into(),
    );
    let numbers = release.tag_numbers().await;
    let sum = |tag: &str| {
        numbers[&("shop".to_owned(), tag.to_owned())]
            .values()
            .sum::<i128>()
    };
    assert_eq!((sum("born"), sum("age"), sum("ratio")), (-1, 113, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cleans_a_column_decides_its_type() {
    let hand = Hand::new(&[
        EVENTS,
        "clean = { time = 'to_timestamp_millis(time)', event = 'upper(event)' }\n",
    ]);
    hand.write(
        EVENT_PART,
        events_at(Arc::new(Int64Array::from(vec![
            NOON / 1_000,
            (NOON + 2 * HALF_DAY) / 1_000,
        ]))),
    );
    hand.init_and_run().await.unwrap();
    assert_eq!(
        visitors(&hand).await,
        (
            vec!["u0".to_owned()],
            BTreeMap::from([("rejected:future".to_owned(), 1)])
        )
    );

    for (clean, ages) in [
        (
            "cast(age as varchar)",
            Arc::new(Int64Array::from(vec![30])) as ArrayRef,
        ),
        ("try_cast(age as int)", text(&["30"], &DataType::Utf8)),
    ] {
        let hand = Hand::new(&[
            PROFILES,
            &format!("clean = {{ age = '{clean}' }}\n"),
            PROFILE_TAGS,
        ]);
        let one = |value: &str| text(&[value], &DataType::Utf8);
        hand.write(
            PART,
            vec![
                ("app", one("shop")),
                ("user", one("u1")),
                ("city", one("Oslo")),
                ("age", ages),
            ],
        );
        hand.init_and_run()
            .await
            .unwrap_or_else(|e| panic!("{clean}: {e}"));
        let tags = hand.published().await.tags().await;
        assert_eq!(
            tags[&("shop".to_owned(), "age".to_owned(), Value::Integer(30))].len(),
            1,
            "{clean}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_of_every_kind_are_their_values() {
    let likes = "[[tag]]\nname = 'likes'\nsource = 'profiles'\ntype = 'string'\nmulti = \
                 true\nvalue = 'likes'\n";
    let field = |element: DataType| Arc::new(Field::new("item", element, true));
    let lists = [
        DataType::List(field(DataType::Utf8)),
        DataType::LargeList(field(DataType::LargeUtf8)),
        DataType::FixedSizeList(field(DataType::Utf8), 2),
        DataType::List(field(DataType::Dictionary(
            Box::new(DataType::Int32),
            Box::new(DataType::Utf8),
        ))),
    ];
    for wanted in lists {
        let hand = Hand::new(&[PROFILES, likes]);
        let texts = text(&["a", "b", "a", "c"], &DataType::Utf8);
        let offsets = OffsetBuffer::from_lengths([2, 2]);
        let list: ArrayRef = Arc::new(ListArray::new(field(DataType::Utf8), offsets, texts, None));
        let of = |values: &[&str]| text(values, &DataType::Utf8);
        hand.write(
            PART,
            vec![
                ("app", of(&["shop"; 2])),
                ("user", of(&["u1", "u2"])),
                ("likes", cast(&list, &wanted).unwrap()),
            ],
        );
        hand.init_and_run()
            .await
            .unwrap_or_else(|e| panic!("{wanted}: {e}"));
        let found: BTreeMap<_, _> = hand
            .published()
            .await
            .tags()
            .await
            .into_iter()
            .map(|((_, _, value), users)| (value.to_string(), users.len()))
            .collect();
        assert_eq!(
            found,
            [("a", 2), ("b", 1), ("c", 1)]
                .map(|(value, users)| (value.to_owned(), users))
                .into(),
            "{wanted}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_element_that_does_not_fit_rejects_its_row_and_a_null_one_does_not() {
    let scores = "[[tag]]\nname = 'scores'\nsource = 'profiles'\ntype = 'integer'\nmulti = \
                  true\nvalue = 'scores'\n";
    let field = |element: DataType| Arc::new(Field::new("item", element, true));
    let rows = [
        Some(vec![Some("1"), Some("2")]),
        Some(vec![Some("3"), Some("x")]),
        None,
        Some(vec![None, Some("4")]),
        Some(vec![Some(""), None]),
        Some(vec![]),
    ];
    let mut list = arrow::array::ListBuilder::new(arrow::array::StringBuilder::new())
        .with_field(field(DataType::Utf8));
    rows.into_iter().for_each(|row| list.append_option(row));
    let list: ArrayRef = Arc::new(list.finish());
    for wanted in [
        DataType::List(field(DataType::Utf8)),
        DataType::LargeList(field(DataType::LargeUtf8)),
    ] {
        let hand = Hand::new(&[PROFILES, scores]);
        let of = |values: &[&str]| text(values, &DataType::Utf8);
        let users = of(&["u1", "u2", "u3", "u4", "u5", "u6"]);
        hand.write(
            PART,
            vec![
                ("app", of(&["shop"; 6])),
                ("user", users),
                ("scores", cast(&list, &wanted).unwrap()),
            ],
        );
        hand.init_and_run()
            .await
            .unwrap_or_else(|e| panic!("{wanted}: {e}"));
        let release = hand.published().await;
        let found: BTreeMap<_, _> = release
            .tags()
            .await
            .into_iter()
            .map(|((_, _, value), users)| (value.to_string(), users.len()))
            .collect();
        assert_eq!(
            found,
            [("1", 1), ("2", 1), ("4", 1)]
                .map(|(value, users)| (value.to_owned(), users))
                .into(),
            "{wanted}"
        );
        let quality = release.quality().await;
        let of = |metric: &str| {
            quality
                .get(&(
                    "profiles".to_owned(),
                    Some("shop".to_owned()),
                    metric.to_owned(),
                ))
                .copied()
        };
        assert_eq!(
            (of("rejected:bad_scores"), of("accepted")),
            (Some(2), Some(4)),
            "{wanted}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_of_bytes_are_texts_where_they_are_utf_8() {
    let hand = Hand::new(&[PROFILES, PROFILE_TAGS]);
    let users: ArrayRef = Arc::new(arrow::array::BinaryArray::from(vec![
        &b"u1"[..],
        b"\xff\xfe",
        "\u{4f60}".as_bytes(),
    ]));
    let of = |values: &[&str]| text(values, &DataType::Utf8);
    hand.write(
        PART,
        vec![
            ("app", of(&["shop"; 3])),
            ("user", users),
            ("city", of(&["Oslo"; 3])),
            ("age", Arc::new(Int64Array::from(vec![1, 2, 3]))),
        ],
    );
    hand.init_and_run().await.unwrap();
    let release = hand.published().await;
    let ids: Vec<String> = release
        .dictionary()
        .await
        .into_keys()
        .map(|(_, user)| user)
        .collect();
    assert_eq!(ids, ["u1", "\u{4f60}"]);
    assert_eq!(
        release.quality().await[&(
            "profiles".to_owned(),
            Some("shop".to_owned()),
            "rejected:no_user".to_owned()
        )],
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn apps_in_folder_names_are_as_they_were_before_the_writer_escaped_them() {
    let hand = Hand::new(&[&PROFILES.replace("{date}/", "{date}/app=*/"), PROFILE_TAGS]);
    let of = |values: &[&str]| text(values, &DataType::Utf8);
    for folder in [
        "tea%2Fshop",
        "Caf%C3%A9",
        "100%",
        "__HIVE_DEFAULT_PARTITION__",
    ] {
        let columns = vec![
            ("user", of(&["u1"])),
            ("city", of(&["Oslo"])),
            ("age", Arc::new(Int64Array::from(vec![1])) as ArrayRef),
        ];
        hand.write(
            &format!("raw/profiles/dt={DAY}/app={folder}/part.parquet"),
            columns,
        );
    }
    hand.init_and_run().await.unwrap();
    let release = hand.published().await;
    let apps: Vec<String> = release.universe().await.into_keys().collect();
    assert_eq!(apps, ["100%", "Caf\u{e9}", "tea/shop"]);
    assert_eq!(
        release.quality().await[&("profiles".to_owned(), None, "rejected:no_app".to_owned())],
        1
    );
}
