//! A release with events as rows: three shards, two days, several combinations a user, sums of
//! either sign; what the answers over it have to be is counted row by row.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Int8Array, Int16Array, Int64Array, StringArray,
    UInt32Array,
};
use chrono::NaiveDate;
use tagmill_schemas::Artifact;

use crate::columns::{constant, texts, universe, user_columns, users_batch};
use crate::release::{APP, Release, User, counted, manifest, write};

const SHARDS: u32 = 3;
const PER_SHARD: u32 = 200;
pub const EVENT: &str = "buy";

/// One event.
#[derive(Debug, Clone)]
pub struct Row {
    pub day: NaiveDate,
    pub shard: u32,
    pub ordinal: u32,
    pub city: Option<&'static str>,
    pub os: &'static str,
    /// In cents.
    pub amount: i64,
}

impl Row {
    pub fn uid(&self) -> u64 {
        u64::from(self.shard) << 32 | u64::from(self.ordinal)
    }
}

pub fn day(of_month: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, of_month).unwrap()
}

/// Every event of both days; the shards differ in how negative their sums are.
pub fn rows() -> Vec<Row> {
    let cities = [Some("Beijing"), Some("O'Fallon"), None, Some("Xi'an")];
    let mut rows = Vec::new();
    for (day, shard) in [18, 19]
        .into_iter()
        .flat_map(|d| (0..SHARDS).map(move |s| (d, s)))
    {
        for ordinal in 0..PER_SHARD {
            let n = ordinal * 7 + shard * 31 + day;
            for k in 0..n % 5 {
                let m = n * 13 + k * 29;
                let sign = if m % 3 == 0 { -1 } else { 1 };
                rows.push(Row {
                    day: self::day(day),
                    shard,
                    ordinal,
                    city: cities[(m % 4) as usize],
                    os: ["mac", "linux"][(m / 4 % 2) as usize],
                    amount: sign * i64::from(m % 977) * i64::from(10_u32.pow(shard)),
                });
            }
        }
    }
    rows
}

fn users(shard: u32) -> Vec<User> {
    let user = |ordinal| User {
        shard,
        ordinal,
        in_app: true,
        gender: None,
        age: None,
        signup: None,
        score: None,
        vip: None,
    };
    (0..PER_SHARD).map(user).collect()
}

/// Members of the group `some`, of which shard 1 has none.
pub fn is_member(shard: u32, ordinal: u32) -> bool {
    shard != 1 && ordinal.is_multiple_of(3)
}

/// The release of [`rows`].
pub async fn release() -> Release {
    release_without("events", None).await
}

/// The release of [`rows`] whose dimension `city` does not keep a value: its rows stand for what is
/// beyond the limit.
pub async fn release_without(name: &str, unkept: Option<&str>) -> Release {
    let (counting, store) = counted(name);
    let (today, all) = (day(19), rows());
    let mut files = Vec::new();
    for shard in 0..SHARDS {
        let own = users(shard);
        for (artifact, columns) in [
            (Artifact::Users, users_batch(&own)),
            (Artifact::Universe, universe(shard, &own)),
        ] {
            files.push(write(&store, artifact, today, Some(shard), columns).await);
        }
        let members: Vec<u32> = (0..PER_SHARD).filter(|o| is_member(shard, *o)).collect();
        if !members.is_empty() {
            let columns = groups(shard, members);
            files.push(write(&store, Artifact::Groups, today, Some(shard), columns).await);
        }
        for date in [day(18), day(19)] {
            let rows: Vec<&Row> = all
                .iter()
                .filter(|r| r.day == date && r.shard == shard)
                .collect();
            let numbered = Numbered::of(&rows);
            for (artifact, columns) in [
                (
                    Artifact::Behaviour,
                    behaviour(shard, date, &numbered, unkept),
                ),
                (
                    Artifact::BehaviourMeasures,
                    measures(shard, date, &numbered),
                ),
            ] {
                files.push(write(&store, artifact, date, Some(shard), columns).await);
            }
        }
    }
    files.push(write(&store, Artifact::GroupStatus, today, None, group_status()).await);
    Release {
        manifest: manifest(files, crate::columns::tag_entries()),
        counting,
        store,
    }
}

/// Per user and combination number: its values, how often, how much.
struct Numbered<'a>(BTreeMap<(u32, u32), (&'a Row, i64, i64)>);

impl<'a> Numbered<'a> {
    fn of(rows: &[&'a Row]) -> Self {
        let mut tuples: BTreeMap<u32, Vec<(Option<&str>, &str)>> = BTreeMap::new();
        let mut numbered = BTreeMap::new();
        for row in rows {
            let own = tuples.entry(row.ordinal).or_default();
            let tuple = (row.city, row.os);
            let number = own.iter().position(|t| *t == tuple).unwrap_or_else(|| {
                own.push(tuple);
                own.len() - 1
            });
            let item = numbered.entry((row.ordinal, number as u32));
            let item = item.or_insert((*row, 0, 0));
            item.1 += 1;
            item.2 += row.amount;
        }
        Self(numbered)
    }
}

type Dimension = (Option<&'static str>, Option<&'static str>, Option<u32>);

fn behaviour(
    shard: u32,
    date: NaiveDate,
    numbered: &Numbered<'_>,
    unkept: Option<&str>,
) -> Vec<ArrayRef> {
    let mut sets: BTreeMap<Dimension, BTreeSet<u32>> = BTreeMap::new();
    for (&(ordinal, number), (row, _, _)) in &numbered.0 {
        let mut add = |key| sets.entry(key).or_default().insert(ordinal);
        add((None, None, None));
        add((Some("os"), Some(row.os), Some(number)));
        if let Some(city) = row.city {
            let kept = Some(city).filter(|city| Some(*city) != unkept);
            add((Some("city"), kept, Some(number)));
        }
    }
    let text = |of: fn(&Dimension) -> Option<&'static str>| -> ArrayRef {
        Arc::new(sets.keys().map(of).collect::<StringArray>())
    };
    let rows = sets.len();
    let is_beyond = |key: &Dimension| Some(key.0.is_some() && key.1.is_none());
    let mut columns = vec![
        constant(APP, rows),
        dates(date, rows),
        constant(EVENT, rows),
        text(|key| key.0),
        text(|key| key.1),
        Arc::new(sets.keys().map(|key| key.2).collect::<UInt32Array>()),
        Arc::new(sets.keys().map(is_beyond).collect::<BooleanArray>()),
    ];
    columns.extend(user_columns(shard, &ordinals(sets.into_values())));
    columns
}

fn measures(shard: u32, date: NaiveDate, numbered: &Numbered<'_>) -> Vec<ArrayRef> {
    let mut sets: BTreeMap<(&str, u32, i16), BTreeSet<u32>> = BTreeMap::new();
    let least = numbered.0.values().map(|item| item.2).min().unwrap_or(0);
    // As nights before numbers of one weight a slice: a power of two below the least.
    let offset = match least < 0 {
        true => -i64::from(least.unsigned_abs().next_power_of_two() as u32),
        false => 0,
    };
    for (&(ordinal, number), &(_, count, sum)) in &numbered.0 {
        for (measure, value) in [("*", count), ("amount", sum - offset)] {
            for slice in (-1..40).filter(|s| *s < 0 || value >> s & 1 == 1) {
                let set = sets.entry((measure, number, slice)).or_default();
                set.insert(ordinal);
            }
        }
    }
    let rows = sets.len();
    let is_amount = |measure: &str| measure == "amount";
    let keys = || sets.keys();
    let mut columns = vec![
        constant(APP, rows),
        dates(date, rows),
        constant(EVENT, rows),
        texts(keys().map(|key| key.0.to_owned())),
        Arc::new(UInt32Array::from_iter_values(keys().map(|key| key.1))) as ArrayRef,
        Arc::new(Int8Array::from_iter_values(
            keys().map(|k| 2 * i8::from(is_amount(k.0))),
        )),
        Arc::new(Int64Array::from_iter_values(
            keys().map(|k| offset * i64::from(is_amount(k.0))),
        )),
        Arc::new(Int16Array::from_iter_values(keys().map(|key| key.2))),
        Arc::new(BooleanArray::from(vec![false; rows])),
    ];
    columns.extend(user_columns(shard, &ordinals(sets.into_values())));
    columns
}

fn dates(date: NaiveDate, rows: usize) -> ArrayRef {
    let days = (date - NaiveDate::default()).num_days() as i32;
    Arc::new(Date32Array::from_value(days, rows))
}

fn ordinals(sets: impl Iterator<Item = BTreeSet<u32>>) -> Vec<Vec<u32>> {
    sets.map(|set| set.into_iter().collect()).collect()
}

fn groups(shard: u32, members: Vec<u32>) -> Vec<ArrayRef> {
    let mut columns = vec![constant(APP, 1), constant("some", 1)];
    columns.extend(user_columns(shard, &[members]));
    let number = |n| Arc::new(arrow::array::UInt64Array::from_value(n, 1)) as ArrayRef;
    columns.extend([number(2), number(1)]);
    columns
}

/// `empty` and `some` are ok, `typo` is not.
fn group_status() -> Vec<ArrayRef> {
    let null = || Arc::new(StringArray::new_null(3)) as ArrayRef;
    let text = |values: [&str; 3]| texts(values.map(str::to_owned));
    let numbers = vec![Some(20_776), Some(20_776), None];
    vec![
        constant(APP, 3),
        text(["empty", "some", "typo"]),
        text(["ok", "ok", "invalid"]),
        null(),
        Arc::new(Date32Array::from(numbers)),
        Arc::new(arrow::array::UInt64Array::from(vec![
            Some(1),
            Some(1),
            None,
        ])),
        null(),
        Arc::new(UInt32Array::new_null(3)),
        Arc::new(UInt32Array::new_null(3)),
        null(),
    ]
}
