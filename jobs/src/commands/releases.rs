//! `tagmill releases`: the history, newest last.

use std::fmt;

use chrono::{NaiveDate, SecondsFormat};
use clap::Args;
use serde::Serialize;
use tagmill_schemas::Result;
use tagmill_schemas::manifest::Summary;
use tagmill_schemas::release::path;
use tagmill_warehouse::release as publish;
use tagmill_warehouse::release::Published;

use crate::global::{Global, date};
use crate::output::{self, columns, grouped, sized};
use crate::warehouse::Warehouse;

/// Releases that are listed when nothing else is asked for.
const NEWEST: usize = 20;

/// List the releases
///
/// The newest 20, unless --limit or --since asks for others; the last line is the current one.
/// `head` is the newest night in a release; a date before it was a late or repeated night.
/// `published` and `took` are by the store's clock: a copy of a warehouse has other ones. A run took
/// from its attempt, once inputs were found and rules were checked, to its release. `rows` were read.
#[derive(Debug, Args)]
pub struct Arguments {
    /// At most so many, the newest
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
    /// Only those of nights from this date on
    #[arg(long, value_name = "DATE", value_parser = date)]
    since: Option<NaiveDate>,
}

pub async fn run(global: Global, arguments: Arguments) -> Result<()> {
    let warehouse = Warehouse::open(&global, "releases").await?;
    let store = &warehouse.store;
    let there = publish::list_releases(store).await?;
    for missing in there.missing() {
        log::warn!("release {missing} has lost its manifest, {}", path(missing));
    }
    let numbers = match arguments.since {
        Some(date) => publish::releases_since(store, date).await?,
        None => there.numbers().to_vec(),
    };
    let most = match (arguments.limit, arguments.since) {
        (Some(limit), _) => usize::try_from(limit).unwrap_or(usize::MAX),
        (None, Some(_)) => usize::MAX,
        (None, None) => NEWEST,
    };
    let older = numbers.len().saturating_sub(most);
    let listed = publish::load_summaries(store, &numbers[older..]).await?;
    let times = publish::published_at(store, &listed).await?;
    output::print(
        global.output,
        &History {
            releases: listed.into_iter().zip(times).map(Line::of).collect(),
            older: older as u64,
        },
    )
}

#[derive(Serialize)]
struct History {
    releases: Vec<Line>,
    /// Releases that the limit leaves out.
    older: u64,
}

#[derive(Serialize)]
struct Line {
    release: u64,
    parent: Option<u64>,
    date: NaiveDate,
    head_date: NaiveDate,
    run: String,
    attempt: u32,
    published: Option<String>,
    seconds: Option<u64>,
    rows: u64,
    files: u64,
    bytes: u64,
    reason: Option<String>,
}

impl Line {
    fn of((release, times): (Summary, Published)) -> Self {
        let published = times.at;
        Self {
            release: release.release,
            parent: release.parent,
            date: release.date,
            head_date: release.head_date,
            run: release.run,
            attempt: release.attempt,
            published: published.map(|at| at.to_rfc3339_opts(SecondsFormat::Secs, true)),
            seconds: times.seconds,
            rows: release.rows,
            files: release.files,
            bytes: release.bytes,
            reason: release.reason,
        }
    }

    fn cells(&self) -> Vec<String> {
        let parent = self
            .parent
            .map_or_else(|| "-".to_owned(), |parent| parent.to_string());
        let run = format!("{}-{}", self.run, self.attempt);
        let or_none = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        vec![
            self.release.to_string(),
            parent,
            self.date.to_string(),
            self.head_date.to_string(),
            or_none(self.published.clone()),
            or_none(
                self.seconds
                    .map(|seconds| format!("{} s", grouped(seconds))),
            ),
            grouped(self.rows),
            grouped(self.files),
            sized(self.bytes),
            run,
            self.reason.clone().unwrap_or_default(),
        ]
    }
}

impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.releases.is_empty() {
            return f.write_str("nothing has been published");
        }
        let heading = [
            "release",
            "parent",
            "date",
            "head",
            "published",
            "took",
            "rows",
            "files",
            "bytes",
            "run",
            "reason",
        ]
        .map(str::to_owned)
        .to_vec();
        let rows: Vec<_> = std::iter::once(heading)
            .chain(self.releases.iter().map(Line::cells))
            .collect();
        f.write_str(&columns(&rows, &[0, 1, 5, 6, 7, 8]))?;
        match self.older {
            0 => Ok(()),
            older => write!(
                f,
                "\n{} older ones: --limit N or --since DATE",
                grouped(older)
            ),
        }
    }
}
