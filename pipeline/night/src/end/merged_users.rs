//! The dictionary's small files: merged into the next one, so that a shard has few.
//!
//! Reads all columns of the newest files, as [`absorbed_parts`] has it; their rows go before those
//! of new users, so that ordinals stay in order. No user gets another number.

use datafusion::error::Result;
use futures::TryStreamExt;
use tagmill_schemas::Artifact;

use super::output::Output;
use crate::take::shard::Shard;
use tagmill_engine::external;
use tagmill_warehouse::artifact::{absorbed_parts, read_artifact};
use tagmill_warehouse::store::Store;

/// Writes the rows of the files that the shard's new one absorbs; returns their paths.
///
/// # Errors
/// Those of reading and writing artifacts.
pub async fn merge_users(
    shard: &Shard<'_>,
    store: &Store,
    output: &mut Output,
) -> Result<Vec<String>> {
    let new = (shard.ids.len() as u64).saturating_sub(u64::from(shard.known));
    let newest_first = shard.user_files.iter().rev().map(|file| file.rows);
    let absorbed = absorbed_parts(new, newest_first);
    let stay = shard.user_files.len() - absorbed;
    // Files of older versions have a column more.
    let columns: Vec<&str> = Artifact::Users
        .columns()
        .iter()
        .map(|column| column.name)
        .collect();
    let mut paths = Vec::with_capacity(absorbed);
    for file in shard.user_files.iter().skip(stay) {
        let batches = read_artifact(store, file, &columns).await;
        let mut batches = batches.map_err(external)?.map_err(external);
        while let Some(batch) = batches.try_next().await? {
            output.user_index.add_rows(shard.spec.id_scope, &batch)?;
            output.write(Artifact::Users, &batch).await?;
        }
        paths.push(file.path.clone());
    }
    Ok(paths)
}
