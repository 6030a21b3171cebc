//! Rows of a batch in order of their shards: the batch is gathered once and cut into one piece a
//! shard.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch, RecordBatchOptions, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::UInt64Type;
use datafusion::error::{DataFusionError, Result};
use tagmill_schemas::Shards;

/// The rows of `batch` in order of their shards, and where each shard's rows end. Text is not
/// copied: views and dictionaries refer to the memory that they had.
///
/// # Errors
/// A column `hash` that does not hold hashes.
pub fn in_order_of_shards(
    batch: &RecordBatch,
    hash: usize,
    shards: Shards,
) -> Result<(RecordBatch, Vec<usize>)> {
    let hashes = batch.column(hash).as_primitive_opt::<UInt64Type>();
    let hashes = hashes.ok_or_else(|| {
        DataFusionError::Internal(format!(
            "the exchanged column hash is {}",
            batch.column(hash).data_type()
        ))
    })?;
    let (rows, ends) = order(hashes.values(), shards);
    let columns = batch
        .columns()
        .iter()
        .map(|column| gathered(column, &rows))
        .collect::<Result<_>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    Ok((
        RecordBatch::try_new_with_options(batch.schema(), columns, &options)?,
        ends,
    ))
}

/// A counting sort: row numbers by shard, rising inside one.
fn order(hashes: &[u64], shards: Shards) -> (UInt32Array, Vec<usize>) {
    let mut places = vec![0usize; shards.get() as usize];
    for &hash in hashes {
        places[shards.of_hash(hash) as usize] += 1;
    }
    let mut next = 0;
    for place in &mut places {
        next += std::mem::replace(place, next);
    }
    let mut rows = vec![0u32; hashes.len()];
    for (row, &hash) in hashes.iter().enumerate() {
        let place = &mut places[shards.of_hash(hash) as usize];
        rows[*place] = row as u32;
        *place += 1;
    }
    (rows.into(), places)
}

/// A column of nulls is the same in any order; the status nearly always is one.
fn gathered(column: &ArrayRef, rows: &UInt32Array) -> Result<ArrayRef> {
    if column.null_count() == column.len() {
        return Ok(Arc::clone(column));
    }
    Ok(take(column, rows, None)?)
}
