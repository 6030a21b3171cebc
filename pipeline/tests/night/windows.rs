//! Rules over days of behaviour, night after night, against rows written by hand: windows that go on
//! and windows that are made of their days are the same.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Days, NaiveDate};
use tagmill_pipeline::accept_missing;
use tagmill_schemas::{Artifact, Config};

use crate::hand::{DAY, EVENTS, GROUPS, Hand, PROFILE_TAGS, PROFILES, day};
use crate::release::Published;

const OF_EVENTS: &str = "dimensions = { city = 'city' }
events = ['pay', 'visit']
measures = { amount = { value = 'amount', scale = 2, events = ['pay'] } }
";
const USERS: usize = 60;
const CITIES: [Option<&str>; 4] = [Some("Oslo"), Some("Rome"), Some("Bern"), None];

/// What a user did: on how many days before the run, the event, the city, the amount in cents.
type Past = Vec<(i64, &'static str, Option<&'static str>, i64)>;

struct Ask {
    group: &'static str,
    rule: &'static str,
    holds: fn(&Past) -> bool,
}

fn pays(
    past: &Past,
    days: i64,
    back: i64,
) -> impl Iterator<Item = &(i64, &'static str, Option<&'static str>, i64)> {
    let is_in = move |ago: i64| (back..back + days).contains(&ago);
    past.iter()
        .filter(move |row| row.1 == "pay" && is_in(row.0))
}

fn days_of<'p>(
    rows: impl Iterator<Item = &'p (i64, &'static str, Option<&'static str>, i64)>,
) -> usize {
    rows.map(|row| row.0).collect::<BTreeSet<_>>().len()
}

const ASKS: [Ask; 12] = [
    Ask {
        group: "often",
        rule: "event_count('pay', 4) >= 3",
        holds: |past| pays(past, 4, 0).count() >= 3,
    },
    Ask {
        group: "never",
        rule: "event_count('pay', 3) = 0",
        holds: |past| pays(past, 3, 0).count() == 0,
    },
    Ask {
        group: "oslo",
        rule: "event_count('pay', 5, city = 'Oslo') BETWEEN 1 AND 2",
        holds: |past| {
            (1..=2).contains(&pays(past, 5, 0).filter(|row| row.2 == Some("Oslo")).count())
        },
    },
    Ask {
        group: "elsewhere",
        rule: "event_count('pay', 5, NOT (city IN ('Oslo', 'Rome'))) > 1",
        holds: |past| {
            let known = [Some("Oslo"), Some("Rome")];
            pays(past, 5, 0)
                .filter(|row| !known.contains(&row.2))
                .count()
                > 1
        },
    },
    Ask {
        group: "other",
        rule: "event_days('pay', 4, city LIKE '%e%' OR city IS NULL) = 2",
        holds: |past| {
            let has = |city: Option<&str>| city.is_none_or(|city| city.contains('e'));
            days_of(pays(past, 4, 0).filter(|row| has(row.2))) == 2
        },
    },
    Ask {
        group: "spent",
        rule: "event_sum('pay', 'amount', 4) > 1.5",
        holds: |past| pays(past, 4, 0).map(|row| row.3).sum::<i64>() > 150,
    },
    Ask {
        group: "returned",
        rule: "event_sum('pay', 'amount', 3, city <> 'Bern') < 0",
        holds: |past| {
            let elsewhere = |city: Option<&str>| city.is_some_and(|city| city != "Bern");
            pays(past, 3, 0)
                .filter(|row| elsewhere(row.2))
                .map(|row| row.3)
                .sum::<i64>()
                < 0
        },
    },
    Ask {
        group: "before",
        rule: "event_count('pay', 3, back => 2) > 1 AND event_count('pay', 2) = 0",
        holds: |past| pays(past, 3, 2).count() > 1 && pays(past, 2, 0).count() == 0,
    },
    Ask {
        group: "visits",
        rule: "event_days('visit', 6) >= 3",
        holds: |past| {
            let visits = past.iter().filter(|row| row.1 == "visit" && row.0 < 6);
            days_of(visits) >= 3
        },
    },
    Ask {
        group: "new",
        rule: "event_first('pay') >= run_date() - 2",
        holds: |past| {
            past.iter()
                .filter(|row| row.1 == "pay")
                .map(|row| row.0)
                .max()
                .is_some_and(|ago| ago <= 2)
        },
    },
    Ask {
        group: "gone",
        rule: "event_last('pay') < run_date() - 3",
        holds: |past| {
            past.iter()
                .filter(|row| row.1 == "pay")
                .map(|row| row.0)
                .min()
                .is_some_and(|ago| ago > 3)
        },
    },
    Ask {
        group: "none",
        rule: "event_last('pay', city = 'Rome') IS NULL",
        holds: |past| {
            !past
                .iter()
                .any(|row| row.1 == "pay" && row.2 == Some("Rome"))
        },
    },
];

/// The rows of a day.
type Rows = Vec<(String, &'static str, Option<&'static str>, i64)>;

/// Some rows of a day, other ones for another seed.
fn rows_of(seed: u64) -> Rows {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = move |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    };
    let row = |_| {
        let (user, event) = (
            next(USERS as u64),
            ["pay", "pay", "visit"][next(3) as usize],
        );
        let city = CITIES[next(4) as usize];
        (format!("u{user}"), event, city, next(500) as i64 - 200)
    };
    (0..40).map(row).collect()
}

struct Nights {
    hand: Hand,
    /// By date.
    rows: BTreeMap<NaiveDate, Rows>,
}

impl Nights {
    async fn new() -> Self {
        let sections = [PROFILES, PROFILE_TAGS, EVENTS, OF_EVENTS, GROUPS];
        let hand = Hand::new(&sections);
        hand.init().await;
        Self {
            hand,
            rows: BTreeMap::new(),
        }
    }

    fn write_rules(&self, asks: &[Ask]) {
        let row = |ask: &Ask| {
            serde_json::json!({ "app": "shop", "group": ask.group, "rule": ask.rule }).to_string()
        };
        let lines: Vec<String> = asks.iter().map(row).collect();
        self.hand
            .write_bytes("conf/rules.ndjson", lines.join("\n") + "\n");
    }

    /// Runs a date with these rows.
    async fn run(&mut self, date: NaiveDate, rows: Rows) {
        let users: Vec<String> = (0..USERS).map(|user| format!("u{user}")).collect();
        let profiles: Vec<_> = users
            .iter()
            .map(|user| ("shop", Some(user.as_str()), Some("Oslo"), Some(1)))
            .collect();
        let text = date.to_string();
        self.hand.write_profiles(&text, &profiles);
        let events: Vec<_> = rows
            .iter()
            .map(|(user, event, city, cents)| {
                (
                    "shop",
                    user.as_str(),
                    *event,
                    *city,
                    Some(*cents as f64 / 100.0),
                )
            })
            .collect();
        self.hand.write_events(&text, &events);
        self.rows.insert(date, rows);
        self.hand.run(&text).await.unwrap();
    }

    /// What a user did until a date.
    fn past(&self, user: &str, date: NaiveDate) -> Past {
        let days = self.rows.range(..=date);
        let rows = days.flat_map(|(day, rows)| rows.iter().map(move |row| (*day, row)));
        rows.filter(|(_, row)| row.0 == user)
            .map(|(day, row)| ((date - day).num_days(), row.1, row.2, row.3))
            .collect()
    }

    /// Compares every group of a date with the rows.
    async fn check(&self, date: NaiveDate, asks: &[Ask]) -> Published {
        let release = self.hand.published().await;
        let (users, groups) = (release.dictionary().await, release.groups().await);
        for ask in asks {
            let members = groups.get(&("shop".to_owned(), ask.group.to_owned()));
            let members = members
                .map(|(members, ..)| members.clone())
                .unwrap_or_default();
            let holds = |(_, user): &(String, String)| (ask.holds)(&self.past(user, date));
            let expected: BTreeSet<u64> = users
                .iter()
                .filter(|(key, _)| holds(key))
                .map(|(_, uid)| *uid)
                .collect();
            assert_eq!(members, expected, "{} on {date}", ask.group);
        }
        release
    }
}

/// Removes the behaviour of some days from the store.
fn remove_behaviour(hand: &Hand, days: &[u64]) {
    for day in days {
        for artifact in ["behaviour", "behaviour_measures"] {
            let folder = format!("warehouse/{artifact}/{}", after(*day));
            std::fs::remove_dir_all(hand.path(&folder)).unwrap();
        }
    }
}

fn after(days: u64) -> NaiveDate {
    day(DAY) + Days::new(days)
}

/// Checksums of the windows of a release.
fn windows(release: &Published) -> Vec<String> {
    let files = release.manifest.direct_files(Artifact::Windows);
    files.map(|file| file.checksum.clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_over_days_hold_night_after_night_and_windows_that_go_on_are_those_that_are_made() {
    let (mut rolled, mut made) = (Nights::new().await, Nights::new().await);
    rolled.write_rules(&ASKS);
    made.write_rules(&[]);
    for night in 0..10 {
        if night == 9 {
            // What neither comes in nor goes out is not read.
            remove_behaviour(&rolled.hand, &[0, 1, 2, 8]);
        }
        rolled.run(after(night), rows_of(night)).await;
        rolled.check(after(night), &ASKS).await;
        if night == 9 {
            made.write_rules(&ASKS);
        }
        made.run(after(night), rows_of(night)).await;
    }
    // An event that nobody asks for yet costs nothing: no windows before the last night.
    let (of_rolled, of_made) = (
        rolled.hand.published().await,
        made.check(after(9), &ASKS).await,
    );
    assert!(!windows(&of_rolled).is_empty());
    let until_now = |release: &Published| release.manifest.behaviour.made_of.len();
    assert_eq!((until_now(&of_rolled), until_now(&of_made)), (10, 10));
    assert_eq!(windows(&of_rolled), windows(&of_made));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replayed_day_is_in_every_window_that_has_it() {
    let mut nights = Nights::new().await;
    nights.write_rules(&ASKS);
    for night in 0..5 {
        nights.run(after(night), rows_of(night)).await;
    }
    // A date before the head: groups stay, the next night has it.
    nights.run(after(3), rows_of(103)).await;
    nights
        .run(after(1), Vec::from_iter(rows_of(101).into_iter().take(3)))
        .await;
    nights.run(after(5), rows_of(5)).await;
    nights.check(after(5), &ASKS).await;
    // The head once more.
    nights.run(after(5), rows_of(105)).await;
    nights.check(after(5), &ASKS).await;
    nights.run(after(6), rows_of(6)).await;
    nights.check(after(6), &ASKS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_day_keeps_the_members_and_is_named() {
    let mut nights = Nights::new().await;
    nights.write_rules(&ASKS);
    for night in 0..3 {
        nights.run(after(night), rows_of(night)).await;
    }
    let before = nights.hand.published().await.groups().await;
    // No night of the fourth day.
    nights.run(after(4), rows_of(4)).await;
    let release = nights.hand.published().await;
    let (statuses, reasons) = (release.statuses().await, release.reasons().await);
    let key = |group: &str| ("shop".to_owned(), group.to_owned());
    for ask in &ASKS {
        assert_eq!(statuses[&key(ask.group)].0, "incomplete", "{}", ask.group);
        let reason = &reasons[&key(ask.group)];
        let expected = format!("needs {}, which misses source events", after(3));
        assert!(reason.contains(&expected), "{reason}");
    }
    let kept = release.groups().await;
    assert_eq!(
        kept.keys().collect::<Vec<_>>(),
        before.keys().collect::<Vec<_>>()
    );
    for (group, (members, ..)) in &kept {
        assert_eq!(*members, before[group].0, "{group:?}");
    }
    // Three days later what asks for three days has them all.
    nights.run(after(5), rows_of(5)).await;
    nights.run(after(6), rows_of(6)).await;
    let release = nights.hand.published().await;
    let statuses = release.statuses().await;
    assert_eq!(statuses[&key("never")].0, "ok");
    assert_eq!(statuses[&key("often")].0, "incomplete");
    // The day comes: everything is whole again.
    nights.run(after(3), rows_of(3)).await;
    nights.run(after(7), rows_of(7)).await;
    let release = nights.check(after(7), &ASKS).await;
    assert!(
        release
            .statuses()
            .await
            .values()
            .all(|(status, _)| status == "ok")
    );
}

/// Members by user id of a group of the newest release.
async fn members(hand: &Hand, group: &str) -> Vec<String> {
    let release = hand.published().await;
    let users = release.dictionary().await;
    let groups = release.groups().await;
    let key = ("shop".to_owned(), group.to_owned());
    let members = groups.get(&key).map(|(members, ..)| members.clone());
    let members = members.unwrap_or_default();
    let named = users.into_iter().filter(|(_, uid)| members.contains(uid));
    named.map(|((_, user), _)| user).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_limits_keep_out_is_told_and_what_is_known_counts() {
    let limits = "[limits]\ncombinations_per_user = 2\n";
    let hand = Hand::new(&[PROFILES, PROFILE_TAGS, EVENTS, OF_EVENTS, GROUPS, limits]);
    hand.write_bytes(
        "conf/rules.ndjson",
        [
            "{\"app\":\"shop\",\"group\":\"all\",\"rule\":\"event_count('pay', 2) = 4\"}\n",
            "{\"app\":\"shop\",\"group\":\"bern\",\"rule\":\"event_count('pay', 2, city = 'Bern') >= 1\"}\n",
            "{\"app\":\"shop\",\"group\":\"rome\",\"rule\":\"event_sum('pay', 'amount', 2, city = 'Rome') >= 0.1\"}\n",
        ]
        .concat(),
    );
    let pays =
        |user: &'static str, city: &'static str| ("shop", user, "pay", Some(city), Some(0.1));
    // The tuples of u1 are Bern, Oslo, Rome, Zug: the last two share a number.
    let rows = [
        pays("u1", "Bern"),
        pays("u1", "Oslo"),
        pays("u1", "Rome"),
        pays("u1", "Zug"),
        pays("u2", "Rome"),
        pays("u3", "Oslo"),
    ];
    let mut date = day(DAY);
    hand.init().await;
    for night in 0..4 {
        let text = date.to_string();
        hand.write_profiles(&text, &[("shop", Some("u1"), None, None)]);
        let rows = if night == 0 { &rows[..] } else { &rows[4..5] };
        hand.write_events(&text, rows);
        hand.run(&text).await.unwrap();
        let (is_first, has_shared) = (night == 0, night < 2);
        assert_eq!(
            members(&hand, "all").await.is_empty(),
            !has_shared,
            "{night}"
        );
        let bern = if has_shared { vec!["u1"] } else { vec![] };
        assert_eq!(members(&hand, "bern").await, bern);
        assert_eq!(members(&hand, "rome").await, ["u2"], "is_first: {is_first}");
        let reasons = hand.published().await.reasons().await;
        let reason = |group: &str| {
            let reason = reasons.get(&("shop".to_owned(), group.to_owned()));
            reason.is_some_and(|reason| reason.contains("not exact: of 1 users"))
        };
        let young = reasons
            .values()
            .any(|reason| reason.contains("has the days since 2026-11-19"));
        assert_eq!(young, is_first, "{reasons:?}");
        // In the window for two nights, then it is exact again; without a condition it always is.
        assert_eq!(
            (reason("bern"), reason("rome")),
            (has_shared, has_shared),
            "{reasons:?}"
        );
        assert!(!reason("all"));
        date = date.succ_opt().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_night_without_such_rules_has_no_windows() {
    let mut nights = Nights::new().await;
    nights.write_rules(&[]);
    nights.run(after(0), rows_of(0)).await;
    let release = nights.hand.published().await;
    assert!(windows(&release).is_empty() && release.manifest.behaviour.are_complete());
    assert!(!nights.hand.path("warehouse/windows").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_day_that_never_comes_is_accepted_and_empty() {
    let mut nights = Nights::new().await;
    nights.write_rules(&ASKS);
    for night in [0, 1, 3] {
        nights.run(after(night), rows_of(night)).await;
    }
    let config = Config::parse(&nights.hand.config, "warehouse.toml").unwrap();
    let accept = async |source: &str, night: u64| {
        let accepted = accept_missing(&config, source, after(night)).await;
        accepted.map_err(|error| error.to_string())
    };
    for (source, night, expected) in [
        ("event", 2, "did you mean \"events\"?"),
        ("events", 1, "are not missing"),
        ("events", 4, "is after the newest night"),
    ] {
        let refused = accept(source, night).await.unwrap_err();
        assert!(refused.contains(expected), "{refused}");
    }
    assert_eq!(accept("events", 2).await.unwrap().release, 4);
    assert!(
        accept("events", 2)
            .await
            .unwrap_err()
            .contains("are not missing")
    );
    nights.run(after(4), rows_of(4)).await;
    nights.check(after(4), &ASKS).await;
    nights.run(after(5), rows_of(5)).await;
    // It comes nevertheless.
    nights.run(after(2), rows_of(2)).await;
    nights.run(after(6), rows_of(6)).await;
    let release = nights.check(after(6), &ASKS).await;
    assert!(
        release
            .statuses()
            .await
            .values()
            .all(|(status, _)| status == "ok")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_the_night_does_without_is_a_missing_day_until_a_run_brings_it() {
    let late = "late = { policy = 'skip' }\n";
    let hand = Hand::new(&[PROFILES, PROFILE_TAGS, EVENTS, late, OF_EVENTS, GROUPS]);
    hand.write_bytes(
        "conf/rules.ndjson",
        "{\"app\":\"shop\",\"group\":\"payers\",\"rule\":\"event_count('pay', 3) >= 1\"}\n{\"app\":\"shop\",\"group\":\"on\",\"rule\":\"NOT in_group('payers')\"}\n",
    );
    hand.init().await;
    let profiles = [
        ("shop", Some("u1"), None, None),
        ("shop", Some("u2"), None, None),
    ];
    let status = async |group: &str| {
        let statuses = hand.published().await.statuses().await;
        statuses[&("shop".to_owned(), group.to_owned())].clone()
    };
    for night in 0..4 {
        let text = after(night).to_string();
        hand.write_profiles(&text, &profiles);
        if night != 1 {
            let pays = [("shop", "u2", "pay", None, Some(1.0))];
            hand.write_events(&text, &pays[..usize::from(night == 0)]);
        }
        hand.run(&text).await.unwrap();
        let (payers, on) = (status("payers").await, status("on").await);
        let expected = if night == 0 { "ok" } else { "incomplete" };
        assert_eq!(payers, (expected.to_owned(), Some(1)), "{night}");
        let expected = if night == 0 { "ok" } else { "stale" };
        assert_eq!(on, (expected.to_owned(), Some(1)), "{night}");
    }
    let missing = hand.published().await.manifest.behaviour.missing;
    assert_eq!(missing.len(), 1);
    assert_eq!(
        (missing[0].date, missing[0].source.as_str()),
        (after(1), "events")
    );
    // It comes late: the next night is whole.
    hand.write_events(&after(1).to_string(), &[]);
    hand.run(&after(1).to_string()).await.unwrap();
    assert!(hand.published().await.manifest.behaviour.missing.is_empty());
    let text = after(4).to_string();
    hand.write_profiles(&text, &profiles);
    hand.write_events(&text, &[]);
    hand.run(&text).await.unwrap();
    assert_eq!(status("payers").await, ("ok".to_owned(), Some(0)));
    assert!(members(&hand, "on").await.len() == 2);
}
