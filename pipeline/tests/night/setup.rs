//! What is wrong around the data: configuration, warehouse, store. And two runs at once.

use std::sync::{Arc, Barrier};

use object_store::memory::InMemory;
use tagmill_pipeline as job;
use tagmill_pipeline::Silent;
use tagmill_schemas::{Config, Kind, Reason};
use tagmill_warehouse::release::list_releases;
use tagmill_warehouse::store::testing::{Fault, FaultyStore, When, mount};

use crate::bad_input::{OnStage, fails};
use crate::fixture::{request, warehouse};
use crate::hand::{DAY, GROUPS, Hand, PROFILE_TAGS, PROFILES, day};

pub const ROWS: [(&str, Option<&str>, Option<&str>, Option<i64>); 3] = [
    ("shop", Some("u1"), Some("Oslo"), Some(30)),
    ("shop", Some("u2"), Some("Rome"), Some(40)),
    ("tea", Some("u1"), None, Some(7)),
];

pub fn shop(sections: &[&str]) -> Hand {
    let hand = Hand::new(&[&[PROFILES, PROFILE_TAGS], sections].concat());
    hand.write_profiles(DAY, &ROWS);
    hand
}

#[tokio::test(flavor = "multi_thread")]
async fn a_warehouse_made_with_other_constants_is_a_persons_mistake() {
    let hand = shop(&[]);
    hand.init().await;
    for (before, after, word) in [
        ("shards = 2", "shards = 3", "shards"),
        ("'global'", "'app'", "id_scope"),
        ("'UTC'", "'Asia/Shanghai'", "time_zone"),
    ] {
        let other = hand.config.replace(before, after);
        fails(
            &hand,
            crate::fixture::run(&other, day(DAY)).await,
            Kind::Setup,
            &[word],
        )
        .await;
        let again = job::init(&Config::parse(&other, "warehouse.toml").unwrap()).await;
        assert_eq!(again.unwrap_err().kind(), Kind::Setup);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_warehouse_that_nobody_made_is_a_persons_mistake() {
    let hand = shop(&[]);
    fails(
        &hand,
        hand.run(DAY).await,
        Kind::Setup,
        &["there is no warehouse", "tagmill init"],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_type_of_a_published_tag_never_changes() {
    let hand = shop(&[]);
    hand.init_and_run().await.unwrap();
    hand.write_profiles("2026-11-20", &ROWS);
    let other = hand.config.replace("type = 'integer'", "type = 'string'");
    let error = crate::fixture::run(&other, day("2026-11-20"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Setup);
    assert!(
        error
            .to_string()
            .contains("tag age is string, but was published as integer"),
        "{error}"
    );
    assert_eq!(
        list_releases(&warehouse(&hand.config))
            .await
            .unwrap()
            .newest(),
        Some(1)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tag_may_be_dropped_and_come_back() {
    let hand = shop(&[]);
    hand.init_and_run().await.unwrap();
    let without = hand
        .config
        .split("[[tag]]\nname = 'age'")
        .next()
        .unwrap()
        .to_owned();
    for (date, config) in [("2026-11-20", &without), ("2026-11-21", &hand.config)] {
        hand.write_profiles(date, &ROWS);
        crate::fixture::run(config, day(date)).await.unwrap();
        let has_age = hand
            .published()
            .await
            .tags()
            .await
            .keys()
            .any(|(_, tag, _)| tag == "age");
        assert_eq!(has_age, date == "2026-11-21");
    }
    let codes = hand.published().await.codes().await;
    assert_eq!(
        codes
            .iter()
            .filter(|((app, tag, _), _)| app == "shop" && tag == "age")
            .count(),
        2
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_rule_is_a_status_with_its_place_and_the_night_goes_on() {
    let hand = shop(&[GROUPS]);
    hand.write_bytes(
        "conf/a.ndjson",
        "{\"app\":\"shop\",\"group\":\"young\",\"rule\":\"age < 35\"}\n{\"app\":\"shop\",\"group\":\"typo\",\"rule\":\"agee < 35\"}\nnot json\n{\"app\":\"shop\",\"group\":\"later\",\"rule\":\"event_count('visit', 7) > 1\"}\n",
    );
    hand.init_and_run().await.unwrap();
    let release = hand.published().await;
    let statuses = release.statuses().await;
    let status = |group: &str| statuses[&("shop".to_owned(), group.to_owned())].clone();
    assert_eq!(status("young"), ("ok".to_owned(), Some(1)));
    assert_eq!(status("typo"), ("invalid".to_owned(), None));
    assert_eq!(status("later"), ("invalid".to_owned(), None));
    assert_eq!(release.groups().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn names_from_data_never_leave_their_place() {
    let long = "x".repeat(10_000);
    let names = [
        "../../x",
        "a/b",
        "=",
        "line\nfeed",
        "",
        " ",
        "..",
        "\\",
        "'quote\"",
        long.as_str(),
    ];
    let hand = Hand::new(&[
        "[[source]]\nname = 'labels'\nkind = 'group_tags'\npath = \
         '@OUT@/raw/profiles/dt={date}/*.parquet'\ncolumns = \
         { app = 'app', user = 'user', tag = 'city', value = 'age' }\n[[tag]]\nname = '*'\nsource \
         = 'labels'\n",
        GROUPS,
    ]);
    let rows: Vec<_> = names
        .iter()
        .flat_map(|app| {
            names
                .iter()
                .map(move |tag| (*app, Some("u1"), Some(*tag), Some(1)))
        })
        .collect();
    hand.write_profiles(DAY, &rows);
    let group = |app: &&str| {
        format!(
            "{}\n",
            serde_json::json!({"app": app, "group": app, "rule": "in_split('s', 0, 100)"})
        )
    };
    hand.write_bytes(
        "conf/a.ndjson",
        names
            .iter()
            .filter(|name| !name.is_empty())
            .map(group)
            .collect::<String>(),
    );
    hand.init_and_run().await.unwrap();
    let release = hand.published().await;
    let tags = release.tags().await;
    // Of an app whose name is too long no row is taken; a tag's may be as long.
    assert_eq!(tags.len(), (names.len() - 2) * (names.len() - 1));
    assert_eq!(release.groups().await.len(), names.len() - 2);
    let outside: Vec<_> = std::fs::read_dir(hand.folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(outside.len(), 3, "{outside:?}");
}

/// A warehouse in a memory store of this name, with a fault in front of it once it is made.
async fn with_faulty_store(
    name: &str,
    faulty: impl Fn(FaultyStore) -> FaultyStore,
) -> (Hand, tagmill_schemas::Error) {
    let hand = shop(&[]);
    let config = hand.config.replace(
        &format!(
            "url = '{}/warehouse'",
            hand.folder.path().canonicalize().unwrap().display()
        ),
        &format!("url = 'memory://{name}/w'"),
    );
    assert_ne!(config, hand.config);
    let objects = Arc::new(InMemory::new());
    mount(name, objects.clone());
    crate::fixture::init(&config).await;
    mount(name, Arc::new(faulty(FaultyStore::new(objects.clone()))));
    let error = crate::fixture::run(&config, day(DAY)).await.unwrap_err();
    mount(name, objects);
    assert_eq!(
        list_releases(&warehouse(&config)).await.unwrap().newest(),
        None,
        "something is published"
    );
    // The fault is gone: a retry goes through.
    assert_eq!(
        crate::fixture::run(&config, day(DAY))
            .await
            .unwrap()
            .release,
        Some(1)
    );
    (hand, error)
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_of_the_store_say_who_can_help() {
    for (number, (when, fault, kind, word)) in [
        (
            When::Writing("universe/"),
            Fault::FullDisk,
            Kind::Retry,
            "no space",
        ),
        (
            When::Writing("tags/"),
            Fault::ReadOnly,
            Kind::Setup,
            "read-only",
        ),
        (When::Always, Fault::Unreachable, Kind::Retry, ""),
        (
            When::Writing("releases/"),
            Fault::Unreachable,
            Kind::Retry,
            "",
        ),
        (
            When::Writing("users/"),
            Fault::Denied,
            Kind::Setup,
            "permission",
        ),
        (
            When::Reading("releases"),
            Fault::Unreachable,
            Kind::Retry,
            "",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let (_, error) =
            with_faulty_store(&format!("fault-{number}"), |store| store.with(when, fault)).await;
        assert_eq!(error.kind(), kind, "{when:?}: {error}");
        assert!(error.to_string().contains(word), "{when:?}: {error}");
        assert_eq!(
            error.to_string().matches("a retry can").count(),
            1,
            "{error}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_without_conditional_create_is_refused() {
    let (_, error) = with_faulty_store("no-create", FaultyStore::ignoring_create).await;
    assert_eq!(error.kind(), Kind::Setup);
    assert!(error.to_string().contains("create-if-absent"), "{error}");
}

#[test]
fn of_two_runs_at_once_one_commits_and_the_other_says_conflict() {
    let hand = shop(&[]);
    let runtime = || {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap()
    };
    runtime().block_on(hand.init());
    let meeting = Barrier::new(2);
    let run = || {
        let meet = OnStage {
            stage: "roll-up",
            act: Box::new(|| {
                meeting.wait();
            }),
        };
        runtime().block_on(job::run(&request(&hand.config, day(DAY)), &meet))
    };
    let results = std::thread::scope(|scope| {
        [scope.spawn(run), scope.spawn(run)].map(|thread| thread.join().unwrap())
    });
    let (done, failed): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
    assert_eq!((done.len(), failed.len()), (1, 1));
    let error = failed.into_iter().next().unwrap().unwrap_err();
    assert_eq!(
        (error.kind(), error.reason()),
        (Kind::Retry, Some(Reason::Conflict))
    );
    assert!(error.to_string().contains("release 1"), "{error}");
    let release = runtime().block_on(hand.published());
    assert_eq!(release.manifest.release, 1);
    runtime().block_on(release.tags());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_dropped_leaves_no_release_and_the_next_one_goes_through() {
    let hand = shop(&[]);
    hand.init().await;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let stop = std::sync::Mutex::new(Some(stop));
    let cancel = OnStage {
        stage: "shards",
        act: Box::new(|| drop(stop.lock().unwrap().take())),
    };
    let request = request(&hand.config, day(DAY));
    tokio::select! {
        biased;
        _ = stopped => {}
        result = job::run(&request, &cancel) => panic!("{result:?}"),
    }
    assert_eq!(
        list_releases(&warehouse(&hand.config))
            .await
            .unwrap()
            .newest(),
        None
    );
    let report = job::run(&request, &Silent).await.unwrap();
    assert_eq!((report.release, report.attempt), (Some(1), 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_that_our_own_change_breaks_refuse_the_night() {
    let hand = shop(&[GROUPS, "max_new_invalid = '50%'\n"]);
    let rule = |group: &str, rule: &str| {
        format!("{{\"app\":\"shop\",\"group\":\"{group}\",\"rule\":\"{rule}\"}}\n")
    };
    hand.write_bytes(
        "conf/a.ndjson",
        ["a", "b"].map(|group| rule(group, "age > 3")).concat(),
    );
    hand.init_and_run().await.unwrap();
    hand.write_profiles("2026-11-20", &ROWS);
    let without_age = hand.config.replace("name = 'age'", "name = 'years'");
    let error = crate::fixture::run(&without_age, day("2026-11-20"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Refused);
    assert!(
        error.to_string().contains("2 of 2 rules") && error.to_string().contains("max_new_invalid"),
        "{error}"
    );
    // A merchant's own mistake is no reason: one of two.
    hand.write_bytes(
        "conf/a.ndjson",
        [rule("a", "age > 3"), rule("b", "agee > 3")].concat(),
    );
    hand.run("2026-11-20").await.unwrap();
}
