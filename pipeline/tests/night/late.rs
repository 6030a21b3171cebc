//! Sources that are late, changes, and dates before the head.

use std::collections::{BTreeMap, BTreeSet};

use tagmill_pipeline as job;
use tagmill_pipeline::{Request, Silent};
use tagmill_schemas::manifest::InputStatus;
use tagmill_schemas::{Artifact, Kind, Reason};
use tagmill_testdata::oracle::value::Value;
use tagmill_testdata::spec::Preset;

use crate::compare::{equals_the_oracle, same};
use crate::fixture::{Generated, init, published, request, run};
use crate::hand::{DAY, EVENTS, GROUPS, Hand, PROFILE_TAGS, PROFILES, day};
use crate::release::Published;

const NEXT: &str = "2026-11-20";

/// Number of users by tag and value.
async fn sizes(release: &Published) -> BTreeMap<(String, Value), usize> {
    release
        .tags()
        .await
        .into_iter()
        .map(|((_, tag, value), users)| ((tag, value), users.len()))
        .collect()
}

fn city(name: &str) -> (String, Value) {
    ("city".to_owned(), Value::String(name.to_owned()))
}

fn age(years: i64) -> (String, Value) {
    ("age".to_owned(), Value::Integer(years))
}

/// Profiles with this policy besides events; both have the first day, events the second as well.
async fn first_night(policy: &str) -> Hand {
    let hand = Hand::new(&[PROFILES, policy, PROFILE_TAGS, EVENTS, GROUPS]);
    hand.write_profiles(
        DAY,
        &[
            ("shop", Some("u1"), Some("Oslo"), Some(30)),
            ("shop", Some("u2"), Some("Rome"), None),
        ],
    );
    hand.write_bytes(
        "conf/g.ndjson",
        "{\"app\":\"shop\",\"group\":\"oslo\",\"rule\":\"city = 'Oslo'\"}\n{\"app\":\"shop\",\"group\":\"via\",\"rule\":\"NOT in_group('oslo')\"}\n{\"app\":\"shop\",\"group\":\"half\",\"rule\":\"in_split('s', 0, 100)\"}\n",
    );
    hand.write_events(DAY, &[("shop", "u1", "visit", None, None)]);
    hand.init_and_run().await.unwrap();
    hand.write_events(NEXT, &[("shop", "u3", "visit", None, None)]);
    hand
}

#[tokio::test(flavor = "multi_thread")]
async fn a_carried_source_keeps_its_values_and_groups_on_it_are_stale() {
    let hand = first_night("late = { policy = 'carry', max_days = 1 }\n").await;
    let before = sizes(&hand.published().await).await;
    hand.run(NEXT).await.unwrap();
    let release = hand.published().await;
    assert_eq!(sizes(&release).await, before);
    let input = release
        .manifest
        .inputs
        .iter()
        .find(|input| input.source == "profiles")
        .unwrap();
    assert_eq!((input.status, input.date), (InputStatus::Carried, day(DAY)));
    let statuses = release.statuses().await;
    let status = |group: &str| statuses[&("shop".to_owned(), group.to_owned())].clone();
    assert_eq!(status("oslo"), ("stale".to_owned(), Some(1)));
    assert_eq!(status("via"), ("stale".to_owned(), Some(2)));
    assert_eq!(status("half"), ("ok".to_owned(), Some(3)));
    // Twice in a row: the values are of the first day still, and too old now.
    hand.write_events("2026-11-21", &[("shop", "u3", "visit", None, None)]);
    let error = hand.run("2026-11-21").await.unwrap_err();
    assert_eq!(error.kind(), Kind::Retry);
    assert!(error.to_string().contains("2 days old"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_skipped_source_has_no_values_that_night_and_a_required_one_stops_it() {
    let hand = first_night("late = { policy = 'skip' }\n").await;
    hand.run(NEXT).await.unwrap();
    let release = hand.published().await;
    assert!(sizes(&release).await.is_empty());
    assert_eq!(release.universe().await["shop"].len(), 3);
    let statuses = release.statuses().await;
    assert_eq!(
        statuses[&("shop".to_owned(), "via".to_owned())],
        ("incomplete".to_owned(), Some(3))
    );

    let hand = first_night("").await;
    let error = hand.run(NEXT).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Retry);
    assert!(error.to_string().contains("profiles"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_without_its_marker_is_not_ready() {
    let hand = Hand::new(&[
        PROFILES,
        "ready = '@OUT@/raw/profiles/dt={date}/_SUCCESS'\n",
        PROFILE_TAGS,
    ]);
    hand.write_profiles(DAY, &[("shop", Some("u1"), Some("Oslo"), Some(30))]);
    let error = hand.init_and_run().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.reason()),
        (Kind::Retry, Some(Reason::NotReady))
    );
    assert!(error.to_string().contains("_SUCCESS"), "{error}");
    hand.write_bytes("raw/profiles/dt=2026-11-19/_SUCCESS", "");
    hand.run(DAY).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_keep_what_they_do_not_name_and_null_deletes() {
    let hand = Hand::new(&[PROFILES, "content = 'changes'\n", PROFILE_TAGS]);
    hand.write_profiles(
        DAY,
        &[
            ("shop", Some("u1"), Some("Oslo"), Some(30)),
            ("shop", Some("u2"), Some("Rome"), Some(40)),
            ("shop", Some("u3"), Some("Bonn"), Some(50)),
        ],
    );
    hand.init_and_run().await.unwrap();
    hand.write_profiles(
        NEXT,
        &[
            ("shop", Some("u1"), Some("Bonn"), None),
            ("shop", Some("u4"), None, Some(30)),
        ],
    );
    hand.run(NEXT).await.unwrap();
    let found = sizes(&hand.published().await).await;
    let expected = BTreeMap::from([
        (city("Bonn"), 2),
        (city("Rome"), 1),
        (age(40), 1),
        (age(50), 1),
        (age(30), 1),
    ]);
    same("changes", &found, &expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_night_without_changes_forgets_nothing() {
    let hand = first_night("content = 'changes'\nlate = { policy = 'skip' }\n").await;
    let before = sizes(&hand.published().await).await;
    hand.run(NEXT).await.unwrap();
    same("tags", &sizes(&hand.published().await).await, &before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rerun_of_one_source_keeps_what_the_date_has_of_the_others() {
    let other = PROFILES.replace("profiles", "people");
    let tag = "[[tag]]\nname = 'town'\nsource = 'people'\ntype = 'string'\nvalue = 'city'\n";
    let hand = Hand::new(&[PROFILES, PROFILE_TAGS, &other, tag]);
    let write = |date: &str, folder: &str, city: &str| {
        let rows = [
            ("shop", Some("u1"), Some(city), Some(1)),
            ("shop", None, Some(city), None),
        ];
        hand.write(
            &format!("raw/{folder}/dt={date}/part.parquet"),
            crate::hand::profiles(&rows),
        );
    };
    write(DAY, "profiles", "Oslo");
    write(DAY, "people", "Oslo");
    hand.init_and_run().await.unwrap();
    write(NEXT, "profiles", "Rome");
    write(NEXT, "people", "Rome");
    hand.run(NEXT).await.unwrap();
    let (before, quality) = (
        hand.published().await.tags().await,
        hand.published().await.quality().await,
    );
    let rejects: BTreeSet<_> = hand.published().await.rejects().await.into_iter().collect();
    let alone = Request {
        sources: vec!["profiles".to_owned()],
        ..request(&hand.config, day(NEXT))
    };
    job::run(&alone, &Silent).await.unwrap();
    let again = hand.published().await;
    assert_eq!(again.tags().await, before);
    assert_eq!(again.quality().await, quality);
    assert_eq!(
        again.rejects().await.into_iter().collect::<BTreeSet<_>>(),
        rejects
    );
    assert_eq!(rejects.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_forgets_what_it_does_not_name_and_the_universe_does_not() {
    let hand = Hand::new(&[PROFILES, PROFILE_TAGS]);
    hand.write_profiles(
        DAY,
        &[
            ("shop", Some("u1"), Some("Oslo"), Some(30)),
            ("shop", Some("u2"), Some("Rome"), Some(40)),
        ],
    );
    hand.init_and_run().await.unwrap();
    hand.write_profiles(NEXT, &[("shop", Some("u1"), Some("Bonn"), None)]);
    hand.run(NEXT).await.unwrap();
    let release = hand.published().await;
    same(
        "snapshot",
        &sizes(&release).await,
        &BTreeMap::from([(city("Bonn"), 1)]),
    );
    assert_eq!(release.universe().await["shop"].len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_of_group_tags_keep_and_delete_by_tag() {
    let hand = Hand::new(&[
        "[[source]]\nname = 'labels'\nkind = 'group_tags'\ncontent = 'changes'\npath = \
         '@OUT@/raw/profiles/dt={date}/*.parquet'\ncolumns = \
         { app = 'app', user = 'user', tag = 'city', value = 'age' }\n[[tag]]\nname = '*'\nsource \
         = 'labels'\n",
    ]);
    hand.write_profiles(
        DAY,
        &[
            ("shop", Some("u1"), Some("a"), Some(1)),
            ("shop", Some("u1"), Some("b"), Some(2)),
            ("shop", Some("u2"), Some("a"), Some(1)),
        ],
    );
    hand.init_and_run().await.unwrap();
    hand.write_profiles(
        NEXT,
        &[
            ("shop", Some("u1"), Some("a"), None),
            ("shop", Some("u2"), Some("a"), Some(5)),
        ],
    );
    hand.run(NEXT).await.unwrap();
    let text = |tag: &str, value: &str| (tag.to_owned(), Value::String(value.to_owned()));
    same(
        "labels",
        &sizes(&hand.published().await).await,
        &BTreeMap::from([(text("a", "5"), 1), (text("b", "2"), 1)]),
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_date_before_the_head_replaces_that_dates_behaviour_only() {
    let data = Generated::small(Preset::Demo);
    init(&data.config).await;
    for day in [0, 2] {
        run(&data.config, data.date(day)).await.unwrap();
    }
    let before = published(&data.config).await;
    let late = run(&data.config, data.date(1)).await.unwrap();
    let after = published(&data.config).await;
    assert_eq!(
        (
            after.manifest.release,
            after.manifest.head_date,
            after.manifest.date
        ),
        (3, data.date(2), data.date(1))
    );
    let kept = |release: &Published, artifacts: &[Artifact]| {
        let mut files = release.manifest.files.clone();
        files.retain(|file| artifacts.contains(&file.artifact) && file.date != data.date(1));
        files
    };
    let unchanged = [
        Artifact::Tags,
        Artifact::TagNumbers,
        Artifact::TagValues,
        Artifact::Groups,
        Artifact::GroupStatus,
        Artifact::Behaviour,
        Artifact::BehaviourMeasures,
    ];
    assert_eq!(kept(&before, &unchanged), kept(&after, &unchanged));
    // The late night's users come after all others, whichever files they are in.
    let (known, now) = (before.dictionary().await, after.dictionary().await);
    assert!(now.len() >= known.len() && known.iter().all(|(id, uid)| now.get(id) == Some(uid)));
    assert_eq!(after.manifest.tags, before.manifest.tags);
    // What it adds is what the oracle finds when nights come in this order.
    let (night, combinations) = data.expected_in_order(&[0, 2, 1]);
    crate::compare::behaviour(&after, &night, combinations).await;
    assert_eq!(late.users, night.dictionary.numbers.len() as u64);
    // The report says what the release has, and that it was left alone.
    assert_eq!(
        (late.as_of, late.tags),
        (data.date(2), before.manifest.tags.len() as u64)
    );
    assert_eq!(
        late.groups.values().sum::<u64>(),
        before.statuses().await.len() as u64
    );
    assert_eq!(
        late.to_string()
            .matches(&format!("(kept as of {}, not rebuilt)", data.date(2)))
            .count(),
        2,
        "{late}"
    );
    // Once more: the same behaviour takes its place.
    run(&data.config, data.date(1)).await.unwrap();
    let again = published(&data.config).await;
    crate::compare::behaviour(&again, &night, combinations).await;
    assert_eq!(
        again
            .manifest
            .direct_files(Artifact::Behaviour)
            .filter(|file| file.date == data.date(1))
            .count(),
        4
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_head_can_be_run_again() {
    let data = Generated::small(Preset::Demo);
    init(&data.config).await;
    for day in [0, 1, 1] {
        run(&data.config, data.date(day)).await.unwrap();
    }
    let (night, combinations) = data.expected(1);
    let release = published(&data.config).await;
    assert_eq!(release.manifest.release, 3);
    equals_the_oracle(&release, &night, combinations).await;
    crate::nights::entered_and_left_compare_with_the_night_before(
        &release,
        &data.expected(0).0,
        &night,
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_carried_after_a_late_date_has_the_heads_date() {
    let hand = Hand::new(&[
        PROFILES,
        "late = { policy = 'carry' }\n",
        PROFILE_TAGS,
        EVENTS,
    ]);
    let days = [DAY, NEXT, "2026-11-21", "2026-11-22"];
    for (number, date) in days.iter().enumerate() {
        hand.write_events(date, &[("shop", "u1", "visit", None, None)]);
        if number < 3 {
            hand.write_profiles(
                date,
                &[("shop", Some("u1"), Some("Oslo"), Some(number as i64))],
            );
        }
    }
    hand.init().await;
    for date in [days[0], days[2], days[1], days[3]] {
        hand.run(date).await.unwrap();
    }
    let release = hand.published().await;
    let input = release
        .manifest
        .inputs
        .iter()
        .find(|input| input.source == "profiles")
        .unwrap();
    assert_eq!(
        (input.status, input.date),
        (InputStatus::Carried, day(days[2]))
    );
    same(
        "tags",
        &sizes(&release).await,
        &BTreeMap::from([(city("Oslo"), 1), (age(2), 1)]),
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_is_read_alone_leaves_the_others_work_as_it_is() {
    let second = EVENTS
        .replace("'events'", "'more'")
        .replace("raw/events", "raw/more")
        + "late = { policy = 'skip' }\n";
    let hand = Hand::new(&[PROFILES, PROFILE_TAGS, EVENTS, &second]);
    hand.write_profiles(DAY, &[("shop", Some("u1"), Some("Oslo"), Some(30))]);
    hand.write_events(DAY, &[("shop", "u1", "visit", None, None)]);
    hand.init_and_run().await.unwrap();
    let before = hand.published().await;
    hand.write_profiles(DAY, &[("shop", Some("u1"), Some("Rome"), Some(30))]);
    let alone = |name: &str| Request {
        sources: vec![name.to_owned()],
        ..request(&hand.config, day(DAY))
    };
    job::run(&alone("profiles"), &Silent).await.unwrap();
    let after = hand.published().await;
    assert_eq!(
        after.behaviour(day(DAY)).await,
        before.behaviour(day(DAY)).await
    );
    assert!(sizes(&after).await.contains_key(&city("Rome")));
    let error = job::run(&alone("events"), &Silent).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Setup);
    assert!(error.to_string().contains("all event sources"), "{error}");
}
