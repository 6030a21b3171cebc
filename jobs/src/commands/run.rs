//! `tagmill run`: the night of a date, or of every date of a range in order.

use std::time::Duration;

use chrono::{NaiveDate, Utc};
use clap::Args;
use tagmill_pipeline as job;
use tagmill_pipeline::Request;
use tagmill_schemas::config::{parse_duration, parse_size};
use tagmill_schemas::{Config, Error, Reason, Result};

use super::nights::Nights;
use crate::global::{Global, date};
use crate::progress::Progress;
use crate::{allocator, warehouse};

const AFTER: &str = "\
Examples:
  tagmill run --date 2026-11-19
  tagmill run --from 2026-11-01 --to 2026-11-19 --memory 8GB      tells of each night when it is done
  tagmill run --date 2026-11-19 --wait 90m --log json       from cron

A run is a function of the parent release, the date, the inputs, the configuration and the program: the same five give the same bytes, \
whatever threads or memory. A date that was published already is run again and published as a new \
release. \
A date before the newest night adds or replaces that date's behaviour; tags and groups stay as \
they are.";

/// Run the night of a date and publish a release
#[derive(Debug, Args)]
#[command(after_help = AFTER)]
#[group(id = "when", required = true, multiple = true, args = ["date", "from"])]
pub struct Arguments {
    /// The night's date
    #[arg(long, value_name = "DATE", value_parser = date, conflicts_with_all = ["from", "to"])]
    date: Option<NaiveDate>,
    /// The first of several nights, run in order
    #[arg(long, value_name = "DATE", value_parser = date, requires = "to")]
    from: Option<NaiveDate>,
    /// The last of them
    #[arg(long, value_name = "DATE", value_parser = date, requires = "from")]
    to: Option<NaiveDate>,
    /// Only this source; may be given several times
    #[arg(long = "source", value_name = "NAME")]
    sources: Vec<String>,
    /// Wait so long for sources to become ready, like 90m
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    wait: Option<Duration>,
    #[command(flatten)]
    resources: Resources,
    /// What `tagmill plan` does
    #[arg(long, hide = true)]
    dry_run: bool,
    /// Write the files but publish nothing: not in this version
    #[arg(long)]
    stage_only: bool,
    /// Run although a check refuses the night: not in this version
    #[arg(long)]
    force: bool,
    /// Run on a cluster's scheduler: not in this version
    #[arg(long, value_name = "HOST:PORT")]
    cluster: Option<String>,
}

/// What a run may use; never changes what it computes.
#[derive(Debug, Clone, Copy, Args)]
pub struct Resources {
    /// Memory, like 8GB; the configuration's, else no limit but the machine's: all shards at once
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub memory: Option<u64>,
    /// Threads; the configuration's, or all
    #[arg(long, value_name = "N", value_parser = threads)]
    pub threads: Option<usize>,
}

/// More are a typing mistake, and memory for each.
const MOST_THREADS: usize = 4_096;

fn threads(text: &str) -> Result<usize, String> {
    let parsed = text.parse().ok().filter(|threads| *threads <= MOST_THREADS);
    parsed.ok_or_else(|| {
        format!("found {text:?}, expected a whole number from 0 (all) to {MOST_THREADS}")
    })
}

impl Arguments {
    /// Threads that the night runs on; 0: all. What is wrong with the configuration is told when it
    /// is read for good.
    pub fn threads(&self, global: &Global) -> usize {
        self.resources
            .threads
            .unwrap_or_else(|| warehouse::config(global).map_or(0, |config| config.run.threads))
    }
}

pub async fn run(global: Global, arguments: Arguments) -> Result<()> {
    if arguments.cluster.is_some() {
        return Err(Error::setup("run", "--cluster is not in this version")
            .fix("leave it out: the night runs on this machine"));
    }
    if arguments.dry_run {
        return Err(Error::setup("usage", "there is no --dry-run")
            .fix("tagmill plan --date D says what a run would do, and writes nothing"));
    }
    let dates = dates(&arguments)?;
    let config = warehouse::config(&global)?;
    known_sources(&config, &arguments.sources)?;
    if arguments.resources.memory.or(config.run.memory).is_some() {
        allocator::give_back_early();
    }
    let mut nights = Nights::new(global.output, dates.len());
    for (i, &date) in dates.iter().enumerate() {
        if dates.len() > 1 {
            log::info!("night {} of {}: {date}", i + 1, dates.len());
        }
        let observer = Progress::new(&global);
        let report = job::run(&request(&config, date, &arguments), &observer).await;
        drop(observer);
        match report {
            Ok(report) => nights.add(report),
            Err(error) => {
                nights.stop(date);
                return Err(of_the_future(error, date, &config));
            }
        }
    }
    nights.end();
    Ok(())
}

/// A day that has not begun has no data yet, which is no reason to try again until it has.
fn of_the_future(error: Error, date: NaiveDate, config: &Config) -> Error {
    let zone = config.warehouse.time_zone;
    let today = Utc::now().with_timezone(&zone).date_naive();
    match error.reason() {
        Some(Reason::NotReady) if date > today => Error::setup(
            "run",
            format!("{date} has not begun: in {zone} it is {today}"),
        )
        .fix("name a date that has data"),
        _ => error,
    }
}

fn request(config: &Config, date: NaiveDate, arguments: &Arguments) -> Request {
    Request {
        config: config.clone(),
        date,
        sources: arguments.sources.clone(),
        wait: arguments.wait,
        memory: arguments.resources.memory,
        threads: arguments.resources.threads,
        stage_only: arguments.stage_only,
        force: arguments.force,
    }
}

fn dates(arguments: &Arguments) -> Result<Vec<NaiveDate>> {
    match (arguments.date, arguments.from, arguments.to) {
        (Some(date), ..) => Ok(vec![date]),
        (None, Some(from), Some(to)) if from <= to => {
            Ok(from.iter_days().take_while(|date| *date <= to).collect())
        }
        (None, Some(from), Some(to)) => Err(Error::setup(
            "usage",
            format!("found --from {from} after --to {to}"),
        )
        .fix("swap them")),
        _ => Err(Error::setup("usage", "no date is given").fix("use --date D, or --from D --to D")),
    }
}

fn known_sources(config: &Config, asked: &[String]) -> Result<()> {
    let names = || config.sources.iter().map(|source| source.name.as_str());
    match asked
        .iter()
        .find(|name| !names().any(|known| known == name.as_str()))
    {
        None => Ok(()),
        Some(name) => {
            let error = Error::setup("usage", format!("unknown source {name:?}"));
            Err(match tagmill_schemas::nearest::nearest(name, names()) {
                Some(near) => error.fix(format!("did you mean {near:?}?")),
                None => error.fix(format!(
                    "the configuration has {}",
                    names().collect::<Vec<_>>().join(", ")
                )),
            })
        }
    }
}
