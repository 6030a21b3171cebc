//! Where a day begins and ends, whatever type the times have.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, StringArray, TimestampMicrosecondArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, TimeUnit};
use parquet::data_type::{ByteArray, ByteArrayType, Int96, Int96Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

use crate::hand::{DAY, EVENTS, Hand, NOON, day};

pub const EVENT_PART: &str = "raw/events/dt=2026-11-19/part.parquet";
pub const HALF_DAY: i64 = 43_200_000_000;

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

pub fn events_at(times: ArrayRef) -> Vec<(&'static str, ArrayRef)> {
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
pub async fn visitors(hand: &Hand) -> (Vec<String>, BTreeMap<String, u64>) {
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
