//! Columns of every type that engines write, and where a day begins and ends.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, Decimal128Array, Float64Array, Int64Array, StringArray, TimestampMicrosecondArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, TimeUnit};
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
    let dictionary = DataType::Dictionary(Box::new(DataType::UInt16), Box::new(DataType::LargeUtf8));
    let texts = [DataType::Utf8, DataType::LargeUtf8, DataType::Utf8View, dictionary];
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
            vec![("app", of(&["shop", "shop", "tea"])), ("user", of(&["u1", "u2", "u1"])), ("city", of(&["北京", "Oslo", "北京"])), ("age", ages)],
        );
        hand.init_and_run().await.unwrap_or_else(|e| panic!("{wanted}: {e}"));
        let found = hand.published().await.tags().await.into_iter().map(|(key, users)| (key, users.len())).collect();
        let key = |app: &str, tag: &str, value: Value| (app.to_owned(), tag.to_owned(), value);
        let city = |name: &str| Value::String(name.to_owned());
        let expected = [
            key("shop", "city", city("北京")),
            key("shop", "city", city("Oslo")),
            key("tea", "city", city("北京")),
            key("shop", "age", Value::Integer(30)),
            key("tea", "age", Value::Integer(7)),
        ];
        same(&wanted.to_string(), &found, &expected.map(|key| (key, 1)).into());
    }
}

/// A minute before the day, its first moment, noon, its last microsecond, the next day's first, no time.
fn times() -> Vec<Option<i64>> {
    let midnight = NOON - HALF_DAY;
    vec![Some(midnight - 60_000_000), Some(midnight), Some(NOON), Some(midnight + 2 * HALF_DAY - 1), Some(midnight + 2 * HALF_DAY), None]
}

fn events_at(times: ArrayRef) -> Vec<(&'static str, ArrayRef)> {
    let rows = times.len();
    let users: Vec<String> = (0..rows).map(|row| format!("u{row}")).collect();
    vec![
        ("app", Arc::new(StringArray::from(vec!["shop"; rows])) as ArrayRef),
        ("user", Arc::new(StringArray::from(users))),
        ("event", Arc::new(StringArray::from(vec!["visit"; rows]))),
        ("time", times),
    ]
}

/// Ids of the users whose event is in the day's behaviour, and what became of the other rows.
async fn visitors(hand: &Hand) -> (Vec<String>, BTreeMap<String, u64>) {
    let release = hand.published().await;
    let ids: BTreeMap<u64, String> = release.dictionary().await.into_iter().map(|((_, user), uid)| (uid, user)).collect();
    let (events, _) = release.behaviour(day(DAY)).await;
    let mut users: Vec<String> = events.values().flatten().map(|uid| ids[uid].clone()).collect();
    users.sort();
    let quality = release.quality().await.into_iter().filter(|((_, _, metric), _)| metric.starts_with("rejected:"));
    (users, quality.map(|((_, _, metric), count)| (metric, count)).collect())
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
        let zoned = cast(&microseconds, &DataType::Timestamp(TimeUnit::Microsecond, utc())).unwrap();
        hand.write(EVENT_PART, events_at(cast(&zoned, &wanted).unwrap()));
        hand.init_and_run().await.unwrap_or_else(|e| panic!("{wanted}: {e}"));
        let rejected = [("rejected:future", 1), ("rejected:late", 1), ("rejected:no_time", 1)].map(|(metric, n)| (metric.to_owned(), n));
        assert_eq!(visitors(&hand).await, (["u1", "u2", "u3"].map(str::to_owned).to_vec(), rejected.into()), "{wanted}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_day_is_the_local_one_and_late_events_may_count_today() {
    let shanghai = TimestampMicrosecondArray::from(times().into_iter().map(|t| t.map(|t| t - 8 * 3_600_000_000)).collect::<Vec<_>>()).with_timezone("UTC");
    let hand = Hand::new(&[EVENTS, "day = { by = 'time', late = 'today' }\n"]);
    hand.write(EVENT_PART, events_at(Arc::new(shanghai)));
    let config = hand.config.replace("'UTC'", "'Asia/Shanghai'");
    let hand = Hand { config, ..hand };
    hand.init_and_run().await.unwrap();
    let rejected = [("rejected:future", 1), ("rejected:no_time", 1)].map(|(metric, n)| (metric.to_owned(), n));
    assert_eq!(visitors(&hand).await, (["u0", "u1", "u2", "u3"].map(str::to_owned).to_vec(), rejected.into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_by_path_takes_every_row_of_its_folder() {
    let hand = Hand::new(&[EVENTS, "day = { by = 'path' }\n"]);
    hand.write(EVENT_PART, events_at(Arc::new(TimestampMicrosecondArray::from(times()))));
    hand.init_and_run().await.unwrap();
    assert_eq!(visitors(&hand).await.0.len(), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn times_of_96_bits_are_times() {
    let hand = Hand::new(&[EVENTS]);
    let columns = ["app", "user", "event"].map(|name| format!("required binary {name} (STRING);")).concat();
    let schema = Arc::new(parse_message_type(&format!("message m {{ {columns} required int96 time; }}")).unwrap());
    let mut bytes = Vec::new();
    let mut file = SerializedFileWriter::new(&mut bytes, schema, Arc::new(WriterProperties::default())).unwrap();
    let mut group = file.next_row_group().unwrap();
    for texts in [["shop", "shop"], ["u1", "u2"], ["visit", "visit"]] {
        let mut column = group.next_column().unwrap().unwrap();
        let values: Vec<ByteArray> = texts.iter().map(|text| (*text).into()).collect();
        column.typed::<ByteArrayType>().write_batch(&values, None, None).unwrap();
        column.close().unwrap();
    }
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<Int96Type>().write_batch(&[int96(NOON), int96(NOON + 2 * HALF_DAY)], None, None).unwrap();
    column.close().unwrap();
    group.close().unwrap();
    file.close().unwrap();
    hand.write_bytes(EVENT_PART, bytes);
    hand.init_and_run().await.unwrap();
    assert_eq!(visitors(&hand).await, (vec!["u1".to_owned()], BTreeMap::from([("rejected:future".to_owned(), 1)])));
}

/// Nanoseconds of the day, and the Julian day.
fn int96(microseconds: i64) -> Int96 {
    let (days, rest) = (microseconds.div_euclid(2 * HALF_DAY), microseconds.rem_euclid(2 * HALF_DAY) * 1_000);
    let mut time = Int96::new();
    time.set_data(rest as u32, (rest >> 32) as u32, (days + 2_440_588) as u32);
    time
}

#[tokio::test(flavor = "multi_thread")]
async fn measures_of_every_type_are_the_same_sums() {
    let cents: ArrayRef = Arc::new(Decimal128Array::from(vec![Some(1250), Some(-325), None]).with_precision_and_scale(12, 2).unwrap());
    for wanted in [DataType::Decimal128(12, 2), DataType::Decimal128(30, 6), DataType::Decimal256(40, 3), DataType::Float64, DataType::Float32] {
        let hand = Hand::new(&[EVENTS, "[source.measures]\namount = { value = 'amount', scale = 2 }\n"]);
        let mut columns = events_at(Arc::new(TimestampMicrosecondArray::from(vec![NOON; 3])));
        columns[1].1 = text(&["u1", "u1", "u2"], &DataType::Utf8);
        columns.push(("amount", cast(&cents, &wanted).unwrap()));
        hand.write(EVENT_PART, columns);
        hand.init_and_run().await.unwrap_or_else(|e| panic!("{wanted}: {e}"));
        let measures = hand.published().await.measures(day(DAY)).await;
        let sums: Vec<i128> = measures[&("shop".to_owned(), "visit".to_owned(), "amount".to_owned(), 0, false)].values().copied().collect();
        assert_eq!(sums, [925], "{wanted}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tags_of_five_types_and_several_values_come_from_expressions() {
    let tags = "[[tag]]\nname = 'born'\nsource = 'profiles'\ntype = 'date'\nvalue = 'born'\n[[tag]]\nname = 'age'\nsource = 'profiles'\ntype = 'integer'\nvalue = \"date_part('year', $date) - date_part('year', born)\"\n[[tag]]\nname = 'ratio'\nsource = 'profiles'\ntype = 'double'\nscale = 1\nvalue = 'ratio'\n[[tag]]\nname = 'rich'\nsource = 'profiles'\ntype = 'boolean'\nvalue = 'ratio > 1'\n[[tag]]\nname = 'likes'\nsource = 'profiles'\ntype = 'string'\nmulti = true\nvalue = \"string_to_array(likes, '|')\"\n";
    let hand = Hand::new(&[PROFILES, tags]);
    hand.write(
        PART,
        vec![
            ("app", text(&["shop"; 3], &DataType::Utf8)),
            ("user", text(&["u1", "u2", "u3"], &DataType::Utf8)),
            ("born", Arc::new(Date32Array::from(vec![Some(0), Some(-1), None])) as ArrayRef),
            ("ratio", Arc::new(Float64Array::from(vec![Some(0.25), Some(f64::NAN), Some(-0.0)]))),
            ("likes", text(&["a|b|a", "", "b"], &DataType::Utf8)),
        ],
    );
    hand.init_and_run().await.unwrap();
    let release = hand.published().await;
    let found: BTreeMap<_, _> = release.tags().await.into_iter().map(|((_, tag, value), users)| ((tag, value.to_string()), users.len())).collect();
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
    same("tags", &found, &expected.map(|(tag, value, users)| ((tag.to_owned(), value.to_owned()), users)).into());
    let numbers = release.tag_numbers().await;
    let sum = |tag: &str| numbers[&("shop".to_owned(), tag.to_owned())].values().sum::<i128>();
    assert_eq!((sum("born"), sum("age"), sum("ratio")), (-1, 113, 2));
}
