//! What commands answer: typed for `--output json`, as text for people.

use std::collections::BTreeMap;
use std::fmt;

use chrono::NaiveDate;
use serde::Serialize;
use tagmill_schemas::manifest::CarriedScope;
use tagmill_schemas::{Manifest, Problem};

use super::row_limits::RejectedShare;

/// A night that is done.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The new release.
    pub release: Option<u64>,
    /// The one before.
    pub parent: Option<u64>,
    /// The run's date.
    pub date: NaiveDate,
    /// Name of the run.
    pub run: String,
    /// Which try.
    pub attempt: u32,
    /// Users in the dictionary, and those that are new.
    pub users: u64,
    /// See `users`.
    pub new_users: u64,
    /// Rows read by source.
    pub rows: BTreeMap<String, u64>,
    /// Rows rejected, over all sources.
    pub rejected: u64,
    /// Rows rejected by source and reason, with their share of the rows read.
    pub rejects: Vec<RejectedShare>,
    /// Apps of which too many rows are rejected: their values are older than the release, or none.
    pub carried: Vec<CarriedScope>,
    /// Accepted rows of which another row of their user took the place.
    pub superseded: u64,
    /// What a person should know of rows and groups.
    pub warnings: Vec<String>,
    /// Groups of the release by status.
    pub groups: BTreeMap<String, u64>,
    /// The largest groups that were computed: app, group, members.
    pub largest_groups: Vec<(String, String, u64)>,
    /// Tags of the release.
    pub tags: u64,
    /// The night that tags and groups are of: the run's date, or the head's when the run's is
    /// before it.
    pub as_of: NaiveDate,
    /// Files written.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Seconds of each stage, in order.
    pub seconds: Vec<(String, f64)>,
    /// Seconds of all shards together in each part of the operator.
    pub shard_seconds: Vec<(String, f64)>,
}

impl Report {
    /// A date before the head leaves tags and groups as the head's night made them.
    pub(crate) fn keep_head(&mut self, head: &Manifest, statuses: impl Iterator<Item = String>) {
        self.as_of = head.head_date;
        self.tags = head.tags.len() as u64;
        self.groups.clear();
        statuses.for_each(|status| *self.groups.entry(status).or_default() += 1);
    }
}

/// What is said behind rows that are not used.
fn less(rejected: u64, superseded: u64) -> String {
    match (rejected, superseded) {
        (0, 0) => String::new(),
        (rejected, 0) => format!(" ({rejected} rejected)"),
        (0, superseded) => format!(" ({superseded} superseded)"),
        (rejected, superseded) => format!(" ({rejected} rejected, {superseded} superseded)"),
    }
}

/// What is said behind tags and groups that a run leaves alone.
fn kept(date: NaiveDate, as_of: NaiveDate) -> String {
    if as_of == date {
        String::new()
    } else {
        format!(" (kept as of {as_of}, not rebuilt)")
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total: f64 = self.seconds.iter().map(|(_, s)| s).sum();
        writeln!(
            f,
            "release {} of {} is published ({total:.1} s)",
            self.release.unwrap_or(0),
            self.date
        )?;
        let rows: Vec<String> = self
            .rows
            .iter()
            .map(|(source, rows)| format!("{source} {rows}"))
            .collect();
        writeln!(
            f,
            "  rows      {}{}",
            rows.join(", "),
            less(self.rejected, self.superseded)
        )?;
        for of in &self.carried {
            writeln!(f, "  set aside {of}")?;
        }
        writeln!(f, "  users     {} ({} new)", self.users, self.new_users)?;
        let groups: Vec<String> = self
            .groups
            .iter()
            .map(|(status, count)| format!("{count} {status}"))
            .collect();
        let kept = kept(self.date, self.as_of);
        writeln!(f, "  tags      {}{kept}", self.tags)?;
        writeln!(
            f,
            "  groups    {}{kept}",
            if groups.is_empty() {
                "none".to_owned()
            } else {
                groups.join(", ")
            }
        )?;
        writeln!(
            f,
            "  artifacts {} files, {:.1} MB",
            self.files,
            self.bytes as f64 / 1e6
        )?;
        let seconds: Vec<String> = self
            .seconds
            .iter()
            .map(|(stage, s)| format!("{stage} {s:.2} s"))
            .collect();
        write!(f, "  time      {}", seconds.join(", "))
    }
}

/// What a run would do.
#[derive(Debug, Clone, Serialize)]
pub struct PlanReport {
    /// The date.
    pub date: NaiveDate,
    /// The release it would make.
    pub release: u64,
    /// Whether the date is before the head: only its behaviour is replaced.
    pub is_backfill: bool,
    /// The night that tags and groups will be of.
    pub as_of: NaiveDate,
    /// By source.
    pub sources: Vec<SourcePlan>,
    /// Groups by status, before they are computed.
    pub groups: BTreeMap<&'static str, u64>,
    /// What a run would warn of, why groups are not ok, and rules that may mean something else than
    /// their authors think.
    pub notices: Vec<Problem>,
    /// Shards, and how many of them run at once.
    pub shards: u32,
    /// See `shards`.
    pub shards_at_once: usize,
    /// Bytes that one shard is expected to take.
    pub shard_forecast: u64,
    /// The physical plan.
    pub plan: String,
}

/// What a run would take from one source.
#[derive(Debug, Clone, Serialize)]
pub struct SourcePlan {
    /// The source.
    pub source: String,
    /// read, carried, skipped
    pub status: &'static str,
    /// Files, rows and bytes.
    pub files: usize,
    /// See `files`.
    pub rows: u64,
    /// See `files`.
    pub bytes: u64,
    /// What is worth knowing of how it is read.
    pub notes: Vec<String>,
}

impl fmt::Display for PlanReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.is_backfill {
            "replaces the behaviour of that date only"
        } else {
            "recomputes tags, groups and the day's behaviour"
        };
        writeln!(
            f,
            "{} would become release {}: {what}",
            self.date, self.release
        )?;
        for s in &self.sources {
            writeln!(
                f,
                "  {:<12} {:<8} {} files, {} rows, {:.1} MB",
                s.source,
                s.status,
                s.files,
                s.rows,
                s.bytes as f64 / 1e6
            )?;
            s.notes
                .iter()
                .try_for_each(|note| writeln!(f, "    {note}"))?;
        }
        let groups: Vec<String> = self
            .groups
            .iter()
            .map(|(status, count)| format!("{count} {status}"))
            .collect();
        let groups = match (self.is_backfill, groups.is_empty()) {
            (true, _) => format!("kept as of {}, not rebuilt; as are tags", self.as_of),
            (false, true) => "none".to_owned(),
            (false, false) => groups.join(", "),
        };
        writeln!(f, "  groups       {groups}")?;
        self.notices
            .iter()
            .try_for_each(|notice| writeln!(f, "    {notice}"))?;
        writeln!(
            f,
            "  shards       {}, {} at once, about {:.0} MB each",
            self.shards,
            self.shards_at_once,
            self.shard_forecast as f64 / 1e6
        )?;
        write!(f, "{}", self.plan.trim_end())
    }
}

/// `1 tag`, `2 tags`.
fn counted(number: usize, noun: &str) -> String {
    match number {
        1 => format!("1 {noun}"),
        number => format!("{number} {noun}s"),
    }
}

/// A configuration that was checked.
#[derive(Debug, Clone, Serialize)]
pub struct ValidateReport {
    /// Sources, tags.
    pub sources: usize,
    /// See `sources`.
    pub tags: usize,
    /// Rules and registry rows that were read.
    pub rules: u64,
    /// What is wrong with rules and registry rows.
    pub problems: Vec<Problem>,
    /// Rules that may mean something else than their authors think.
    pub hints: Vec<Problem>,
    /// Hash of everything that can change what a run computes.
    pub config_hash: String,
}

impl fmt::Display for ValidateReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.problems
            .iter()
            .chain(&self.hints)
            .try_for_each(|line| writeln!(f, "{line}"))?;
        write!(
            f,
            "{}, {}, {}: {}",
            counted(self.sources, "source"),
            counted(self.tags, "tag"),
            counted(self.rules as usize, "rule"),
            counted(self.problems.len(), "problem")
        )
    }
}
