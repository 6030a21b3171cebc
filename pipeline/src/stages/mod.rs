//! A night as a chain of types: each stage consumes the one before, so none can be skipped.
//!
//! ```text
//! Night ─► Inputs ─► Planned ─► Claimed ─► ShardsDone ─► RolledUp ─► Staged ─► Verdict ─► Released
//!          sources   operator   attempt    reports       totals      manifest  gates      commit
//! ```
//! `tagmill plan` ends with [`Planned`]: nothing before [`Claimed`] writes. A [`Staged`] release is
//! whole but invisible; only a [`Verdict`] can be committed.

mod claimed;
mod inputs;
mod planned;
mod released;
mod rolled_up;
mod shards;
mod staged;
mod verdict;

use tagmill_schemas::{Config, Result};
use tagmill_warehouse::release::{open_warehouse, probe};
use tagmill_warehouse::store::Store;

use crate::{Observer, Request};

pub use claimed::Claimed;
pub use inputs::Inputs;
pub use planned::Planned;
pub use released::Released;
pub use rolled_up::RolledUp;
pub use shards::ShardsDone;
pub use staged::Staged;
pub use verdict::Verdict;

/// What every stage of a night works with.
pub struct Night<'a> {
    request: &'a Request,
    observer: &'a dyn Observer,
    store: Store,
}

impl<'a> Night<'a> {
    /// Opens the warehouse.
    ///
    /// # Errors
    /// Setup when there is none, or one with other constants; those of the store.
    pub async fn open(request: &'a Request, observer: &'a dyn Observer) -> Result<Self> {
        let warehouse = &request.config.warehouse;
        let store = Store::open(&warehouse.url)?;
        open_warehouse(&store, warehouse).await?;
        Ok(Self {
            request,
            observer,
            store,
        })
    }

    /// Checks that the store can be written and arbitrates commits.
    ///
    /// # Errors
    /// Setup for a store without conditional create; those of the store.
    pub async fn probe(&self) -> Result<()> {
        probe(&self.store).await
    }

    /// What was asked for.
    pub fn request(&self) -> &'a Request {
        self.request
    }

    /// The configuration.
    pub fn config(&self) -> &'a Config {
        &self.request.config
    }

    /// Who is told how the night goes.
    pub fn observer(&self) -> &'a dyn Observer {
        self.observer
    }

    /// The warehouse.
    pub fn store(&self) -> &Store {
        &self.store
    }
}
