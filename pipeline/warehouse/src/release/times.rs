//! When releases were published, by the store's clock: no manifest depends on a clock.

use chrono::{DateTime, Utc};
use futures::{StreamExt, TryStreamExt};
use tagmill_schemas::error::Result;
use tagmill_schemas::manifest::Summary;
use tagmill_schemas::release;

use super::attempt::claim_path;
use crate::store::Store;

/// Releases looked at at once.
const AT_ONCE: usize = 8;

/// When a release was published, and how long its run wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Published {
    /// When its manifest was created; `None` when it is gone.
    pub at: Option<DateTime<Utc>>,
    /// Seconds from the claim of its attempt, once inputs were found and rules were checked, to its
    /// manifest; `None` when the claim is gone, or newer, as after a copy of the warehouse.
    pub seconds: Option<u64>,
}

/// When these releases were published, in their order.
///
/// # Errors
/// An error of the store.
pub async fn published_at(store: &Store, releases: &[Summary]) -> Result<Vec<Published>> {
    let looks: Vec<_> = releases
        .iter()
        .map(|summary| {
            let manifest = release::path(summary.release);
            let claim = claim_path(&summary.run, summary.attempt);
            let store = store.clone();
            async move { look(&store, &manifest, &claim).await }
        })
        .collect();
    futures::stream::iter(looks)
        .buffered(AT_ONCE)
        .try_collect()
        .await
}

async fn look(store: &Store, manifest: &str, claim: &str) -> Result<Published> {
    let at = store.head(manifest).await?.map(|found| found.modified);
    let claimed = store.head(claim).await?.map(|found| found.modified);
    let seconds = at
        .zip(claimed)
        .and_then(|(at, claimed)| u64::try_from((at - claimed).num_seconds()).ok());
    Ok(Published { at, seconds })
}
