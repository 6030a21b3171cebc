//! A release as SQL tables: exactly the files its manifest lists, read only where a query needs
//! them.
//!
//! Reads a [`Manifest`] and, when queried, the Parquet files it names; writes nothing.
//!
//! ```text
//! manifest ── one table per artifact ──► FileTable ──► files whose shard and date can match (no request)
//!                     ├─ lists whose date can match, read then ─► their files
//!                     │                                └► row groups and pages whose keys can match (footer, page index)
//!                     │                                   └► rows whose keys match ──► only their bitmap pages
//!                     └─ views tags_string, tags_integer, ... : one typed `value` column, with its code
//! config, date ─────── schema `raw`: the sources of that date, listed when first used
//! ```

mod files;
mod listed;
mod prune;
mod raw;
mod release;
mod uid;
mod user_lookup;
mod views;
mod weight;

use std::sync::Arc;

use datafusion::error::DataFusionError;
use datafusion::prelude::SessionContext;
use tagmill_engine::{Work, of_datafusion};
use tagmill_schemas::{Artifact, Error, Manifest, Result};
use tagmill_warehouse::store::{Promise, Store};

use crate::computed::has_weight;

pub use files::FileTable;
pub use raw::{RAW_SCHEMA, register_raw};
pub use release::WAREHOUSE_URL;
pub(crate) use uid::uid;

const STAGE: &str = "catalog";

/// Registers one table per artifact of the release, and the typed views over `tags`, in the default
/// schema of `ctx`. Tables of bit slices have a column `weight` as well, users a column `uid`.
///
/// `warehouse` is where the manifest's paths are relative to. Nothing is read. The session knows
/// the store as `tagmill://warehouse`, so it can not collide with a store of the user's own.
///
/// # Errors
/// Setup when a name is already taken in `ctx` by something that can not be replaced, or a path in
/// the manifest is no path.
pub async fn register(ctx: &SessionContext, warehouse: &Store, manifest: &Manifest) -> Result<()> {
    let url = release::warehouse_url()?;
    ctx.register_object_store(url.as_ref(), warehouse.explained(Promise::Published));
    let read = listed::ReadLists::default();
    for artifact in Artifact::ALL {
        let files = Arc::new(release::table(artifact, manifest, warehouse, &url, &read)?);
        let table = match artifact {
            Artifact::Users => uid::with_uid(files).map_err(failed)?,
            _ if has_weight(artifact) => weight::with_weight(artifact, files).map_err(failed)?,
            _ => files,
        };
        ctx.register_table(artifact.name(), table).map_err(failed)?;
    }
    views::register(ctx).await.map_err(failed)
}

/// The files of one artifact as they are, without what [`register`] adds to them.
///
/// # Errors
/// Setup when a path in the manifest is no path.
pub(crate) fn files(
    artifact: Artifact,
    warehouse: &Store,
    manifest: &Manifest,
) -> Result<FileTable> {
    let url = release::warehouse_url()?;
    let read = listed::ReadLists::default();
    release::table(artifact, manifest, warehouse, &url, &read)
}

/// What DataFusion reports of a release, as ours.
pub(crate) fn failed(error: DataFusionError) -> Error {
    of_datafusion(Work::Release, STAGE, error)
}
