//! What is known of a date's other sources: a run replaces the files of its date, and may read some
//! sources only.

use std::collections::BTreeSet;

use arrow::array::{AsArray, BooleanArray, RecordBatch};
use arrow::compute::{
    SortColumn, concat_batches, filter_record_batch, lexsort_to_indices, take_record_batch,
};
use arrow::error::ArrowError;
use futures::TryStreamExt;
use tagmill_engine::{Work, of_datafusion};
use tagmill_schemas::manifest::Manifest;
use tagmill_schemas::{Artifact, Result};

use tagmill_night::NightSpec;
use tagmill_warehouse::artifact::read_artifact;
use tagmill_warehouse::release::files_where;
use tagmill_warehouse::store::Store;

/// Rows of `quality` or `rejects` of the run's date, of sources that are not `told`.
///
/// # Errors
/// Those of reading artifacts.
pub async fn rows_of_others(
    artifact: Artifact,
    spec: &NightSpec,
    told: &BTreeSet<String>,
    newest: Option<&Manifest>,
    store: &Store,
) -> Result<Vec<RecordBatch>> {
    let mut kept = Vec::new();
    let Some(newest) = newest else {
        return Ok(kept);
    };
    let is_of_date = |of, date| of == artifact && date == spec.date;
    for file in &files_where(store, newest, is_of_date).await? {
        let batches: Vec<RecordBatch> =
            read_artifact(store, file, &[]).await?.try_collect().await?;
        for batch in &batches {
            let is_other: BooleanArray = batch["source"]
                .as_string::<i32>()
                .iter()
                .map(|source| source.map(|source| !told.contains(source)))
                .collect();
            kept.push(filter_record_batch(batch, &is_other).map_err(failed)?);
        }
    }
    Ok(kept)
}

/// The rows of an artifact in the order of its key.
///
/// # Errors
/// None in practice: more rows than a batch can hold.
pub fn in_order(artifact: Artifact, batches: &[RecordBatch]) -> Result<Vec<RecordBatch>> {
    let all = concat_batches(&artifact.schema(), batches).map_err(failed)?;
    let column = |name: &&str| SortColumn {
        values: all[*name].clone(),
        options: None,
    };
    let order = lexsort_to_indices(
        &artifact.sort_key().iter().map(column).collect::<Vec<_>>(),
        None,
    )
    .map_err(failed)?;
    Ok(vec![take_record_batch(&all, &order).map_err(failed)?])
}

fn failed(error: ArrowError) -> tagmill_schemas::Error {
    of_datafusion(Work::Artifacts, "roll-up", error)
}
