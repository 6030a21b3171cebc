//! `tagmill init`: makes a warehouse and prints the constants that are fixed for ever.

use std::fmt;

use clap::Args;
use serde::Serialize;
use tagmill_pipeline as job;
use tagmill_schemas::{Constants, Result};

use crate::global::Global;
use crate::{output, warehouse};

/// Make a warehouse
///
/// Probes the store (one key is created twice; a store where the second create succeeds is refused)
/// and writes warehouse.json with what can never change: the number of shards, the id scope and the
/// time zone. On a warehouse that exists it checks that the configuration still fits.
#[derive(Debug, Args)]
pub struct Arguments {}

pub async fn run(global: Global) -> Result<()> {
    let config = warehouse::config(&global)?;
    let constants = job::init(&config).await?;
    output::print(
        global.output,
        &Made {
            url: config.warehouse.url,
            constants,
        },
    )
}

#[derive(Serialize)]
struct Made {
    url: String,
    #[serde(flatten)]
    constants: Constants,
}

impl fmt::Display for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "warehouse  {}", self.url)?;
        writeln!(f, "shards     {}", self.constants.shards.get())?;
        writeln!(f, "id_scope   {}", self.constants.id_scope.name())?;
        writeln!(f, "time_zone  {}", self.constants.time_zone)?;
        write!(f, "These are fixed for ever.")
    }
}
