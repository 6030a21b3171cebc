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

const ROWS: [(&str, Option<&str>, Option<&str>, Option<i64>); 3] = [
    ("shop", Some("u1"), Some("Oslo"), Some(30)),
    ("shop", Some("u2"), Some("Rome"), Some(40)),
    ("tea", Some("u1"), None, Some(7)),
];

fn shop(sections: &[&str]) -> Hand {
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
    assert_eq!(tags.len(), (names.len() - 1) * (names.len() - 1));
    assert_eq!(release.groups().await.len(), names.len() - 1);
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

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_file_of_rules_does_not_take_its_groups_away() {
    let hand = shop(&[GROUPS]);
    let rule = |app: &str, group: usize| {
        format!("{{\"app\":\"{app}\",\"group\":\"g{group}\",\"rule\":\"age > 3\"}}\n")
    };
    let rules: String = (0..20)
        .flat_map(|group| [rule("shop", group), rule("tea", group)])
        .collect();
    hand.write_bytes("conf/a.ndjson", &rules);
    hand.init_and_run().await.unwrap();
    hand.write_profiles("2026-11-20", &ROWS);
    for damaged in [
        "",
        "[]",
        "<html>\n<body>\n",
        &rules.replace("\"group\"", "\"name\""),
        &rules[..rules.len() / 2 + 10],
    ] {
        hand.write_bytes("conf/a.ndjson", damaged);
        let error = hand.run("2026-11-20").await.unwrap_err();
        assert!(
            error.kind() == Kind::Refused
                && error
                    .to_string()
                    .contains("conf/a.ndjson, of which rows seem to be lost"),
            "{damaged:?}: {error}"
        );
    }
    // Deleted groups are gone, whatever one row that nobody can read was.
    hand.write_bytes(
        "conf/a.ndjson",
        ["not json\n".to_owned(), rule("tea", 0)].concat(),
    );
    assert_eq!(hand.run("2026-11-20").await.unwrap().groups["ok"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_app_whose_rules_break_does_not_stop_the_others() {
    let hand = shop(&[GROUPS]);
    let rule = |app: &str, group: usize, tag: &str| {
        format!("{{\"app\":\"{app}\",\"group\":\"g{group}\",\"rule\":\"{tag} > 3\"}}\n")
    };
    let rules = |tag: &str| -> String {
        (0..5)
            .flat_map(|group| [rule("shop", group, tag), rule("tea", group, "age")])
            .collect()
    };
    hand.write_bytes("conf/a.ndjson", rules("age"));
    hand.init_and_run().await.unwrap();
    hand.write_profiles("2026-11-20", &ROWS);
    hand.write_bytes("conf/a.ndjson", rules("agee"));
    assert_eq!(hand.run("2026-11-20").await.unwrap().groups["invalid"], 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_of_one_app_that_damage_takes_away_are_told() {
    let hand = shop(&[GROUPS]);
    let rule = |app: &str, group: usize| {
        format!("{{\"app\":\"{app}\",\"group\":\"g{group}\",\"rule\":\"age > 3\"}}\n")
    };
    hand.write_bytes(
        "conf/shop.ndjson",
        (0..5).map(|group| rule("shop", group)).collect::<String>(),
    );
    hand.write_bytes("conf/tea.ndjson", rule("tea", 0));
    hand.init_and_run().await.unwrap();
    hand.write_profiles("2026-11-20", &ROWS);
    hand.write_bytes("conf/shop.ndjson", &rule("shop", 0)[..20]);
    let told = Told::default();
    job::run(&request(&hand.config, day("2026-11-20")), &told)
        .await
        .unwrap();
    let lines = told.0.into_inner().unwrap();
    assert!(
        lines
            .iter()
            .any(|line| line.contains("conf/shop.ndjson seem to be lost: 5 groups")),
        "{lines:?}"
    );
}

/// Keeps what is said.
#[derive(Default)]
struct Told(std::sync::Mutex<Vec<String>>);

impl job::Observer for Told {
    fn stage(&self, _: &'static str, _: &str) {}

    fn progress(&self, _: u64, _: u64) {}

    fn warn(&self, line: &str) {
        self.0.lock().unwrap().push(line.to_owned());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_that_are_not_there_do_not_take_all_groups_away() {
    let hand = shop(&[GROUPS]);
    hand.write_bytes(
        "conf/a.ndjson",
        "{\"app\":\"shop\",\"group\":\"a\",\"rule\":\"age > 3\"}\n",
    );
    hand.init_and_run().await.unwrap();
    std::fs::remove_file(hand.path("conf/a.ndjson")).unwrap();
    hand.write_profiles("2026-11-20", &ROWS);
    let error = hand.run("2026-11-20").await.unwrap_err();
    assert_eq!(error.kind(), Kind::Retry);
    assert!(
        error
            .to_string()
            .contains("groups.rules has no file, but 1 groups were there before"),
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
async fn a_csv_file_without_header_is_told_and_loses_no_group_silently() {
    let hand = shop(&[&GROUPS.replace("ndjson", "csv")]);
    hand.write_bytes("conf/a.csv", "shop,a,age > 3\n");
    hand.init().await;
    let told = Told::default();
    job::run(&request(&hand.config, day(DAY)), &told)
        .await
        .unwrap();
    let told = told.0.into_inner().unwrap().join("\n");
    assert!(
        told.contains(
            "conf/a.csv:1 is not used: expected a header with the column app, found \
                           \"shop,a,age > 3\""
        ),
        "{told}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_beyond_the_limit_of_an_app_are_over_limit_for_that_app_alone() {
    let hand = shop(&[GROUPS, "[limits]\ngroups = 1\n"]);
    let rule = |app: &str, group: &str| {
        format!("{{\"app\":\"{app}\",\"group\":\"{group}\",\"rule\":\"age > 3\"}}\n")
    };
    hand.write_bytes(
        "conf/a.ndjson",
        [rule("shop", "a"), rule("shop", "b"), rule("tea", "a")].concat(),
    );
    hand.init_and_run().await.unwrap();
    let statuses = hand.published().await.statuses().await;
    let of = |app: &str, group: &str| statuses[&(app.to_owned(), group.to_owned())].0.clone();
    let mut shop = [of("shop", "a"), of("shop", "b")];
    shop.sort();
    assert_eq!(
        (shop, of("tea", "a")),
        (["ok".to_owned(), "over_limit".to_owned()], "ok".to_owned())
    );
}
