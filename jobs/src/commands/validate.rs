//! `tagmill validate`: configuration, rules and registries, without a store; for the CI of a
//! configuration change.

use chrono::NaiveDate;
use clap::Args;
use tagmill_pipeline as job;
use tagmill_schemas::{Error, Result};

use crate::global::{Global, date};
use crate::{output, warehouse};

/// Check configuration, rules and registries
///
/// Needs no warehouse and writes nothing: made for the CI of a configuration change. A rule or
/// registry row that is wrong does not stop a night, so it is printed and the exit is 0; with
/// --strict it is 1.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The date for `{date}` in paths and for dates in rules; today when not given
    #[arg(long, value_name = "DATE", value_parser = date)]
    date: Option<NaiveDate>,
    /// Exit with 1 when a problem is found
    #[arg(long)]
    strict: bool,
}

pub async fn run(global: Global, arguments: Arguments) -> Result<()> {
    let request = job::Request {
        config: warehouse::config(&global)?,
        date: arguments
            .date
            .unwrap_or_else(|| chrono::Utc::now().date_naive()),
        sources: Vec::new(),
        wait: None,
        memory: None,
        threads: None,
        stage_only: false,
        force: false,
    };
    let report = job::validate(&request).await?;
    output::print(global.output, &report)?;
    if arguments.strict && !report.problems.is_empty() {
        let found = format!("problems found: {}", report.problems.len());
        return Err(Error::refused("validate", found)
            .fix("correct what standard output lists, or leave out --strict"));
    }
    Ok(())
}
