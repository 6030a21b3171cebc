//! Apps with more events than their limit, and registries with more dimensions and measures: counted,
//! told, and of one app alone.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray, TimestampMicrosecondArray};

use crate::fixture::run;
use crate::hand::{DAY, EVENTS, Hand, NOON, day};
use crate::limits::{DAYS, over_limit};
use crate::release::Published;

type Event = (
    &'static str,
    &'static str,
    &'static str,
    Option<&'static str>,
    Option<f64>,
);

/// `many` is done by three users, `few` by two, `one` by one, each of `shop`; `tea` has one event.
fn rows(events: &[(&'static str, usize)]) -> Vec<Event> {
    const USERS: [&str; 4] = ["u1", "u2", "u3", "u4"];
    let of_shop = events.iter().flat_map(|&(event, users)| {
        let users = USERS[..users].iter();
        users.map(move |user| ("shop", *user, event, None, None))
    });
    of_shop.chain([("tea", "u9", "sip", None, None)]).collect()
}

async fn events(release: &Published) -> BTreeSet<String> {
    let (events, _) = release.behaviour(release.manifest.date).await;
    events
        .into_keys()
        .map(|(app, event)| format!("{app}/{event}"))
        .collect()
}

fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn events_beyond_the_limit_are_published_once_and_then_counted() {
    let hand = Hand::new(&[EVENTS, "[limits]\nevents = 2\n"]);
    hand.init().await;
    hand.write_events(DAYS[0], &rows(&[("many", 3), ("few", 2), ("one", 1)]));
    let report = hand.run(DAYS[0]).await.unwrap();
    assert_eq!(
        report.warnings,
        [
            "app \"shop\" has more events than its limit of 2: all are published tonight, the next \
             night those that most users did"
        ]
    );
    let first = hand.published().await;
    assert_eq!(over_limit(&first, "events", "events").await, Some(1));
    assert_eq!(
        events(&first).await,
        names(&["shop/few", "shop/many", "shop/one", "tea/sip"])
    );

    hand.write_events(
        DAYS[1],
        &rows(&[("many", 1), ("new", 4), ("few", 1), ("one", 3)]),
    );
    let report = hand.run(DAYS[1]).await.unwrap();
    assert!(report.warnings[0].ends_with("the others are not published"));
    let second = hand.published().await;
    assert_eq!(
        events(&second).await,
        names(&["shop/few", "shop/many", "tea/sip"])
    );
    assert_eq!(over_limit(&second, "events", "event_rows").await, Some(7));
    let accepted = (
        "events".to_owned(),
        Some("shop".to_owned()),
        "accepted".to_owned(),
    );
    assert_eq!(second.quality().await[&accepted], 9);
    // Who did them is known all the same.
    assert_eq!(second.universe().await["shop"].len(), 4);

    // Within a raised limit, all are back; so they are the night after a night with few.
    hand.write_events(
        DAYS[2],
        &rows(&[("many", 1), ("new", 4), ("few", 1), ("one", 3)]),
    );
    let raised = hand.config.replace("events = 2", "events = 4");
    run(&raised, day(DAYS[2])).await.unwrap();
    let third = hand.published().await;
    assert_eq!(events(&third).await.len(), 5);
    assert_eq!(over_limit(&third, "events", "events").await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_app_may_have_another_limit_than_the_others() {
    let config = "[limits]\nevents = 1\n[limits.app.shop]\nevents = 9\n";
    let hand = Hand::new(&[EVENTS, config]);
    hand.write_events(DAY, &rows(&[("many", 3), ("few", 2)]));
    let report = hand.init_and_run().await.unwrap();
    assert_eq!(report.warnings, [] as [&str; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_keeps_the_first_by_name_and_says_what_it_does_not_use() {
    let hand = Hand::new(&["[[source]]
name = 'web'
kind = 'custom_events'
path = '@OUT@/raw/web/dt={date}/*.parquet'
columns = { app = 'app', user = 'user', event = 'event', time = 'time', properties = 'props' }
registry = '@OUT@/conf/*.ndjson'
[limits]
events = 2
dimensions_per_event = 1
measures_per_event = 1
"]);
    let row = |event: &str, property: &str, role: &str| {
        let value_type = if role == "measure" {
            "integer"
        } else {
            "string"
        };
        format!(
            r#"{{"app":"shop","event":"{event}","property":"{property}","role":"{role}","type":"{value_type}"}}"#
        ) + "\n"
    };
    let registry: String = ["a", "b", "c", "d"]
        .map(|event| row(event, "x", "dimension"))
        .concat()
        + &row("a", "y", "dimension")
        + &row("a", "m", "measure")
        + &row("a", "n", "measure");
    hand.write_bytes("conf/events.ndjson", registry);
    let text = |of: fn(usize) -> &'static str| -> ArrayRef {
        Arc::new(StringArray::from_iter_values((0..4).map(of)))
    };
    hand.write(
        &format!("raw/web/dt={DAY}/part.parquet"),
        vec![
            ("app", text(|_| "shop")),
            ("user", text(|_| "u1")),
            ("event", text(|row| ["a", "b", "c", "d"][row])),
            ("props", text(|_| r#"{"x":"1","y":"2","m":3,"n":4}"#)),
            (
                "time",
                Arc::new(TimestampMicrosecondArray::from(vec![NOON; 4]).with_timezone("UTC")),
            ),
        ],
    );
    hand.init_and_run().await.unwrap();
    let release = hand.published().await;
    assert_eq!(events(&release).await, names(&["shop/a", "shop/b"]));
    let (_, values) = release.behaviour(day(DAY)).await;
    let dimensions: BTreeSet<String> = values.into_keys().map(|key| key.2).collect();
    assert_eq!(dimensions, names(&["x"]));
    let measures: BTreeSet<String> = release
        .measures(day(DAY))
        .await
        .into_keys()
        .map(|k| k.2)
        .collect();
    assert_eq!(measures, names(&["*", "m"]));
    for (metric, count) in [("events", 2), ("dimensions", 1), ("measures", 1)] {
        assert_eq!(
            over_limit(&release, "web", metric).await,
            Some(count),
            "{metric}"
        );
    }
}
