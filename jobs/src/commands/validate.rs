//! `tagmill validate`: configuration, rules and registries, without a store; for the CI of a configuration change.

use clap::Args;
use tagmill_schemas::Result;

use crate::arguments::Global;
use crate::engine::job;
use crate::{output, warehouse};

/// Check configuration, rules and registries
///
/// Needs no warehouse and writes nothing: made for the CI of a configuration change.
#[derive(Debug, Args)]
pub struct Arguments {}

pub async fn run(global: Global) -> Result<()> {
    let config = warehouse::config(&global)?;
    output::print(global.output, &job::validate(&config).await?)
}
