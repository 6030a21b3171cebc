//! Times are cut in the warehouse's zone, whatever a file says of itself or of its times.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray, TimestampMicrosecondArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, TimeUnit};
use chrono::NaiveDateTime;
use tagmill_schemas::error::Kind;

use crate::days::{EVENT_PART, events_at, visitors};
use crate::hand::{DAY, EVENTS, Hand, PROFILES};
use crate::types::text;

fn in_zone(hand: Hand, zone: &str) -> Hand {
    let config = hand.config.replace("'UTC'", &format!("'{zone}'"));
    Hand { config, ..hand }
}

/// Microseconds that a clock shows, as if it were UTC's.
fn clock(time: &str) -> i64 {
    let time: NaiveDateTime = time.parse().unwrap();
    time.and_utc().timestamp_micros()
}

fn zoned(times: &[&str], zone: Option<&str>) -> ArrayRef {
    let times: Vec<i64> = times.iter().map(|time| clock(time)).collect();
    let array = TimestampMicrosecondArray::from(times).with_timezone_opt(zone.map(Arc::from));
    Arc::new(array)
}

/// `tag=value` with its users, in order.
async fn tags(hand: &Hand) -> BTreeMap<String, usize> {
    let tags = hand.published().await.tags().await.into_iter();
    tags.map(|((_, tag, value), users)| (format!("{tag}={value}"), users.len()))
        .collect()
}

const CUTS: &str = "[[tag]]
name = 'day'
source = 'profiles'
type = 'date'
value = 'cast(at as date)'
[[tag]]
name = 'hour'
source = 'profiles'
type = 'integer'
value = \"date_part('hour', at)\"
";

fn write_profile(hand: &Hand, part: &str, user: &str, at: ArrayRef) {
    let of = |value: &str| text(&[value], &DataType::Utf8);
    hand.write(
        &format!("raw/profiles/dt={DAY}/{part}.parquet"),
        vec![("app", of("shop")), ("user", of(user)), ("at", at)],
    );
}

/// 18 November 16:30 in UTC is 19 November 00:30 in Shanghai.
#[tokio::test(flavor = "multi_thread")]
async fn what_zone_a_file_names_and_what_other_files_there_are_changes_no_value() {
    let at = &["2026-11-18T16:30:00"];
    let alone = ["Asia/Shanghai", "UTC", "America/New_York", "+00:00"].map(|zone| vec![zone]);
    let together = [vec!["Asia/Shanghai", "UTC"], vec!["UTC", "Asia/Tokyo"]];
    for zones in alone.into_iter().chain(together) {
        let hand = in_zone(Hand::new(&[PROFILES, CUTS]), "Asia/Shanghai");
        for (user, zone) in zones.iter().enumerate() {
            write_profile(
                &hand,
                zone_part(user),
                &format!("u{user}"),
                zoned(at, Some(zone)),
            );
        }
        hand.init_and_run().await.unwrap();
        let expected = [("day=2026-11-19", zones.len()), ("hour=0", zones.len())];
        let expected = expected.map(|(tag, n)| (tag.to_owned(), n));
        assert_eq!(tags(&hand).await, expected.into(), "{zones:?}");
    }
}

fn zone_part(user: usize) -> &'static str {
    ["a", "b"][user]
}

/// Beside a file with a zone, of another unit, and one of dates.
#[tokio::test(flavor = "multi_thread")]
async fn a_time_without_a_zone_is_as_written_or_of_the_zone_that_the_source_names() {
    for (naive, day, hour) in [
        ("", "2026-11-18", 16),
        ("naive_times = 'local'\n", "2026-11-18", 16),
        ("naive_times = \"UTC\"\n", "2026-11-19", 0),
        ("naive_times = 'America/New_York'\n", "2026-11-19", 5),
    ] {
        for others in [false, true] {
            let hand = Hand::new(&[PROFILES, CUTS]);
            let profiles = hand.config.replace(CUTS, &format!("{naive}{CUTS}"));
            let hand = in_zone(
                Hand {
                    config: profiles,
                    ..hand
                },
                "Asia/Shanghai",
            );
            let at = zoned(&["2026-11-18T16:30:00"], None);
            write_profile(&hand, "a", "u0", at);
            let mut expected = vec![(format!("day={day}"), 1), (format!("hour={hour}"), 1)];
            if others {
                let utc = DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()));
                let at = cast(&zoned(&["2026-01-01T04:00:00"], Some("UTC")), &utc).unwrap();
                write_profile(&hand, "b", "u1", at);
                let date = cast(&zoned(&["2026-02-01T00:00:00"], None), &DataType::Date32);
                write_profile(&hand, "c", "u2", date.unwrap());
                let more = [("day=2026-01-01", 1), ("hour=12", 1), ("day=2026-02-01", 1)];
                expected.extend(more.map(|(tag, n)| (tag.to_owned(), n)));
                let midnights = expected.iter().any(|(tag, _)| tag == "hour=0");
                expected.retain(|(tag, _)| tag != "hour=0");
                expected.push(("hour=0".to_owned(), 1 + usize::from(midnights)));
            }
            hand.init_and_run().await.unwrap();
            let expected: BTreeMap<String, usize> = expected.into_iter().collect();
            assert_eq!(tags(&hand).await, expected, "{naive} {others}");
        }
    }
}

/// Every half hour that a clock shows from the evening before to the morning after.
#[tokio::test(flavor = "multi_thread")]
async fn a_day_of_local_times_is_whole_also_when_clocks_change() {
    for (date, zone, as_text) in [
        ("2026-03-08", "America/New_York", false),
        ("2026-11-01", "America/New_York", false),
        ("2026-11-19", "Asia/Shanghai", false),
        ("2026-03-08", "America/New_York", true),
        ("2026-11-01", "America/New_York", true),
    ] {
        let hand = Hand::new(&[EVENTS, "naive_times = 'local'\n"]);
        let hand = in_zone(hand, zone);
        let start = clock(&format!("{date}T00:00:00"));
        let half = 1_800_000_000;
        let times: Vec<i64> = (-4..52).map(|at| start + at * half).collect();
        let array: ArrayRef = Arc::new(TimestampMicrosecondArray::from(times.clone()));
        let array = match as_text {
            true => {
                let shown = times.iter().map(|&time| {
                    let time = chrono::DateTime::from_timestamp_micros(time).unwrap();
                    time.format("%Y-%m-%d %H:%M:%S").to_string()
                });
                Arc::new(StringArray::from_iter_values(shown))
            }
            false => array,
        };
        let part = EVENT_PART.replace(DAY, date);
        hand.write(&part, events_at(array));
        hand.init().await;
        hand.run(date).await.unwrap();
        let release = hand.published().await;
        let quality: BTreeMap<String, u64> = release
            .quality()
            .await
            .into_iter()
            .map(|((_, _, metric), n)| (metric, n))
            .collect();
        let expected = [
            ("accepted", 48),
            ("read", 56),
            ("rejected:future", 4),
            ("rejected:late", 4),
        ]
        .map(|(metric, n)| (metric.to_owned(), n));
        assert_eq!(quality, expected.into(), "{date} {zone} {as_text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_as_text_is_its_local_midnight_and_an_offset_is_obeyed() {
    for zone in ["America/New_York", "Asia/Shanghai"] {
        let hand = in_zone(Hand::new(&[EVENTS]), zone);
        let times = [
            "2026-11-18",
            "2026-11-19",
            "2026-11-20",
            "2026-11-19T12:00:00+08:00",
        ];
        hand.write(EVENT_PART, events_at(text(&times, &DataType::Utf8)));
        hand.init_and_run().await.unwrap();
        let (users, rejected) = visitors(&hand).await;
        // Noon in Shanghai is the evening before in New York.
        let is_shanghai = zone == "Asia/Shanghai";
        let expected: &[&str] = if is_shanghai { &["u1", "u3"] } else { &["u1"] };
        assert_eq!(users, expected, "{zone}");
        assert_eq!(
            rejected["rejected:late"],
            1 + u64::from(!is_shanghai),
            "{zone}"
        );
    }
}

/// In attributes, their lists, casts that are written out, and group tags alike.
#[tokio::test(flavor = "multi_thread")]
async fn a_text_with_an_offset_is_the_local_date_of_its_instant() {
    let dates = "[[tag]]
name = 'one'
source = 'profiles'
type = 'date'
value = 'at'
[[tag]]
name = 'cast'
source = 'profiles'
type = 'date'
value = 'cast(at as date)'
[[tag]]
name = 'many'
source = 'profiles'
type = 'date'
multi = true
value = \"string_to_array(at, '|')\"
[[source]]
name = 'labels'
kind = 'group_tags'
path = '@OUT@/raw/labels/dt={date}/*.parquet'
columns = { app = 'app', user = 'user', tag = 'tag', value = 'value' }
[[tag]]
name = 'label'
source = 'labels'
type = 'date'
";
    let at = "2026-11-19T00:30:00+08:00";
    for (zone, date) in [
        ("Asia/Shanghai", "2026-11-19"),
        ("America/New_York", "2026-11-18"),
    ] {
        let hand = in_zone(Hand::new(&[PROFILES, dates]), zone);
        let of = |values: &[&str]| text(values, &DataType::Utf8);
        write_profile(&hand, "part", "u1", of(&[at]));
        hand.write(
            &format!("raw/labels/dt={DAY}/part.parquet"),
            vec![
                ("app", of(&["shop"])),
                ("user", of(&["u1"])),
                ("tag", of(&["label"])),
                ("value", of(&[at])),
            ],
        );
        hand.init_and_run().await.unwrap();
        let expected = ["cast", "label", "many", "one"].map(|tag| (format!("{tag}={date}"), 1));
        assert_eq!(tags(&hand).await, expected.into(), "{zone}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn expressions_know_when_the_local_day_begins_and_ends() {
    for zone in [None, Some("UTC"), Some("Asia/Shanghai")] {
        let filter =
            "filter = 'time >= $day_start AND time < $day_end'\nday = { late = 'today' }\n";
        let hand = in_zone(Hand::new(&[EVENTS, filter]), "Asia/Shanghai");
        let times = zoned(
            &[
                "2026-11-18T15:59:59",
                "2026-11-18T16:00:00",
                "2026-11-19T15:59:59",
                "2026-11-19T16:00:00",
            ],
            zone,
        );
        hand.write(EVENT_PART, events_at(times));
        hand.init_and_run().await.unwrap();
        let (users, rejected) = visitors(&hand).await;
        assert_eq!(users, ["u1", "u2"], "{zone:?}");
        assert_eq!(rejected, BTreeMap::new(), "{zone:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn at_time_zone_never_fails_and_is_refused_where_it_would_say_nothing() {
    let clean = "clean = { at = \"at AT TIME ZONE 'America/New_York'\" }\n";
    let hand = in_zone(Hand::new(&[PROFILES, clean, CUTS]), "America/New_York");
    let both = zoned(&["2026-03-08T02:30:00", "2026-11-01T01:30:00"], None);
    let of = |values: &[&str]| text(values, &DataType::Utf8);
    hand.write(
        &format!("raw/profiles/dt={DAY}/part.parquet"),
        vec![
            ("app", of(&["shop"; 2])),
            ("user", of(&["u1", "u2"])),
            ("at", Arc::clone(&both)),
        ],
    );
    hand.init_and_run().await.unwrap();
    let expected = ["day=2026-03-08", "day=2026-11-01", "hour=1", "hour=3"];
    assert_eq!(
        tags(&hand).await,
        expected.map(|tag| (tag.to_owned(), 1)).into()
    );

    let clean = clean.replace("at = \"at", "time = \"time");
    let hand = Hand::new(&[EVENTS, &clean]);
    hand.write(EVENT_PART, events_at(both));
    let error = hand.init_and_run().await.unwrap_err();
    assert_eq!(error.kind(), Kind::Setup, "{error}");
    let error = error.to_string();
    assert!(
        error.contains("naive_times = \"America/New_York\""),
        "{error}"
    );
}

/// 18 November 16:30 in UTC, written in every way; in Shanghai it is half an hour into the 19th.
#[tokio::test(flavor = "multi_thread")]
async fn a_time_that_is_text_or_made_is_cut_as_one_of_a_file() {
    let source = EVENTS.replace("*.parquet", "*.csv");
    let number = "1795019400000";
    for (time, made) in [
        ("2026-11-18T16:30:00Z", "time"),
        ("2026-11-18 16:30:00", "time"),
        ("2026-11-19T00:30:00+08:00", "time"),
        ("2026-11-18 16:30:00", "cast(time as timestamp)"),
        ("2026-11-18 16:30:00", "to_timestamp(time)"),
        (number, "to_timestamp_millis(cast(time as bigint))"),
    ] {
        for (clean, made) in [
            (String::new(), made),
            (format!("time = {made:?}\n"), "time"),
        ] {
            let cuts = format!(
                "[source.clean]\n{clean}[source.dimensions]\nhour = \"date_part('hour', {made})\"\n\
                 day = \"cast({made} as date)\"\nstart = \"to_char(date_trunc('hour', {made}), '%H:%M')\"\n"
            );
            let hand = in_zone(Hand::new(&[&source, &cuts]), "Asia/Shanghai");
            let hand = match (time == number, clean.is_empty()) {
                (true, true) => Hand {
                    config: hand
                        .config
                        .replace("time = 'time'", &format!("time = {made:?}")),
                    ..hand
                },
                _ => hand,
            };
            hand.write_bytes(
                &format!("raw/events/dt={DAY}/a.csv"),
                format!("app,user,event,time\nshop,u0,visit,{time}\n"),
            );
            hand.init_and_run().await.unwrap();
            let (_, dimensions) = hand
                .published()
                .await
                .behaviour(crate::hand::day(DAY))
                .await;
            let found: Vec<String> = dimensions.keys().map(|key| format!("{key:?}")).collect();
            let found = found.join("\n");
            for value in ["\"0\"", "\"2026-11-19\"", "\"00:00\""] {
                assert!(found.contains(value), "{time} {made} {value}\n{found}");
            }
        }
    }
}
