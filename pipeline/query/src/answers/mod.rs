//! The five questions of a release in a line of SQL each: how big, who, overlap, what are they like,
//! what did they do. Shards, combinations, bit slices, offsets and scales are put together here.
//!
//! Reads the tables of [`crate::catalog`]; writes nothing.
//!
//! ```text
//! views            group_sets, tag_sets, event_sets   one row a set: its users, and their bitmap
//!                  tag_stats, event_stats             sums and the like of numbers
//! table functions  members(app, group), audience(app, rule), did(app, event, days[, condition])    uid, user_id
//!                  groups_of(user), tags_of(user), event_sets(...), event_stats(...) under a condition
//!                  funnel(app, name)                   who came how far, by day and step
//! schemas          release_2.…, night_2026_11_18.…    every table and view of another release
//! ```
//! A view without a row for a name has none; a function refuses a name that is not there.

mod analysis;
mod arguments;
mod event;
mod events;
mod functions;
mod funnel;
mod members;
mod of_user;
mod ordinals;
mod past;
mod query_table;
mod released;
mod syntax;
mod totals;
mod user_table;
mod views;

use std::sync::Arc;

use datafusion::prelude::SessionContext;
use tagmill_schemas::{Error, Manifest, Result};
use tagmill_warehouse::store::Store;

pub use past::schema_of;
use released::Releases;
pub use released::RuleNames;
pub use syntax::syntax_of;
pub use views::VIEWS;

use crate::catalog::failed;

const STAGE: &str = "sql";

/// Registers the views, the table functions and the schemas of other releases in `ctx`, in which
/// [`crate::catalog::register`] has registered the tables of `shown`. Of the release nothing is
/// read.
///
/// # Errors
/// Setup when a name is already taken in `ctx` by something that can not be replaced, or there is
/// no catalog to add schemas to.
pub async fn register(
    ctx: &SessionContext,
    warehouse: &Store,
    shown: &Manifest,
    rules: RuleNames,
) -> Result<()> {
    let releases = Arc::new(Releases::of(ctx, warehouse, shown, rules).await?);
    for view in VIEWS {
        let table = releases.shown().table(view.name).await.map_err(failed)?;
        ctx.register_table(view.name, table).map_err(failed)?;
    }
    members::register(ctx, &releases);
    of_user::register(ctx, &releases);
    events::register(ctx, &releases);
    analysis::register(ctx, &releases);
    funnel::register(ctx, &releases);
    syntax::register(ctx).map_err(failed)?;
    past::register(ctx, &releases)
        .ok_or_else(|| Error::setup(STAGE, "found no catalog for the schemas of other releases"))
}
