//! Users, events and sums of the groups of one shard, part by part.

use std::collections::BTreeMap;
use std::sync::Arc;

use tagmill_bitmap::{BitmapRef, Expanded, write_sorted};
use tagmill_schemas::Result;

use super::super::released::Released;
use super::codes::{Codes, Label, Labels, tag_rows};
use super::columns::Column;
use super::groups::{Counted, Group, Groups};
use super::kept::Kept;
use super::question::{Audience, Scope, refused};
use super::selection::{add_numbers, ordinals, selected};
use super::shard_rows::{Needed, Part, PartRows, SliceRow, damaged, read};

/// What is asked of each shard.
#[derive(Debug)]
pub(super) struct Work {
    pub(super) scope: Scope,
    pub(super) needed: Needed,
    pub(super) columns: Vec<Column>,
    pub(super) has_levels: bool,
    pub(super) is_per_day: bool,
    /// Whether the users of groups are wanted, not only how many they are.
    pub(super) with_users: bool,
}

/// The groups of one shard, by day if they are asked for by day.
#[derive(Debug)]
pub(super) struct OfShard {
    pub(super) groups: Vec<(Option<i32>, Vec<Group>)>,
    /// Decimal digits of the sums.
    pub(super) scale: u8,
    pub(super) kept: Kept,
}

/// # Errors
/// Refused for damaged bitmaps and sums beyond 128 bits; retry when the store fails.
pub(super) async fn of_shard(
    work: Arc<Work>,
    audience: Arc<Option<Audience>>,
    shard: u32,
) -> Result<OfShard> {
    let parts = read(&work.scope, &work.needed, shard).await?;
    let mut shards = Columns::new(&work, shard);
    let scale = parts.values().map(|rows| rows.scale).max().unwrap_or(0);
    let mut groups = Vec::new();
    let mut of_day = work.groups();
    let mut last = None;
    for (part, rows) in &parts {
        if last.is_some_and(|last| last != part.date) && work.is_per_day {
            let done = std::mem::replace(&mut of_day, work.groups());
            groups.push((last, done.finish(&shards.labels, work.with_users)?));
        }
        last = Some(part.date);
        let users = selected(
            &work.scope,
            &work.needed,
            (*audience).as_ref(),
            (*part, shard),
            rows,
        )?;
        if users.iter().all(|word| *word == 0) {
            continue;
        }
        let unit = unit_of(scale - rows.scale)?;
        if work.columns.is_empty() {
            add_all(&work, rows, (&users, shard), unit, &mut of_day)?;
        } else {
            shards.load(*part, rows, &users).await?;
            add_each(
                &work,
                rows,
                (&users, shard),
                unit,
                &shards.codes(),
                &mut of_day,
            )?;
        }
    }
    let date = last.filter(|_| work.is_per_day);
    groups.push((date, of_day.finish(&shards.labels, work.with_users)?));
    Ok(OfShard {
        groups,
        scale,
        kept: Kept::of(&parts),
    })
}

impl Work {
    fn groups(&self) -> Groups {
        Groups::new(self.columns.len(), self.has_levels)
    }

    /// Whether what several tuples of a user share can be told apart.
    fn is_bound(&self, rows: &PartRows) -> bool {
        let is_told_apart = self
            .columns
            .iter()
            .any(|c| matches!(c, Column::Dimension(_)));
        rows.is_shared && (is_told_apart || self.scope.condition.is_some())
    }
}

/// `10^digits`.
fn unit_of(digits: u8) -> Result<i128> {
    let unit = 10_i128.checked_pow(digits.into());
    unit.ok_or_else(|| refused("sums of different scales are beyond 128 bits"))
}

/// One group: sizes of intersections, nothing by user.
fn add_all(
    work: &Work,
    rows: &PartRows,
    (users, shard): (&[u64], u32),
    unit: i128,
    groups: &mut Groups,
) -> Result<()> {
    let members: Vec<u32> = ordinals(users).collect();
    let mut bitmap = Vec::new();
    write_sorted(shard, &members, &mut bitmap);
    let bitmap = BitmapRef::parse_layout(&bitmap).map_err(damaged)?;
    let expanded = Expanded::from(&bitmap);
    let total = |slices: &[SliceRow]| -> Result<i128> {
        let mut total = 0;
        for slice in slices.iter().filter(|slice| slice.weight != 0) {
            let shared = expanded.and_cardinality(&slice.users.bitmap()?);
            total += slice.weight * i128::from(shared);
        }
        Ok(total)
    };
    let counted = Counted {
        events: total(&rows.events)?,
        sum: total(&rows.sums)? * unit,
        is_bound: work.is_bound(rows),
    };
    groups.add_all(&bitmap, counted);
    Ok(())
}

/// Every user in the groups of their labels.
fn add_each(
    work: &Work,
    rows: &PartRows,
    (users, shard): (&[u64], u32),
    unit: i128,
    columns: &[&Codes],
    groups: &mut Groups,
) -> Result<()> {
    let mut events = vec![0; users.len() * 64];
    add_numbers(&rows.events, users, &mut events)?;
    let mut sums = Vec::new();
    if !rows.sums.is_empty() {
        sums.resize(users.len() * 64, 0);
        add_numbers(&rows.sums, users, &mut sums)?;
    }
    let is_bound = work.is_bound(rows);
    for ordinal in ordinals(users) {
        let counted = Counted {
            events: events[ordinal as usize],
            sum: sums.get(ordinal as usize).copied().unwrap_or(0) * unit,
            is_bound,
        };
        let uid = u64::from(shard) << 32 | u64::from(ordinal);
        groups.add(uid, columns, counted);
    }
    groups.end_part();
    Ok(())
}

/// The columns of one shard: labels of all parts, codes of the part at hand.
struct Columns<'w> {
    work: &'w Work,
    shard: u32,
    labels: Vec<Labels>,
    /// Of dimensions those of the part, of tags those of the night.
    codes: Vec<Codes>,
    /// The nights that the tags are of, by column.
    nights: Vec<Option<Option<i32>>>,
}

impl<'w> Columns<'w> {
    fn new(work: &'w Work, shard: u32) -> Self {
        let count = work.columns.len();
        Self {
            work,
            shard,
            labels: (0..count).map(|_| Labels::default()).collect(),
            codes: (0..count).map(|_| Codes::default()).collect(),
            nights: vec![None; count],
        }
    }

    fn codes(&self) -> Vec<&Codes> {
        self.codes.iter().collect()
    }

    /// The codes of a part's users.
    async fn load(&mut self, part: Part, rows: &PartRows, users: &[u64]) -> Result<()> {
        let work = self.work;
        for (at, column) in work.columns.iter().enumerate() {
            match column {
                Column::Dimension(name) => self.load_dimension(at, name, rows, users)?,
                Column::Tag(name, value_type) => {
                    let night = work.scope.night_of(part.date);
                    if self.nights[at] == Some(night) {
                        continue;
                    }
                    self.nights[at] = Some(night);
                    let release = work.scope.nights.get(&part.date);
                    let release = release.unwrap_or(&work.scope.release);
                    let app = work.scope.question.event.app.as_str();
                    let tag = (app, name.as_str(), *value_type);
                    self.load_tag(at, release, tag).await?;
                }
            }
        }
        Ok(())
    }

    fn load_dimension(
        &mut self,
        at: usize,
        name: &str,
        rows: &PartRows,
        users: &[u64],
    ) -> Result<()> {
        let dimension = self.work.needed.place(name);
        self.codes[at].clear(users.len() * 64);
        for row in rows
            .values
            .iter()
            .filter(|row| Some(row.dimension) == dimension)
        {
            let label = row.value.clone().map_or(Label::Other, Label::Value);
            let code = self.labels[at].code(label);
            self.codes[at].add(code, &row.users, Some(users))?;
        }
        Ok(())
    }

    async fn load_tag(
        &mut self,
        at: usize,
        release: &Released,
        tag: (&str, &str, tagmill_schemas::ValueType),
    ) -> Result<()> {
        let rows = tag_rows(release, tag, self.shard).await?;
        let mut words = 0;
        for (_, users) in &rows {
            words = words.max(users.words()?);
        }
        self.codes[at].clear(words * 64);
        for (value, users) in rows {
            let code = self.labels[at].code(Label::Value(value));
            self.codes[at].add(code, &users, None)?;
        }
        Ok(())
    }
}

/// Of all days and shards.
pub(super) type Keyed<T> = BTreeMap<(Option<i32>, Vec<Label>), T>;
