//! An event of an app on some days, under a condition over its dimensions: which users, within each
//! of their combinations.
//!
//! ```text
//! city = 'Beijing' AND os = 'mac'      a user's combination is one tuple of dimension values, so both must hold in one
//! per day, shard, combination:  rows of city Beijing ∩ rows of os mac       the rule evaluator's algebra
//! ```

use std::collections::{BTreeMap, BTreeSet, HashMap};

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{Date32Type, UInt32Type};
use chrono::NaiveDate;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, ident, lit};
use tagmill_bitmap::{BitmapRef, or_many};
use tagmill_rules::{Atom, Names, Program, TagInfo, Test, compile};
use tagmill_schemas::{Error, Result, Value, ValueType};

use super::STAGE;
use super::ordinals::Ordinals;
use super::released::Released;
use crate::catalog::failed;
use crate::estimate::{Users, accepts_outsiders, select};

/// An event of an app on some days.
#[derive(Debug)]
pub(super) struct Event {
    pub(super) app: String,
    pub(super) event: String,
    /// The first and the last day.
    pub(super) days: (NaiveDate, NaiveDate),
    /// Over the event's dimensions.
    pub(super) condition: Option<String>,
}

/// A day, shard and combination.
pub(super) type PartKey = (i32, u32, u32);

/// Users of an event for whom a condition holds, by part.
#[derive(Debug)]
pub(super) struct Parts {
    pub(super) users: BTreeMap<PartKey, Ordinals>,
    /// Whether what is beyond a limit could add users or take some away.
    pub(super) is_bound: bool,
}

impl Event {
    /// Its rows in `behaviour` and `behaviour_measures`.
    pub(super) fn rows(&self) -> Expr {
        self.of_days()
            .and(ident("event").eq(lit(self.event.as_str())))
    }

    fn of_days(&self) -> Expr {
        let day = |day| lit(ScalarValue::Date32(Some(days_of(day))));
        let (from, to) = self.days;
        let app = ident("app").eq(lit(self.app.as_str()));
        app.and(ident("date").between(day(from), day(to)))
    }

    /// Columns that have one value in all its rows.
    pub(super) fn fixed_columns(&self) -> Vec<&'static str> {
        let is_one_day = self.days.0 == self.days.1;
        let date = is_one_day.then_some("date");
        ["app", "event"].into_iter().chain(date).collect()
    }

    /// The days as a person reads them.
    fn period(&self) -> String {
        match self.days {
            (from, to) if from == to => from.to_string(),
            (from, to) => format!("{from}..{to}"),
        }
    }

    /// Refuses an app or event that is not there.
    ///
    /// # Errors
    /// Setup, with the nearest name or with what there is.
    pub(super) async fn check(&self, release: &Released) -> Result<()> {
        release.names(&self.app).await?;
        let all = self.of_days().and(ident("dimension").is_null());
        let known = release.texts("behaviour", all, "event").await;
        let known = known.map_err(failed)?;
        if known.contains(&self.event) {
            return Ok(());
        }
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let of = format!("app {:?} on {}", self.app, self.period());
        Err(release.unknown("event", &self.event, &of, &known))
    }

    /// Everybody who did it, by shard.
    ///
    /// # Errors
    /// Those of reading.
    pub(super) async fn users(&self, release: &Released) -> Result<Vec<Ordinals>> {
        let rows = self.rows().and(ident("dimension").is_null());
        let rows = release.rows("behaviour", rows, &["shard", "bitmap"]);
        let mut cells: BTreeMap<u32, Vec<Vec<u8>>> = BTreeMap::new();
        for batch in rows.await.map_err(failed)? {
            let shards = batch.column(0).as_primitive::<UInt32Type>();
            let bitmaps = batch.column(1).as_binary_view().iter().flatten();
            for (shard, bitmap) in shards.values().iter().zip(bitmaps) {
                cells.entry(*shard).or_default().push(checked(bitmap)?);
            }
        }
        let sets = cells.into_iter();
        sets.map(|(shard, bitmaps)| Ordinals::of(shard, bitmaps).map_err(damaged))
            .collect()
    }

    /// For whom the condition holds, combination by combination.
    ///
    /// # Errors
    /// Setup for a condition that is not understood, with the place and the nearest name; those of
    /// reading.
    pub(super) async fn parts(&self, condition: &str, release: &Released) -> Result<Parts> {
        let named = self.rows().and(ident("dimension").is_not_null());
        let dimensions = release.texts("behaviour", named, "dimension").await;
        let dimensions = Dimensions(dimensions.map_err(failed)?.into_iter().collect());
        let expr = compile(condition, &dimensions, self.days.1).map_err(|e| {
            let what = format!(
                "invalid condition at {}:{}: {}",
                e.line, e.column, e.message
            );
            Error::setup(STAGE, what).fix(dimensions.fix(&self.event))
        })?;
        let program = Program::of(&expr);
        let is_bound = self.is_bound(&program, release).await?;
        let mut cells: BTreeMap<PartKey, HashMap<usize, Vec<Vec<u8>>>> = BTreeMap::new();
        for (at, atom) in program.atoms().iter().enumerate() {
            let rows = self.rows().and(self.of_atom(atom, release).await?);
            for (part, bitmap) in self.cells("behaviour", rows, release).await? {
                let of_part = cells.entry(part).or_default();
                of_part.entry(at).or_default().push(bitmap);
            }
        }
        let everybody = match accepts_outsiders(&program)? {
            true => Some(self.everybody(release).await?),
            false => None,
        };
        if let Some(everybody) = &everybody {
            for part in everybody.keys() {
                cells.entry(*part).or_default();
            }
        }
        let mut users = BTreeMap::new();
        for (part, cells) in cells {
            let mut sets = HashMap::new();
            for (at, bitmaps) in cells {
                sets.insert(&program.atoms()[at], Users::new(union(&bitmaps)?, part.1));
            }
            let all = everybody
                .as_ref()
                .map(|all| all.get(&part).cloned().unwrap_or_default());
            let all = all.map(|all| Users::new(all, part.1));
            let words = select(&program, &sets, all.as_ref())?.into();
            let shard = part.1;
            users.insert(part, Ordinals { shard, words });
        }
        Ok(Parts { users, is_bound })
    }

    /// Whether what is beyond a limit could change who a condition holds for: values of its
    /// dimensions that are not kept, and users of whom several combinations share a number. Tells
    /// so.
    ///
    /// # Errors
    /// Setup for a value that is not kept; those of reading.
    async fn is_bound(&self, program: &Program, release: &Released) -> Result<bool> {
        let mut is_bound = false;
        for atom in program.atoms() {
            if let Atom::Tag { tag, test } = atom
                && self.has_unkept(tag, release).await?
            {
                is_bound |= !self.are_kept(tag, test, release).await?;
            }
        }
        let needs_tuples = program.atoms().len() > 1 || accepts_outsiders(program)?;
        let shared = ident("overflow").and(ident("value").is_not_null());
        is_bound |= needs_tuples && self.has_rows(shared, release).await?;
        if is_bound {
            log::warn!(
                "event {:?} of app {:?} has more dimension values or combinations than are kept: \
                 the users of this condition are a bound",
                self.event,
                self.app
            );
        }
        Ok(is_bound)
    }

    /// Whether a dimension has values that share a row.
    async fn has_unkept(&self, dimension: &str, release: &Released) -> Result<bool> {
        let of_dimension = ident("dimension").eq(lit(dimension));
        let unkept = ident("overflow").and(ident("value").is_null());
        self.has_rows(of_dimension.and(unkept), release).await
    }

    /// Whether a test names values alone that are kept.
    ///
    /// # Errors
    /// Setup for one that is not, of whose users nothing is known; those of reading.
    async fn are_kept(&self, dimension: &str, test: &Test, release: &Released) -> Result<bool> {
        let Test::In(_) = test else {
            return Ok(false);
        };
        for value in self.passing(dimension, test, release).await? {
            let of_value = ident("dimension").eq(lit(dimension));
            let of_value = of_value.and(ident("value").eq(lit(value.as_str())));
            if !self.has_rows(of_value, release).await? {
                let what = format!(
                    "dimension {dimension:?} of event {:?} has more values than are kept, and \
                     {value:?} is none of them: who had it is not known",
                    self.event
                );
                return Err(Error::setup(STAGE, what)
                    .fix("raise limits.values_per_dimension, or ask the raw rows"));
            }
        }
        Ok(true)
    }

    /// Whether `behaviour` has such a row of the event.
    async fn has_rows(&self, rows: Expr, release: &Released) -> Result<bool> {
        let rows = self.rows().and(rows);
        let found = release.rows("behaviour", rows, &["shard"]).await;
        let found = found.map_err(failed)?;
        Ok(found.iter().any(|batch| batch.num_rows() > 0))
    }

    /// Everybody who has a combination of the number, by part: who has a count of events in it.
    async fn everybody(&self, release: &Released) -> Result<BTreeMap<PartKey, Vec<u8>>> {
        let counts = ident("measure")
            .eq(lit("*"))
            .and(ident("slice").eq(lit(-1_i16)));
        let cells = self.cells("behaviour_measures", self.rows().and(counts), release);
        Ok(cells.await?.into_iter().collect())
    }

    /// The bitmaps of the matching rows that have a combination.
    async fn cells(
        &self,
        table: &str,
        rows: Expr,
        release: &Released,
    ) -> Result<Vec<(PartKey, Vec<u8>)>> {
        let rows = rows.and(ident("combination").is_not_null());
        let columns = ["date", "shard", "combination", "bitmap"];
        let batches = release.rows(table, rows, &columns).await.map_err(failed)?;
        let mut cells = Vec::new();
        for batch in &batches {
            for (part, bitmap) in keys(batch).zip(batch.column(3).as_binary_view().iter().flatten())
            {
                cells.push((part, checked(bitmap)?));
            }
        }
        Ok(cells)
    }

    /// The rows of a dimension whose value passes.
    async fn of_atom(&self, atom: &Atom, release: &Released) -> Result<Expr> {
        let of_dimension = |name: &str| ident("dimension").eq(lit(name));
        match atom {
            Atom::Has { tag } => Ok(of_dimension(tag)),
            Atom::Tag { tag, test } => {
                let values = self.passing(tag, test, release).await?;
                let values = values.into_iter().map(lit).collect();
                Ok(of_dimension(tag).and(ident("value").in_list(values, false)))
            }
            Atom::Behaviour { .. }
            | Atom::InGroup(_)
            | Atom::Before(_)
            | Atom::InList(_)
            | Atom::InSplit { .. } => {
                let what = "a condition of an event can name its dimensions only";
                Err(Error::setup(STAGE, what)
                    .fix("combine it with audience(...) by INTERSECT over uid"))
            }
        }
    }

    /// The values of a dimension that pass a test.
    async fn passing(&self, name: &str, test: &Test, release: &Released) -> Result<Vec<String>> {
        if let Test::In(values) = test {
            let text = |value: &Value| match value {
                Value::String(text) => Some(text.clone()),
                _ => None,
            };
            return Ok(values.iter().filter_map(text).collect());
        }
        let valued = ident("dimension")
            .eq(lit(name))
            .and(ident("value").is_not_null());
        let values = release
            .texts("behaviour", self.rows().and(valued), "value")
            .await;
        let mut values = values.map_err(failed)?;
        values.retain(|value| test.matches(&Value::String(value.clone())));
        Ok(values)
    }
}

/// Days since 1970.
fn days_of(date: NaiveDate) -> i32 {
    i32::try_from((date - NaiveDate::default()).num_days()).unwrap_or(i32::MAX)
}

/// Date, shard and combination, which are the first columns.
fn keys(batch: &RecordBatch) -> impl Iterator<Item = PartKey> + '_ {
    let dates = batch.column(0).as_primitive::<Date32Type>().values().iter();
    let word = |at: usize| {
        batch
            .column(at)
            .as_primitive::<UInt32Type>()
            .values()
            .iter()
    };
    let numbers = word(1).zip(word(2));
    dates
        .zip(numbers)
        .map(|(date, (shard, number))| (*date, *shard, *number))
}

fn checked(bitmap: &[u8]) -> Result<Vec<u8>> {
    BitmapRef::parse(bitmap).map_err(damaged)?;
    Ok(bitmap.to_vec())
}

fn union(bitmaps: &[Vec<u8>]) -> Result<Vec<u8>> {
    let views = bitmaps.iter().map(|bitmap| BitmapRef::parse_layout(bitmap));
    let views: Vec<_> = views.collect::<Result<_, _>>().map_err(damaged)?;
    let mut union = Vec::new();
    or_many(&views, &mut union);
    Ok(union)
}

fn damaged(defect: tagmill_bitmap::Defect) -> Error {
    Error::refused(STAGE, "found a damaged bitmap")
        .at("behaviour")
        .because(defect)
}

/// The dimensions of an event: texts, of which a combination has one each.
struct Dimensions(BTreeSet<String>);

impl Dimensions {
    fn fix(&self, event: &str) -> String {
        let names: Vec<&str> = self.0.iter().map(String::as_str).collect();
        match names.as_slice() {
            [] => format!("event {event:?} has no dimensions"),
            names => format!("its dimensions are {}", names.join(", ")),
        }
    }
}

impl Names for Dimensions {
    fn tag(&self, name: &str) -> Option<TagInfo> {
        let info = TagInfo {
            value_type: ValueType::String,
            multi: false,
        };
        self.0.contains(name).then_some(info)
    }

    fn tag_names(&self) -> Vec<&str> {
        self.0.iter().map(String::as_str).collect()
    }

    /// Any is understood, and refused with what to write instead.
    fn has_group(&self, _: &str) -> bool {
        true
    }

    fn group_names(&self) -> Vec<&str> {
        Vec::new()
    }

    fn has_list(&self, _: &str) -> bool {
        true
    }

    fn list_names(&self) -> Vec<&str> {
        Vec::new()
    }
}
