//! Values beyond a limit: what the night is told of the choice that the release before made, and
//! what is chosen for the next.
//!
//! ```text
//! dimensions  shard reports ─► kept_values of this release ─► the next night keeps these in every shard
//! tags        shard reports ─► over_limit in the manifest  ─► the next night publishes none of the tag's values
//!             (as do tags beyond an app's number of them: `tag_limit`)
//! ```
//! The night in which a limit is exceeded first is published whole and says so: no shard knows what
//! the others see.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::UInt64Type;
use arrow::error::ArrowError;
use futures::TryStreamExt;
use tagmill_engine::{Work, of_datafusion};
use tagmill_schemas::artifact::Columns;
use tagmill_schemas::artifact::kept_values::Column;
use tagmill_schemas::config::{Content, Limits};
use tagmill_schemas::manifest::{Manifest, OverLimit};
use tagmill_schemas::metric::Limited;
use tagmill_schemas::{Artifact, Config, Metric, Result};

use super::sources::{Decision, SourceInput};
use super::tag_limit::{marked_tags, tags_beyond};
use super::tags_of_night::TagOfNight;
use tagmill_night::{
    Count, DimensionReport, EVENTS, KeptValues, NightSpec, RowsSpec, ShardReport, SourceSpec,
    TypedValues, Withheld,
};
use tagmill_warehouse::artifact::{Cell, TableRows, read_columns};
use tagmill_warehouse::store::Store;

type Dimension = (String, String, String);

/// What dimensions keep tonight. A choice of fewer values than the limit allows now is of a smaller
/// limit: it is made anew.
///
/// # Errors
/// As [`read_columns`].
pub async fn load_kept(
    state: Option<&Manifest>,
    limits: &Limits,
    store: &Store,
) -> Result<KeptValues> {
    let mut chosen: BTreeMap<Dimension, Vec<(u64, String)>> = BTreeMap::new();
    for file in state
        .iter()
        .flat_map(|m| m.direct_files(Artifact::KeptValues))
    {
        let batches: Vec<RecordBatch> = read_columns::<Column>(store, file, &[])
            .await?
            .try_collect()
            .await?;
        for batch in &batches {
            let column = |column: Column| Ok(column.of(batch).map_err(failed)?.as_string::<i32>());
            let (apps, events) = (column(Column::App)?, column(Column::Event)?);
            let (dimensions, values) = (column(Column::Dimension)?, column(Column::Value)?);
            let counts = Column::Combinations.of(batch).map_err(failed)?;
            let counts = counts.as_primitive::<UInt64Type>();
            for row in 0..batch.num_rows() {
                let key = (
                    apps.value(row).to_owned(),
                    events.value(row).to_owned(),
                    dimensions.value(row).to_owned(),
                );
                chosen
                    .entry(key)
                    .or_default()
                    .push((counts.value(row), values.value(row).to_owned()));
            }
        }
    }
    let mut kept = KeptValues::default();
    for ((app, event, dimension), values) in chosen {
        let limit = limit_of(limits, &app, &event);
        if values.len() >= limit {
            kept.set(
                &app,
                &event,
                &dimension,
                most(values, limit)
                    .into_iter()
                    .map(|(_, value)| value)
                    .collect(),
            );
        }
    }
    Ok(kept)
}

/// How many values a dimension keeps, or how many events an app.
fn limit_of(limits: &Limits, app: &str, event: &str) -> usize {
    let limits = limits.of(app);
    let most = match event == EVENTS {
        true => limits.events,
        false => limits.values_per_dimension,
    };
    most as usize
}

/// The values with most combinations, ties by text.
fn most(mut values: Vec<(u64, String)>, limit: usize) -> Vec<(u64, String)> {
    values.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    values.truncate(limit);
    values
}

/// The tags whose values are not published tonight. Those of a source of changes always are: they
/// are the only memory of it.
pub fn withheld_tags(
    config: &Config,
    state: Option<&Manifest>,
    sources: &[SourceInput<'_>],
) -> Withheld {
    let mut withheld = Withheld::new();
    let beyond = marked_tags(config, state);
    for entry in state.iter().flat_map(|m| &m.tags) {
        let input = sources
            .iter()
            .find(|input| input.source.name == entry.source);
        let Some(input) = input else { continue };
        let now = config.limits.of(&entry.app).values_per_tag;
        let is_exceeded = matches!(entry.over_limit, Some(OverLimit::Values(limit)) if now <= limit)
            || beyond.contains(&(entry.app.clone(), entry.tag.clone()));
        // What was not published can not be carried.
        let is_lost =
            entry.is_withheld && matches!(input.decision, Decision::Carry(_) | Decision::Keep(_));
        if input.source.content == Content::Snapshot && (is_exceeded || is_lost) {
            withheld.entry(entry.app.clone()).or_default().insert(
                entry.tag.clone(),
                entry.over_limit.unwrap_or(OverLimit::Values(now)),
            );
        }
    }
    withheld
}

/// What is beyond a limit tonight.
#[derive(Default)]
pub struct Exceeded {
    /// For `quality`.
    pub counts: Vec<Count>,
    /// For people.
    pub notices: Vec<String>,
    /// By app and tag: the limit that its values exceed.
    pub tags: BTreeMap<(String, String), OverLimit>,
    /// By dimension: the values that the next night keeps, with their combinations.
    kept: BTreeMap<Dimension, BTreeMap<String, u64>>,
}

impl Exceeded {
    /// Adds up what shards saw.
    pub fn of(
        spec: &NightSpec,
        config: &Config,
        reports: &[ShardReport],
        tags: &[TagOfNight<'_>],
        newest: Option<&Manifest>,
    ) -> Self {
        let mut exceeded = Self::default();
        exceeded.add_dimensions(spec, &config.limits, reports);
        exceeded.add_tags(config, tags);
        exceeded.add_beyond(config, tags_beyond(spec, config, tags, newest), tags);
        exceeded.add_unused(spec);
        exceeded
    }

    /// Rows of `kept_values`.
    ///
    /// # Errors
    /// As [`TableRows::push`].
    pub fn kept_rows(&self, rows: &mut TableRows<Column>) -> Result<(), ArrowError> {
        for ((app, event, dimension), values) in &self.kept {
            for (value, count) in values {
                rows.push([
                    (Column::App, Cell::Text(app)),
                    (Column::Event, Cell::Text(event)),
                    (Column::Dimension, Cell::Text(dimension)),
                    (Column::Value, Cell::Text(value)),
                    (Column::Combinations, Cell::Int(*count as i64)),
                ])?;
            }
        }
        Ok(())
    }

    fn add_dimensions(&mut self, spec: &NightSpec, limits: &Limits, reports: &[ShardReport]) {
        let mut found: BTreeMap<Dimension, Vec<&DimensionReport>> = BTreeMap::new();
        for report in reports.iter().flat_map(|report| &report.dimensions) {
            found
                .entry((
                    report.app.clone(),
                    report.event.clone(),
                    report.dimension.clone(),
                ))
                .or_default()
                .push(report);
        }
        // An event whose source or app is not read tonight keeps what was chosen for it.
        let unread = |source: &SourceSpec| {
            !source.has_input && matches!(source.rows, RowsSpec::Events { .. })
        };
        let is_source_unread = spec.sources.iter().any(unread);
        let absent = spec.kept_values.iter().filter(|(dimension, _)| {
            let is_unread = is_source_unread || spec.set_aside.contains(&dimension.0);
            is_unread && !found.contains_key(dimension)
        });
        self.kept.extend(absent.map(|(dimension, values)| {
            (
                dimension,
                values.iter().map(|value| (value.clone(), 0)).collect(),
            )
        }));
        for (dimension, reports) in found {
            let limit = limit_of(limits, &dimension.0, &dimension.1);
            let mut sums: BTreeMap<&String, u64> = BTreeMap::new();
            reports
                .iter()
                .flat_map(|report| &report.values)
                .for_each(|(value, count)| *sums.entry(value).or_default() += count);
            let (app, event, name) = &dimension;
            let before = spec.kept_values.of(app, event, name);
            let is_kept =
                |value: &String| before.is_some_and(|kept| kept.binary_search(value).is_ok());
            let is_exceeded = sums.len() > limit
                || reports
                    .iter()
                    .any(|report| report.distinct as usize > limit);
            if !is_exceeded && (before.is_none() || sums.keys().all(|value| is_kept(value))) {
                continue;
            }
            let exceeded = is_exceeded.then_some(limit);
            let (what, limited) = match event == EVENTS {
                true => (
                    beyond_events(app, exceeded, before.is_some()),
                    Limited::Events,
                ),
                false => {
                    let values = beyond_values(exceeded, before.is_some());
                    let name = format!("dimension {name:?} of event {event:?} of app {app:?}");
                    (format!("{name} {values}"), Limited::Values)
                }
            };
            self.notices.push(what);
            self.count(&reports[0].source, app, limited);
            if !is_exceeded {
                continue;
            }
            let (mut kept, others): (Vec<_>, Vec<_>) = sums
                .into_iter()
                .map(|(value, count)| (count, value.clone()))
                .partition(|(_, value)| is_kept(value));
            let room = limit - kept.len().min(limit);
            kept.extend(most(others, room));
            self.kept.insert(
                dimension,
                kept.into_iter()
                    .map(|(count, value)| (value, count))
                    .collect(),
            );
        }
    }

    fn add_tags(&mut self, config: &Config, tags: &[TagOfNight<'_>]) {
        for found in tags {
            let TagOfNight {
                app, tag, source, ..
            } = *found;
            let limit = config.limits.of(app).values_per_tag;
            let most: usize = found.values().map(TypedValues::count).sum();
            if most as u64 <= limit
                || TypedValues::union(found.value_type, found.values()).count() as u64 <= limit
            {
                continue;
            }
            let keeps_all = config
                .sources
                .iter()
                .any(|s| s.name == source && s.content == Content::Changes);
            let what = if keeps_all {
                "they are published, its source has changes only"
            } else {
                "from the next night on they are not published"
            };
            self.notices.push(format!(
                "tag {tag:?} of app {app:?} has more values than its limit of {limit}: {what}"
            ));
            self.count(source, app, Limited::TagValues);
            if !keeps_all {
                let key = (app.to_owned(), tag.to_owned());
                self.tags.insert(key, OverLimit::Values(limit));
            }
        }
    }

    /// Tags beyond the number that an app may have.
    fn add_beyond(
        &mut self,
        config: &Config,
        beyond: BTreeMap<String, BTreeSet<String>>,
        tags: &[TagOfNight<'_>],
    ) {
        for found in tags.iter().filter(|found| {
            beyond
                .get(found.app)
                .is_some_and(|beyond| beyond.contains(found.tag))
        }) {
            if self.tags.insert(
                (found.app.to_owned(), found.tag.to_owned()),
                OverLimit::Tags,
            ) != Some(OverLimit::Tags)
            {
                self.count(found.source, found.app, Limited::Tags);
            }
        }
        for (app, beyond) in beyond {
            let limit = config.limits.of(&app).tags;
            let first = beyond.first().map_or("", String::as_str);
            let what = format!(
                "has more tags than its limit of {limit}, {first:?} among the {} beyond it",
                beyond.len()
            );
            self.notices.push(format!(
                "app {app:?} {what}: from the next night on they are not \
                                       published, unless their source has changes only"
            ));
        }
    }

    /// Registry rows beyond the limit, which were told when they were read.
    fn add_unused(&mut self, spec: &NightSpec) {
        for (app, tags) in &spec.unused_labels {
            let over = tags
                .iter()
                .filter(|(tag, unused)| unused.is_over_limit && spec.label(app, tag).is_none());
            over.for_each(|(_, unused)| self.count(&unused.source, app, Limited::Tags));
        }
    }

    fn count(&mut self, source: &str, app: &str, limited: Limited) {
        self.counts.push(Count {
            source: source.to_owned(),
            app: Some(app.to_owned()),
            metric: Metric::OverLimit(limited),
            value: 1,
        });
    }
}

/// What is said of a dimension: beyond a limit tonight, or of values that an earlier choice left
/// out.
fn beyond_values(limit: Option<usize>, is_chosen: bool) -> String {
    match (limit, is_chosen) {
        (Some(limit), true) => format!(
            "has more values than its limit of {limit}: the others share a row marked overflow"
        ),
        (Some(limit), false) => format!(
            "has more values than its limit of {limit}: all are published tonight, the next \
             night keeps so many"
        ),
        (None, _) => "has values that were not chosen when there were too many: they share a row \
                      marked overflow, the next night keeps all"
            .to_owned(),
    }
}

/// What is said of an app: beyond its limit of events tonight, or with events that an earlier choice
/// left out.
fn beyond_events(app: &str, limit: Option<usize>, is_chosen: bool) -> String {
    let has_more = |limit| format!("app {app:?} has more events than its limit of {limit}");
    match (limit, is_chosen) {
        (Some(limit), true) => format!("{}: the others are not published", has_more(limit)),
        (Some(limit), false) => format!(
            "{}: all are published tonight, the next night those that most users did",
            has_more(limit)
        ),
        (None, _) => format!(
            "app {app:?} has events that were not chosen when there were too many: they are not \
             published, the next night publishes all"
        ),
    }
}

fn failed(error: ArrowError) -> tagmill_schemas::Error {
    of_datafusion(Work::Release, "limits", error)
}
