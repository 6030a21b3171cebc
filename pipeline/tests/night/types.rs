//! Columns of every type that engines write, and where a day begins and ends.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Date32Array, Decimal128Array, Float64Array, Int64Array, ListArray, StringArray,
    TimestampMicrosecondArray,
};
use arrow::buffer::OffsetBuffer;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, TimeUnit};
use parquet::data_type::{ByteArray, ByteArrayType, Int96, Int96Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use tagmill_testdata::oracle::value::Value;

use crate::compare::same;
use crate::hand::{DAY, EVENTS, Hand, NOON, PROFILE_TAGS, PROFILES, day};

const PART: &str = "raw/profiles/dt=2026-11-19/part.parquet";
const EVENT_PART: &str = "raw/events/dt=2026-11-19/part.parquet";
const HALF_DAY: i64 = 43_200_000_000;

fn text(values: &[&str], data_type: &DataType) -> ArrayRef {
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

/// A minute before the day, its first moment, noon, its last microsecond, the next day's first, no
/// time.
fn times() -> Vec<Option<i64>> {
    let midnight = NOON - HALF_DAY;
    vec![
        Some(midnight - 60_000_000),
        Some(midnight),
        Some(NOON),
        Some(midnight + 2 * HALF_DAY - 1),
        Some(midnight + 2 * HALF_DAY),
        None,
    ]
}

fn events_at(times: ArrayRef) -> Vec<(&'static str, ArrayRef)> {
    let rows = times.len();
    let users: Vec<String> = (0..rows).map(|row| format!("u{row}")).collect();
    vec![
        (
            "app",
            Arc::new(StringArray::from(vec!["shop"; rows])) as ArrayRef,
        ),
        ("user", Arc::new(StringArray::from(users))),
        ("event", Arc::new(StringArray::from(vec!["visit"; rows]))),
        ("time", times),
    ]
}

/// Ids of the users whose event is in the day's behaviour, and what became of the other rows.
async fn visitors(hand: &Hand) -> (Vec<String>, BTreeMap<String, u64>) {
    let release = hand.published().await;
    let ids: BTreeMap<u64, String> = release
        .dictionary()
        .await
        .into_iter()
        .map(|((_, user), uid)| (uid, user))
        .collect();
    let (events, _) = release.behaviour(day(DAY)).await;
    let mut users: Vec<String> = events
        .values()
        .flatten()
        .map(|uid| ids[uid].clone())
        .collect();
    users.sort();
    let quality = release
        .quality()
        .await
        .into_iter()
        .filter(|((_, _, metric), _)| metric.starts_with("rejected:"));
    (
        users,
        quality
            .map(|((_, _, metric), count)| (metric, count))
            .collect(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_has_its_first_moment_and_not_the_next_days() {
    let utc = || Some("UTC".into());
    let microseconds: ArrayRef = Arc::new(TimestampMicrosecondArray::from(times()));
    let types = [
        DataType::Timestamp(TimeUnit::Microsecond, None),
        DataType::Timestamp(TimeUnit::Microsecond, utc()),
        DataType::Timestamp(TimeUnit::Microsecond, Some("America/New_York".into())),
        DataType::Timestamp(TimeUnit::Nanosecond, utc()),
        DataType::Timestamp(TimeUnit::Millisecond, None),
        DataType::Timestamp(TimeUnit::Second, utc()),
        DataType::Utf8,
    ];
    for wanted in types {
        let hand = Hand::new(&[EVENTS]);
        let zoned = cast(
            &microseconds,
            &DataType::Timestamp(TimeUnit::Microsecond, utc()),
        )
        .unwrap();
        hand.write(EVENT_PART, events_at(cast(&zoned, &wanted).unwrap()));
        hand.init_and_run()
            .await
            .unwrap_or_else(|e| panic!("{wanted}: {e}"));
        let rejected = [
            ("rejected:future", 1),
            ("rejected:late", 1),
            ("rejected:no_time", 1),
        ]
        .map(|(metric, n)| (metric.to_owned(), n));
        assert_eq!(
            visitors(&hand).await,
            (
                ["u1", "u2", "u3"].map(str::to_owned).to_vec(),
                rejected.into()
            ),
            "{wanted}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_day_is_the_local_one_and_late_events_may_count_today() {
    let shanghai = TimestampMicrosecondArray::from(
        times()
            .into_iter()
            .map(|t| t.map(|t| t - 8 * 3_600_000_000))
            .collect::<Vec<_>>(),
    )
    .with_timezone("UTC");
    let hand = Hand::new(&[EVENTS, "day = { by = 'time', late = 'today' }\n"]);
    hand.write(EVENT_PART, events_at(Arc::new(shanghai)));
    let config = hand.config.replace("'UTC'", "'Asia/Shanghai'");
    let hand = Hand { config, ..hand };
    hand.init_and_run().await.unwrap();
    let rejected =
        [("rejected:future", 1), ("rejected:no_time", 1)].map(|(metric, n)| (metric.to_owned(), n));
    assert_eq!(
        visitors(&hand).await,
        (
            ["u0", "u1", "u2", "u3"].map(str::to_owned).to_vec(),
            rejected.into()
        )
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_by_path_takes_every_row_of_its_folder() {
    let hand = Hand::new(&[EVENTS, "day = { by = 'path' }\n"]);
    hand.write(
        EVENT_PART,
        events_at(Arc::new(TimestampMicrosecondArray::from(times()))),
    );
    hand.init_and_run().await.unwrap();
    assert_eq!(visitors(&hand).await.0.len(), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn times_of_96_bits_are_times() {
    let hand = Hand::new(&[EVENTS]);
    let columns = ["app", "user", "event"]
        .map(|name| format!("required binary {name} (STRING);"))
        .concat();
    let schema = Arc::new(
        parse_message_type(&format!("message m {{ {columns} required int96 time; }}")).unwrap(),
    );
    let mut bytes = Vec::new();
    let mut file =
        SerializedFileWriter::new(&mut bytes, schema, Arc::new(WriterProperties::default()))
            .unwrap();
    let mut group = file.next_row_group().unwrap();
    for texts in [["shop", "shop"], ["u1", "u2"], ["visit", "visit"]] {
        let mut column = group.next_column().unwrap().unwrap();
        let values: Vec<ByteArray> = texts.iter().map(|text| (*text).into()).collect();
        column
            .typed::<ByteArrayType>()
            .write_batch(&values, None, None)
            .unwrap();
        column.close().unwrap();
    }
    let mut column = group.next_column().unwrap().unwrap();
    column
        .typed::<Int96Type>()
        .write_batch(&[int96(NOON), int96(NOON + 2 * HALF_DAY)], None, None)
        .unwrap();
    column.close().unwrap();
    group.close().unwrap();
    file.close().unwrap();
    hand.write_bytes(EVENT_PART, bytes);
    hand.init_and_run().await.unwrap();
    assert_eq!(
        visitors(&hand).await,
        (
            vec!["u1".to_owned()],
            BTreeMap::from([("rejected:future".to_owned(), 1)])
        )
    );
}

/// Nanoseconds of the day, and the Julian day.
fn int96(microseconds: i64) -> Int96 {
    let (days, rest) = (
        microseconds.div_euclid(2 * HALF_DAY),
        microseconds.rem_euclid(2 * HALF_DAY) * 1_000,
    );
    let mut time = Int96::new();
    time.set_data(rest as u32, (rest >> 32) as u32, (days + 2_440_588) as u32);
    time
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
        ("rich", "true", 1),
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
async fn a_date_is_its_day_in_every_zone() {
    let days = Date32Array::from(
        (-1..=1)
            .map(|days| (NOON / (2 * HALF_DAY)) as i32 + days)
            .collect::<Vec<_>>(),
    );
    for zone in ["America/New_York", "Asia/Shanghai"] {
        let hand = Hand::new(&[EVENTS]);
        hand.write(EVENT_PART, events_at(Arc::new(days.clone())));
        let config = hand.config.replace("'UTC'", &format!("'{zone}'"));
        let hand = Hand { config, ..hand };
        hand.init_and_run().await.unwrap();
        let rejected = [("rejected:future", 1), ("rejected:late", 1)]
            .map(|(metric, n)| (metric.to_owned(), n));
        assert_eq!(
            visitors(&hand).await,
            (vec!["u1".to_owned()], rejected.into()),
            "{zone}"
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
        (DataType::Float32, "-8999999815811072"),
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
