//! `did`, `event_sets` and `event_stats` with an event, days and a condition over its dimensions.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, BinaryViewArray, Date32Array, UInt32Array};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use datafusion::catalog::{TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion::datasource::MemTable;
use datafusion::error::Result;
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::SessionContext;
use tagmill_schemas::Result as OurResult;

use super::arguments::Arguments;
use super::event::{Event, PartKey};
use super::ordinals::Ordinals;
use super::query_table::{Query, QueryTable, quoted};
use super::released::{Released, Releases, told};
use super::user_table::{UserSet, UserTable};
use super::views::{EVENT_SETS_OF, event_stats_of};

pub(super) const DID: &str = "did(app, event, days[, condition[, release]])";
pub(super) const EVENT_SETS: &str = "event_sets(app, event, days[, condition[, release]])";
pub(super) const EVENT_STATS: &str = "event_stats(app, event, days[, condition[, release]])";

/// Registers them.
pub(super) fn register(ctx: &SessionContext, releases: &Arc<Releases>) {
    for gives in [Gives::Users, Gives::Sets, Gives::Stats] {
        let releases = Arc::clone(releases);
        ctx.register_udtf(gives.name(), Arc::new(OfEvent { gives, releases }));
    }
}

/// What is asked of an event.
#[derive(Debug, Clone, Copy)]
enum Gives {
    Users,
    Sets,
    Stats,
}

impl Gives {
    fn name(self) -> &'static str {
        match self {
            Self::Users => "did",
            Self::Sets => "event_sets",
            Self::Stats => "event_stats",
        }
    }

    fn syntax(self) -> &'static str {
        match self {
            Self::Users => DID,
            Self::Sets => EVENT_SETS,
            Self::Stats => EVENT_STATS,
        }
    }
}

#[derive(Debug)]
struct OfEvent {
    gives: Gives,
    releases: Arc<Releases>,
}

impl TableFunctionImpl for OfEvent {
    fn call_with_args(&self, args: TableFunctionArgs<'_, '_>) -> Result<Arc<dyn TableProvider>> {
        let arguments = Arguments::of(self.gives.syntax(), args.exprs(), 3, 5)?;
        let event = Event {
            app: arguments.text(0)?,
            event: arguments.text(1)?,
            days: arguments.days(2)?,
            condition: arguments.optional_text(3)?,
        };
        let (releases, release) = (&self.releases, arguments.release(4)?);
        Ok(match self.gives {
            Gives::Users => UserTable::of(event, releases, release),
            Gives::Sets => QueryTable::of(EventSets(event), releases, release),
            Gives::Stats => QueryTable::of(EventStats(event), releases, release),
        })
    }
}

#[async_trait]
impl UserSet for Event {
    async fn count(&self, release: &Released) -> OurResult<u64> {
        let sets = self.sets(release).await?;
        Ok(sets.iter().map(Ordinals::count).sum())
    }

    async fn sets(&self, release: &Released) -> OurResult<Vec<Ordinals>> {
        self.check(release).await?;
        let Some(condition) = &self.condition else {
            return self.users(release).await;
        };
        let mut shards: BTreeMap<u32, Vec<u64>> = BTreeMap::new();
        for ((_, shard, _), users) in self.parts(condition, release).await?.users {
            let words = shards.entry(shard).or_default();
            words.resize(words.len().max(users.words.len()), 0);
            for (word, more) in words.iter_mut().zip(users.words.iter()) {
                *word |= more;
            }
        }
        let set = |(shard, words): (u32, Vec<u64>)| Ordinals {
            shard,
            words: words.into(),
        };
        Ok(shards.into_iter().map(set).collect())
    }
}

/// One row a set, as the view `event_sets`.
#[derive(Debug)]
struct EventSets(Event);

#[async_trait]
impl Query for EventSets {
    fn columns(&self) -> Vec<(&'static str, DataType)> {
        let mut columns = key_columns();
        columns.extend([
            ("overflow", DataType::Boolean),
            ("users", DataType::UInt64),
            ("bitmap", DataType::BinaryView),
        ]);
        columns
    }

    fn fixed_columns(&self) -> Vec<&'static str> {
        self.0.fixed_columns()
    }

    async fn plan(&self, release: &Released) -> Result<LogicalPlan> {
        under_condition(&self.0, release, |rows| {
            format!("{EVENT_SETS_OF} {rows} {GROUPED}")
        })
        .await
    }
}

const GROUPED: &str = "GROUP BY app, date, event, dimension, value";

/// One row a set and measure, as the view `event_stats`.
#[derive(Debug)]
struct EventStats(Event);

#[async_trait]
impl Query for EventStats {
    fn columns(&self) -> Vec<(&'static str, DataType)> {
        let mut columns = key_columns();
        columns.extend([
            ("measure", DataType::Utf8View),
            ("overflow", DataType::Boolean),
            ("users", DataType::UInt64),
        ]);
        let numbers = ["sum", "avg", "min", "p25", "median", "p75", "max"];
        columns.extend(numbers.map(|name| (name, DataType::Float64)));
        columns
    }

    fn fixed_columns(&self) -> Vec<&'static str> {
        self.0.fixed_columns()
    }

    async fn plan(&self, release: &Released) -> Result<LogicalPlan> {
        under_condition(&self.0, release, event_stats_of).await
    }
}

fn key_columns() -> Vec<(&'static str, DataType)> {
    vec![
        ("app", DataType::Utf8View),
        ("date", DataType::Date32),
        ("event", DataType::Utf8View),
        ("dimension", DataType::Utf8View),
        ("value", DataType::Utf8View),
    ]
}

/// Each name is one plan's.
static PARTS: AtomicU64 = AtomicU64::new(0);

/// The query over the event's rows in `behaviour`, of which only the users are left for whom the
/// condition holds; with a row of no dimension for every combination.
async fn under_condition(
    event: &Event,
    release: &Released,
    query: impl Fn(&str) -> String,
) -> Result<LogicalPlan> {
    told(event.check(release).await)?;
    let condition = event.condition.as_deref().unwrap_or("true");
    let parts = told(event.parts(condition, release).await)?;
    let is_bound = parts.is_bound;
    let parts = table_of(&parts.users)?;
    let name = format!("parts_{}", PARTS.fetch_add(1, Ordering::Relaxed));
    let (app, of) = (quoted(&event.app), quoted(&event.event));
    let (from, to) = event.days;
    let rows = format!(
        "(SELECT b.app, b.date, b.event, b.dimension, b.value, b.combination, \
         b.overflow OR {is_bound} AS overflow, b.shard, \
         bitmap_and(b.bitmap, p.bitmap) AS bitmap FROM behaviour AS b JOIN {name} AS p \
         ON p.date = b.date AND p.shard = b.shard AND p.combination = b.combination \
         WHERE b.app = {app} AND b.event = {of} AND b.date BETWEEN '{from}' AND '{to}' \
         AND b.dimension IS NOT NULL \
         UNION ALL SELECT arrow_cast({app}, 'Utf8View'), date, arrow_cast({of}, 'Utf8View'), \
         arrow_cast(NULL, 'Utf8View'), arrow_cast(NULL, 'Utf8View'), combination, {is_bound}, shard, \
         bitmap FROM {name})"
    );
    let ctx = &release.ctx;
    ctx.register_table(name.as_str(), Arc::new(parts))?;
    let plan = ctx.state().create_logical_plan(&query(&rows)).await;
    ctx.deregister_table(name.as_str())?;
    plan
}

static PART_COLUMNS: LazyLock<Arc<Schema>> = LazyLock::new(|| {
    Arc::new(Schema::new(vec![
        Field::new("date", DataType::Date32, false),
        Field::new("shard", DataType::UInt32, false),
        Field::new("combination", DataType::UInt32, false),
        Field::new("bitmap", DataType::BinaryView, false),
    ]))
});

/// The parts as rows; those of nobody left out.
fn table_of(parts: &BTreeMap<PartKey, Ordinals>) -> Result<MemTable> {
    let filled = || parts.iter().filter(|(_, users)| users.count() > 0);
    let bitmaps = filled().map(|(_, users)| users.bitmap());
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Date32Array::from_iter_values(
            filled().map(|(key, _)| key.0),
        )),
        Arc::new(UInt32Array::from_iter_values(
            filled().map(|(key, _)| key.1),
        )),
        Arc::new(UInt32Array::from_iter_values(
            filled().map(|(key, _)| key.2),
        )),
        Arc::new(BinaryViewArray::from_iter_values(bitmaps)),
    ];
    let schema = Arc::clone(&PART_COLUMNS);
    let batch = RecordBatch::try_new(Arc::clone(&schema), columns)?;
    MemTable::try_new(schema, vec![vec![batch]])
}
