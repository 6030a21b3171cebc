//! No source is lost without a word: markers, table formats, links to nothing, rows that are
//! rejected, too few or superseded.

use std::os::unix::fs::symlink;

use tagmill_pipeline::Report;
use tagmill_schemas::{Kind, Result};

use crate::bad_input::fails;
use crate::hand::{
    DAY, EVENTS, GROUPS, Hand, PROFILE_TAGS, PROFILES, day, parquet, profiles, text_columns,
};

const NEXT: &str = "2026-11-20";

#[tokio::test(flavor = "multi_thread")]
async fn every_folder_that_has_files_has_its_marker_before_a_source_is_ready() {
    let by_hour = PROFILES.replace("/*.parquet", "/hour=*/*.parquet");
    let ready = "ready = '@OUT@/raw/profiles/dt={date}/hour=*/_SUCCESS'\n";
    let hand = Hand::new(&[&by_hour, ready, PROFILE_TAGS]);
    hand.init().await;
    let hour = |hour: &str, file: &str| format!("raw/profiles/dt={DAY}/hour={hour}/{file}");
    for (number, name) in ["00", "01", "02"].iter().enumerate() {
        let user = format!("u{number}");
        let rows = [("shop", Some(user.as_str()), Some("Oslo"), Some(30))];
        hand.write_bytes(&hour(name, "part.parquet"), parquet(profiles(&rows)));
    }
    for marked in ["00", "02"] {
        hand.write_bytes(&hour(marked, "_SUCCESS"), "");
        let words = &["source profiles has no data", "hour=01 has none"];
        fails(&hand, hand.run(DAY).await, Kind::Retry, words).await;
    }
    hand.write_bytes(&hour("01", "_SUCCESS"), "");
    assert_eq!(hand.run(DAY).await.unwrap().users, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_of_a_table_format_is_refused_with_what_to_do() {
    for (file, name) in [
        ("raw/profiles/_delta_log/00000000000000000000.json", "Delta"),
        ("raw/.hoodie/hoodie.properties", "Hudi"),
        (
            "raw/profiles/dt=2026-11-19/metadata/v1.metadata.json",
            "Iceberg",
        ),
    ] {
        let hand = with_rows(&[("shop", Some("u1"), Some("Oslo"), Some(30))], "");
        hand.write_bytes("raw/profiles/dt=2026-11-19/data/x.parquet", "");
        hand.write_bytes(file, "{}");
        let refused = hand.init_and_run().await;
        fails(
            &hand,
            refused,
            Kind::Setup,
            &[name, "/raw", "copy one version"],
        )
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_to_nothing_ends_the_night_wherever_it_stands() {
    for link in [
        "raw/profiles/dt=2026-11-19/b.parquet",
        "conf/b.ndjson",
        "lists/shop/vip.csv",
    ] {
        let hand = with_rows(&[("shop", Some("u1"), Some("Oslo"), Some(30))], GROUPS);
        hand.write_bytes("conf/a.ndjson", rule("shop", "a", "age > 3"));
        hand.write_bytes("lists/shop/a.csv", "u1\n");
        symlink("/nonexistent", hand.path(link)).unwrap();
        let refused = hand.init_and_run().await;
        fails(&hand, refused, Kind::Retry, &["a link to nothing", link]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_that_became_empty_or_is_all_rejected_refuses_the_night() {
    let three = [
        ("shop", Some("u1"), Some("Oslo"), Some(30)),
        ("shop", Some("u2"), Some("Rome"), Some(40)),
        ("tea", Some("u1"), None, Some(7)),
    ];
    let nobody = three.map(|(app, _, city, age)| (app, None, city, age));
    let hand = with_rows(&three, "");
    hand.init_and_run().await.unwrap();
    hand.write_profiles(NEXT, &[]);
    let empty = hand.run(NEXT).await;
    refused(empty, &["source profiles has 0 rows", "had 3 rows before"]);
    hand.write_profiles(NEXT, &nobody);
    let words = &[
        "source profiles: 3 of 3 rows are rejected (100 %): no_user 3",
        "nothing of it would be left",
        "first row rejected as no_user: {",
    ];
    refused(hand.run(NEXT).await, words);
    let allowed = hand
        .config
        .replace("kind = 'attributes'", "kind = 'attributes'\nmin_rows = 0");
    let report = crate::fixture::run(&allowed, day(NEXT)).await.unwrap();
    assert_eq!(report.rejects[0].share, 1.0);
    assert_eq!(
        report.warnings,
        ["source profiles: 3 of 3 rows are rejected (100 %): no_user 3"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn too_few_rows_refuse_the_night_before_anything_is_computed() {
    let row = ("shop", Some("u1"), Some("Oslo"), Some(30));
    let hand = with_rows(&[row; 4], "");
    hand.init_and_run().await.unwrap();
    hand.write_profiles(NEXT, &[row; 2]);
    for (key, words) in [
        ("min_rows = 3", "has 2 rows, but min_rows is 3"),
        (
            "min_of_last = '75%'",
            "has 2 rows, but min_of_last is 75 % of the 4 rows read last",
        ),
    ] {
        let with = format!("kind = 'attributes'\n{key}");
        let config = hand.config.replace("kind = 'attributes'", &with);
        refused(crate::fixture::run(&config, day(NEXT)).await, &[words]);
    }
    let config = hand.config.replace(
        "kind = 'attributes'",
        "kind = 'attributes'\nmin_of_last = '50%'",
    );
    crate::fixture::run(&config, day(NEXT)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn more_rejected_rows_than_the_limit_refuse_the_night_with_a_sample() {
    let hand = Hand::new(&[EVENTS]);
    let write = |bad: usize| {
        let rows: Vec<[&str; 4]> = (0..2_000)
            .map(|row| match row < bad {
                true => ["tea", "u1", "buy", "2015-09-12 at 00:46:58"],
                false => ["shop", "u2", "buy", "2026-11-19T10:00:00Z"],
            })
            .collect();
        let columns = text_columns(["app", "user", "event", "time"], &rows);
        hand.write(&format!("raw/events/dt={DAY}/part.parquet"), columns);
    };
    write(402);
    hand.init().await;
    let words = &[
        "source events: 402 of 2000 rows are rejected (20.1 %): no_time 402; more than \
         max_rejected of 20 %",
        "first row rejected as no_time: {",
        "2015-09-12 at 00:46:58",
        "tagmill plan",
    ];
    fails(&hand, hand.run(DAY).await, Kind::Refused, words).await;
    // Of one app that has few rows nobody can tell; by reason one can.
    write(400);
    let by_reason = hand.config.replace(
        "kind = 'behaviour'",
        "kind = 'behaviour'\nmax_rejected = { share = '50%', no_time = '5%' }",
    );
    let words = "more than max_rejected.no_time of 5 %";
    refused(crate::fixture::run(&by_reason, day(DAY)).await, &[words]);
    let report = hand.run(DAY).await.unwrap();
    assert_eq!((report.rejected, report.rejects[0].rows), (400, 400));
    assert!(report.warnings[0].contains("400 of 2000 rows are rejected (20 %)"));
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_another_row_takes_the_place_of_are_counted() {
    let labels = "[[source]]
name = 'labels'
kind = 'group_tags'
path = '@OUT@/raw/labels/dt={date}/*.parquet'
columns = { app = 'app', user = 'user', tag = 'tag', value = 'value' }
[[tag]]
name = 'arm'
source = 'labels'
type = 'string'
[[tag]]
name = 'likes'
source = 'labels'
type = 'string'
multi = true
";
    let hand = Hand::new(&[PROFILES, PROFILE_TAGS, labels]);
    hand.write_profiles(
        DAY,
        &[
            ("shop", Some("u1"), Some("Oslo"), Some(30)),
            ("shop", Some("u1"), Some("Rome"), Some(40)),
            ("tea", Some("u1"), None, Some(7)),
        ],
    );
    let columns = text_columns(
        ["app", "user", "tag", "value"],
        &[
            ["shop", "u1", "arm", "control"],
            ["shop", "u1", "arm", "treatment"],
            ["shop", "u2", "arm", "control"],
            ["shop", "u1", "likes", "tea"],
            ["shop", "u1", "likes", "jam"],
            ["shop", "u1", "likes", "jam"],
        ],
    );
    hand.write(&format!("raw/labels/dt={DAY}/part.parquet"), columns);
    let report = hand.init_and_run().await.unwrap();
    assert_eq!(report.superseded, 3);
    let release = hand.published().await;
    let counts = release.manifest.counts.iter();
    let counts: Vec<(&str, &str, u64, u64)> = counts
        .map(|c| {
            let app = c.app.as_deref().unwrap_or_default();
            (c.source.as_str(), app, c.accepted, c.superseded)
        })
        .collect();
    assert_eq!(
        counts,
        [
            ("labels", "shop", 6, 2),
            ("profiles", "shop", 2, 1),
            ("profiles", "tea", 1, 0)
        ]
    );
}

fn with_rows(rows: &[(&str, Option<&str>, Option<&str>, Option<i64>)], sections: &str) -> Hand {
    let hand = Hand::new(&[PROFILES, PROFILE_TAGS, sections]);
    hand.write_profiles(DAY, rows);
    hand
}

fn rule(app: &str, group: &str, rule: &str) -> String {
    format!("{{\"app\":\"{app}\",\"group\":\"{group}\",\"rule\":\"{rule}\"}}\n")
}

fn refused(result: Result<Report>, words: &[&str]) {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), Kind::Refused, "{error}");
    for word in words {
        assert!(error.to_string().contains(word), "{word:?} not in {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_behind_the_date_that_no_folder_has_is_no_reason_to_wait() {
    let hand = Hand::new(&[&EVENTS.replace("dt={date}/", "dt={date}/evnts/")]);
    hand.write_bytes("raw/events/dt=2026-11-18/events/a.parquet", "");
    hand.init().await;
    let error = hand.run(DAY).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Setup);
    let told = error.to_string();
    for words in [
        "no folder has \"evnts\"",
        "did you mean \"events\"?",
        "dt=2026-11-18",
    ] {
        assert!(told.contains(words), "{told}");
    }
    // What may come is waited for.
    let hand = Hand::new(&[EVENTS]);
    hand.write_bytes("raw/events/dt=2026-11-18/_temporary", "");
    hand.init().await;
    assert_eq!(hand.run(DAY).await.unwrap_err().kind(), Kind::Retry);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_problem_of_a_source_is_at_its_line_and_not_in_a_sentence() {
    let hand = Hand::new(&[EVENTS]);
    let columns = text_columns(
        ["app", "user", "event", "time"],
        &vec![["tea", "u1", "buy", "?"]; 2_000],
    );
    hand.write(&format!("raw/events/dt={DAY}/part.parquet"), columns);
    let problems = hand.init_and_run().await.unwrap_err().problems();
    assert_eq!(problems[0].file.as_deref(), Some("warehouse.toml"));
    assert!(problems[0].line.is_some());
    assert!(
        problems[0]
            .message
            .contains("first row rejected as no_time: {")
    );
}
