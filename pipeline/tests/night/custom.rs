//! Merchants' events: properties by registry, exact decimals, one event from two sources.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray, TimestampMicrosecondArray};

use crate::hand::{DAY, EVENTS, Hand, NOON, day};

const SOURCE: &str = "[[source]]
name = 'NAME'
kind = 'custom_events'
path = '@OUT@/raw/NAME/dt={date}/*.parquet'
columns = { app = 'app', user = 'user', event = 'event', time = 'time', properties = 'props' }
registry = '@OUT@/conf/*.ndjson'
";
const REGISTRY: &str = r#"{"app":"shop","event":"scan","property":"place","role":"dimension","type":"string"}
{"app":"shop","event":"scan","property":"fee","role":"measure","type":"double","scale":2}
"#;

fn source(name: &str) -> String {
    SOURCE.replace("NAME", name)
}

fn write(hand: &Hand, source: &str, rows: &[(&str, &str)]) {
    let rows_of = |text: fn(&(&str, &str)) -> String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(rows.iter().map(text)))
    };
    let columns = vec![
        ("app", rows_of(|_| "shop".to_owned())),
        ("user", rows_of(|row| row.0.to_owned())),
        ("event", rows_of(|_| "scan".to_owned())),
        ("props", rows_of(|row| row.1.to_owned())),
        (
            "time",
            Arc::new(TimestampMicrosecondArray::from(vec![NOON; rows.len()])) as ArrayRef,
        ),
    ];
    hand.write(&format!("raw/{source}/dt={DAY}/part.parquet"), columns);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_event_of_two_sources_with_one_registry_is_one_event() {
    let hand = Hand::new(&[&source("web"), &source("till")]);
    hand.write_bytes("conf/events.ndjson", REGISTRY);
    write(
        &hand,
        "web",
        &[
            ("u1", r#"{"place":"b","fee":"1.005"}"#),
            ("u2", r#"{"place":"b"}"#),
        ],
    );
    write(
        &hand,
        "till",
        &[
            ("u1", r#"{"place":"a","fee":2}"#),
            ("u1", r#"{"place":"b","fee":1.015}"#),
        ],
    );
    hand.init_and_run().await.unwrap();
    let release = hand.published().await;
    let uid = release.dictionary().await[&(String::new(), "u1".to_owned())];
    let (events, values) = release.behaviour(day(DAY)).await;
    assert_eq!(events[&("shop".to_owned(), "scan".to_owned())].len(), 2);
    let place = |value: &str, number| {
        (
            "shop".to_owned(),
            "scan".to_owned(),
            "place".to_owned(),
            Some(value.to_owned()),
            number,
            false,
        )
    };
    assert!(
        values[&place("a", 0)].contains(&uid) && values[&place("b", 1)].contains(&uid),
        "{values:?}"
    );
    let measures = release.measures(day(DAY)).await;
    let of = |measure: &str, number| {
        measures[&(
            "shop".to_owned(),
            "scan".to_owned(),
            measure.to_owned(),
            number,
            false,
        )][&uid]
    };
    // Half to even, digit by digit: 1.005 is 100 and 1.015 is 102 hundredths.
    assert_eq!(
        (of("*", 0), of("*", 1), of("fee", 0), of("fee", 1)),
        (1, 2, 200, 202)
    );
    let counts = release
        .manifest
        .counts
        .iter()
        .map(|count| (count.source.as_str(), count.accepted))
        .collect::<Vec<_>>();
    assert_eq!(counts, [("till", 2), ("web", 2)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn properties_that_are_not_of_their_type_reject_the_row() {
    let hand = Hand::new(&[&source("web")]);
    hand.write_bytes("conf/events.ndjson", REGISTRY);
    write(
        &hand,
        "web",
        &[
            ("u1", r#"{"place":"b","fee":"much"}"#),
            ("u2", "not json"),
            ("u3", r#"{"place":null,"other":1}"#),
            ("u4", "[]"),
        ],
    );
    hand.init_and_run().await.unwrap();
    let quality = hand.published().await.quality().await;
    let of =
        |metric: &str| quality[&("web".to_owned(), Some("shop".to_owned()), metric.to_owned())];
    assert_eq!(
        (
            of("read"),
            of("accepted"),
            of("rejected:bad_property"),
            of("rejected:bad_json"),
            of("undeclared_property")
        ),
        (4, 1, 1, 2, 1)
    );
}

/// Rows of `more` of the day, one visit a user.
fn write_more(hand: &Hand, source: &str, event: &str, rows: &[(&str, &str)]) {
    let texts = |text: &dyn Fn(&(&str, &str)) -> String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(rows.iter().map(text)))
    };
    let columns = vec![
        ("app", texts(&|row| row.0.to_owned())),
        ("user", texts(&|row| row.1.to_owned())),
        ("event", texts(&|_| event.to_owned())),
        ("city", texts(&|_| "Oslo".to_owned())),
        ("props", texts(&|_| "{}".to_owned())),
        (
            "time",
            Arc::new(TimestampMicrosecondArray::from(vec![NOON; rows.len()])) as ArrayRef,
        ),
    ];
    hand.write(&format!("raw/{source}/dt={DAY}/part.parquet"), columns);
}

/// How many users of `shop` did `event`, and the rows of `source` that another source's events
/// displaced.
async fn users_and_displaced(hand: &Hand, event: &str, source: &str) -> (usize, Option<u64>) {
    let release = hand.published().await;
    let (events, _) = release.behaviour(day(DAY)).await;
    let displaced = (
        source.to_owned(),
        Some("shop".to_owned()),
        "rejected:event_of_other_source".to_owned(),
    );
    let users = events
        .get(&("shop".to_owned(), event.to_owned()))
        .map_or(0, |users| users.len());
    (users, release.quality().await.get(&displaced).copied())
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_sources_that_say_different_things_of_an_event_the_first_has_it_and_the_night_goes_on()
 {
    let second = EVENTS
        .replace("events'", "more'")
        .replace("raw/events", "raw/more")
        + "[source.dimensions]\ncity = 'city'\n";
    let hand = Hand::new(&[EVENTS, &second]);
    write_more(
        &hand,
        "events",
        "visit",
        &[
            ("shop", "u1"),
            ("shop", "u2"),
            ("shop", "u3"),
            ("shop", "u4"),
        ],
    );
    write_more(
        &hand,
        "more",
        "visit",
        &[
            ("shop", "u1"),
            ("shop", "u2"),
            ("shop", "u3"),
            ("shop", "u4"),
            ("tea", "u9"),
        ],
    );
    hand.init_and_run().await.unwrap();
    assert_eq!(
        users_and_displaced(&hand, "visit", "more").await,
        (4, Some(4))
    );
    let release = hand.published().await;
    assert_eq!(
        release.behaviour(day(DAY)).await.0[&("tea".to_owned(), "visit".to_owned())].len(),
        1
    );
    assert!(
        release
            .rejects()
            .await
            .iter()
            .any(|(source, _, reason, row)| source == "more"
                && reason == "event_of_other_source"
                && row.contains("visit"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn one_event_of_two_sources_that_say_the_same_of_it_is_one_event() {
    let second = EVENTS
        .replace("events'", "more'")
        .replace("raw/events", "raw/more");
    let hand = Hand::new(&[EVENTS, &second]);
    write_more(&hand, "events", "visit", &[("shop", "u1"), ("shop", "u2")]);
    write_more(&hand, "more", "visit", &[("shop", "u1"), ("shop", "u3")]);
    hand.init_and_run().await.unwrap();
    assert_eq!(users_and_displaced(&hand, "visit", "more").await, (3, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merchant_that_declares_an_event_of_an_open_platform_source_has_it_for_its_own_app_only()
{
    let hand = Hand::new(&[EVENTS, &source("web")]);
    hand.write_bytes(
        "conf/events.ndjson",
        "{\"app\":\"shop\",\"event\":\"visit\"}\n",
    );
    write_more(
        &hand,
        "events",
        "visit",
        &[
            ("shop", "u1"),
            ("shop", "u2"),
            ("shop", "u3"),
            ("tea", "u1"),
            ("tea", "u2"),
        ],
    );
    write_more(&hand, "web", "visit", &[("shop", "u7")]);
    hand.init_and_run().await.unwrap();
    // In every shard, also where the merchant's source has no row.
    assert_eq!(
        users_and_displaced(&hand, "visit", "events").await,
        (1, Some(3))
    );
    let release = hand.published().await;
    assert_eq!(
        release.behaviour(day(DAY)).await.0[&("tea".to_owned(), "visit".to_owned())].len(),
        2
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_registries_that_declare_an_event_the_first_has_it() {
    let hand = Hand::new(&[&source("web"), &source("till").replace("conf/*", "conf2/*")]);
    hand.write_bytes(
        "conf/events.ndjson",
        "{\"app\":\"shop\",\"event\":\"scan\"}\n",
    );
    hand.write_bytes(
        "conf2/events.ndjson",
        "{\"app\":\"shop\",\"event\":\"scan\"}\n{\"app\":\"shop\",\"event\":\"pay\"}\n",
    );
    write_more(&hand, "web", "scan", &[("shop", "u1")]);
    write_more(&hand, "till", "scan", &[("shop", "u2"), ("shop", "u3")]);
    hand.init_and_run().await.unwrap();
    assert_eq!(users_and_displaced(&hand, "scan", "till").await, (1, None));
    let quality = hand.published().await.quality().await;
    assert_eq!(
        quality[&(
            "till".to_owned(),
            Some("shop".to_owned()),
            "undeclared_event".to_owned()
        )],
        2
    );
}
