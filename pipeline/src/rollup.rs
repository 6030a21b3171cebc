//! What the driver adds up when all shards are done: codes of new tag values, sizes of groups,
//! counts.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::RecordBatch;
use arrow::error::ArrowError;
use chrono::NaiveDate;
use tagmill_schemas::artifact::{Columns, group_status, quality, runs};
use tagmill_schemas::manifest::{FileEntry, Input, Manifest, SourceCount, TagEntry};
use tagmill_schemas::metric::Note;
use tagmill_schemas::{Artifact, Config, Error, Metric, Result};

use super::groups::GroupNight;
use super::known_tags::tag_entries;
use super::limits::Exceeded;
use super::lists::{LISTS, ListSize};
use super::nobody::Known;
use super::old_values::mark_old;
use super::row_limits::{Rejected, Rows};
use super::set_aside::SetAside;
use super::tag_codes::{load_codes, new_codes};
use super::tags_of_night::{TagOfNight, tags_of};
use super::unread::{in_order, rows_of_others};
use super::unseen_events::unseen_events;
use super::windows::{tell_windows, window_reports};
use tagmill_engine::{Work, of_datafusion};
use tagmill_night::{Count, NightSpec, NightWindows, OTHER_SOURCE, ShardReport, WindowReport};
use tagmill_rules::groups::{GroupStatus, Status};
use tagmill_warehouse::artifact::{ArtifactWriter, Cell, TableRows};
use tagmill_warehouse::release::Parents;
use tagmill_warehouse::store::Store;

/// The sums over all shards.
pub struct Totals {
    /// Files of all shards and those written here.
    pub files: Vec<FileEntry>,
    /// Paths of earlier files whose rows are in `files` too: they go.
    pub absorbed: BTreeSet<String>,
    /// Tags that exist.
    pub tags: Vec<TagEntry>,
    /// Rows by source and app.
    pub counts: Vec<SourceCount>,
    /// Those that were rejected, by reason.
    pub rejected: Vec<Rejected>,
    /// Members of the groups that are published.
    pub groups: BTreeMap<(String, String), u64>,
    /// Numbers of behaviour, and those that are not exact.
    pub windows: (NightWindows, Vec<WindowReport>),
    /// What a person should know.
    pub notices: Vec<String>,
}

/// What a roll-up needs beside the reports of shards.
pub struct RollUp<'a> {
    /// What the shards were asked for.
    pub spec: &'a NightSpec,
    /// The configuration.
    pub config: &'a Config,
    /// The releases that the night builds on.
    pub parents: &'a Parents,
    /// The manifest's inputs.
    pub inputs: &'a [Input],
    /// What registries of events declare beyond limits.
    pub over_limit: &'a [Count],
    /// Apps whose rows shards did not take.
    pub aside: &'a SetAside,
    /// The warehouse.
    pub store: &'a Store,
}

/// Writes the files that no single shard can: tag values, group status, quality, runs.
///
/// # Errors
/// Refused for rows that can not be put together; those of reading artifacts and of the store.
pub async fn roll_up(
    context: &RollUp<'_>,
    reports: &[ShardReport],
    groups: &mut GroupNight,
) -> Result<Totals> {
    let spec = context.spec;
    let mut files: Vec<FileEntry> = reports
        .iter()
        .flat_map(|report| report.files.iter().cloned())
        .collect();
    drop_empty(&mut files);
    let mut absorbed = absorbed_users(reports, &files);
    let seen = tags_of(reports);
    let exceeded = Exceeded::of(spec, context.config, reports, &seen, context.newest());
    let shards = reports.iter().flat_map(|report| &report.counts);
    let counts = shards.chain(&exceeded.counts).chain(context.over_limit);
    let mut metrics = add_counts(counts.chain(context.aside.counts()));
    add_unknown_members(&groups.list_sizes, reports, &mut metrics);
    let sizes = add_groups(reports);
    let inexact = window_reports(reports);
    files.extend(context.write_of_date(&metrics).await?);
    let mut tags = Vec::new();
    if !spec.is_backfill {
        files.extend(context.write_kept(&exceeded).await?);
        let (values, merged) = context.write_codes(&seen).await?;
        files.extend(values);
        absorbed.extend(merged);
        finish_statuses(context, groups, &sizes);
        tell_nobody(groups, &sizes, &seen);
        tell_windows(&mut groups.plans, &groups.windows, &inexact, spec.date);
        let statuses = filled(|rows| status_rows(groups, rows))?;
        files.extend(context.write(Artifact::GroupStatus, statuses).await?);
        tags = tag_entries(spec, &seen, &exceeded, context.newest());
    }
    let (counts, rejected) = (source_counts(&metrics), rejected(&metrics));
    let mut told: Vec<String> = context.aside.notices().collect();
    told.extend(Rows::new(&counts, &rejected).notices(context.config));
    told.extend(unseen_events(context.config, spec, reports));
    told.extend(notices(exceeded.notices, &metrics));
    Ok(Totals {
        files,
        absorbed,
        tags,
        counts,
        rejected,
        groups: sizes,
        windows: (std::mem::take(&mut groups.windows), inexact),
        notices: told,
    })
}

impl RollUp<'_> {
    fn newest(&self) -> Option<&Manifest> {
        self.parents.newest.as_ref()
    }

    /// What is said of the date: quality, rejects and the run, with what is known of sources that
    /// are not read tonight.
    async fn write_of_date(&self, metrics: &Metrics) -> Result<Vec<FileEntry>> {
        let spec = self.spec;
        let read = spec
            .sources
            .iter()
            .filter(|source| source.has_input || source.is_empty)
            .map(|source| &source.name);
        let told: BTreeSet<String> = read
            .chain(metrics.keys().map(|(source, ..)| source))
            .cloned()
            .collect();
        let others = |artifact| rows_of_others(artifact, spec, &told, self.newest(), self.store);
        let mut quality = filled(|rows| quality_rows(spec.day(), metrics, rows))?;
        quality.extend(others(Artifact::Quality).await?);
        let quality = in_order(Artifact::Quality, &quality)?;
        let mut files: Vec<FileEntry> = Vec::new();
        files.extend(self.write(Artifact::Quality, quality).await?);
        let mut rejects = others(Artifact::Rejects).await?;
        rejects.extend_from_slice(self.aside.rejects());
        let rejects = in_order(Artifact::Rejects, &rejects)?;
        files.extend(self.write(Artifact::Rejects, rejects).await?);
        let run = filled(|rows| run_row(spec, self.parents.next_release(), rows))?;
        files.extend(self.write(Artifact::Runs, run).await?);
        Ok(files)
    }

    /// The values that dimensions keep.
    async fn write_kept(&self, exceeded: &Exceeded) -> Result<Option<FileEntry>> {
        if !self.spec.reads_events() {
            return Ok(None);
        }
        let kept = filled(|rows| exceeded.kept_rows(rows))?;
        self.write(Artifact::KeptValues, kept).await
    }

    /// The codes of new tag values, and the paths of the files that theirs absorbs.
    async fn write_codes(
        &self,
        seen: &[TagOfNight<'_>],
    ) -> Result<(Option<FileEntry>, Vec<String>)> {
        let known = load_codes(self.newest(), self.store).await?;
        let new = new_codes(seen, &known.codes).map_err(failed)?;
        let (rows, absorbed) = known.merge(new)?;
        Ok((self.write(Artifact::TagValues, rows).await?, absorbed))
    }

    /// An artifact's file of the whole night; none without rows.
    async fn write(
        &self,
        artifact: Artifact,
        batches: Vec<RecordBatch>,
    ) -> Result<Option<FileEntry>> {
        if batches.iter().all(|batch| batch.num_rows() == 0) {
            return Ok(None);
        }
        let spec = self.spec;
        let path = artifact.path(spec.date, &spec.run, spec.attempt, None);
        ArtifactWriter::new(self.store, path, artifact, spec.date, None)?
            .finish_table(&batches)
            .await
            .map(Some)
    }
}

/// An artifact without any row has no files.
fn drop_empty(files: &mut Vec<FileEntry>) {
    let with_rows: BTreeSet<Artifact> = files
        .iter()
        .filter(|file| file.rows > 0)
        .map(|file| file.artifact)
        .collect();
    files.retain(|file| with_rows.contains(&file.artifact));
}

/// The files of the dictionary that shards merged into theirs; none when no shard had a row to
/// write, and so nothing to merge.
fn absorbed_users(reports: &[ShardReport], files: &[FileEntry]) -> BTreeSet<String> {
    let has_users = files.iter().any(|file| file.artifact == Artifact::Users);
    reports
        .iter()
        .filter(|_| has_users)
        .flat_map(|report| report.absorbed.iter().cloned())
        .collect()
}

fn failed(error: ArrowError) -> Error {
    of_datafusion(Work::Artifacts, "roll-up", error)
}

/// The batches of an artifact that is filled row by row.
fn filled<C: Columns>(
    fill: impl FnOnce(&mut TableRows<C>) -> Result<(), ArrowError>,
) -> Result<Vec<RecordBatch>> {
    let mut rows = TableRows::default();
    fill(&mut rows)
        .and_then(|()| rows.take_all())
        .map_err(failed)
}

/// By source, app and what is counted.
type Metrics = BTreeMap<(String, Option<String>, Metric), u64>;

/// What became of the rows that shards read, and why some are rejected.
pub fn fates(reports: &[ShardReport]) -> (Vec<SourceCount>, Vec<Rejected>) {
    let metrics = add_counts(reports.iter().flat_map(|report| &report.counts));
    (source_counts(&metrics), rejected(&metrics))
}

fn add_counts<'c>(counts: impl Iterator<Item = &'c Count>) -> Metrics {
    let mut sums = Metrics::new();
    for Count {
        source,
        app,
        metric,
        value,
    } in counts
    {
        *sums
            .entry((source.clone(), app.clone(), metric.clone()))
            .or_default() += value;
    }
    sums
}

/// Members of lists that are no users: counted, not added.
fn add_unknown_members(lists: &[ListSize], reports: &[ShardReport], metrics: &mut Metrics) {
    for (number, list) in lists.iter().enumerate() {
        let known: u64 = reports
            .iter()
            .filter_map(|report| report.lists.get(number))
            .sum();
        let unknown = list.members.saturating_sub(known);
        if unknown > 0 {
            *metrics
                .entry((
                    LISTS.to_owned(),
                    Some(list.app.clone()),
                    Metric::Noted(Note::UnknownMembers),
                ))
                .or_default() += unknown;
        }
    }
}

/// Problems that are told one by one.
const MOST_NOTICES: usize = 20;

/// What a person should know of limits, and of rows that another source's events displaced.
fn notices(limits: Vec<String>, metrics: &Metrics) -> Vec<String> {
    let displaced = Metric::Rejected(OTHER_SOURCE.to_owned());
    let lost = metrics
        .iter()
        .filter(|((_, _, metric), _)| *metric == displaced)
        .map(|((source, app, _), rows)| {
            let app = app.as_deref().unwrap_or_default();
            format!(
                "{rows} rows of source {source}, app {app:?}, are rejected: their events belong \
                 to \
             another source (see rejects); name the events of each source"
            )
        });
    let mut all: Vec<String> = limits.into_iter().chain(lost).collect();
    let more = all.len().saturating_sub(MOST_NOTICES);
    all.truncate(MOST_NOTICES);
    all.extend((more > 0).then(|| format!("... and {more} more: see quality")));
    all
}

fn source_counts(metrics: &Metrics) -> Vec<SourceCount> {
    let mut counts: BTreeMap<(&String, &Option<String>), SourceCount> = BTreeMap::new();
    for ((source, app, metric), value) in metrics {
        let new = || SourceCount {
            source: source.clone(),
            app: app.clone(),
            read: 0,
            accepted: 0,
            filtered: 0,
            rejected: 0,
            superseded: 0,
        };
        let count = counts.entry((source, app)).or_insert_with(new);
        let part = match metric {
            Metric::Accepted => &mut count.accepted,
            Metric::Filtered => &mut count.filtered,
            Metric::Rejected(_) => &mut count.rejected,
            Metric::Noted(Note::Superseded) => {
                count.superseded += value;
                continue;
            }
            _ => continue,
        };
        *part += value;
        count.read += value;
    }
    counts
        .into_values()
        .filter(|count| count.read > 0)
        .collect()
}

/// Rejected rows by source, app and reason.
fn rejected(metrics: &Metrics) -> Vec<Rejected> {
    let one = |((source, app, metric), &rows): (&(String, Option<String>, Metric), &u64)| {
        let Metric::Rejected(reason) = metric else {
            return None;
        };
        Some(Rejected {
            source: source.clone(),
            app: app.clone(),
            reason: reason.clone(),
            rows,
        })
    };
    metrics.iter().filter_map(one).collect()
}

fn quality_rows(
    day: i32,
    metrics: &Metrics,
    rows: &mut TableRows<quality::Column>,
) -> Result<(), ArrowError> {
    let read = source_counts(metrics)
        .into_iter()
        .map(|count| ((count.source, count.app, Metric::Read), count.read));
    for ((source, app, metric), value) in metrics.clone().into_iter().chain(read) {
        rows.push([
            (quality::Column::Date, Cell::Int(i64::from(day))),
            (quality::Column::Source, Cell::Text(&source)),
            (
                quality::Column::App,
                app.as_deref().map_or(Cell::Null, Cell::Text),
            ),
            (quality::Column::Metric, Cell::Text(&metric.to_string())),
            (quality::Column::Value, Cell::Int(value as i64)),
        ])?;
    }
    Ok(())
}

/// The row counts only once the release that it names is committed.
fn run_row(
    spec: &NightSpec,
    release: u64,
    rows: &mut TableRows<runs::Column>,
) -> Result<(), ArrowError> {
    rows.push([
        (runs::Column::Run, Cell::Text(&spec.run)),
        (runs::Column::Attempt, Cell::Int(i64::from(spec.attempt))),
        (runs::Column::Date, Cell::Int(i64::from(spec.day()))),
        (runs::Column::Outcome, Cell::Text("published")),
        (runs::Column::Release, Cell::Int(release as i64)),
    ])
}

fn add_groups(reports: &[ShardReport]) -> BTreeMap<(String, String), u64> {
    let mut sizes = BTreeMap::new();
    for group in reports.iter().flat_map(|report| &report.groups) {
        *sizes
            .entry((group.app.clone(), group.group.clone()))
            .or_default() += group.cardinality;
    }
    sizes
}

fn finish_statuses(
    context: &RollUp<'_>,
    groups: &mut GroupNight,
    sizes: &BTreeMap<(String, String), u64>,
) {
    mark_old(context.spec, groups, context.inputs);
    let statuses = groups.plans.iter_mut().flat_map(|plan| &mut plan.statuses);
    for status in statuses.filter(|s| s.status == Status::Ok || s.as_of.is_some()) {
        let key = (status.app.clone(), status.group.clone());
        status.cardinality = Some(sizes.get(&key).copied().unwrap_or(0));
        if status.status != Status::Lost {
            context.aside.mark(status);
        }
    }
}

/// Says of groups that are ok and empty why that may be.
fn tell_nobody(
    groups: &mut GroupNight,
    sizes: &BTreeMap<(String, String), u64>,
    seen: &[TagOfNight<'_>],
) {
    // Every app with users has an answer for each of its groups.
    let apps = sizes.keys().map(|(app, _)| app.as_str());
    let mut known = Known::new(apps.collect(), seen);
    for plan in &mut groups.plans {
        let is_empty = |s: &GroupStatus| s.status == Status::Ok && s.cardinality == Some(0);
        let reasons: Vec<Option<String>> = plan
            .statuses
            .iter()
            .map(|status| is_empty(status).then(|| known.why(plan, status))?)
            .collect();
        for (status, reason) in plan.statuses.iter_mut().zip(reasons) {
            status.reason = reason.or(status.reason.take());
        }
    }
}

fn status_rows(
    groups: &GroupNight,
    rows: &mut TableRows<group_status::Column>,
) -> Result<(), ArrowError> {
    use group_status::Column;
    let number = |n: Option<i64>| n.map_or(Cell::Null, Cell::Int);
    for status in groups.plans.iter().flat_map(|plan| &plan.statuses) {
        let as_of = status.as_of.map(|date| date - NaiveDate::default());
        rows.push([
            (Column::App, Cell::Text(&status.app)),
            (Column::Group, Cell::Text(&status.group)),
            (Column::Status, Cell::Text(status.status.name())),
            (Column::RuleHash, text_or_null(&status.rule_hash)),
            (Column::AsOf, number(as_of.map(|days| days.num_days()))),
            (
                Column::Cardinality,
                number(status.cardinality.map(|n| n as i64)),
            ),
            (Column::Reason, text_or_null(&status.reason)),
            (Column::Line, number(status.line.map(i64::from))),
            (Column::Column, number(status.column.map(i64::from))),
            (Column::Place, text_or_null(&status.place)),
        ])?;
    }
    Ok(())
}

fn text_or_null(text: &Option<String>) -> Cell<'_> {
    text.as_deref().map_or(Cell::Null, Cell::Text)
}
