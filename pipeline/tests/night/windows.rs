//! Rules over days of behaviour, night after night, against rows written by hand: windows that go on
//! and windows that are made of their days are the same.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Days, NaiveDate};
use tagmill_schemas::Artifact;

use crate::hand::{DAY, EVENTS, GROUPS, Hand, PROFILE_TAGS, PROFILES, day};
use crate::release::Published;

pub const OF_EVENTS: &str = "dimensions = { city = 'city' }
events = ['pay', 'visit']
measures = { amount = { value = 'amount', scale = 2, events = ['pay'] } }
";
pub const USERS: usize = 60;
const CITIES: [Option<&str>; 4] = [Some("Oslo"), Some("Rome"), Some("Bern"), None];

/// What a user did: on how many days before the run, the event, the city, the amount in cents.
pub type Past = Vec<(i64, &'static str, Option<&'static str>, i64)>;

pub struct Ask {
    pub group: &'static str,
    pub rule: &'static str,
    pub holds: fn(&Past) -> bool,
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

pub const ASKS: [Ask; 12] = [
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
pub type Rows = Vec<(String, &'static str, Option<&'static str>, i64)>;

/// Some rows of a day, other ones for another seed.
pub fn rows_of(seed: u64) -> Rows {
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

pub struct Nights {
    pub hand: Hand,
    /// By date.
    rows: BTreeMap<NaiveDate, Rows>,
}

impl Nights {
    pub async fn new() -> Self {
        let sections = [PROFILES, PROFILE_TAGS, EVENTS, OF_EVENTS, GROUPS];
        let hand = Hand::new(&sections);
        hand.init().await;
        Self {
            hand,
            rows: BTreeMap::new(),
        }
    }

    pub fn write_rules(&self, asks: &[Ask]) {
        let row = |ask: &Ask| {
            serde_json::json!({ "app": "shop", "group": ask.group, "rule": ask.rule }).to_string()
        };
        let lines: Vec<String> = asks.iter().map(row).collect();
        self.hand
            .write_bytes("conf/rules.ndjson", lines.join("\n") + "\n");
    }

    /// Runs a date with these rows.
    pub async fn run(&mut self, date: NaiveDate, rows: Rows) {
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
    pub fn past(&self, user: &str, date: NaiveDate) -> Past {
        let days = self.rows.range(..=date);
        let rows = days.flat_map(|(day, rows)| rows.iter().map(move |row| (*day, row)));
        rows.filter(|(_, row)| row.0 == user)
            .map(|(day, row)| ((date - day).num_days(), row.1, row.2, row.3))
            .collect()
    }

    /// Compares every group of a date with the rows.
    pub async fn check(&self, date: NaiveDate, asks: &[Ask]) -> Published {
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

pub fn after(days: u64) -> NaiveDate {
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
async fn a_night_without_such_rules_has_no_windows() {
    let mut nights = Nights::new().await;
    nights.write_rules(&[]);
    nights.run(after(0), rows_of(0)).await;
    let release = nights.hand.published().await;
    assert!(windows(&release).is_empty() && release.manifest.behaviour.are_complete());
    assert!(!nights.hand.path("warehouse/windows").exists());
}
