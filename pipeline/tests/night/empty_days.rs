//! Days without files: a shop that is closed on Saturdays.

use tagmill_schemas::Kind;
use tagmill_schemas::manifest::InputStatus;

use crate::bad_input::fails;
use crate::hand::{DAY, EVENTS, GROUPS, Hand, PROFILE_TAGS, PROFILES, day};

const CLOSED: &str = "2026-11-20";
const AFTER: &str = "2026-11-21";
const OK: &str = "empty_days = 'ok'\n";

fn shop(sections: &[&str]) -> Hand {
    let hand = Hand::new(sections);
    for date in [DAY, AFTER] {
        hand.write_events(date, &[("shop", "u1", "visit", Some("Oslo"), None)]);
    }
    hand
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_without_files_is_a_night_of_nothing_where_the_source_allows_it() {
    let hand = shop(&[EVENTS, OK]);
    hand.init_and_run().await.unwrap();
    let report = hand.run(CLOSED).await.unwrap();
    assert_eq!(
        (report.release, report.new_users, report.rejected),
        (Some(2), 0, 0)
    );
    assert!(report.warnings.is_empty(), "{:?}", report.warnings);
    let release = hand.published().await;
    assert_eq!(release.behaviour(day(CLOSED)).await.0.len(), 0);
    assert_eq!(release.behaviour(day(DAY)).await.0.len(), 1);
    let input = &release.manifest.inputs[0];
    assert_eq!((input.status, input.files.len()), (InputStatus::Read, 0));
    hand.run(AFTER).await.unwrap();
    // The first of several nights, and a backfill: a date before the head.
    let backfill = "2026-11-18";
    hand.run(backfill).await.unwrap();
    assert_eq!(
        hand.published()
            .await
            .behaviour(day(backfill))
            .await
            .0
            .len(),
        0
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rerun_of_a_day_whose_files_are_gone_takes_its_behaviour_away() {
    let hand = shop(&[EVENTS, OK]);
    hand.init_and_run().await.unwrap();
    std::fs::remove_dir_all(hand.path("raw/events/dt=2026-11-19")).unwrap();
    hand.run(DAY).await.unwrap();
    assert_eq!(hand.published().await.behaviour(day(DAY)).await.0.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_key_the_night_waits_and_names_it() {
    let hand = shop(&[EVENTS]);
    hand.init().await;
    let run = hand.run(CLOSED).await;
    fails(
        &hand,
        run,
        Kind::Retry,
        &["no data for 2026-11-20", "empty_days = \"ok\""],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_without_a_file_of_any_date_is_a_mistake() {
    let hand = Hand::new(&[EVENTS, OK]);
    hand.init().await;
    fails(
        &hand,
        hand.run(DAY).await,
        Kind::Setup,
        &["no file of any date"],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_marker_that_is_not_there_still_makes_the_night_wait() {
    let hand = shop(&[
        EVENTS,
        OK,
        "ready = '@OUT@/raw/events/dt={date}/_SUCCESS'\n",
    ]);
    hand.init().await;
    fails(&hand, hand.run(CLOSED).await, Kind::Retry, &["_SUCCESS"]).await;
    hand.write_bytes("raw/events/dt=2026-11-20/_SUCCESS", "");
    hand.run(CLOSED).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_keeps_its_values_stale_and_changes_keep_theirs_fresh() {
    for (more, status) in [
        ("late = { policy = 'carry' }\nempty_days = 'ok'\n", "stale"),
        ("content = 'changes'\nempty_days = 'ok'\n", "ok"),
    ] {
        let hand = Hand::new(&[PROFILES, more, PROFILE_TAGS, GROUPS]);
        hand.write_profiles(DAY, &[("shop", Some("u1"), Some("Oslo"), Some(30))]);
        hand.write_bytes(
            "conf/g.ndjson",
            "{\"app\":\"shop\",\"group\":\"oslo\",\"rule\":\"city = 'Oslo'\"}\n",
        );
        hand.init_and_run().await.unwrap();
        hand.run(CLOSED).await.unwrap();
        let release = hand.published().await;
        assert_eq!(release.tags().await.len(), 2, "{more}");
        let statuses = release.statuses().await;
        let oslo = &statuses[&("shop".to_owned(), "oslo".to_owned())];
        assert_eq!(oslo, &(status.to_owned(), Some(1)), "{more}");
    }
}
