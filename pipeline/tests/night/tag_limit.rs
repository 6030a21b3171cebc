//! More tags than an app may have: which ones stay, and of what types.

use std::collections::BTreeSet;

use crate::fixture::run;
use crate::hand::{DAY, GROUPS, Hand, day};
use crate::limits::{DAYS, over_limit, write_people};
use crate::release::Published;

/// Rows of `raw/profiles` as group tags: the tag is the city, the value the age.
const LABELS: &str = "[[source]]\nname = 'labels'\nkind = 'group_tags'\npath = \
                      '@OUT@/raw/profiles/dt={date}/*.parquet'\ncolumns = \
                      { app = 'app', user = 'user', tag = 'city', value = 'age' }\nregistry = \
                      '@OUT@/tags/*.ndjson'\n[[tag]]\nname = '*'\nsource = \
                      'labels'\n[limits]\ntags = 2\n";

async fn names_of_tags(release: &Published) -> BTreeSet<String> {
    release
        .tags()
        .await
        .into_keys()
        .filter(|(app, ..)| app == "shop")
        .map(|(_, tag, _)| tag)
        .collect()
}

fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn tags_beyond_the_number_of_an_app_are_not_published_from_the_next_night_on_and_come_back() {
    let hand = Hand::new(&[LABELS, GROUPS]);
    let rule = |tag: &str| {
        format!("{{\"app\":\"shop\",\"group\":\"{tag}\",\"rule\":\"{tag} IS NOT NULL\"}}\n")
    };
    hand.write_bytes("conf/a.ndjson", ["a", "b", "y"].map(rule).concat());
    hand.init().await;
    // (tags of the night, those published, how many are beyond, rows of tags that nobody knows,
    // status of the group on "a")
    let nights = [
        (&["b", "y"][..], &["b", "y"][..], None, None, "invalid"),
        // What is new can not be told from what is too much before the night is done: whole,
        // marked.
        (
            &["a", "b", "c", "y"],
            &["a", "b", "c", "y"],
            Some(2),
            None,
            "ok",
        ),
        // Known tags stay, marked ones are withheld, new ones are not taken.
        (
            &["a", "b", "c", "d", "y"],
            &["b", "y"],
            Some(2),
            Some(1),
            "over_limit",
        ),
        (&["a"], &[], None, None, "over_limit"),
        (&["a", "d"], &["a", "d"], None, None, "ok"),
    ];
    for (date, (tags, published, beyond, rows, status)) in DAYS.iter().zip(nights) {
        write_people(&hand, date, tags);
        hand.run(date).await.unwrap();
        let release = hand.published().await;
        assert_eq!(names_of_tags(&release).await, names(published), "{date}");
        assert_eq!(
            over_limit(&release, "labels", "tags").await,
            beyond,
            "{date}"
        );
        assert_eq!(
            over_limit(&release, "labels", "tag_rows").await,
            rows,
            "{date}"
        );
        let statuses = release.statuses().await;
        assert_eq!(
            statuses[&("shop".to_owned(), "a".to_owned())].0,
            status,
            "{date}"
        );
    }
    // A raised limit holds the same night.
    write_people(&hand, "2026-11-24", &["a", "d", "e"]);
    hand.run("2026-11-24").await.unwrap();
    write_people(&hand, "2026-11-25", &["a", "d", "e"]);
    run(
        &hand.config.replace("tags = 2", "tags = 20"),
        day("2026-11-25"),
    )
    .await
    .unwrap();
    assert_eq!(
        names_of_tags(&hand.published().await).await,
        names(&["a", "d", "e"])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_beyond_the_number_of_tags_is_counted_and_makes_no_tags_of_another_type() {
    let hand = Hand::new(&[LABELS]);
    let row = |tag: &str| format!("{{\"app\":\"shop\",\"tag\":\"{tag}\",\"type\":\"integer\"}}\n");
    hand.write_bytes("tags/a.ndjson", ["a", "b", "c"].map(row).concat());
    write_people(&hand, DAY, &["a", "b", "c", "c"]);
    hand.init_and_run().await.unwrap();
    let release = hand.published().await;
    assert_eq!(names_of_tags(&release).await, names(&["a", "b"]));
    assert_eq!(
        (
            over_limit(&release, "labels", "tags").await,
            over_limit(&release, "labels", "tag_rows").await
        ),
        (Some(1), Some(2))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tag_whose_registry_row_is_wrong_gets_no_type_until_it_is_right() {
    let hand = Hand::new(&[LABELS]);
    let row = |kind: &str| format!("{{\"app\":\"shop\",\"tag\":\"a\",\"type\":\"{kind}\"}}\n");
    hand.init().await;
    for (date, kind, published) in [
        (DAYS[0], "int", &["b"][..]),
        (DAYS[1], "integer", &["a", "b"]),
    ] {
        hand.write_bytes("tags/a.ndjson", row(kind));
        write_people(&hand, date, &["a", "b"]);
        hand.run(date).await.unwrap();
        assert_eq!(
            names_of_tags(&hand.published().await).await,
            names(published),
            "{date}"
        );
    }
    let of_a = hand
        .published()
        .await
        .manifest
        .tags
        .into_iter()
        .find(|entry| entry.tag == "a");
    assert_eq!(
        of_a.map(|entry| entry.value_type),
        Some(tagmill_schemas::ValueType::Integer)
    );
}
