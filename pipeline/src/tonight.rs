//! What every stage of a night works with: what was asked for, the warehouse, and who is told.

use tagmill_night::scan::check_syntax;
use tagmill_schemas::{Config, Result};
use tagmill_warehouse::release::{open_warehouse, probe};
use tagmill_warehouse::store::Store;

use super::{Observer, Request};

/// What was asked for, the warehouse, and who is told.
pub struct Tonight<'a> {
    request: &'a Request,
    observer: &'a dyn Observer,
    store: Store,
}

impl<'a> Tonight<'a> {
    /// Checks the expressions and opens the warehouse.
    ///
    /// # Errors
    /// Setup for expressions that are no SQL, all of them; when there is none, or one with other constants; those of the store.
    pub async fn open(request: &'a Request, observer: &'a dyn Observer) -> Result<Self> {
        check_syntax(&request.config)?;
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
