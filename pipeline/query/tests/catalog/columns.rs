//! The columns of the release for tests, artifact by artifact.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Float64Array, Int8Array, Int16Array,
    Int64Array, StringArray, UInt8Array, UInt32Array, UInt64Array,
};
use chrono::NaiveDate;
use tagmill_bitmap::write_sorted;
use tagmill_schemas::ValueType;
use tagmill_schemas::manifest::TagEntry;

use crate::release::{APP, User};

/// A typed value that sorts as the artifact does.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    String(String),
    Integer(i64),
    Double(f64),
    Date(i32),
    Boolean(bool),
}

impl Eq for Cell {}

impl PartialOrd for Cell {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Cell {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        match (self, other) {
            (Self::String(a), Self::String(b)) => a.cmp(b),
            (Self::Integer(a), Self::Integer(b)) => a.cmp(b),
            (Self::Double(a), Self::Double(b)) => a.total_cmp(b),
            (Self::Date(a), Self::Date(b)) => a.cmp(b),
            (Self::Boolean(a), Self::Boolean(b)) => a.cmp(b),
            _ => self.type_name().cmp(other.type_name()),
        }
    }
}

impl Cell {
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::String(_) => "string",
            Self::Integer(_) => "integer",
            Self::Double(_) => "double",
            Self::Date(_) => "date",
            Self::Boolean(_) => "boolean",
        }
    }
}

pub type Sets = BTreeMap<(String, Cell), Vec<u32>>;

pub fn tag_sets(users: &[User]) -> Sets {
    let mut sets = Sets::new();
    let mut add = |tag: &str, value: Option<Cell>, ordinal: u32| {
        if let Some(value) = value {
            sets.entry((tag.to_owned(), value))
                .or_default()
                .push(ordinal);
        }
    };
    for user in users {
        add(
            "gender",
            user.gender.map(|v| Cell::String(v.to_owned())),
            user.ordinal,
        );
        add("age", user.age.map(Cell::Integer), user.ordinal);
        add("signup", user.signup.map(Cell::Date), user.ordinal);
        add("score", user.score.map(Cell::Double), user.ordinal);
        add("vip", user.vip.map(Cell::Boolean), user.ordinal);
    }
    sets
}

pub fn entry(tag: &str, value_type: ValueType) -> TagEntry {
    TagEntry {
        app: APP.to_owned(),
        tag: tag.to_owned(),
        value_type,
        multi: false,
        source: "profiles".to_owned(),
        over_limit: None,
        is_withheld: false,
    }
}

pub fn tag_entries() -> Vec<TagEntry> {
    use ValueType::{Boolean, Date, Double, Integer, String};
    [
        ("gender", String),
        ("age", Integer),
        ("signup", Date),
        ("score", Double),
        ("vip", Boolean),
    ]
    .map(|(tag, of)| entry(tag, of))
    .to_vec()
}

pub fn bitmap(shard: u32, ordinals: &[u32]) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_sorted(shard, ordinals, &mut bytes);
    bytes
}

pub fn texts(texts: impl IntoIterator<Item = String>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(texts))
}

pub fn constant(text: &str, rows: usize) -> ArrayRef {
    texts(std::iter::repeat_n(text.to_owned(), rows))
}

pub fn value_columns<'a>(cells: impl Iterator<Item = &'a Cell> + Clone) -> [ArrayRef; 5] {
    [
        Arc::new(
            cells
                .clone()
                .map(|c| {
                    if let Cell::String(v) = c {
                        Some(v.clone())
                    } else {
                        None
                    }
                })
                .collect::<StringArray>(),
        ),
        Arc::new(
            cells
                .clone()
                .map(|c| {
                    if let Cell::Integer(v) = c {
                        Some(*v)
                    } else {
                        None
                    }
                })
                .collect::<Int64Array>(),
        ),
        Arc::new(
            cells
                .clone()
                .map(|c| {
                    if let Cell::Double(v) = c {
                        Some(*v)
                    } else {
                        None
                    }
                })
                .collect::<Float64Array>(),
        ),
        Arc::new(
            cells
                .clone()
                .map(|c| {
                    if let Cell::Date(v) = c {
                        Some(*v)
                    } else {
                        None
                    }
                })
                .collect::<Date32Array>(),
        ),
        Arc::new(
            cells
                .map(|c| {
                    if let Cell::Boolean(v) = c {
                        Some(*v)
                    } else {
                        None
                    }
                })
                .collect::<BooleanArray>(),
        ),
    ]
}

/// Shard, bitmap, cardinality.
pub fn user_columns(shard: u32, sets: &[Vec<u32>]) -> [ArrayRef; 3] {
    [
        Arc::new(UInt32Array::from_value(shard, sets.len())),
        Arc::new(BinaryArray::from_iter_values(
            sets.iter().map(|set| bitmap(shard, set)),
        )),
        Arc::new(UInt64Array::from_iter_values(
            sets.iter().map(|set| set.len() as u64),
        )),
    ]
}

pub fn tags(shard: u32, sets: &Sets) -> Vec<ArrayRef> {
    let bitmaps: Vec<_> = sets.values().cloned().collect();
    let mut columns = vec![
        constant(APP, sets.len()),
        texts(sets.keys().map(|(tag, _)| tag.clone())),
        texts(sets.keys().map(|(_, cell)| cell.type_name().to_owned())),
    ];
    columns.extend(value_columns(sets.keys().map(|(_, cell)| cell)));
    columns.extend(user_columns(shard, &bitmaps));
    columns
}

pub fn values(sets: &Sets) -> Vec<ArrayRef> {
    let mut columns = vec![
        constant(APP, sets.len()),
        texts(sets.keys().map(|(tag, _)| tag.clone())),
        texts(sets.keys().map(|(_, cell)| cell.type_name().to_owned())),
    ];
    columns.extend(value_columns(sets.keys().map(|(_, cell)| cell)));
    columns.push(Arc::new(UInt32Array::from_iter_values(
        0..sets.len() as u32,
    )));
    columns
}

/// The slices of numbers, as files have them: in even shards as older files do, above an offset;
/// in odd ones with what is below zero in two's complement.
fn slices(shard: u32, offset: i64, numbers: &[(u32, i64)]) -> Vec<(i64, i16, Vec<u32>)> {
    let below_zero = 10;
    let is_old = shard.is_multiple_of(2);
    let has = |slice: i16, number: i64| match slice {
        -1 => true,
        0.. if is_old => (number - offset) >> slice & 1 == 1,
        0.. => (number + i64::from(number < 0) * (1 << below_zero)) >> slice & 1 == 1,
        _ => !is_old && number < 0 && slice == -2 - below_zero,
    };
    let users = |slice| -> Vec<u32> {
        let found = numbers.iter().filter(|(_, number)| has(slice, *number));
        found.map(|(ordinal, _)| *ordinal).collect()
    };
    let offset = if is_old { offset } else { 0 };
    let all = (-2 - below_zero..20).map(|slice| (offset, slice, users(slice)));
    all.filter(|(.., users)| !users.is_empty()).collect()
}

/// The slices of `age` (offset -10) and `signup` (offset 20000).
pub fn numbers(shard: u32, users: &[User]) -> Vec<ArrayRef> {
    let mut rows = Vec::new();
    let mut add = |tag: &str, of: &str, offset: i64, number: &dyn Fn(&User) -> Option<i64>| {
        let numbers: Vec<(u32, i64)> = users
            .iter()
            .filter_map(|user| Some((user.ordinal, number(user)?)))
            .collect();
        for (offset, slice, set) in slices(shard, offset, &numbers) {
            rows.push((tag.to_owned(), of.to_owned(), offset, slice, set));
        }
    };
    add("age", "integer", -10, &|user| user.age);
    add("signup", "date", 20_000, &|user| user.signup.map(i64::from));
    let sets: Vec<_> = rows.iter().map(|row| row.4.clone()).collect();
    let mut columns = vec![
        constant(APP, rows.len()),
        texts(rows.iter().map(|row| row.0.clone())),
        texts(rows.iter().map(|row| row.1.clone())),
        Arc::new(Int8Array::from_value(0, rows.len())),
        Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.2))),
        Arc::new(Int16Array::from_iter_values(rows.iter().map(|row| row.3))),
    ];
    columns.extend(user_columns(shard, &sets));
    columns
}

/// What a user spent on a day with a combination, in hundredths, and how often.
pub fn spent(user: &User, day: i32, combination: u32) -> Option<(i64, i64)> {
    let n = i64::from(user.ordinal) * 37 + i64::from(day) * 11 + i64::from(combination) * 101;
    (user.in_app && n % 6 < 2).then_some((n % 701 - 350, n % 3 + 1))
}

/// The measures `*` and `amount` of a day's event `buy`, in two combinations.
pub fn measures(shard: u32, date: NaiveDate, users: &[User]) -> Vec<ArrayRef> {
    let day = (date - NaiveDate::default()).num_days() as i32;
    let mut rows = Vec::new();
    for (measure, scale) in [("*", 0), ("amount", 2)] {
        for combination in 0..2 {
            let number = |user: &User| {
                let (amount, count) = spent(user, day, combination)?;
                Some((user.ordinal, if scale == 0 { count } else { amount }))
            };
            let numbers: Vec<(u32, i64)> = users.iter().filter_map(number).collect();
            let offset = if scale == 0 { 0 } else { -512 };
            for (offset, slice, set) in slices(shard, offset, &numbers) {
                rows.push((measure.to_owned(), combination, scale, offset, slice, set));
            }
        }
    }
    let sets: Vec<_> = rows.iter().map(|row| row.5.clone()).collect();
    let mut columns = vec![
        constant(APP, rows.len()),
        Arc::new(Date32Array::from_value(day, rows.len())) as ArrayRef,
        constant("buy", rows.len()),
        texts(rows.iter().map(|row| row.0.clone())),
        Arc::new(UInt32Array::from_iter_values(rows.iter().map(|row| row.1))),
        Arc::new(Int8Array::from_iter_values(rows.iter().map(|row| row.2))),
        Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.3))),
        Arc::new(Int16Array::from_iter_values(rows.iter().map(|row| row.4))),
        Arc::new(BooleanArray::from(vec![false; rows.len()])),
    ];
    columns.extend(user_columns(shard, &sets));
    columns
}

pub fn universe(shard: u32, users: &[User]) -> Vec<ArrayRef> {
    let other = users
        .iter()
        .filter(|user| !user.in_app)
        .map(|user| user.ordinal)
        .collect();
    let own = users
        .iter()
        .filter(|user| user.in_app)
        .map(|user| user.ordinal)
        .collect();
    let mut columns = vec![texts(["other".to_owned(), APP.to_owned()])];
    columns.extend(user_columns(shard, &[other, own]));
    columns
}

/// The group `women`.
pub fn groups(shard: u32, users: &[User]) -> Vec<ArrayRef> {
    let women = users
        .iter()
        .filter(|user| user.gender == Some("F"))
        .map(|user| user.ordinal)
        .collect();
    let mut columns = vec![constant(APP, 1), constant("women", 1)];
    columns.extend(user_columns(shard, &[women]));
    columns.extend([
        Arc::new(UInt64Array::from_value(0, 1)) as ArrayRef,
        Arc::new(UInt64Array::from_value(0, 1)),
    ]);
    columns
}

pub fn group_status() -> Vec<ArrayRef> {
    let null = |n: usize| Arc::new(StringArray::new_null(n)) as ArrayRef;
    vec![
        constant(APP, 2),
        texts(["typo".to_owned(), "women".to_owned()]),
        texts(["invalid".to_owned(), "ok".to_owned()]),
        null(2),
        Arc::new(Date32Array::from(vec![None, Some(20_776)])),
        Arc::new(UInt64Array::from(vec![None, Some(1)])),
        null(2),
        Arc::new(UInt32Array::new_null(2)),
        Arc::new(UInt32Array::new_null(2)),
        null(2),
    ]
}

pub fn users_batch(users: &[User]) -> Vec<ArrayRef> {
    vec![
        Arc::new(UInt32Array::from_iter_values(
            users.iter().map(|user| user.shard),
        )),
        Arc::new(UInt32Array::from_iter_values(
            users.iter().map(|user| user.ordinal),
        )),
        Arc::new(StringArray::new_null(users.len())),
        texts(users.iter().map(User::id)),
        constant("r", users.len()),
        Arc::new(UInt8Array::from_value(0, users.len())),
        Arc::new(UInt64Array::new_null(users.len())),
    ]
}

/// One event's users a day.
pub fn visits(shard: u32, date: NaiveDate, users: &[User]) -> Vec<ArrayRef> {
    let set = users
        .iter()
        .filter(|user| user.in_app)
        .map(|user| user.ordinal)
        .collect();
    let days = (date - NaiveDate::default()).num_days() as i32;
    let null = || Arc::new(StringArray::new_null(1)) as ArrayRef;
    let mut columns = vec![
        constant(APP, 1),
        Arc::new(Date32Array::from_value(days, 1)) as ArrayRef,
        constant("visit", 1),
        null(),
        null(),
        Arc::new(UInt32Array::new_null(1)),
        Arc::new(BooleanArray::from(vec![false])),
    ];
    columns.extend(user_columns(shard, &[set]));
    columns
}
