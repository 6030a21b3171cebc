//! `tagmill validate`: configuration, rules and registries, without a store; for the CI of a configuration change.

use chrono::NaiveDate;
use clap::Args;
use tagmill_pipeline::job;
use tagmill_schemas::Result;

use crate::arguments::{Global, date};
use crate::{output, warehouse};

/// Check configuration, rules and registries
///
/// Needs no warehouse and writes nothing: made for the CI of a configuration change.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The date for `{date}` in paths and for dates in rules; today when not given
    #[arg(long, value_name = "DATE", value_parser = date)]
    date: Option<NaiveDate>,
}

pub async fn run(global: Global, arguments: Arguments) -> Result<()> {
    let request = job::Request {
        config: warehouse::config(&global)?,
        date: arguments.date.unwrap_or_else(|| chrono::Utc::now().date_naive()),
        sources: Vec::new(),
        wait: None,
        memory: None,
        threads: None,
        stage_only: false,
        force: false,
    };
    output::print(global.output, &job::validate(&request).await?)
}
