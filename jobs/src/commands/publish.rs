//! `tagmill publish --accept-missing`: what a person decides about the newest release.

use chrono::NaiveDate;
use clap::Args;
use tagmill_pipeline as job;
use tagmill_schemas::{Error, Result};

use crate::global::{Global, date};
use crate::{output, warehouse};

/// Accept that the events of a day never come
///
/// Rules over days of behaviour are incomplete while their window misses a day of a source, and keep
/// their members. With --accept-missing the day counts as one without events of the source, from the
/// next night on. The decision is a release of its own, with the content of the one before. Should
/// the events come after all, run the date: they count then.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The source of events, and the day of which nothing comes
    #[arg(long, required = true, num_args = 2, value_names = ["SOURCE", "DATE"])]
    accept_missing: Vec<String>,
}

pub async fn run(global: Global, arguments: Arguments) -> Result<()> {
    let [source, day] = arguments.accept_missing.as_slice() else {
        return Err(Error::setup(
            "usage",
            "expected --accept-missing SOURCE DATE",
        ));
    };
    let day: NaiveDate = date(day).map_err(|e| Error::setup("usage", e))?;
    let config = warehouse::config(&global)?;
    let accepted = job::accept_missing(&config, source, day).await?;
    output::print(global.output, &accepted)
}
