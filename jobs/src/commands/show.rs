//! `tagmill show`: what one release holds.

use std::collections::BTreeMap;
use std::fmt;

use clap::Args;
use serde::Serialize;
use tagmill_query::contents::{self, Fate};
use tagmill_schemas::manifest::{CarriedScope, Input, InputStatus, SourceCount, TagEntry, Totals};
use tagmill_schemas::outside::Shown;
use tagmill_schemas::{Artifact, Manifest, ReleaseName, Result};

use crate::global::Global;
use crate::output::{self, columns, grouped, sized};
use crate::warehouse::Warehouse;

/// Apps that are named.
const SHOWN_APPS: usize = 5;

/// Show what a release holds
///
/// Its inputs, what became of their rows and why some were rejected, its artifacts, apps and tags,
/// and what it has more than the release before. Of the data only `quality` is read.
#[derive(Debug, Args)]
pub struct Arguments {
    /// A number, current, or the night it is of: @2026-11-19
    #[arg(default_value = "current")]
    release: ReleaseName,
}

pub async fn run(global: Global, arguments: Arguments) -> Result<()> {
    let warehouse = Warehouse::open(&global, "show").await?;
    let manifest = warehouse.release(arguments.release).await?;
    let ctx = warehouse.tables(&manifest).await?;
    let fates = contents::fates(&ctx, manifest.date).await?;
    let growth = Growth::of(&warehouse, &manifest).await;
    output::print(global.output, &Contents::of(manifest, fates, growth))
}

#[derive(Serialize)]
struct Contents {
    #[serde(flatten)]
    head: Head,
    inputs: Vec<InputLine>,
    rows: Vec<SourceCount>,
    /// Why rows were rejected, and those that are there twice; see `quality`.
    fates: Vec<Fate>,
    /// `None` without a release before it that is still there.
    growth: Option<Growth>,
    apps: Vec<String>,
    artifacts: Vec<ArtifactLine>,
    tags: Vec<TagEntry>,
    /// What of the release is older than it.
    carried: Vec<CarriedScope>,
}

#[derive(Serialize)]
struct Head {
    release: u64,
    parent: Option<u64>,
    date: chrono::NaiveDate,
    head_date: chrono::NaiveDate,
    run: String,
    attempt: u32,
    config_hash: String,
    code_version: String,
    reason: Option<String>,
}

#[derive(Serialize)]
struct InputLine {
    source: String,
    status: InputStatus,
    date: chrono::NaiveDate,
    files: usize,
    bytes: u64,
    rows: u64,
}

#[derive(Serialize)]
struct ArtifactLine {
    artifact: &'static str,
    files: u64,
    rows: u64,
    bytes: u64,
    cardinality: u64,
}

/// What a release has more than the one before.
#[derive(Serialize)]
struct Growth {
    since: u64,
    users: i64,
    files: i64,
    bytes: i64,
}

impl Growth {
    async fn of(warehouse: &Warehouse, manifest: &Manifest) -> Option<Self> {
        let since = manifest.parent?;
        let parent = warehouse.release(ReleaseName::Number(since)).await.ok()?;
        let (now, before) = (sizes(manifest), sizes(&parent));
        let more = |i: usize| now[i].cast_signed() - before[i].cast_signed();
        Some(Self {
            since,
            users: more(0),
            files: more(1),
            bytes: more(2),
        })
    }
}

/// Users, files, bytes.
fn sizes(manifest: &Manifest) -> [u64; 3] {
    let totals = manifest.totals();
    let users = totals.get(&Artifact::Users).map_or(0, |users| users.rows);
    let files = totals.values().map(|sum| sum.files).sum();
    [users, files, totals.values().map(|sum| sum.bytes).sum()]
}

impl Contents {
    fn of(manifest: Manifest, fates: Vec<Fate>, growth: Option<Growth>) -> Self {
        let apps = contents::app_names(&manifest).into_iter();
        let apps = apps.map(str::to_owned).collect();
        let artifacts = artifact_lines(&manifest);
        let head = Head {
            release: manifest.release,
            parent: manifest.parent,
            date: manifest.date,
            head_date: manifest.head_date,
            run: manifest.run,
            attempt: manifest.attempt,
            config_hash: manifest.config_hash,
            code_version: manifest.code_version,
            reason: manifest.reason,
        };
        Self {
            head,
            inputs: manifest.inputs.iter().map(InputLine::of).collect(),
            rows: manifest.counts,
            fates,
            growth,
            apps,
            artifacts,
            tags: manifest.tags,
            carried: manifest.decisions.carried,
        }
    }
}

impl InputLine {
    fn of(input: &Input) -> Self {
        Self {
            source: input.source.clone(),
            status: input.status,
            date: input.date,
            files: input.files.len(),
            bytes: input.files.iter().map(|file| file.size).sum(),
            rows: input.files.iter().map(|file| file.rows).sum(),
        }
    }
}

fn artifact_lines(manifest: &Manifest) -> Vec<ArtifactLine> {
    let line = |(artifact, sum): (Artifact, Totals)| ArtifactLine {
        artifact: artifact.name(),
        files: sum.files,
        rows: sum.rows,
        bytes: sum.bytes,
        cardinality: sum.cardinality,
    };
    manifest.totals().into_iter().map(line).collect()
}

impl fmt::Display for Contents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = &self.head;
        writeln!(
            f,
            "release {} of {} (run {}-{}, head {})",
            head.release, head.date, head.run, head.attempt, head.head_date
        )?;
        if let Some(reason) = &head.reason {
            writeln!(f, "published because: {reason}")?;
        }
        self.carried.iter().try_for_each(|of| writeln!(f, "{of}"))?;
        let inputs = self.inputs.iter().map(|i| {
            vec![
                i.source.clone(),
                status(i.status),
                i.date.to_string(),
                grouped(i.files as u64),
                grouped(i.rows),
                sized(i.bytes),
            ]
        });
        table(
            f,
            &["input", "status", "date", "files", "rows", "bytes"],
            inputs,
            &[3, 4, 5],
        )?;
        table(
            f,
            &[
                "source",
                "read",
                "accepted",
                "filtered",
                "rejected",
                "superseded",
            ],
            source_rows(&self.rows),
            &[1, 2, 3, 4, 5],
        )?;
        let fates = self.fates.iter().map(|fate| {
            let shown = fate.metric.replacen("rejected:", "rejected: ", 1);
            vec![fate.source.clone(), shown, grouped(fate.rows)]
        });
        table(f, &["source", "of these", "rows"], fates, &[2])?;
        let artifacts = self.artifacts.iter().map(|a| {
            vec![
                a.artifact.to_owned(),
                grouped(a.files),
                grouped(a.rows),
                sized(a.bytes),
            ]
        });
        table(
            f,
            &["artifact", "files", "rows", "bytes"],
            artifacts,
            &[1, 2, 3],
        )?;
        if let Some(growth) = &self.growth {
            writeln!(f, "\n{growth}")?;
        }
        write!(
            f,
            "\n{} tags of {}: tagmill tags, tagmill apps",
            grouped(self.tags.len() as u64),
            listed(&self.apps)
        )
    }
}

/// `3 apps (books, tea, toys)`: the first few by name.
fn listed(apps: &[String]) -> String {
    let first: Vec<String> = apps
        .iter()
        .take(SHOWN_APPS)
        .map(|app| Shown(app).to_string())
        .collect();
    let more = if apps.len() > SHOWN_APPS { ", ..." } else { "" };
    match apps.len() {
        0 => "no app".to_owned(),
        1 => format!("1 app ({})", first.join("")),
        count => format!(
            "{} apps ({}{more})",
            grouped(count as u64),
            first.join(", ")
        ),
    }
}

impl fmt::Display for Growth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = |number: i64| if number < 0 { "-" } else { "+" };
        write!(
            f,
            "since release {}: {}{} users, {}{} files, {}{}",
            self.since,
            sign(self.users),
            grouped(self.users.unsigned_abs()),
            sign(self.files),
            grouped(self.files.unsigned_abs()),
            sign(self.bytes),
            sized(self.bytes.unsigned_abs())
        )
    }
}

/// Rows by source, all apps together.
fn source_rows(counts: &[SourceCount]) -> impl Iterator<Item = Vec<String>> {
    let mut sums: BTreeMap<&str, [u64; 5]> = BTreeMap::new();
    for count in counts {
        let sum = sums.entry(count.source.as_str()).or_default();
        let more = [
            count.read,
            count.accepted,
            count.filtered,
            count.rejected,
            count.superseded,
        ];
        sum.iter_mut()
            .zip(more)
            .for_each(|(sum, more)| *sum += more);
    }
    sums.into_iter().map(|(source, sums)| {
        std::iter::once(source.to_owned())
            .chain(sums.map(grouped))
            .collect()
    })
}

fn status(status: InputStatus) -> String {
    match status {
        InputStatus::Read => "read",
        InputStatus::Carried => "carried",
        InputStatus::Skipped => "skipped",
    }
    .to_owned()
}

fn table(
    f: &mut fmt::Formatter<'_>,
    heading: &[&str],
    rows: impl Iterator<Item = Vec<String>>,
    right: &[usize],
) -> fmt::Result {
    let rows: Vec<_> = std::iter::once(heading.iter().map(|name| (*name).to_owned()).collect())
        .chain(rows)
        .collect();
    if rows.len() > 1 {
        writeln!(f, "\n{}", columns(&rows, right))
    } else {
        Ok(())
    }
}
