//! `tagmill releases`: the history, newest last.

use std::fmt;

use chrono::NaiveDate;
use clap::Args;
use futures::{StreamExt, TryStreamExt};
use serde::Serialize;
use tagmill_schemas::{Manifest, Result};
use tagmill_warehouse::release as publish;

use crate::global::Global;
use crate::output::{self, columns, grouped, sized};
use crate::warehouse::Warehouse;

/// Manifests read at a time.
const AT_ONCE: usize = 8;

/// List the releases
///
/// The last line is the current one. `head` is the newest night in a release; a date before it was
/// a late or repeated night.
#[derive(Debug, Args)]
pub struct Arguments {}

pub async fn run(global: Global) -> Result<()> {
    let warehouse = Warehouse::open(&global, "releases").await?;
    let numbers = publish::list_releases(&warehouse.store)
        .await?
        .numbers()
        .to_vec();
    let loads = numbers
        .into_iter()
        .map(|number| publish::load_release(&warehouse.store, number));
    let manifests = futures::stream::iter(loads)
        .buffered(AT_ONCE)
        .map_ok(|manifest| Line::of(&manifest));
    output::print(
        global.output,
        &History {
            releases: manifests.try_collect().await?,
        },
    )
}

#[derive(Serialize)]
struct History {
    releases: Vec<Line>,
}

#[derive(Serialize)]
struct Line {
    release: u64,
    parent: Option<u64>,
    date: NaiveDate,
    head_date: NaiveDate,
    run: String,
    attempt: u32,
    files: usize,
    bytes: u64,
    reason: Option<String>,
}

impl Line {
    fn of(manifest: &Manifest) -> Self {
        Self {
            release: manifest.release,
            parent: manifest.parent,
            date: manifest.date,
            head_date: manifest.head_date,
            run: manifest.run.clone(),
            attempt: manifest.attempt,
            files: manifest.files.len(),
            bytes: manifest.files.iter().map(|file| file.bytes).sum(),
            reason: manifest.reason.clone(),
        }
    }

    fn cells(&self) -> Vec<String> {
        let parent = self
            .parent
            .map_or_else(|| "-".to_owned(), |parent| parent.to_string());
        let run = format!("{}-{}", self.run, self.attempt);
        let sizes = [grouped(self.files as u64), sized(self.bytes)];
        let [files, bytes] = sizes;
        vec![
            self.release.to_string(),
            parent,
            self.date.to_string(),
            self.head_date.to_string(),
            run,
            files,
            bytes,
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
            "release", "parent", "date", "head", "run", "files", "bytes", "reason",
        ]
        .map(str::to_owned)
        .to_vec();
        let rows: Vec<_> = std::iter::once(heading)
            .chain(self.releases.iter().map(Line::cells))
            .collect();
        f.write_str(&columns(&rows, &[0, 1, 5, 6]))
    }
}
