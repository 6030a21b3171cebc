//! `tagmill estimate`: how many users a rule would select in a release.

use clap::Args;
use tagmill_query::estimate::estimate;
use tagmill_schemas::{ReleaseName, Result};

use crate::global::Global;
use crate::output;
use crate::warehouse::Warehouse;

const AFTER: &str = "\
Examples:
  tagmill estimate --app tea_shop \"gender = 'F' AND age BETWEEN 25 AND 36\"
  tagmill estimate --app tea_shop \"in_group('vip') AND NOT city IN ('Beijing', 'Shanghai')\"
  tagmill estimate --app tea_shop \"event_count('purchase', 30, city = 'Beijing') >= 3\"

Only the bitmaps that the rule needs are read. run_date() is the release's night; a list is read as it is now.";

/// Count the users a rule would select
#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub struct Arguments {
    /// The app whose tags and groups the rule names
    #[arg(long)]
    app: String,
    /// The rule, as in a group
    rule: String,
    /// A number, current, or the night it is of: @2026-11-19
    #[arg(long, default_value = "current")]
    release: ReleaseName,
}

pub async fn run(global: Global, arguments: Arguments) -> Result<()> {
    let warehouse = Warehouse::open(&global, "estimate").await?;
    let manifest = warehouse.release(arguments.release).await?;
    let ctx = warehouse.tables(&manifest).await?;
    let lists = warehouse
        .config
        .groups
        .as_ref()
        .and_then(|groups| groups.lists.as_deref());
    output::print(
        global.output,
        &estimate(
            &ctx,
            &manifest,
            &warehouse.config.tags,
            lists,
            &arguments.app,
            &arguments.rule,
        )
        .await?,
    )
}
