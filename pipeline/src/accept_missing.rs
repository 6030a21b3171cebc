//! The command `publish --accept-missing`: a person says that the events of a source and day never
//! come, and that this is fine: the day counts as empty from then on.

use std::fmt;

use chrono::NaiveDate;
use serde::Serialize;
use tagmill_schemas::config::Source;
use tagmill_schemas::manifest::{Manifest, MissingDay, ReleaseKind, VERSION};
use tagmill_schemas::nearest::nearest;
use tagmill_schemas::{Config, Error, Result};
use tagmill_warehouse::release::{commit, continue_history, newest_release, open_warehouse};
use tagmill_warehouse::store::Store;

use super::event_days::EventDays;

const STAGE: &str = "publish";

/// A day that was accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Accepted {
    /// The release that says so.
    pub release: u64,
    /// The source.
    pub source: String,
    /// The day.
    pub date: NaiveDate,
}

impl fmt::Display for Accepted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "release {}: source {} has no events of {}, which counts as an empty day from the next \
             night on",
            self.release, self.source, self.date
        )
    }
}

/// Publishes the newest release once more, with the day accepted.
///
/// # Errors
/// Setup for a source or day that is not missing, and without a release; retry when a run published
/// meanwhile; those of the store.
pub async fn accept_missing(config: &Config, source: &str, date: NaiveDate) -> Result<Accepted> {
    let store = Store::open(&config.warehouse.url)?;
    open_warehouse(&store, &config.warehouse).await?;
    check_source(config, source)?;
    let newest = newest_release(&store).await?.ok_or_else(|| {
        Error::setup(STAGE, "nothing is published yet").fix("run the first night: tagmill run")
    })?;
    check_missing(config, &newest, source, date)?;
    let mut decisions = newest.decisions.clone();
    decisions.accepted_missing.push(MissingDay {
        source: source.to_owned(),
        date,
    });
    decisions.accepted_missing.sort();
    let release = newest.release + 1;
    let manifest = Manifest {
        version: VERSION,
        release,
        parent: Some(newest.release),
        kind: ReleaseKind::Decision,
        history: continue_history(&store, Some(&newest)).await?,
        decisions,
        reason: Some(format!("source {source} has no events of {date}")),
        ..newest
    };
    let release = commit(&store, &manifest).await?.committed()?;
    Ok(Accepted {
        release,
        source: source.to_owned(),
        date,
    })
}

fn check_source(config: &Config, name: &str) -> Result<()> {
    let sources = config.sources.iter();
    let of_events: Vec<&Source> = sources.filter(|s| s.kind.events().is_some()).collect();
    if of_events.iter().any(|source| source.name == name) {
        return Ok(());
    }
    let error = Error::setup(STAGE, format!("{name:?} is no source of events"));
    let names = || of_events.iter().map(|source| source.name.as_str());
    Err(match nearest(name, names()) {
        Some(near) => error.fix(format!("did you mean {near:?}?")),
        None => error.fix(format!(
            "expected one of {}",
            Vec::from_iter(names()).join(", ")
        )),
    })
}

/// Only what is missing can be accepted: a wrong date would be found by nobody.
fn check_missing(config: &Config, newest: &Manifest, source: &str, date: NaiveDate) -> Result<()> {
    let head = newest.head_date;
    if date > head {
        let what = format!("{date} is after the newest night, which is of {head}");
        return Err(Error::setup(STAGE, what).fix("run its night first: it may still come"));
    }
    let (tomorrow, kept) = (
        head.succ_opt().unwrap_or(head),
        config.retention.behaviour_days,
    );
    let days = EventDays::of(Some(newest), &[], tomorrow, kept);
    match days.is_missing(source, date) {
        true => Ok(()),
        false => {
            let what = format!("the events of source {source} of {date} are not missing");
            let cure = "see the reasons of groups that are incomplete: SELECT * FROM group_status";
            Err(Error::setup(STAGE, what).fix(cure))
        }
    }
}
