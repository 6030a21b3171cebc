//! Merchants' events: properties by registry, exact decimals, one event from two sources.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray, TimestampMicrosecondArray};
use tagmill_schemas::Kind;

use crate::bad_input::fails;
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
    let rows_of = |text: fn(&(&str, &str)) -> String| -> ArrayRef { Arc::new(StringArray::from_iter_values(rows.iter().map(text))) };
    let columns = vec![
        ("app", rows_of(|_| "shop".to_owned())),
        ("user", rows_of(|row| row.0.to_owned())),
        ("event", rows_of(|_| "scan".to_owned())),
        ("props", rows_of(|row| row.1.to_owned())),
        ("time", Arc::new(TimestampMicrosecondArray::from(vec![NOON; rows.len()])) as ArrayRef),
    ];
    hand.write(&format!("raw/{source}/dt={DAY}/part.parquet"), columns);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_event_of_two_sources_with_one_registry_is_one_event() {
    let hand = Hand::new(&[&source("web"), &source("till")]);
    hand.write_bytes("conf/events.ndjson", REGISTRY);
    write(&hand, "web", &[("u1", r#"{"place":"b","fee":"1.005"}"#), ("u2", r#"{"place":"b"}"#)]);
    write(&hand, "till", &[("u1", r#"{"place":"a","fee":2}"#), ("u1", r#"{"place":"b","fee":1.015}"#)]);
    hand.init_and_run().await.unwrap();
    let release = hand.published().await;
    let uid = release.dictionary().await[&(String::new(), "u1".to_owned())];
    let (events, values) = release.behaviour(day(DAY)).await;
    assert_eq!(events[&("shop".to_owned(), "scan".to_owned())].len(), 2);
    let place = |value: &str, number| ("shop".to_owned(), "scan".to_owned(), "place".to_owned(), Some(value.to_owned()), number, false);
    assert!(values[&place("a", 0)].contains(&uid) && values[&place("b", 1)].contains(&uid), "{values:?}");
    let measures = release.measures(day(DAY)).await;
    let of = |measure: &str, number| measures[&("shop".to_owned(), "scan".to_owned(), measure.to_owned(), number, false)][&uid];
    // Half to even, digit by digit: 1.005 is 100 and 1.015 is 102 hundredths.
    assert_eq!((of("*", 0), of("*", 1), of("fee", 0), of("fee", 1)), (1, 2, 200, 202));
    let counts = release.manifest.counts.iter().map(|count| (count.source.as_str(), count.accepted)).collect::<Vec<_>>();
    assert_eq!(counts, [("till", 2), ("web", 2)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_event_of_two_sources_that_say_different_things_of_it_is_refused() {
    let second = EVENTS.replace("'events'", "'more'") + "[source.dimensions]\ncity = 'city'\n";
    let hand = Hand::new(&[EVENTS, &second]);
    hand.write_events(DAY, &[("shop", "u1", "visit", Some("Oslo"), None)]);
    fails(&hand, hand.init_and_run().await, Kind::Refused, &["\"visit\"", "source events", "source more"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn properties_that_are_not_of_their_type_reject_the_row() {
    let hand = Hand::new(&[&source("web")]);
    hand.write_bytes("conf/events.ndjson", REGISTRY);
    write(&hand, "web", &[("u1", r#"{"place":"b","fee":"much"}"#), ("u2", "not json"), ("u3", r#"{"place":null,"other":1}"#), ("u4", "[]")]);
    hand.init_and_run().await.unwrap();
    let quality = hand.published().await.quality().await;
    let of = |metric: &str| quality[&("web".to_owned(), Some("shop".to_owned()), metric.to_owned())];
    assert_eq!((of("read"), of("accepted"), of("rejected:bad_property"), of("rejected:bad_json"), of("undeclared_property")), (4, 1, 1, 2, 1));
}
