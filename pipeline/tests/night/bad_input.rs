//! Raw files that break their contract: exit status, message, and nothing published or nothing
//! lost.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array, Int64Array, StringArray};
use tagmill_pipeline::{Report, Silent, find_inputs};
use tagmill_schemas::{Kind, Result};
use tagmill_testdata::oracle::value::Value;
use tagmill_warehouse::release::{Parents, newest_release};

use crate::fixture::{request, warehouse};
use crate::hand::{DAY, Hand, PROFILE_TAGS, PROFILES, day, parquet, profiles, truncate};

pub const PART: &str = "raw/profiles/dt=2026-11-19/part.parquet";
pub const SECOND: &str = "raw/profiles/dt=2026-11-19/second.parquet";

pub fn shop() -> Hand {
    let hand = Hand::new(&[PROFILES, PROFILE_TAGS]);
    hand.write_profiles(
        DAY,
        &[
            ("shop", Some("u1"), Some("Oslo"), Some(30)),
            ("shop", Some("u2"), Some("Rome"), Some(40)),
        ],
    );
    hand
}

/// Fails as told, says all `parts`, and leaves nothing published.
pub async fn fails(hand: &Hand, result: Result<Report>, kind: Kind, parts: &[&str]) {
    let error = result.unwrap_err();
    let sentence = error.to_string();
    assert_eq!(error.kind(), kind, "{sentence}");
    for part in parts {
        assert!(sentence.contains(part), "{part:?} is not in: {sentence}");
    }
    assert!(!sentence.contains('\n'), "{sentence}");
    assert_eq!(sentence.matches("a retry can").count(), 1, "{sentence}");
    assert!(
        newest_release(&warehouse(&hand.config))
            .await
            .unwrap()
            .is_none(),
        "something is published"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_truncated_file_is_refused_by_name() {
    let hand = shop();
    let path = hand.path(PART);
    truncate(&path, std::fs::metadata(&path).unwrap().len() / 2);
    fails(
        &hand,
        hand.init_and_run().await,
        Kind::Refused,
        &["part.parquet", "not whole Parquet"],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_damaged_behind_a_sound_footer_is_refused_by_name() {
    let hand = shop();
    let mut bytes = std::fs::read(hand.path(PART)).unwrap();
    bytes[4..60].fill(0xff);
    hand.write_bytes(PART, bytes);
    hand.write(
        "raw/profiles/dt=2026-11-19/another.parquet",
        profiles(&[("shop", Some("u7"), Some("Oslo"), Some(1))]),
    );
    hand.write(
        SECOND,
        profiles(&[("shop", Some("u8"), Some("Oslo"), Some(1))]),
    );
    fails(
        &hand,
        hand.init_and_run().await,
        Kind::Refused,
        &[
            "raw data can not be read",
            "/part.parquet (source profiles)",
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_not_parquet_is_refused_by_name() {
    let hand = shop();
    hand.write_bytes(SECOND, "app,user\nshop,u1\n");
    fails(
        &hand,
        hand.init_and_run().await,
        Kind::Refused,
        &["second.parquet", "not whole Parquet"],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_file_is_refused_by_name() {
    let hand = shop();
    hand.write_bytes(SECOND, "");
    fails(
        &hand,
        hand.init_and_run().await,
        Kind::Refused,
        &["second.parquet", "empty file"],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_directory_and_a_date_without_data_are_not_ready_yet() {
    let hand = shop();
    std::fs::create_dir_all(hand.path("raw/profiles/dt=2026-11-20")).unwrap();
    hand.init().await;
    fails(
        &hand,
        hand.run("2026-11-20").await,
        Kind::Retry,
        &["profiles", "2026-11-20"],
    )
    .await;
    fails(
        &hand,
        hand.run("2026-11-21").await,
        Kind::Retry,
        &["profiles", "2026-11-21"],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_column_names_file_column_and_what_is_there() {
    let hand = shop();
    hand.write(
        PART,
        vec![
            ("app", Arc::new(StringArray::from(vec!["shop"])) as ArrayRef),
            ("user", Arc::new(StringArray::from(vec!["u1"]))),
            ("age", Arc::new(Int64Array::from(vec![1]))),
        ],
    );
    fails(
        &hand,
        hand.init_and_run().await,
        Kind::Refused,
        &["missing column \"city\"", "age"],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_column_missing_in_one_file_of_two_names_that_file() {
    let hand = shop();
    hand.write(
        SECOND,
        vec![
            ("app", Arc::new(StringArray::from(vec!["shop"])) as ArrayRef),
            ("user", Arc::new(StringArray::from(vec!["u1"]))),
            ("age", Arc::new(Int64Array::from(vec![1]))),
        ],
    );
    fails(
        &hand,
        hand.init_and_run().await,
        Kind::Refused,
        &["missing column \"city\"", "second.parquet"],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_type_that_changes_between_files_names_file_column_expected_and_found() {
    let hand = shop();
    let mut columns = profiles(&[("shop", Some("u3"), Some("Bonn"), None)]);
    columns[3] = ("age", Arc::new(StringArray::from(vec!["30"])));
    hand.write(SECOND, columns);
    fails(
        &hand,
        hand.init_and_run().await,
        Kind::Refused,
        &["second.parquet", "\"age\"", "is text", "expected integer"],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn widths_of_one_kind_may_differ_between_files() {
    let hand = shop();
    let mut columns = profiles(&[("shop", Some("u3"), Some("Bonn"), None)]);
    columns[3] = ("age", Arc::new(Int32Array::from(vec![50])));
    hand.write(SECOND, columns);
    hand.init_and_run().await.unwrap();
    let tags = hand.published().await.tags().await;
    assert_eq!(
        tags[&("shop".to_owned(), "age".to_owned(), Value::Integer(50))].len(),
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tag_of_a_type_that_its_column_can_not_be_rejects_the_row() {
    let hand = shop();
    let mut columns = profiles(&[
        ("shop", Some("u1"), Some("Bonn"), None),
        ("shop", Some("u2"), Some("Oslo"), None),
    ]);
    columns[3] = ("age", Arc::new(StringArray::from(vec!["thirty", "31"])));
    hand.write(PART, columns);
    hand.init_and_run().await.unwrap();
    let release = hand.published().await;
    assert_eq!(
        release.quality().await[&(
            "profiles".to_owned(),
            Some("shop".to_owned()),
            "rejected:bad_age".to_owned()
        )],
        1
    );
    let rejects = release.rejects().await;
    assert!(
        rejects
            .iter()
            .any(|(_, _, reason, row)| reason == "bad_age" && row.contains("thirty")),
        "{rejects:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_changes_while_it_is_read_ends_the_run_without_a_release() {
    let hand = shop();
    hand.init().await;
    let rewrite = OnStage {
        stage: "shards",
        act: Box::new(|| {
            hand.write_profiles(
                DAY,
                &[
                    ("shop", Some("u1"), Some("Oslo"), Some(31)),
                    ("shop", Some("u2"), Some("Rome"), Some(40)),
                ],
            )
        }),
    };
    let result = tagmill_pipeline::run(&request(&hand.config, day(DAY)), &rewrite).await;
    fails(
        &hand,
        result,
        Kind::Retry,
        &["part.parquet", "changed while it was read"],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_counted_against_the_footers() {
    let hand = shop();
    hand.init().await;
    let request = request(&hand.config, day(DAY));
    let inputs = find_inputs(&request, &Parents::default(), &Silent)
        .await
        .unwrap();
    let [input] = inputs.as_slice() else {
        panic!("one source")
    };
    assert_eq!(input.record(request.date).files[0].rows, 2);
    let bytes = parquet(profiles(&[]));
    hand.write_bytes(SECOND, bytes);
    assert_eq!(
        hand.run(DAY).await.unwrap().rows["profiles"],
        2,
        "a file without rows is no fault"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mistyped_column_to_clean_is_no_way_to_leave_it_uncleaned() {
    let hand = Hand::new(&[
        PROFILES,
        "clean = { citty = 'upper(city)' }\n",
        PROFILE_TAGS,
    ]);
    hand.write_profiles(DAY, &[("shop", Some("u1"), Some("Oslo"), Some(30))]);
    fails(
        &hand,
        hand.init_and_run().await,
        Kind::Refused,
        &[
            "missing column \"citty\", did you mean \"city\"",
            "profiles clean.citty",
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_that_is_a_folder_is_not_waited_for() {
    let hand = shop();
    let hand = Hand {
        config: hand.config.replace("dt={date}/*.parquet", "dt={date}"),
        ..hand
    };
    fails(
        &hand,
        hand.init_and_run().await,
        Kind::Setup,
        &["found a folder", "raw/profiles/dt=2026-11-19", "/*.parquet"],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_readiness_test_may_be_a_number_of_markers() {
    let hand = Hand::new(&[
        PROFILES,
        "ready = { path = '@OUT@/raw/profiles/dt={date}/*.done', count = 2 }\n",
        PROFILE_TAGS,
    ]);
    hand.write_profiles(DAY, &[("shop", Some("u1"), Some("Oslo"), Some(30))]);
    fails(
        &hand,
        hand.init_and_run().await,
        Kind::Retry,
        &["source profiles has no data", "*.done"],
    )
    .await;
    hand.write_bytes("raw/profiles/dt=2026-11-19/a.done", "");
    let one = hand.run(DAY).await;
    fails(&hand, one, Kind::Retry, &["*.done (1 of 2 are there)"]).await;
    hand.write_bytes("raw/profiles/dt=2026-11-19/b.done", "");
    hand.run(DAY).await.unwrap();
}

/// `profiles` with one more column, which no rule of the source names.
fn with_column(name: &'static str, column: ArrayRef) -> Vec<(&'static str, ArrayRef)> {
    let mut columns = profiles(&[("shop", Some("u3"), Some("Bonn"), Some(50))]);
    columns.push((name, column));
    columns
}

#[tokio::test(flavor = "multi_thread")]
async fn files_may_disagree_on_a_column_that_nobody_needs() {
    let hand = shop();
    hand.write(
        "raw/profiles/dt=2026-11-19/a.parquet",
        with_column("extra", Arc::new(Int64Array::from(vec![1]))),
    );
    hand.write(
        SECOND,
        with_column("extra", Arc::new(StringArray::from(vec!["x"]))),
    );
    hand.init().await;
    assert_eq!(hand.run(DAY).await.unwrap().rows["profiles"], 4);
    let needs = hand.config.replace("value = 'city'", "value = 'extra'");
    let error = crate::fixture::run(&needs, day(DAY)).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Refused);
    for part in [
        "second.parquet",
        "\"extra\" is text",
        "expected integer as in",
        "a.parquet",
    ] {
        assert!(error.to_string().contains(part), "{part}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_columns_of_one_name_none_is_taken() {
    let hand = shop();
    hand.write(
        PART,
        with_column("city", Arc::new(StringArray::from(vec!["Rome"]))),
    );
    fails(
        &hand,
        hand.init_and_run().await,
        Kind::Refused,
        &["part.parquet", "column \"city\" is there twice"],
    )
    .await;
}

/// Acts when a stage begins.
pub struct OnStage<'a> {
    pub stage: &'static str,
    pub act: Box<dyn Fn() + Send + Sync + 'a>,
}

impl tagmill_pipeline::Observer for OnStage<'_> {
    fn stage(&self, name: &'static str, _: &str) {
        if name == self.stage {
            (self.act)();
        }
    }

    fn progress(&self, _: u64, _: u64) {}

    fn warn(&self, _: &str) {}
}

#[tokio::test(flavor = "multi_thread")]
async fn expressions_are_checked_before_anything_is_read() {
    for (expression, kind, parts) in [
        (
            "age",
            Kind::Setup,
            &["found integer", "true or false", "profiles filter"][..],
        ),
        ("age > > 3", Kind::Setup, &["profiles filter"]),
        (
            "agee > 3",
            Kind::Refused,
            &["missing column \"agee\"", "did you mean \"age\""],
        ),
        (
            "sum(age) > 3",
            Kind::Setup,
            &["the aggregate sum()", "profiles filter"],
        ),
        ("age IN (SELECT 1)", Kind::Setup, &["a subquery"]),
        ("random() < 0.5", Kind::Setup, &["random()", "rerun"]),
        (
            "age > $day",
            Kind::Setup,
            &["the placeholder $day", "profiles filter"],
        ),
        (
            "current_date > $date",
            Kind::Setup,
            &["current_date()", "rerun"],
        ),
        (
            "100 / (age - 30) > 1",
            Kind::Refused,
            &["failed_expression 1", "hold for no row", "profiles"],
        ),
    ] {
        let hand = Hand::new(&[
            PROFILES,
            &format!("filter = '{expression}'\n"),
            PROFILE_TAGS,
        ]);
        hand.write_profiles(DAY, &[("shop", Some("u1"), Some("Oslo"), Some(30))]);
        fails(&hand, hand.init_and_run().await, kind, parts).await;
    }
}
