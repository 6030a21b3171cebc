//! Expressions that fail on some rows: each costs its row, whatever it is an expression of.

use std::collections::BTreeMap;

use tagmill_testdata::oracle::value::Value;

use crate::hand::{DAY, Hand, PROFILE_TAGS, PROFILES};

/// Cities are what is cast; ages what is divided by.
const ROWS: [(&str, Option<&str>, Option<&str>, Option<i64>); 7] = [
    ("shop", Some("u1"), Some("7"), Some(30)),
    ("shop", Some("u2"), Some("x"), Some(31)),
    ("shop", Some("u3"), Some("8"), Some(0)),
    ("shop", Some("u4"), None, Some(33)),
    ("shop", Some("u5"), Some("y"), None),
    ("shop", Some("u6"), Some("9"), Some(34)),
    ("tea", Some("u7"), Some("z"), Some(-1)),
];

async fn metrics(hand: &Hand) -> BTreeMap<String, u64> {
    let mut sums = BTreeMap::new();
    for ((_, _, metric), rows) in hand.published().await.quality().await {
        *sums.entry(metric).or_default() += rows;
    }
    sums
}

/// Read, filtered and failed rows of a night with these keys of the source and tags.
async fn fates(source: &str, tags: &str) -> (u64, u64, u32) {
    let hand = Hand::new(&[PROFILES, source, tags]);
    hand.write_profiles(DAY, &ROWS);
    let report = hand.init_and_run().await.unwrap();
    let metrics = metrics(&hand).await;
    let of = |metric: &str| metrics.get(metric).copied().unwrap_or(0);
    let failed = of("rejected:failed_expression");
    assert_eq!(report.rejected, failed);
    assert_eq!(of("accepted") + of("filtered") + failed, 7);
    (of("filtered"), failed, report.attempt)
}

fn tag(value: &str) -> String {
    format!(
        "[[tag]]\nname = \"n\"\nsource = \"profiles\"\ntype = \"integer\"\nvalue = \"{value}\"\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_row_is_rejected_wherever_the_expression_stands() {
    let cast = tag("cast(city as int)");
    assert_eq!(fates("", &cast).await, (0, 3, 2));
    // In filter and reject rules, in clean, and in what they make of it.
    assert_eq!(
        fates("filter = \"cast(city as int) > 7\"\n", PROFILE_TAGS).await,
        (2, 3, 2)
    );
    let reject = "reject = { odd = \"100 / age > 1000\" }\n";
    assert_eq!(fates(reject, PROFILE_TAGS).await, (0, 1, 2));
    let clean = "clean = { city = \"cast(cast(city as int) as text)\" }\n";
    assert_eq!(fates(clean, PROFILE_TAGS).await, (0, 3, 2));
    // What the filter leaves out is filtered, unless it fails itself.
    assert_eq!(fates("filter = \"age > 0\"\n", &cast).await, (3, 1, 2));
    let both = "clean = { city = \"cast(cast(city as int) as text)\" }\nfilter = \"city <> '7'\"\n";
    assert_eq!(fates(both, PROFILE_TAGS).await, (2, 3, 2));
    // Nothing fails: nothing is asked row by row.
    assert_eq!(fates("", &tag("try_cast(city as int)")).await, (0, 0, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_values_of_the_others_are_as_if_it_were_not_there() {
    let tags = tag("cast(city as int) * 2");
    let (dirty, clean) = (Hand::new(&[PROFILES, &tags]), Hand::new(&[PROFILES, &tags]));
    dirty.write_profiles(DAY, &ROWS);
    let is_good = |row: &&(&str, Option<&str>, Option<&str>, Option<i64>)| {
        row.2.is_none_or(|city| city.parse::<i32>().is_ok())
    };
    let good: Vec<_> = ROWS.iter().filter(is_good).copied().collect();
    clean.write_profiles(DAY, &good);
    for hand in [&dirty, &clean] {
        hand.init_and_run().await.unwrap();
    }
    let tags = dirty.published().await.tags().await;
    assert_eq!(tags, clean.published().await.tags().await);
    let of = |value| tags[&("shop".to_owned(), "n".to_owned(), Value::Integer(value))].len();
    assert_eq!([of(14), of(16), of(18)], [1, 1, 1]);
}
