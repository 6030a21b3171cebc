//! Analysis of events over days: what a person asks again and again, worked out of a release's
//! artifacts, never of raw rows.
//!
//! ```text
//! event_totals      users, events, sums by dimensions and tags       event_rollup         the same at every level of a hierarchy
//! event_histogram   users by a number of theirs, over all days       event_quantiles      the number that a part of them does not exceed
//! retention         of users of a period, who came back in later     retention_triangle   a row a cohort, as a person reads it
//!
//! question ─► scope: days, shards, names ─► per shard: rows ─► parts (day, combination) ─► who counts ─► groups ─► rows
//! ```
//! A condition holds within a combination, an audience is of users. Sizes of shards add up, so no
//! user leaves their shard.

mod codes;
mod cohorts;
mod columns;
mod condition;
mod decimal;
mod distribution;
mod groups;
mod kept;
mod numbers_of_users;
mod per_shard;
mod period;
mod question;
mod retention;
mod selection;
mod shard_rows;
mod table;
mod totals;
mod totals_of_shard;

use std::sync::Arc;

use datafusion::prelude::SessionContext;

use super::released::Releases;
pub(super) use distribution::{EVENT_HISTOGRAM, EVENT_QUANTILES};
pub(super) use retention::{RETENTION, RETENTION_TRIANGLE};
pub(super) use totals::{EVENT_ROLLUP, EVENT_TOTALS};

/// Registers the functions.
pub(super) fn register(ctx: &SessionContext, releases: &Arc<Releases>) {
    let releases = || Arc::clone(releases);
    for is_second in [false, true] {
        let totals = totals::Totals {
            has_levels: is_second,
            releases: releases(),
        };
        ctx.register_udtf(totals.syntax().name(), Arc::new(totals));
        let distribution = distribution::Distribution {
            is_histogram: is_second,
            releases: releases(),
        };
        ctx.register_udtf(distribution.syntax().name(), Arc::new(distribution));
        let retention = retention::Retention {
            is_triangle: is_second,
            releases: releases(),
        };
        ctx.register_udtf(retention.syntax().name(), Arc::new(retention));
    }
}
