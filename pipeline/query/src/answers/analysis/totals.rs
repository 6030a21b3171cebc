//! `event_totals(...)` and `event_rollup(...)`: users, events and sums of an event over days, by any
//! of its dimensions and its users' tags.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Float64Array, StringViewArray, UInt64Array,
};
use arrow::datatypes::{DataType, Field};
use async_trait::async_trait;
use chrono::NaiveDate;
use datafusion::catalog::{TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion::common::plan_err;
use datafusion::error::Result;
use tagmill_bitmap::{BitmapRef, or_cardinality_many};
use tagmill_schemas::Result as OurResult;

use super::super::arguments::Arguments;
use super::super::released::{Released, Releases};
use super::super::syntax::Syntax;
use super::codes::Label;
use super::columns::{Column, resolve};
use super::groups::Group;
use super::kept::Kept;
use super::per_shard::per_shard;
use super::question::{Question, Scope, refused};
use super::shard_rows::{Needed, damaged};
use super::table::{Analysis, AnalysisTable, Prepared};
use super::totals_of_shard::{Keyed, OfShard, Work, of_shard};

pub(in super::super) const EVENT_TOTALS: &str = "event_totals(app, event, days[, by, measure, \
     condition, audience, per, top, tags, release])";
pub(in super::super) const EVENT_ROLLUP: &str = "event_rollup(app, event, days, by[, measure, \
     condition, audience, per, tags, release])";

/// The numbers of a row.
const NUMBERS: [&str; 6] = ["users", "events", "sum", "per_user", "per_event", "exact"];

/// A table function of totals.
#[derive(Debug)]
pub(super) struct Totals {
    pub(super) has_levels: bool,
    pub(super) releases: Arc<Releases>,
}

impl Totals {
    /// How it is called.
    pub(super) fn syntax(&self) -> Syntax {
        Syntax(if self.has_levels {
            EVENT_ROLLUP
        } else {
            EVENT_TOTALS
        })
    }
}

impl TableFunctionImpl for Totals {
    fn call_with_args(&self, args: TableFunctionArgs<'_, '_>) -> Result<Arc<dyn TableProvider>> {
        let arguments = Arguments::of_syntax(self.syntax(), args.exprs())?;
        let asked = AskedTotals {
            question: Arc::new(Question::of(&arguments)?),
            by: arguments.texts(arguments.place("by"))?,
            is_per_day: arguments
                .word(arguments.place("per"), &[("range", false), ("day", true)])?,
            top: arguments.count(arguments.place("top"))?,
            has_levels: self.has_levels,
        };
        if self.has_levels && asked.by.is_empty() {
            let at = arguments.place("by");
            return Err(arguments.unexpected(at, "columns from the outermost to the innermost"));
        }
        let fields = asked.fields();
        for (at, field) in fields.iter().enumerate() {
            if fields
                .iter()
                .take(at)
                .any(|other| other.name() == field.name())
            {
                return plan_err!(
                    "{}: column {:?} is there twice: name a tag \"tag.{}\"",
                    self.syntax().0,
                    field.name(),
                    field.name()
                );
            }
        }
        let release = arguments.release(arguments.place("release"))?;
        Ok(AnalysisTable::of(asked, &self.releases, release))
    }
}

/// Totals that are asked for.
#[derive(Debug, Clone)]
struct AskedTotals {
    question: Arc<Question>,
    by: Vec<String>,
    is_per_day: bool,
    top: Option<usize>,
    has_levels: bool,
}

#[async_trait]
impl Analysis for AskedTotals {
    fn fields(&self) -> Vec<Field> {
        let mut fields = Vec::new();
        let mut add = |name: &str, data_type| fields.push(Field::new(name, data_type, true));
        if self.is_per_day {
            add("date", DataType::Date32);
        }
        if self.has_levels {
            add("level", DataType::UInt64);
        }
        for name in &self.by {
            add(name, DataType::Utf8View);
        }
        if !self.by.is_empty() {
            add("others", DataType::Utf8View);
        }
        let types = [
            DataType::UInt64,
            DataType::UInt64,
            DataType::Float64,
            DataType::Float64,
            DataType::Float64,
            DataType::Boolean,
        ];
        for (name, data_type) in NUMBERS.into_iter().zip(types) {
            add(name, data_type);
        }
        fields
    }

    fn days(&self) -> (NaiveDate, NaiveDate) {
        self.question.event.days
    }

    async fn prepare(
        &self,
        release: &Arc<Released>,
        releases: &Arc<Releases>,
    ) -> OurResult<Arc<dyn Prepared>> {
        let scope = Scope::of(&self.question, release, releases).await?;
        let columns = resolve(&self.by, &scope, self.top.is_some()).await?;
        let dimensions = columns.iter().filter_map(|column| match column {
            Column::Dimension(name) => Some(name.as_str()),
            Column::Tag(..) => None,
        });
        let dimensions: Vec<&str> = dimensions.collect();
        let work = Work {
            needed: Needed::of(&scope, &dimensions),
            scope,
            columns,
            has_levels: self.has_levels,
            is_per_day: self.is_per_day,
            with_users: self.top.is_some(),
        };
        Ok(Arc::new(PreparedTotals {
            asked: self.clone(),
            work: Arc::new(work),
        }))
    }
}

#[derive(Debug)]
struct PreparedTotals {
    asked: AskedTotals,
    work: Arc<Work>,
}

#[async_trait]
impl Prepared for PreparedTotals {
    fn shape(&self) -> String {
        let mut shape = self.work.scope.question.shape();
        if !self.asked.by.is_empty() {
            shape.push_str(&format!(", by={}", self.asked.by.join("/")));
        }
        format!("{shape}, {}", self.work.scope.reads())
    }

    async fn columns(&self) -> OurResult<Vec<ArrayRef>> {
        let audience = Arc::new(self.work.scope.audience().await?);
        let shards = self.work.scope.shards.iter().copied();
        let found = per_shard(shards, |shard| {
            of_shard(Arc::clone(&self.work), Arc::clone(&audience), shard)
        });
        let mut all = All::of(found.await?)?;
        let condition = self.work.scope.condition.as_ref();
        let is_open = condition.is_some_and(|c| all.kept.leaves_open(c, &self.work.needed));
        for ((date, labels), total) in &mut all.totals {
            total.is_bound |= is_open || !self.has_all_of(&all.kept, *date, labels);
        }
        if let Some(top) = self.asked.top {
            all.totals = keep_top(std::mem::take(&mut all.totals), top)?;
        }
        if all.totals.is_empty() && self.asked.by.is_empty() && !self.asked.is_per_day {
            let nobody = Total {
                is_bound: is_open,
                ..Total::default()
            };
            all.totals.insert((None, Vec::new()), nobody);
        }
        if is_open || all.totals.values().any(|total| total.is_bound) {
            self.work.scope.tell_bounds();
        }
        Ok(self.arrays(&all))
    }
}

impl PreparedTotals {
    /// Whether the users of all values are in rows of their own.
    fn has_all_of(&self, kept: &Kept, date: Option<i32>, labels: &[Label]) -> bool {
        self.work.columns.iter().zip(labels).all(|pair| match pair {
            (Column::Dimension(name), Label::Value(value)) => {
                let dimension = self.work.needed.place(name);
                dimension.is_none_or(|dimension| kept.has_all_of(dimension, value, date))
            }
            _ => true,
        })
    }

    fn arrays(&self, all: &All) -> Vec<ArrayRef> {
        let mut arrays: Vec<ArrayRef> = Vec::new();
        let keys = || all.totals.keys();
        if self.asked.is_per_day {
            arrays.push(Arc::new(Date32Array::from_iter(keys().map(|key| key.0))));
        }
        if self.asked.has_levels {
            let levels = keys().map(|key| key.1.len() as u64);
            arrays.push(Arc::new(UInt64Array::from_iter_values(levels)));
        }
        for at in 0..self.asked.by.len() {
            let texts = keys().map(|key| match key.1.get(at) {
                Some(Label::Value(text)) => Some(text.as_ref()),
                _ => None,
            });
            arrays.push(Arc::new(StringViewArray::from_iter(texts)));
        }
        if !self.asked.by.is_empty() {
            let others = keys().map(|key| others_of(&self.asked.by, &key.1));
            arrays.push(Arc::new(StringViewArray::from_iter(others)));
        }
        arrays.extend(self.numbers(all));
        arrays
    }

    fn numbers(&self, all: &All) -> Vec<ArrayRef> {
        let has_sums = self.work.scope.question.measure.is_some();
        let unit = 10_f64.powi(all.scale.into());
        let sum = |total: &Total| has_sums.then(|| total.sum as f64 / unit);
        let per = |total: &Total, count: f64| sum(total).filter(|_| count > 0.0).map(|s| s / count);
        let totals = || all.totals.values();
        let events = totals().map(|t| u64::try_from(t.events).unwrap_or(u64::MAX));
        let per_user = totals().map(|t| per(t, t.users as f64));
        let per_event = totals().map(|t| per(t, t.events as f64));
        vec![
            Arc::new(UInt64Array::from_iter_values(totals().map(|t| t.users))),
            Arc::new(UInt64Array::from_iter_values(events)),
            Arc::new(Float64Array::from_iter(totals().map(sum))),
            Arc::new(Float64Array::from_iter(per_user)),
            Arc::new(Float64Array::from_iter(per_event)),
            Arc::new(BooleanArray::from_iter(totals().map(|t| Some(!t.is_bound)))),
        ]
    }
}

/// The columns of which a row stands for several values.
fn others_of(by: &[String], labels: &[Label]) -> Option<String> {
    let several = by
        .iter()
        .zip(labels)
        .filter(|(_, label)| **label == Label::Other);
    let names: Vec<&str> = several.map(|(name, _)| name.as_str()).collect();
    (!names.is_empty()).then(|| names.join(", "))
}

/// A group of all shards.
#[derive(Debug, Default)]
struct Total {
    users: u64,
    events: i128,
    sum: i128,
    is_bound: bool,
    /// Its users, by shard, where they are wanted.
    shards: Vec<(u32, Vec<u8>)>,
}

impl Total {
    fn add(&mut self, shard: u32, group: Group, unit: i128) -> OurResult<()> {
        let sum = group.sum.checked_mul(unit);
        let sum = sum.and_then(|sum| self.sum.checked_add(sum));
        self.sum = sum.ok_or_else(|| refused("a sum is beyond 128 bits"))?;
        self.users += group.users;
        self.events += group.events;
        self.is_bound |= group.is_bound;
        self.shards
            .extend(group.bitmap.map(|bitmap| (shard, bitmap)));
        Ok(())
    }
}

/// The groups of all shards.
struct All {
    totals: Keyed<Total>,
    scale: u8,
    kept: Kept,
}

impl All {
    fn of(shards: Vec<OfShard>) -> OurResult<Self> {
        let scale = shards.iter().map(|shard| shard.scale).max().unwrap_or(0);
        let mut all = Self {
            totals: BTreeMap::new(),
            scale,
            kept: Kept::default(),
        };
        for (at, shard) in (0..).zip(shards) {
            let unit = 10_i128.checked_pow((scale - shard.scale).into());
            let unit = unit.ok_or_else(|| refused("a sum is beyond 128 bits"))?;
            all.kept.merge(shard.kept);
            for (date, groups) in shard.groups {
                for mut group in groups {
                    let labels = std::mem::take(&mut group.labels);
                    let total = all.totals.entry((date, labels)).or_default();
                    total.add(at, group, unit)?;
                }
            }
        }
        Ok(all)
    }
}

/// Of each day the groups with most users; the others are one row.
fn keep_top(totals: Keyed<Total>, top: usize) -> OurResult<Keyed<Total>> {
    let mut days: BTreeMap<Option<i32>, Vec<(Vec<Label>, Total)>> = BTreeMap::new();
    for ((date, labels), total) in totals {
        days.entry(date).or_default().push((labels, total));
    }
    let mut kept = Keyed::new();
    for (date, mut groups) in days {
        let is_other = |labels: &[Label]| labels.contains(&Label::Other);
        groups.sort_by(|(a, of_a), (b, of_b)| {
            let order = is_other(a).cmp(&is_other(b));
            order
                .then(of_b.users.cmp(&of_a.users))
                .then_with(|| a.cmp(b))
        });
        let named = groups
            .iter()
            .take(top)
            .filter(|(labels, _)| !is_other(labels));
        let rest = groups.split_off(named.count());
        if let Some((labels, _)) = rest.first() {
            let labels = vec![Label::Other; labels.len()];
            let rest = united(rest.into_iter().map(|(_, total)| total))?;
            kept.insert((date, labels), rest);
        }
        kept.extend(
            groups
                .into_iter()
                .map(|(labels, total)| ((date, labels), total)),
        );
    }
    Ok(kept)
}

/// Groups as one: who is in several counts once.
fn united(groups: impl Iterator<Item = Total>) -> OurResult<Total> {
    let mut all = Total::default();
    let mut shards: BTreeMap<u32, Vec<Vec<u8>>> = BTreeMap::new();
    for group in groups {
        all.events += group.events;
        all.sum += group.sum;
        all.is_bound |= group.is_bound;
        for (shard, bitmap) in group.shards {
            shards.entry(shard).or_default().push(bitmap);
        }
    }
    for bitmaps in shards.values() {
        let views = bitmaps.iter().map(|bitmap| BitmapRef::parse_layout(bitmap));
        let views: Vec<_> = views.collect::<Result<_, _>>().map_err(damaged)?;
        all.users += or_cardinality_many(&views);
    }
    Ok(all)
}
