//! Values beyond a limit: the same ones are kept in every shard, what is kept is exact, and what is
//! not is marked and counted.

use std::collections::{BTreeMap, BTreeSet};

use tagmill_schemas::Artifact;
use tagmill_schemas::manifest::{OverLimit, TagEntry};

use crate::fixture::{run, warehouse};
use crate::hand::{DAY, EVENTS, GROUPS, Hand, PROFILE_TAGS, PROFILES, day};
use crate::release::Published;

pub const DAYS: [&str; 5] = [
    "2026-11-19",
    "2026-11-20",
    "2026-11-21",
    "2026-11-22",
    "2026-11-23",
];
const CITY: &str = "[source.dimensions]\ncity = 'city'\n";

/// (users, city): so many users of `shop` visited in this city.
type Visits<'a> = &'a [(usize, &'a str)];

fn write_visits(hand: &Hand, date: &str, visits: Visits<'_>) -> BTreeMap<String, BTreeSet<String>> {
    let mut expected: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (users, city) in visits {
        expected.insert(
            (*city).to_owned(),
            (0..*users).map(|user| format!("u{user}")).collect(),
        );
    }
    let rows: Vec<_> = expected
        .iter()
        .flat_map(|(city, users)| {
            users
                .iter()
                .map(move |user| ("shop", user.as_str(), "visit", Some(city.as_str()), None))
        })
        .collect();
    hand.write_events(
        date,
        &[
            rows.as_slice(),
            &[("tea", "u1", "visit", Some("only"), None)],
        ]
        .concat(),
    );
    expected
}

/// Users by city, over all combinations; `None` are those beyond the limit, whose rows have to be
/// marked.
async fn cities(release: &Published, app: &str) -> BTreeMap<Option<String>, BTreeSet<String>> {
    let ids: BTreeMap<u64, String> = release
        .dictionary()
        .await
        .into_iter()
        .map(|((_, user), uid)| (uid, user))
        .collect();
    let (_, values) = release.behaviour(release.manifest.date).await;
    let mut cities: BTreeMap<Option<String>, BTreeSet<String>> = BTreeMap::new();
    for ((_, _, _, city, _, overflow), users) in
        values.into_iter().filter(|((of, ..), _)| of == app)
    {
        assert_eq!(city.is_none(), overflow, "{city:?}");
        cities
            .entry(city)
            .or_default()
            .extend(users.iter().map(|uid| ids[uid].clone()));
    }
    cities
}

pub async fn over_limit(release: &Published, source: &str, metric: &str) -> Option<u64> {
    let key = (
        source.to_owned(),
        Some("shop".to_owned()),
        format!("over_limit:{metric}"),
    );
    release.quality().await.get(&key).copied()
}

/// What is kept is exact, all others share the marked row.
fn keeps(
    found: &BTreeMap<Option<String>, BTreeSet<String>>,
    all: &BTreeMap<String, BTreeSet<String>>,
    kept: &[&str],
) {
    let mut expected: BTreeMap<Option<String>, BTreeSet<String>> = BTreeMap::new();
    for (city, users) in all {
        expected
            .entry(kept.contains(&city.as_str()).then(|| city.clone()))
            .or_default()
            .extend(users.iter().cloned());
    }
    assert_eq!(*found, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dimension_beyond_its_limit_keeps_the_same_values_in_every_shard() {
    let hand = Hand::new(&[EVENTS, CITY, "[limits]\nvalues_per_dimension = 3\n"]);
    hand.init().await;
    let first: Visits<'_> = &[
        (4, "rare"),
        (20, "big"),
        (12, "mid"),
        (9, "low"),
        (1, "once"),
    ];
    let second: Visits<'_> = &[
        (30, "new"),
        (7, "big"),
        (2, "mid"),
        (5, "low"),
        (25, "rare"),
    ];
    let third: Visits<'_> = &[(30, "new"), (7, "big"), (5, "low"), (25, "rare")];
    let fourth: Visits<'_> = &[(7, "big"), (5, "low"), (2, "mid"), (3, "new"), (4, "rare")];
    let few: Visits<'_> = &[(7, "big"), (5, "other")];
    // The first night has no choice yet: it is whole, and says so. Then those with most users stay,
    // whoever comes; a place that is free goes to who had most that night.
    let nights = [
        (first, &["rare", "big", "mid", "low", "once"][..]),
        (second, &["big", "mid", "low"]),
        (third, &["big", "mid", "low"]),
        (fourth, &["big", "low", "new"]),
    ];
    for (date, (visits, kept)) in DAYS.iter().zip(nights) {
        let expected = write_visits(&hand, date, visits);
        hand.run(date).await.unwrap();
        let release = hand.published().await;
        keeps(&cities(&release, "shop").await, &expected, kept);
        assert_eq!(
            over_limit(&release, "events", "values").await,
            Some(1),
            "{date}"
        );
        assert_eq!(cities(&release, "tea").await.len(), 1);
    }
    // Again with the same parent: the same bytes.
    let behaviour = |release: &Published| {
        let of_day = release
            .manifest
            .direct_files(Artifact::Behaviour)
            .filter(|file| file.date == day(DAYS[3]));
        of_day.map(|file| file.checksum.clone()).collect::<Vec<_>>()
    };
    let before = behaviour(&hand.published().await);
    hand.run(DAYS[3]).await.unwrap();
    assert_eq!(behaviour(&hand.published().await), before);
    // Few values again: the choice holds for a night still, and what it costs is counted; then they
    // are free.
    for (date, kept, over) in [
        (DAYS[4], &["big"][..], Some(1)),
        ("2026-11-24", &["big", "other"], None),
    ] {
        let expected = write_visits(&hand, date, few);
        hand.run(date).await.unwrap();
        let release = hand.published().await;
        keeps(&cities(&release, "shop").await, &expected, kept);
        assert_eq!(over_limit(&release, "events", "values").await, over);
        assert_eq!(
            release.manifest.direct_files(Artifact::KeptValues).count(),
            0
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_raised_limit_holds_the_same_night() {
    let hand = Hand::new(&[EVENTS, CITY, "[limits]\nvalues_per_dimension = 2\n"]);
    hand.init().await;
    let visits: Visits<'_> = &[(9, "a"), (8, "b"), (7, "c")];
    for date in &DAYS[..2] {
        write_visits(&hand, date, visits);
        hand.run(date).await.unwrap();
    }
    assert_eq!(
        cities(&hand.published().await, "shop").await.len(),
        3,
        "two values and the others"
    );
    let expected = write_visits(&hand, DAYS[2], visits);
    run(
        &hand
            .config
            .replace("values_per_dimension = 2", "values_per_dimension = 3"),
        day(DAYS[2]),
    )
    .await
    .unwrap();
    keeps(
        &cities(&hand.published().await, "shop").await,
        &expected,
        &["a", "b", "c"],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_declared_as_a_dimension_does_not_fill_the_warehouse_on_its_first_night() {
    let hand = Hand::new(&[EVENTS, CITY, "[limits]\nvalues_per_dimension = 4\n"]);
    hand.init().await;
    let names: Vec<String> = (0..400).map(|n| format!("order-{n}")).collect();
    let users: Vec<String> = (0..400).map(|n| format!("u{n}")).collect();
    let rows: Vec<_> = names
        .iter()
        .zip(&users)
        .map(|(name, user)| ("shop", user.as_str(), "visit", Some(name.as_str()), None))
        .collect();
    hand.write_events(DAY, &rows);
    hand.run(DAY).await.unwrap();
    let release = hand.published().await;
    let found = cities(&release, "shop").await;
    // Eight times the limit in each of two shards, and the others.
    assert_eq!(found.len(), 2 * 8 * 4 + 1);
    assert_eq!(found.values().map(BTreeSet::len).sum::<usize>(), 400);
    assert_eq!(over_limit(&release, "events", "values").await, Some(1));
    hand.write_events(DAYS[1], &rows);
    hand.run(DAYS[1]).await.unwrap();
    assert_eq!(cities(&hand.published().await, "shop").await.len(), 4 + 1);
}

fn people(cities: &[&str]) -> Vec<(&'static str, Option<String>, Option<String>, Option<i64>)> {
    cities
        .iter()
        .enumerate()
        .map(|(n, city)| {
            (
                "shop",
                Some(format!("u{n}")),
                Some((*city).to_owned()),
                Some(30),
            )
        })
        .collect()
}

pub fn write_people(hand: &Hand, date: &str, cities: &[&str]) {
    let rows = people(cities);
    let rows: Vec<_> = rows
        .iter()
        .map(|(app, user, city, age)| (*app, user.as_deref(), city.as_deref(), *age))
        .collect();
    hand.write_profiles(date, &rows);
}

fn entry<'a>(release: &'a Published, tag: &str) -> &'a TagEntry {
    release
        .manifest
        .tags
        .iter()
        .find(|entry| entry.tag == tag)
        .unwrap()
}

async fn cities_of_tag(release: &Published) -> usize {
    release
        .tags()
        .await
        .keys()
        .filter(|(_, tag, _)| tag == "city")
        .count()
}

const RULES: &str = "{\"app\":\"shop\",\"group\":\"oslo\",\"rule\":\"city = 'Oslo'\"}\n{\"app\":\"shop\",\"group\":\"old\",\"rule\":\"age > 3\"}\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_tag_beyond_its_limit_is_not_published_from_the_next_night_on_and_comes_back() {
    let hand = Hand::new(&[
        PROFILES,
        PROFILE_TAGS,
        GROUPS,
        "[limits]\nvalues_per_tag = 2\n",
    ]);
    hand.write_bytes("conf/a.ndjson", RULES);
    hand.init().await;
    let many = ["Oslo", "Rome", "Bonn", "Oslo"];
    // (cities, how many are published, limit the tag exceeds, status of the group on it)
    let nights = [
        (&many[..], 3, Some(2), "ok"),
        (&many[..], 0, Some(2), "over_limit"),
        (&["Oslo", "Rome"][..], 0, None, "over_limit"),
        (&["Oslo", "Rome"], 2, None, "ok"),
    ];
    for (date, (cities, published, over, status)) in DAYS.iter().zip(nights) {
        write_people(&hand, date, cities);
        hand.run(date).await.unwrap();
        let release = hand.published().await;
        assert_eq!(cities_of_tag(&release).await, published, "{date}");
        assert_eq!(
            (
                entry(&release, "city").over_limit,
                entry(&release, "city").is_withheld
            ),
            (over.map(OverLimit::Values), published == 0),
            "{date}"
        );
        assert_eq!(
            over_limit(&release, "profiles", "tag_values").await,
            over.map(|_| 1),
            "{date}"
        );
        let statuses = release.statuses().await;
        let of = |group: &str| statuses[&("shop".to_owned(), group.to_owned())].0.clone();
        assert_eq!(
            (of("oslo").as_str(), of("old").as_str()),
            (status, "ok"),
            "{date}"
        );
    }
    // A raised limit holds the same night.
    for (date, limit) in [(DAYS[4], 2), ("2026-11-24", 3)] {
        write_people(&hand, date, &many);
        run(
            &hand
                .config
                .replace("values_per_tag = 2", &format!("values_per_tag = {limit}")),
            day(date),
        )
        .await
        .unwrap();
    }
    assert_eq!(cities_of_tag(&hand.published().await).await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn values_that_are_the_only_memory_of_a_source_are_published_beyond_the_limit() {
    let hand = Hand::new(&[
        PROFILES,
        "content = 'changes'\n",
        PROFILE_TAGS,
        "[limits]\nvalues_per_tag = 2\n",
    ]);
    hand.init().await;
    for date in &DAYS[..2] {
        write_people(&hand, date, &["Oslo", "Rome", "Bonn"]);
        hand.run(date).await.unwrap();
        let release = hand.published().await;
        assert_eq!(
            (
                cities_of_tag(&release).await,
                over_limit(&release, "profiles", "tag_values").await
            ),
            (3, Some(1))
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_published_is_not_carried_as_if_nobody_had_it() {
    let hand = Hand::new(&[
        PROFILES,
        "late = { policy = 'carry', max_days = 9 }\n",
        PROFILE_TAGS,
        EVENTS,
        GROUPS,
        "[limits]\nvalues_per_tag = 2\n",
    ]);
    hand.write_bytes("conf/a.ndjson", RULES);
    hand.init().await;
    for date in &DAYS[..3] {
        hand.write_events(date, &[("shop", "u1", "visit", None, None)]);
    }
    for date in &DAYS[..2] {
        write_people(&hand, date, &["Oslo", "Rome", "Bonn"]);
        hand.run(date).await.unwrap();
    }
    run(
        &hand
            .config
            .replace("values_per_tag = 2", "values_per_tag = 9"),
        day(DAYS[2]),
    )
    .await
    .unwrap();
    let statuses = hand.published().await.statuses().await;
    let of = |group: &str| statuses[&("shop".to_owned(), group.to_owned())].0.clone();
    assert_eq!(
        (of("oslo").as_str(), of("old").as_str()),
        ("over_limit", "stale")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tag_without_any_value_for_a_night_keeps_its_type() {
    let hand = Hand::new(&[PROFILES, PROFILE_TAGS]);
    hand.init().await;
    write_people(&hand, DAYS[0], &["Oslo"]);
    hand.run(DAYS[0]).await.unwrap();
    let known = hand.published().await.manifest.tags;
    hand.write_profiles(DAYS[1], &[("shop", Some("u0"), Some("Oslo"), None)]);
    hand.run(DAYS[1]).await.unwrap();
    assert_eq!(hand.published().await.manifest.tags, known);
    write_people(&hand, DAYS[2], &["Oslo"]);
    let error = run(
        &hand.config.replace("type = 'integer'", "type = 'string'"),
        day(DAYS[2]),
    )
    .await
    .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("tag age is string, but was published as integer"),
        "{error}"
    );
    let releases = tagmill_warehouse::release::list_releases(&warehouse(&hand.config))
        .await
        .unwrap();
    assert_eq!(releases.newest(), Some(2));
}
