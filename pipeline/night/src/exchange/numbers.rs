//! One row a shard that says its number, sent on its way like the rows of sources.
//!
//! An engine may number partitions anew for each task, and a shard may have no rows tonight: then
//! nothing else tells a partition which shard it is.
//!
//! ```text
//! 0 1 2 ... shards-1 ─ exchange ─► every partition gets the one row of its shard
//! ```

use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch, UInt64Array};
use arrow::datatypes::{DataType, Field, Schema, UInt64Type};
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::ExecutionPlan;
use futures::StreamExt;
use tagmill_schemas::Shards;

use super::HASH_COLUMN;
use super::routing::exchange_by_shard;

/// The numbers of all shards, exchanged by the engine: partition by partition the children of one
/// operator hold the same shard, whatever the engine calls it.
///
/// # Errors
/// None that a number of shards can cause; what DataFusion reports.
pub fn shard_numbers(shards: Shards) -> Result<Arc<dyn ExecutionPlan>> {
    let field = Field::new(HASH_COLUMN, DataType::UInt64, false);
    let schema = Arc::new(Schema::new(vec![field]));
    // The hash that is a shard's number belongs to that shard.
    let numbers = UInt64Array::from_iter_values(0..u64::from(shards.get()));
    let batch = RecordBatch::try_new(Arc::clone(&schema), vec![Arc::new(numbers)])?;
    let leaf = MemorySourceConfig::try_new_exec(&[vec![batch]], schema, None)?;
    exchange_by_shard(leaf, shards)
}

/// The shard that a partition of [`shard_numbers`] says.
///
/// # Errors
/// Anything but one row: a guess could write one shard twice and another never.
pub async fn told_shard(mut rows: SendableRecordBatchStream, shards: Shards) -> Result<u32> {
    let mut found = Vec::new();
    while let Some(batch) = rows.next().await {
        let batch = batch?;
        let hashes = batch.column(0).as_primitive_opt::<UInt64Type>();
        found.extend(hashes.into_iter().flat_map(|column| column.values()));
    }
    match found[..] {
        [number] => Ok(shards.of_hash(number)),
        _ => Err(DataFusionError::Internal(format!(
            "{} rows say which shard a partition is, expected one: the exchange does not follow \
             the routing table",
            found.len()
        ))),
    }
}
