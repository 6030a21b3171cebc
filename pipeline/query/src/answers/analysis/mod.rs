//! Analysis of events over days: what a person asks again and again, worked out of a release's
//! artifacts, never of raw rows.
//!
//! ```text
//! event_totals   users, events, sums by dimensions and tags     event_rollup   the same at every level of a hierarchy
//!
//! question ─► scope: days, shards, names ─► per shard: rows ─► parts (day, combination) ─► who counts ─► groups ─► rows
//! ```
//! A condition holds within a combination, an audience is of users. Sizes of shards add up, so no
//! user leaves their shard.

mod codes;
mod columns;
mod condition;
mod groups;
mod kept;
mod per_shard;
mod question;
mod selection;
mod shard_rows;
mod table;
mod totals;
mod totals_of_shard;

use std::sync::Arc;

use datafusion::prelude::SessionContext;

use super::released::Releases;
pub(super) use totals::{EVENT_ROLLUP, EVENT_TOTALS};

/// Registers the functions.
pub(super) fn register(ctx: &SessionContext, releases: &Arc<Releases>) {
    for has_levels in [false, true] {
        let releases = Arc::clone(releases);
        let totals = totals::Totals {
            has_levels,
            releases,
        };
        ctx.register_udtf(totals.syntax().name(), Arc::new(totals));
    }
}
