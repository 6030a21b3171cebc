//! An app of which too many rows are rejected is set aside: its last values are carried, named and
//! stale, and the night of the others goes on.

use std::collections::BTreeMap;

use tagmill_pipeline as job;
use tagmill_pipeline::{Report, Silent};
use tagmill_schemas::Artifact;
use tagmill_schemas::manifest::{CARRIED_APP, CarriedScope, LEFT_OUT_APP};
use tagmill_testdata::oracle::value::Value;

use crate::compare::same;
use crate::fixture::{published, request};
use crate::hand::{DAY, EVENTS, GROUPS, Hand, PROFILE_TAGS, PROFILES, day};
use crate::release::{Published, Users};

const NEXT: &str = "2026-11-20";
const THIRD: &str = "2026-11-21";
const BROKEN: &str = "source profiles, app \"tea\": 1200 of 1200 rows are rejected (100 %): \
                      no_user 1200; more than max_rejected of 20 %";
const DIMENSIONS: &str = "[source.dimensions]\ncity = 'city'\n[source.measures]\namount = { value = \
                          'amount', scale = 2 }\n";

type Profile = (
    &'static str,
    Option<&'static str>,
    Option<&'static str>,
    Option<i64>,
);

const SHOP: Profile = ("shop", Some("u1"), Some("Oslo"), Some(30));
const TEA: [Profile; 2] = [
    ("tea", Some("u1"), Some("Rome"), Some(-7)),
    ("tea", Some("u2"), Some("Oslo"), Some(900)),
];
const LOST: Profile = ("tea", None, Some("Rome"), Some(7));

/// Two apps with profiles, events and groups; [`DAY`] is written, not run.
fn two_apps() -> Hand {
    let hand = Hand::new(&[PROFILES, PROFILE_TAGS, EVENTS, DIMENSIONS, GROUPS]);
    hand.write_profiles(DAY, &[SHOP, TEA[0], TEA[1]]);
    hand.write_events(DAY, &events(&["u1", "u2"]));
    hand.write_bytes(
        "conf/g.ndjson",
        "{\"app\":\"shop\",\"group\":\"oslo\",\"rule\":\"city = 'Oslo'\"}\n\
         {\"app\":\"tea\",\"group\":\"oslo\",\"rule\":\"city = 'Oslo'\"}\n\
         {\"app\":\"tea\",\"group\":\"typo\",\"rule\":\"citty = 'Oslo'\"}\n",
    );
    hand
}

fn events(
    tea: &[&'static str],
) -> Vec<(
    &'static str,
    &'static str,
    &'static str,
    Option<&'static str>,
    Option<f64>,
)> {
    let of_tea = tea
        .iter()
        .map(|user| ("tea", *user, "buy", Some("Rome"), Some(7.5)));
    std::iter::once(("shop", "u1", "buy", Some("Oslo"), Some(1.25)))
        .chain(of_tea)
        .collect()
}

/// Profiles in which tea has no user anywhere.
fn write_broken(hand: &Hand, date: &str, shop: Profile) {
    let mut rows = vec![LOST; 1_200];
    rows.push(shop);
    hand.write_profiles(date, &rows);
}

async fn tags_of(release: &Published, app: &str) -> BTreeMap<(String, String, Value), Users> {
    let tags = release.tags().await.into_iter();
    tags.filter(|((of, ..), _)| of == app).collect()
}

fn carried(report: &Report) -> Vec<(&str, &str, &str, &str)> {
    let scopes = report.carried.iter();
    scopes
        .map(|of: &CarriedScope| {
            let date = if of.date == day(DAY) { DAY } else { "other" };
            (
                of.scope.as_str(),
                of.name.as_str(),
                date,
                of.reason.as_str(),
            )
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn its_tags_and_groups_are_those_of_its_last_good_night() {
    let hand = two_apps();
    hand.init_and_run().await.unwrap();
    let good = hand.published().await;
    for (number, date) in [NEXT, THIRD].into_iter().enumerate() {
        let shop = ("shop", Some("u9"), Some("Rome"), Some(number as i64));
        write_broken(&hand, date, shop);
        hand.write_events(date, &events(&["u7"]));
        let report = hand.run(date).await.unwrap();
        assert_eq!(carried(&report), [(CARRIED_APP, "tea", DAY, BROKEN)]);
        let line =
            format!("app \"tea\" is set aside: {BROKEN}: its values of {DAY} are carried, stale");
        assert!(report.warnings.contains(&line), "{:?}", report.warnings);
        assert!(
            report.to_string().contains(
                "  set aside app \"tea\" is carried, of 2026-11-19: source profiles, app"
            )
        );

        let release = hand.published().await;
        assert_eq!(release.manifest.decisions.carried, report.carried);
        let tea = tags_of(&release, "tea").await;
        same("tags", &tea, &tags_of(&good, "tea").await);
        let key = ("tea".to_owned(), "age".to_owned());
        assert_eq!(
            release.tag_numbers().await[&key],
            good.tag_numbers().await[&key]
        );
        let shops: Vec<_> = tags_of(&release, "shop").await.into_keys().collect();
        assert!(
            shops
                .iter()
                .all(|(.., value)| *value != Value::String("Oslo".into()))
        );
        // Nobody is known by rows that are not used, not by those of other sources either.
        assert_eq!(
            release.universe().await["tea"],
            good.universe().await["tea"]
        );
        let (of_day, _) = release.behaviour(day(date)).await;
        assert_eq!(
            of_day
                .keys()
                .map(|(app, _)| app.as_str())
                .collect::<Vec<_>>(),
            ["shop"]
        );

        let statuses = release.statuses().await;
        let status = |app: &str, group: &str| {
            let (status, size) = &statuses[&(app.to_owned(), group.to_owned())];
            (status.as_str().to_owned(), *size)
        };
        assert_eq!(status("tea", "oslo"), ("stale".to_owned(), Some(1)));
        assert_eq!(status("shop", "oslo").0, "ok");
        assert_eq!(status("tea", "typo").0, "invalid");
        let reasons = release.reasons().await;
        let reason = &reasons[&("tea".to_owned(), "oslo".to_owned())];
        assert_eq!(
            *reason,
            format!("the app is set aside: {BROKEN}; values of {DAY} were carried")
        );
    }
    // Good again: nothing is carried any more.
    hand.write_profiles("2026-11-22", &[SHOP, TEA[0]]);
    hand.write_events("2026-11-22", &events(&["u7"]));
    let report = hand.run("2026-11-22").await.unwrap();
    assert!(report.carried.is_empty());
    let statuses = hand.published().await.statuses().await;
    assert_eq!(statuses[&("tea".to_owned(), "oslo".to_owned())].0, "ok");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_row_of_it_has_a_fate_and_its_rejects_are_sampled() {
    let hand = two_apps();
    hand.init_and_run().await.unwrap();
    write_broken(&hand, NEXT, SHOP);
    hand.write_events(NEXT, &events(&["u1", "u2", "u2"]));
    hand.run(NEXT).await.unwrap();
    let release = hand.published().await;
    let quality = release.quality().await;
    let tea = |source: &str, metric: &str| {
        let key = (source.to_owned(), Some("tea".to_owned()), metric.to_owned());
        quality.get(&key).copied()
    };
    assert_eq!(tea("profiles", "read"), Some(1_200));
    assert_eq!(tea("profiles", "rejected:no_user"), Some(1_200));
    assert_eq!(tea("events", "read"), Some(3));
    assert_eq!(tea("events", "accepted"), None);
    assert_eq!(tea("events", "filtered"), Some(3));
    assert_eq!(tea("events", "set_aside"), Some(3));
    let rejects = release.rejects().await;
    assert!(rejects.iter().any(|(source, app, reason, row)| {
        source == "profiles"
            && app.as_deref() == Some("tea")
            && reason == "no_user"
            && row.contains("Rome")
    }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rerun_keeps_what_the_date_has_of_its_behaviour() {
    let hand = two_apps();
    hand.init_and_run().await.unwrap();
    hand.write_profiles(NEXT, &[SHOP, TEA[0], TEA[1]]);
    hand.write_events(NEXT, &events(&["u1", "u2", "u2"]));
    hand.run(NEXT).await.unwrap();
    let good = hand.published().await;
    write_broken(&hand, NEXT, SHOP);
    hand.write_events(NEXT, &[("shop", "u5", "visit", None, None)]);
    let report = hand.run(NEXT).await.unwrap();
    assert_eq!(carried(&report), [(CARRIED_APP, "tea", DAY, BROKEN)]);
    let release = hand.published().await;
    let of_tea = async |release: &Published| {
        let (events, values) = release.behaviour(day(NEXT)).await;
        let users: BTreeMap<_, _> = events
            .into_iter()
            .filter(|((app, _), _)| app == "tea")
            .collect();
        let values: BTreeMap<_, _> = values
            .into_iter()
            .filter(|(key, _)| key.0 == "tea")
            .collect();
        let sums = release.measures(day(NEXT)).await.into_iter();
        let sums: BTreeMap<_, _> = sums.filter(|(key, _)| key.0 == "tea").collect();
        (users, values, sums)
    };
    let (found, expected) = (of_tea(&release).await, of_tea(&good).await);
    same("users", &found.0, &expected.0);
    same("values", &found.1, &expected.1);
    same("sums", &found.2, &expected.2);
    assert!(!found.0.is_empty() && !found.1.is_empty() && found.2.len() == 2);
    let (events, _) = release.behaviour(day(NEXT)).await;
    assert!(events.contains_key(&("shop".to_owned(), "visit".to_owned())));
    // A date before the head: its behaviour stays too, and what the head's night said of tea.
    let rows: Vec<_> = std::iter::repeat_n(("tea", "", "buy", None, None), 1_000)
        .chain([("shop", "u5", "visit", None, None)])
        .collect();
    hand.write_events(DAY, &rows);
    let before = good.behaviour(day(DAY)).await.0;
    let report = hand.run(DAY).await.unwrap();
    assert!(
        report.warnings[0].contains("what the date has of it stays"),
        "{:?}",
        report.warnings
    );
    let release = hand.published().await;
    let after = release.behaviour(day(DAY)).await.0;
    let tea = ("tea".to_owned(), "buy".to_owned());
    assert_eq!(after[&tea], before[&tea]);
    assert!(after.contains_key(&("shop".to_owned(), "visit".to_owned())));
    assert_eq!(release.manifest.decisions.carried[0].name, "tea");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_without_earlier_values_is_left_out_and_named() {
    let hand = two_apps();
    write_broken(&hand, DAY, SHOP);
    let report = hand.init_and_run().await.unwrap();
    assert_eq!(carried(&report), [(LEFT_OUT_APP, "tea", DAY, BROKEN)]);
    assert!(
        report
            .to_string()
            .contains("  set aside app \"tea\" is left out: source profiles")
    );
    let release = hand.published().await;
    assert!(tags_of(&release, "tea").await.is_empty());
    assert!(!release.universe().await.contains_key("tea"));
    let statuses = release.statuses().await;
    assert_eq!(
        statuses[&("tea".to_owned(), "oslo".to_owned())],
        ("incomplete".to_owned(), Some(0))
    );
    // Its first good night is a first one.
    hand.write_profiles(NEXT, &[SHOP, TEA[0], TEA[1]]);
    hand.write_events(NEXT, &events(&["u1"]));
    hand.run(NEXT).await.unwrap();
    let release = hand.published().await;
    assert_eq!(release.universe().await["tea"].len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn threads_and_memory_leave_the_same_bytes() {
    let hand = two_apps();
    let mut found = Vec::new();
    for (name, threads, memory) in [
        ("one", 1, None),
        ("two", 4, None),
        ("waves", 2, Some(24 << 20)),
    ] {
        let warehouse = hand.path(name);
        let own = hand.path("warehouse");
        let config = hand
            .config
            .replace(own.to_str().unwrap(), warehouse.to_str().unwrap());
        crate::fixture::init(&config).await;
        hand.write_profiles(DAY, &[SHOP, TEA[0], TEA[1]]);
        write_broken(&hand, NEXT, SHOP);
        hand.write_events(NEXT, &events(&["u1"]));
        for date in [DAY, NEXT] {
            let mut request = request(&config, day(date));
            (request.threads, request.memory) = (Some(threads), memory);
            job::run(&request, &Silent).await.unwrap();
        }
        found.push(published(&config).await.checksums());
    }
    assert!(
        found[0]
            .keys()
            .any(|(artifact, ..)| *artifact == Artifact::Tags)
    );
    same("threads", &found[1], &found[0]);
    same("waves", &found[2], &found[0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_night_of_which_nothing_else_is_left_is_refused() {
    let hand = two_apps();
    hand.init_and_run().await.unwrap();
    hand.write_profiles(NEXT, &[LOST; 1_200]);
    hand.write_events(NEXT, &[]);
    let error = hand.run(NEXT).await.unwrap_err();
    for words in [
        "1200 of 1200 rows are rejected",
        "first row rejected as no_user: {",
    ] {
        assert!(error.to_string().contains(words), "{error}");
    }
    assert_eq!(hand.published().await.manifest.date, day(DAY));
    // What remains is beyond the limit too.
    let others: Vec<Profile> = (0..1_500)
        .map(|row| match row % 2 {
            0 => ("shop", None, None, Some(1)),
            _ => SHOP,
        })
        .chain([LOST; 1_200])
        .chain([("jam", Some("u1"), None, None)])
        .collect();
    hand.write_profiles(NEXT, &others);
    let refused = hand.run(NEXT).await;
    assert_eq!(refused.unwrap().carried.len(), 2);
    let nameless: Vec<Profile> = std::iter::repeat_n(("", Some("u1"), None, None), 1_500)
        .chain([LOST; 1_200])
        .chain([SHOP])
        .collect();
    hand.write_profiles(NEXT, &nameless);
    let error = hand.run(NEXT).await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("source profiles: 2700 of 2701 rows"),
        "{error}"
    );
}

/// They would be lost: no later night reads them.
#[tokio::test(flavor = "multi_thread")]
async fn an_app_with_changes_is_not_set_aside() {
    let hand = two_apps();
    let with = "kind = 'attributes'\ncontent = 'changes'";
    let config = hand.config.replace("kind = 'attributes'", with);
    let hand = Hand { config, ..hand };
    hand.init_and_run().await.unwrap();
    write_broken(&hand, NEXT, SHOP);
    hand.write_events(NEXT, &events(&["u7"]));
    let error = hand.run(NEXT).await.unwrap_err();
    assert_eq!(error.kind(), tagmill_schemas::Kind::Refused);
    let told = error.to_string();
    for words in [
        BROKEN,
        "app \"tea\" can not be set aside",
        "source profiles would be lost",
    ] {
        assert!(told.contains(words), "{told}");
    }
    hand.write_profiles(NEXT, &[SHOP, TEA[1]]);
    hand.run(NEXT).await.unwrap();
}
