//! Columns by name and by expression: constants, casts, the case that the files have.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray, TimestampMicrosecondArray};
use tagmill_schemas::Kind;
use tagmill_testdata::oracle::value::Value;

use crate::bad_input::fails;
use crate::hand::{DAY, Hand, NOON, day};

const RATINGS: &str = "raw/ratings/dt=2026-11-19/part.parquet";

/// What a film site has: no app, no event, ids as numbers, capitals.
fn ratings() -> Vec<(&'static str, ArrayRef)> {
    let time = TimestampMicrosecondArray::from(vec![NOON, NOON, NOON]).with_timezone("UTC");
    vec![
        ("UserId", Arc::new(Int64Array::from(vec![1, 2, 2]))),
        (
            "Country",
            Arc::new(StringArray::from(vec!["NO", "IT", "IT"])),
        ),
        ("Rated At", Arc::new(time)),
        ("Stars", Arc::new(Int64Array::from(vec![5, 3, 4]))),
    ]
}

fn source(columns: &str, more: &str) -> Hand {
    let source = format!(
        "[[source]]\nname = 'ratings'\nkind = 'behaviour'\npath = \
         '@OUT@/raw/ratings/dt={{date}}/*.parquet'\ncolumns = {{ app = \"'films'\", {columns} \
         }}\n{more}"
    );
    let hand = Hand::new(&[&source]);
    hand.write(RATINGS, ratings());
    hand
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_without_a_column_of_its_name_is_a_constant() {
    let hand = source(
        "user = \"concat('u', cast(UserId as text))\", event = \"'rate'\", time = 'rated at'",
        "[source.dimensions]\ncountry = 'country'\nCountry = 'Country'\nband = \"case when stars > \
         3 then 'good' else 'poor' end\"\n[source.measures]\nstars = { value = 'STARS' }\n",
    );
    let report = hand.init_and_run().await.unwrap();
    assert_eq!((report.users, report.rejected), (2, 0));
    let release = hand.published().await;
    let users: Vec<String> = release
        .dictionary()
        .await
        .into_keys()
        .map(|key| key.1)
        .collect();
    assert_eq!(users, ["u1", "u2"]);
    let (events, values) = release.behaviour(day(DAY)).await;
    let key = ("films".to_owned(), "rate".to_owned());
    assert_eq!(events[&key].len(), 2);
    let of = |dimension: &str| {
        let own = values.keys().filter(|key| key.2 == dimension);
        own.filter_map(|key| key.3.clone()).collect::<Vec<_>>()
    };
    assert_eq!(of("country").len(), 3);
    assert_eq!(of("country"), of("Country"));
    assert!(of("band").contains(&"good".to_owned()), "{values:?}");
    let sums = release.measures(day(DAY)).await;
    let stars = sums.iter().filter(|(key, _)| key.2 == "stars");
    let total: i128 = stars.flat_map(|(_, numbers)| numbers.values()).sum();
    assert_eq!(total, 12);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_that_the_path_names_needs_no_time() {
    let hand = source(
        "user = 'userid', event = \"'rate'\"",
        "day = { by = 'path' }\n",
    );
    hand.init_and_run().await.unwrap();
    let (events, _) = hand.published().await.behaviour(day(DAY)).await;
    assert_eq!(events.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn tags_and_cleaning_take_names_in_any_case() {
    let hand = Hand::new(&["[[source]]\nname = 'p'\nkind = 'attributes'\npath = \
         '@OUT@/raw/ratings/dt={date}/*.parquet'\ncolumns = { app = \"lower('FILMS')\", user = \
         'USERID' }\ndedupe = { by = \"stars * 2\" }\nfilter = 'Stars > 3'\n[source.clean]\n\
         country = 'lower(Country)'\n[[tag]]\nname = 'country'\nsource = 'p'\ntype = 'string'\n\
         value = 'country'\n"]);
    hand.write(RATINGS, ratings());
    hand.init_and_run().await.unwrap();
    let tags = hand.published().await.tags().await;
    let found: Vec<_> = tags
        .into_iter()
        .map(|((app, _, value), _)| (app, value))
        .collect();
    let films = |name: &str| ("films".to_owned(), Value::String(name.to_owned()));
    assert_eq!(found, [films("it"), films("no")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_the_files_do_not_have_says_the_nearest() {
    for (columns, what) in [
        (
            "user = 'user_id', event = \"'rate'\", time = 'Rated At'",
            "\"user_id\", did you mean \"UserId\"",
        ),
        (
            "user = 'UserId', event = 'an event', time = 'Rated At'",
            "missing column \"an event\"",
        ),
        (
            "user = 'UserId', event = \"upper(evnt)\", time = 'Rated At'",
            "missing column \"evnt\"",
        ),
    ] {
        let hand = source(columns, "");
        fails(&hand, hand.init_and_run().await, Kind::Refused, &[what]).await;
    }
}
