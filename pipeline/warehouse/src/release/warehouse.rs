//! Making a warehouse and opening one: its constants are created once and compared with the
//! configuration ever after.

use tagmill_schemas::config::Warehouse;
use tagmill_schemas::constants::{self, Constants};
use tagmill_schemas::error::{Error, Result};

use super::probe::probe;
use super::releases::newest_release;
use crate::store::{Create, Store};

/// What [`init_warehouse`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Init {
    /// The warehouse is new.
    Made,
    /// It was there, with the same constants.
    Existed,
}

/// Probes the store and fixes the constants of a warehouse; again is harmless.
///
/// # Errors
/// Setup for a store without conditional create, one that can not be written, and a warehouse made
/// with other constants, by its file or, where that is lost, by its newest release.
pub async fn init_warehouse(store: &Store, warehouse: &Warehouse) -> Result<Init> {
    let store = store.for_stage("init");
    probe(&store).await?;
    let constants = Constants::of(warehouse);
    if store.try_get(constants::PATH).await?.is_none()
        && let Some(newest) = newest_release(&store).await?
    {
        let place = store.name_of(constants::PATH);
        constants.check_restored(&newest).map_err(|e| e.at(place))?;
    }
    match store
        .create_durable(constants::PATH, constants.to_json()?.into())
        .await?
    {
        Create::Created => Ok(Init::Made),
        Create::Exists => open_warehouse(&store, warehouse)
            .await
            .map(|_| Init::Existed),
    }
}

/// The constants of an existing warehouse, checked against the configuration.
///
/// # Errors
/// Setup when there is no warehouse, or it was made with other shards, id scope or time zone.
pub async fn open_warehouse(store: &Store, warehouse: &Warehouse) -> Result<Constants> {
    let constants = load_constants(store).await?;
    constants
        .check(warehouse)
        .map_err(|e| e.at(store.name_of(constants::PATH)))?;
    Ok(constants)
}

/// The constants of an existing warehouse.
///
/// # Errors
/// Setup when there is no warehouse, or one of a format this program does not know.
pub async fn load_constants(store: &Store) -> Result<Constants> {
    match store.try_get(constants::PATH).await? {
        Some(json) => Constants::from_json(&json).map_err(|e| e.at(store.name_of(constants::PATH))),
        None => Err(Error::setup(store.stage(), "there is no warehouse")
            .at(store.name_of(""))
            .fix("make one with tagmill init")),
    }
}
