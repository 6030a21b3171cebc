//! The command `init`: makes a warehouse.

use tagmill_schemas::{Config, Constants, Result};
use tagmill_warehouse::release::{init_warehouse, load_constants};
use tagmill_warehouse::store::Store;

/// Makes a warehouse, or finds it made; returns what is fixed for ever.
///
/// # Errors
/// Setup for a store without conditional create or a warehouse with other constants.
pub async fn init(config: &Config) -> Result<Constants> {
    let store = Store::open(&config.warehouse.url)?;
    init_warehouse(&store, &config.warehouse).await?;
    load_constants(&store).await
}
