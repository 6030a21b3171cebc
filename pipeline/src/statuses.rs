//! What became of the groups of a release.

use arrow::array::{Array, AsArray};
use arrow::datatypes::Date32Type;
use futures::StreamExt;
use tagmill_engine::{Work, of_datafusion};
use tagmill_rules::groups::{Before, GroupsBefore};
use tagmill_schemas::artifact::Columns;
use tagmill_schemas::artifact::group_status::Column;
use tagmill_schemas::manifest::Manifest;
use tagmill_schemas::{Artifact, Error, Result};
use tagmill_warehouse::artifact::read_columns;
use tagmill_warehouse::store::Store;

/// How every group of a release was.
///
/// # Errors
/// As [`read_columns`].
pub async fn statuses_of(manifest: &Manifest, store: &Store) -> Result<GroupsBefore> {
    let mut statuses = GroupsBefore::new();
    for file in manifest.direct_files(Artifact::GroupStatus) {
        let columns = [
            Column::App,
            Column::Group,
            Column::Status,
            Column::AsOf,
            Column::Place,
        ];
        let mut batches = read_columns(store, file, &columns).await?;
        while let Some(batch) = batches.next().await {
            let batch = batch?;
            let failed = |e| of_datafusion(Work::Release, "groups", e);
            let texts = |column: Column| {
                Ok::<_, Error>(column.of(&batch).map_err(failed)?.as_string::<i32>())
            };
            let (apps, groups) = (texts(Column::App)?, texts(Column::Group)?);
            let (values, places) = (texts(Column::Status)?, texts(Column::Place)?);
            let days = Column::AsOf.of(&batch).map_err(failed)?;
            let days = days.as_primitive::<Date32Type>();
            for row in 0..batch.num_rows() {
                let as_of = days
                    .is_valid(row)
                    .then(|| days.value_as_date(row))
                    .flatten();
                let before = Before {
                    status: values.value(row).to_owned(),
                    as_of,
                    place: places.is_valid(row).then(|| places.value(row).to_owned()),
                };
                let key = (apps.value(row).to_owned(), groups.value(row).to_owned());
                statuses.insert(key, before);
            }
        }
    }
    Ok(statuses)
}
