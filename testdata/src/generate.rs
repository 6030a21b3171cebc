//! The driver: plans every file of every day, writes them on all threads, then marks leaf folders
//! ready. Reads a spec, writes `raw/`, `conf/` and `warehouse.toml` under one folder.
//!
//! ```text
//! spec ─ population ─┬─ profiles, labels, events, custom ─ file tasks ─ threads ─ Parquet
//!                    └─ registries, rules, lists, warehouse.toml
//! ```

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::custom::{CustomEvents, Properties};
use crate::event::Events;
use crate::habit::Habits;
use crate::label::Labels;
use crate::parquet_file::FileTask;
use crate::population::Population;
use crate::profile::Profiles;
use crate::spec::Spec;
use crate::table::Table;
use crate::{Error, Written, conf, warehouse};

const ROWS_PER_CHUNK: f64 = 450_000.0;
/// Labels of a user, about.
const ROWS_PER_USER: f64 = 2.5;
const CHUNKS_PER_FILE: usize = 8;

/// Writes everything `spec` describes under `out`. The bytes depend on the spec alone.
///
/// # Errors
/// When a file can not be written or the spec means nothing.
pub fn generate(spec: &Spec, out: &Path) -> Result<Written, Error> {
    let spec = spec.clone().check()?;
    let population = Population::new(&spec);
    let habits = Habits::new(&spec);
    let profiles = Profiles::new(&spec, &population, &habits);
    let events = Events::new(&spec, &population, &habits);
    let labels = Labels::new(&spec, &population);
    let custom = CustomEvents::new(&spec, &population, &profiles, Properties::Map);
    let scans = CustomEvents::new(&spec, &population, &profiles, Properties::Json);
    let mut tasks = Vec::new();
    for day in 0..spec.days {
        let (date, count) = (spec.date(day), population.count(day));
        let folder = |source: &str| out.join("raw").join(source).join(format!("dt={date}"));
        push_tasks(
            &mut tasks,
            &folder("profiles"),
            &profiles,
            (day, 0, count),
            count as f64,
        );
        for hour in 0..24 {
            let folder = folder("events").join(format!("hour={hour:02}"));
            push_tasks(
                &mut tasks,
                &folder,
                &events,
                (day, hour, count),
                events.expected(hour),
            );
        }
        if spec.is_rich() {
            push_tasks(
                &mut tasks,
                &folder("labels"),
                &labels,
                (day, 0, count),
                count as f64 * ROWS_PER_USER,
            );
            push_tasks(
                &mut tasks,
                &folder("custom").join("x"),
                &custom,
                (day, 0, count),
                custom.expected(),
            );
            push_tasks(
                &mut tasks,
                &folder("scans"),
                &scans,
                (day, 0, count),
                scans.expected(),
            );
        }
    }
    let written = tasks
        .par_iter()
        .with_max_len(1)
        .map(FileTask::write)
        .try_reduce(Written::default, |a, b| Ok(a.plus(b)))?;
    mark_ready(&tasks)?;
    conf::write(&spec, &population, out)?;
    warehouse::write(&spec, out)?;
    Ok(written)
}

fn push_tasks<'a>(
    tasks: &mut Vec<FileTask<'a>>,
    folder: &Path,
    table: &'a dyn Table,
    (day, hour, count): (u32, u32, u64),
    expected: f64,
) {
    let chunks = (expected / ROWS_PER_CHUNK).ceil().max(1.0) as u64;
    let chunk_at = |i: u64| (u128::from(count) * u128::from(i) / u128::from(chunks)) as u64;
    let chunks: Vec<_> = (0..chunks).map(|i| chunk_at(i)..chunk_at(i + 1)).collect();
    for (part, chunks) in chunks.chunks(CHUNKS_PER_FILE).enumerate() {
        let path = folder.join(format!("part-{part:05}.parquet"));
        tasks.push(FileTask {
            path,
            table,
            day,
            hour,
            count,
            chunks: chunks.to_vec(),
        });
    }
}

/// A marker in each leaf folder: beside data, never at an inner level, where readers of partitions
/// would trip over it.
fn mark_ready(tasks: &[FileTask<'_>]) -> Result<(), Error> {
    let folders: BTreeSet<PathBuf> = tasks
        .iter()
        .filter_map(|task| task.path.parent().map(Path::to_path_buf))
        .collect();
    for folder in folders {
        let marker = folder.join("_SUCCESS");
        fs::write(&marker, b"").map_err(|e| Error::io(&marker, e))?;
    }
    Ok(())
}
