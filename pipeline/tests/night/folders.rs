//! Folders that are not cut by local days: a source names those that a local day needs, and over
//! nights in a row every event is counted on its own day, once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{ArrayRef, TimestampMicrosecondArray};
use chrono::{DateTime, Days, NaiveDate};
use chrono_tz::Tz;
use tagmill_schemas::Reason;

use crate::days::events_at;
use crate::hand::{EVENTS, Hand, day};

const HOUR: i64 = 3_600_000_000;

fn in_zone(hand: Hand, zone: &str) -> Hand {
    let config = hand.config.replace("'UTC'", &format!("'{zone}'"));
    Hand { config, ..hand }
}

fn start_in_utc(date: NaiveDate) -> i64 {
    date.and_hms_opt(0, 0, 0)
        .unwrap()
        .and_utc()
        .timestamp_micros()
}

fn local_date(time: i64, zone: Tz) -> NaiveDate {
    let instant = DateTime::from_timestamp_micros(time).unwrap();
    instant.with_timezone(&zone).date_naive()
}

/// Users by their events' times; names are `at<time>`.
fn users_at(times: &[i64]) -> Vec<(&'static str, ArrayRef)> {
    let array = TimestampMicrosecondArray::from(times.to_vec()).with_timezone("UTC");
    let mut columns = events_at(Arc::new(array));
    let names = times.iter().map(|time| format!("at{time}"));
    columns[1].1 = Arc::new(arrow::array::StringArray::from_iter_values(names));
    columns
}

/// The users of a night's events, and its counts.
async fn night(hand: &Hand, date: NaiveDate) -> (BTreeSet<String>, BTreeMap<String, u64>) {
    hand.run(&date.to_string()).await.unwrap();
    let release = hand.published().await;
    let names: BTreeMap<u64, String> = release
        .dictionary()
        .await
        .into_iter()
        .map(|((_, user), uid)| (uid, user))
        .collect();
    let (events, _) = release.behaviour(date).await;
    let users = events
        .values()
        .flatten()
        .map(|uid| names[uid].clone())
        .collect();
    let quality = release.quality().await.into_iter();
    (
        users,
        quality.map(|((_, _, metric), n)| (metric, n)).collect(),
    )
}

/// Five days of an event every half hour in folders of UTC, in a form of their own; clocks change
/// on 1 November in New York, and the day has 25 hours.
#[tokio::test(flavor = "multi_thread")]
async fn each_event_is_counted_on_its_local_day_over_nights_in_a_row() {
    let first = day("2026-10-30");
    let date = |days: u64| first + Days::new(days);
    for (zone, folders, hours) in [
        ("Asia/Shanghai", "['{date-1}', '{date}']", [24, 24, 24]),
        ("America/New_York", "['{date}', '{date+1}']", [24, 25, 24]),
    ] {
        let events = EVENTS.replace("dt={date}/*.parquet", "{date:%Y}/{date:%m%d}/*.parquet");
        let by_folder = format!("day = {{ by = 'time', folders = {folders} }}\n");
        let hand = in_zone(Hand::new(&[&events, &by_folder]), zone);
        let zone: Tz = zone.parse().unwrap();
        let mut all = Vec::new();
        for days in 0..5 {
            let start = start_in_utc(date(days));
            let times: Vec<i64> = (0..48).map(|half| start + half * HOUR / 2).collect();
            let folder = date(days).format("%Y/%m%d");
            hand.write(
                &format!("raw/events/{folder}/part.parquet"),
                users_at(&times),
            );
            all.extend(times);
        }
        hand.init().await;
        for (days, hours) in (1..4).zip(hours) {
            let date = date(days);
            let (found, counts) = night(&hand, date).await;
            let of_day = all.iter().filter(|&&time| local_date(time, zone) == date);
            let expected: BTreeSet<String> = of_day.map(|time| format!("at{time}")).collect();
            assert_eq!(found, expected, "{zone} {date}");
            assert_eq!(found.len(), 2 * hours, "{zone} {date}");
            let others = 96 - 2 * hours as u64;
            let expected = [
                ("accepted", 2 * hours as u64),
                ("filtered", others),
                ("other_day", others),
                ("read", 96),
            ]
            .map(|(metric, n)| (metric.to_owned(), n));
            assert_eq!(counts, expected.into(), "{zone} {date}");
        }
    }
}

/// An event that comes days later is judged once: by the night whose own folder it came in.
#[tokio::test(flavor = "multi_thread")]
async fn a_late_event_is_late_once_or_counted_once() {
    for (late, status) in [("reject", "rejected:late"), ("today", "accepted")] {
        let by = format!(
            "day = {{ by = 'time', late = '{late}', folders = ['{{date-1}}', '{{date}}'] }}\n"
        );
        let hand = in_zone(Hand::new(&[EVENTS, &by]), "Asia/Shanghai");
        let noon = |date: &str| start_in_utc(day(date)) + 4 * HOUR;
        let late = noon("2026-11-10");
        for (date, times) in [
            ("2026-11-18", vec![noon("2026-11-18")]),
            ("2026-11-19", vec![noon("2026-11-19"), late]),
            ("2026-11-20", vec![noon("2026-11-20")]),
        ] {
            let part = format!("raw/events/dt={date}/part.parquet");
            hand.write(&part, users_at(&times));
        }
        hand.init().await;
        let (_, counts) = night(&hand, day("2026-11-19")).await;
        let on_time = u64::from(status == "accepted");
        assert_eq!(counts[status], 1 + on_time, "{late}: {counts:?}");
        assert_eq!(counts["other_day"], 1, "{late}");
        let (users, counts) = night(&hand, day("2026-11-20")).await;
        assert_eq!(
            users,
            [format!("at{}", noon("2026-11-20"))].into(),
            "{late}"
        );
        assert_eq!(counts["other_day"], 2, "{late}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_is_not_there_makes_the_night_wait_unless_nothing_was_before() {
    let by = "day = { folders = ['{date-1}', '{date}', '{date+1}'] }\n";
    let hand = Hand::new(&[EVENTS, by]);
    let write = |date: &str| {
        let times = [start_in_utc(day(date)) + 12 * HOUR];
        hand.write(
            &format!("raw/events/dt={date}/part.parquet"),
            users_at(&times),
        );
    };
    write("2026-11-19");
    hand.init().await;
    let refused = |error: tagmill_schemas::Error| {
        assert_eq!(error.reason(), Some(Reason::NotReady), "{error}");
        error.to_string()
    };
    let error = refused(hand.run("2026-11-19").await.unwrap_err());
    assert!(error.contains("dt=2026-11-20"), "{error}");
    // No night before, so no folder before.
    write("2026-11-20");
    let (users, _) = night(&hand, day("2026-11-19")).await;
    assert_eq!(users.len(), 1);
    write("2026-11-22");
    write("2026-11-23");
    let error = refused(hand.run("2026-11-22").await.unwrap_err());
    assert!(error.contains("dt=2026-11-21"), "{error}");
}
