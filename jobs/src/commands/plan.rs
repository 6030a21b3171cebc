//! `tagmill plan`: what a run would read, and what of the rules it would compute.

use chrono::NaiveDate;
use clap::Args;
use tagmill_pipeline as job;
use tagmill_schemas::Result;

use super::run::Resources;
use crate::global::{Global, Output, date};
use crate::progress::Progress;
use crate::{output, warehouse};

/// Say what a run would do
///
/// Which sources it would read, carry or skip, with files, rows and bytes; which rules are invalid;
/// a forecast of memory. Writes nothing.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The night's date
    #[arg(long, value_name = "DATE", value_parser = date)]
    date: NaiveDate,
    /// Only this source; may be given several times
    #[arg(long = "source", value_name = "NAME")]
    sources: Vec<String>,
    #[command(flatten)]
    resources: Resources,
    /// The physical plan as well, as EXPLAIN prints it; json always has it
    #[arg(long)]
    physical: bool,
}

pub async fn run(global: Global, arguments: Arguments) -> Result<()> {
    let request = job::Request {
        config: warehouse::config(&global)?,
        date: arguments.date,
        sources: arguments.sources,
        wait: None,
        memory: arguments.resources.memory,
        threads: arguments.resources.threads,
        stage_only: false,
        force: false,
    };
    let mut report = job::plan(&request, &Progress::new(&global)).await?;
    if global.output == Output::Text && !arguments.physical {
        report.plan.clear();
    }
    output::print(global.output, &report)
}
