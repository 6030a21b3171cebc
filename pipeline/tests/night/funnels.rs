//! Funnels, night after night, against every chain tried one by one over all rows written by hand.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::{Date32Type, UInt32Type};
use chrono::{Days, NaiveDate};
use roaring::RoaringTreemap;
use tagmill_schemas::Artifact;

use crate::hand::{DAY, Hand, day};

const HOUR: i64 = 3_600_000_000;
/// Midnight of [`DAY`] in UTC.
const MIDNIGHT: i64 = 1_795_046_400_000_000;
const CONFIG: &str = "[[source]]
name = 'events'
kind = 'behaviour'
path = '@OUT@/raw/events/dt={date}/*.parquet'
columns = { app = 'app', user = 'user', event = 'event', time = 'time' }
dimensions = { city = 'city' }
dedupe = { key = ['id'] }
day = { late = 'today' }
";
const FUNNELS: &str = "[[funnel]]
name = 'short'
steps = ['visit', { event = 'cart', where = \"city = 'Oslo' OR city IS NULL\" }, 'pay']
window = '5h'
[[funnel]]
name = 'long'
app = 'shop'
steps = ['visit', 'cart', { event = 'cart', where = \"city <> 'Rome'\" }, 'pay']
window = '30h'
days = 4
";

/// An event: user, name, city, hours since [`MIDNIGHT`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Row {
    user: String,
    event: &'static str,
    city: Option<&'static str>,
    hour: i64,
}

/// A funnel as the oracle knows it.
struct Plan {
    name: &'static str,
    window: i64,
    steps: Vec<fn(&Row) -> bool>,
    days: i64,
}

fn plans() -> [Plan; 2] {
    [
        Plan {
            name: "long",
            window: 30,
            steps: vec![
                |row| row.event == "visit",
                |row| row.event == "cart",
                |row| row.event == "cart" && row.city.is_some_and(|city| city != "Rome"),
                |row| row.event == "pay",
            ],
            days: 4,
        },
        Plan {
            name: "short",
            window: 5,
            steps: vec![
                |row| row.event == "visit",
                |row| row.event == "cart" && row.city.is_none_or(|city| city == "Oslo"),
                |row| row.event == "pay",
            ],
            days: 30,
        },
    ]
}

/// How far the best chain comes that begins on a day, in hours.
fn best(rows: &[&Row], plan: &Plan, day: i64) -> usize {
    let begins = |row: &&&Row| plan.steps[0](row) && row.hour.div_euclid(24) == day;
    let tries = rows.iter().filter(begins).map(|first| {
        let mut last = first.hour;
        let mut reached = 1;
        for step in &plan.steps[1..] {
            let next = rows
                .iter()
                .filter(|row| step(row) && row.hour > last && row.hour - first.hour <= plan.window);
            match next.map(|row| row.hour).min() {
                Some(hour) => (last, reached) = (hour, reached + 1),
                None => break,
            }
        }
        reached
    });
    tries.max().unwrap_or(0)
}

struct Nights {
    hand: Hand,
    rows: BTreeMap<i64, Vec<Row>>,
}

impl Nights {
    async fn new() -> Self {
        let hand = Hand::new(&[CONFIG, FUNNELS]);
        hand.init().await;
        let rows = BTreeMap::new();
        Self { hand, rows }
    }

    /// Writes these rows of a night; each comes twice, and one of the day before comes too late.
    fn write(&mut self, night: i64, rows: Vec<Row>) {
        let late = Row {
            user: "u0".to_owned(),
            event: "pay",
            city: None,
            hour: night * 24 - 1,
        };
        let written: Vec<&Row> = rows.iter().chain(&rows).chain([&late]).collect();
        let text = |of: fn(&Row) -> &str| -> ArrayRef {
            Arc::new(StringArray::from_iter_values(
                written.iter().map(|row| of(row)),
            ))
        };
        let ids = written.iter().map(|row| format!("{row:?}"));
        let times = written.iter().map(|row| MIDNIGHT + row.hour * HOUR);
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("app", text(|_| "shop")),
            ("user", text(|row| &row.user)),
            ("event", text(|row| row.event)),
            (
                "city",
                Arc::new(written.iter().map(|row| row.city).collect::<StringArray>()),
            ),
            ("id", Arc::new(StringArray::from_iter_values(ids))),
            (
                "time",
                Arc::new(TimestampMicrosecondArray::from_iter_values(times).with_timezone("UTC")),
            ),
        ];
        let date = after(night);
        self.hand
            .write(&format!("raw/events/dt={date}/part.parquet"), columns);
        self.rows.insert(night, rows);
    }

    async fn run(&mut self, night: i64, rows: Vec<Row>) {
        self.write(night, rows);
        self.hand.run(&after(night).to_string()).await.unwrap();
    }

    /// Compares what the newest release has with the rows until a night; `incomplete` are the days
    /// whose chains lack rows.
    async fn check(&self, night: i64, incomplete: &[i64]) {
        let found = self.found().await;
        for plan in plans() {
            let first = (night + 1 - plan.days).max(0);
            for begun in first..=night {
                let mut by_user: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
                for row in self.rows.range(..=night).flat_map(|(_, rows)| rows) {
                    by_user.entry(&row.user).or_default().push(row);
                }
                let reached: Vec<(&str, usize)> = by_user
                    .iter()
                    .map(|(user, rows)| (*user, best(rows, &plan, begun)))
                    .collect();
                let is_final = (begun + 1) * 24 + plan.window <= (night + 1) * 24;
                for step in 1..=plan.steps.len() {
                    let users = reached.iter().filter(|(_, best)| *best >= step);
                    let users: BTreeSet<String> =
                        users.map(|(user, _)| (*user).to_owned()).collect();
                    let expected = (!users.is_empty())
                        .then(|| (users, is_final, !incomplete.contains(&begun)));
                    let key = (plan.name.to_owned(), begun, step as u32);
                    assert_eq!(found.get(&key), expected.as_ref(), "{key:?} on {night}");
                }
            }
            let days = found.keys().filter(|(name, ..)| name == plan.name);
            assert!(days.map(|(_, begun, _)| *begun).min() >= Some(first));
        }
    }

    /// By funnel, day and step: users, final, complete.
    async fn found(&self) -> BTreeMap<(String, i64, u32), (BTreeSet<String>, bool, bool)> {
        let release = self.hand.published().await;
        let users = release.dictionary().await;
        let names: BTreeMap<u64, String> = users
            .into_iter()
            .map(|((_, user), uid)| (uid, user))
            .collect();
        let mut found = BTreeMap::new();
        for (_, batch) in release.batches(Artifact::Funnels).await {
            for row in 0..batch.num_rows() {
                let date = batch["date"].as_primitive::<Date32Type>().value(row);
                let date = NaiveDate::default() + chrono::TimeDelta::days(date.into());
                let key = (
                    batch["funnel"].as_string::<i32>().value(row).to_owned(),
                    (date - day(DAY)).num_days(),
                    batch["step"].as_primitive::<UInt32Type>().value(row),
                );
                let bitmap = batch["bitmap"].as_binary::<i32>().value(row);
                let uids = RoaringTreemap::deserialize_from(bitmap).unwrap();
                let flag = |name: &str| batch[name].as_boolean().value(row);
                let empty = (BTreeSet::new(), flag("final"), flag("complete"));
                let of_key = found.entry(key).or_insert(empty);
                assert_eq!((of_key.1, of_key.2), (flag("final"), flag("complete")));
                of_key.0.extend(uids.iter().map(|uid| names[&uid].clone()));
            }
        }
        found
    }
}

fn after(days: i64) -> NaiveDate {
    day(DAY) + Days::new(days as u64)
}

/// Some rows of a night: many at one time, many about midnight.
fn rows_of(night: i64) -> Vec<Row> {
    let mut state = (night as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = move |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    };
    let mut row = |_| Row {
        user: format!("u{}", next(40)),
        event: ["visit", "visit", "cart", "cart", "pay", "other"][next(6) as usize],
        city: [Some("Oslo"), Some("Rome"), None][next(3) as usize],
        hour: night * 24 + [0, 1, 2, 9, 20, 21, 22, 23][next(8) as usize],
    };
    let rows: BTreeSet<Row> = (0..150).map(&mut row).collect();
    rows.into_iter().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn chains_go_on_over_nights_as_if_all_rows_were_read() {
    let mut nights = Nights::new().await;
    for night in 0..7 {
        nights.run(night, rows_of(night)).await;
        nights.check(night, &[]).await;
        if night == 4 {
            // Nobody reads an earlier night's rows.
            for old in 0..3 {
                let folder = nights.hand.path(&format!("raw/events/dt={}", after(old)));
                std::fs::remove_dir_all(folder).unwrap();
            }
        }
    }
    // The head once more, with other rows.
    nights
        .run(
            6,
            rows_of(106)
                .into_iter()
                .map(|row| moved(row, -100))
                .collect(),
        )
        .await;
    nights.check(6, &[]).await;
}

fn moved(row: Row, days: i64) -> Row {
    let hour = row.hour + days * 24;
    Row { hour, ..row }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_night_makes_the_days_incomplete_that_it_is_part_of() {
    let mut nights = Nights::new().await;
    for night in [0, 1, 3] {
        nights.run(night, rows_of(night)).await;
    }
    let found = nights.found().await;
    let is_complete = |name: &str, begun: i64| found[&(name.to_owned(), begun, 1)].2;
    // Of 30 hours from day 0, and from day 1, the third day is part.
    let complete: Vec<bool> = [0, 1, 3].map(|begun| is_complete("long", begun)).to_vec();
    assert_eq!(complete, [false, false, true]);
    let complete: Vec<bool> = [0, 1, 3].map(|begun| is_complete("short", begun)).to_vec();
    assert_eq!(complete, [true, false, true]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replayed_day_makes_the_days_incomplete_that_it_is_part_of() {
    let mut nights = Nights::new().await;
    for night in 0..4 {
        nights.run(night, rows_of(night)).await;
    }
    let before = nights.found().await;
    nights.run(1, rows_of(1)).await;
    let mut expected = before;
    for ((name, begun, _), (_, _, complete)) in &mut expected {
        *complete = match name.as_str() {
            // Days 0 and 1 go on in day 1; of 30 hours the first ends in it, too.
            "long" | "short" => !(0..=1).contains(begun),
            _ => true,
        };
    }
    assert_eq!(nights.found().await, expected);
    nights.run(4, rows_of(4)).await;
    let after = nights.found().await;
    assert!(!after[&("short".to_owned(), 1, 1)].2);
    assert!(after[&("short".to_owned(), 4, 1)].2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_funnel_begins_anew_and_none_costs_nothing() {
    let mut nights = Nights::new().await;
    nights.run(0, rows_of(0)).await;
    nights.hand.config = nights.hand.config.replace("'5h'", "'6h'");
    nights.run(1, rows_of(1)).await;
    let found = nights.found().await;
    assert!(!found.contains_key(&("short".to_owned(), 0, 1)));
    assert!(found.contains_key(&("long".to_owned(), 0, 1)));
    let at = nights.hand.config.find("[[funnel]]").unwrap();
    nights.hand.config.truncate(at);
    nights.run(2, rows_of(2)).await;
    let release = nights.hand.published().await;
    for artifact in [Artifact::Funnels, Artifact::FunnelState] {
        assert_eq!(release.manifest.direct_files(artifact).count(), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refuses_what_no_row_can_be() {
    for (wrong, said) in [
        ("'visit', 'card'", "no source has the event \"card\""),
        (
            "'visit', { event = 'cart', where = \"town = 'Oslo'\" }",
            "town",
        ),
    ] {
        let funnel = format!("[[funnel]]\nname = 'f'\nsteps = [{wrong}]\nwindow = '1h'\n");
        let hand = Hand::new(&[
            &CONFIG.replace("day =", "events = ['visit', 'cart']\nday ="),
            &funnel,
        ]);
        hand.init().await;
        let row = Row {
            user: "u".to_owned(),
            event: "visit",
            city: None,
            hour: 1,
        };
        let mut nights = Nights {
            hand,
            rows: BTreeMap::new(),
        };
        nights.write(0, vec![row]);
        let error = nights.hand.run(DAY).await.unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
}
