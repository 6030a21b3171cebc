//! What became of the groups of a release.

use std::collections::BTreeMap;

use arrow::array::AsArray;
use futures::StreamExt;
use tagmill_engine::{Work, of_datafusion};
use tagmill_schemas::artifact::Columns;
use tagmill_schemas::artifact::group_status::Column;
use tagmill_schemas::manifest::Manifest;
use tagmill_schemas::{Artifact, Error, Result};
use tagmill_warehouse::artifact::read_columns;
use tagmill_warehouse::store::Store;

/// (app, group) -> the name of its status.
pub type Statuses = BTreeMap<(String, String), String>;

/// The status of every group of a release.
///
/// # Errors
/// As [`read_columns`].
pub async fn statuses_of(manifest: &Manifest, store: &Store) -> Result<Statuses> {
    let mut statuses = Statuses::new();
    for file in manifest.direct_files(Artifact::GroupStatus) {
        let columns = [Column::App, Column::Group, Column::Status];
        let mut batches = read_columns(store, file, &columns).await?;
        while let Some(batch) = batches.next().await {
            let batch = batch?;
            let texts = |column: Column| {
                let column = column
                    .of(&batch)
                    .map_err(|e| of_datafusion(Work::Release, "groups", e))?;
                Ok::<_, Error>(column.as_string::<i32>())
            };
            let (apps, groups) = (texts(Column::App)?, texts(Column::Group)?);
            let values = texts(Column::Status)?;
            for row in 0..batch.num_rows() {
                statuses.insert(
                    (apps.value(row).to_owned(), groups.value(row).to_owned()),
                    values.value(row).to_owned(),
                );
            }
        }
    }
    Ok(statuses)
}
