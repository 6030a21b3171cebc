//! DataFusion's exchange by shard: a routing value a shard, so that its hash sends shard `i` to
//! partition `i`.
//!
//! DataFusion's hash may change with its version; it never reaches an artifact. The table of
//! routing values is found out when a plan runs, by asking the partitioner itself, and the operator
//! checks every row that arrives.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{AsArray, RecordBatch, UInt64Array};
use arrow::datatypes::{DataType, Field, Schema, UInt64Type};
use datafusion::common::config::ConfigOptions;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::physical_expr::{PhysicalExpr, ScalarFunctionExpr};
use datafusion::physical_plan::expressions::{Column, lit};
use datafusion::physical_plan::metrics::Time;
use datafusion::physical_plan::repartition::{BatchPartitioner, RepartitionExec};
use datafusion::physical_plan::{ExecutionPlan, Partitioning};

use crate::plan::columns::HASH_COLUMN;
use tagmill_engine::external;
use tagmill_schemas::Shards;

/// Candidates that are asked about at a time.
const CANDIDATES: u64 = 1 << 12;

/// Sends the rows of shard `i` of `plan` to partition `i`.
///
/// # Errors
/// A plan without [`HASH_COLUMN`].
pub fn exchange_by_shard(
    plan: Arc<dyn ExecutionPlan>,
    shards: Shards,
) -> Result<Arc<dyn ExecutionPlan>> {
    let schema = plan.schema();
    let hash: Arc<dyn PhysicalExpr> = Arc::new(Column::new_with_schema(HASH_COLUMN, &schema)?);
    let route = Arc::new(ScalarUDF::from(RouteFunction::default()));
    let route = ScalarFunctionExpr::try_new(
        route,
        vec![hash, lit(u64::from(shards.get()))],
        &schema,
        Arc::new(ConfigOptions::default()),
    )?;
    Ok(Arc::new(RepartitionExec::try_new(
        plan,
        Partitioning::Hash(vec![Arc::new(route)], shards.get() as usize),
    )?))
}

/// For each of `partitions` partitions the smallest integer that hash partitioning sends there.
///
/// # Errors
/// When none is found for some partition among the first integers.
pub fn routing_values(partitions: usize) -> Result<Arc<Vec<u64>>> {
    static TABLES: Mutex<Option<HashMap<usize, Arc<Vec<u64>>>>> = Mutex::new(None);
    let mut tables = TABLES.lock().unwrap_or_else(PoisonError::into_inner);
    let tables = tables.get_or_insert_default();
    if let Some(found) = tables.get(&partitions) {
        return Ok(Arc::clone(found));
    }
    let found = Arc::new(find_routing_values(partitions)?);
    tables.insert(partitions, Arc::clone(&found));
    Ok(found)
}

fn find_routing_values(partitions: usize) -> Result<Vec<u64>> {
    let schema = Arc::new(Schema::new(vec![Field::new(
        "route",
        DataType::UInt64,
        false,
    )]));
    let expression: Arc<dyn PhysicalExpr> = Arc::new(Column::new("route", 0));
    let mut partitioner = BatchPartitioner::try_new(
        Partitioning::Hash(vec![expression], partitions),
        Time::new(),
        0,
        1,
    )?;
    let mut values: Vec<Option<u64>> = vec![None; partitions];
    for first in (0..CANDIDATES * (partitions as u64 + 16)).step_by(CANDIDATES as usize) {
        let candidates = UInt64Array::from_iter_values(first..first + CANDIDATES);
        let batch = RecordBatch::try_new(Arc::clone(&schema), vec![Arc::new(candidates)])?;
        partitioner.partition(batch, |partition, rows| {
            let smallest = rows
                .column(0)
                .as_primitive::<UInt64Type>()
                .values()
                .iter()
                .min()
                .copied();
            values[partition] = values[partition].or(smallest);
            Ok(())
        })?;
        if values.iter().all(Option::is_some) {
            return Ok(values.into_iter().flatten().collect());
        }
    }
    Err(DataFusionError::Internal(format!(
        "no routing value found for some of {partitions} partitions"
    )))
}

/// `tagmill_route(hash, shards)`: the routing value of the shard that the hash of an id belongs to.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct RouteFunction {
    signature: Signature,
}

impl Default for RouteFunction {
    fn default() -> Self {
        Self {
            signature: Signature::exact(
                vec![DataType::UInt64, DataType::UInt64],
                Volatility::Immutable,
            ),
        }
    }
}

impl ScalarUDFImpl for RouteFunction {
    fn name(&self) -> &'static str {
        "tagmill_route"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::UInt64)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let (hashes, shards) = (
            arrays[0].as_primitive::<UInt64Type>(),
            arrays[1].as_primitive::<UInt64Type>(),
        );
        if args.number_rows == 0 {
            return Ok(ColumnarValue::Array(Arc::new(UInt64Array::from(
                Vec::<u64>::new(),
            ))));
        }
        let shards = u32::try_from(shards.value(0)).unwrap_or(u32::MAX);
        let shards = Shards::new(shards).map_err(external)?;
        let table = routing_values(shards.get() as usize)?;
        let route = |hash: &u64| table[shards.of_hash(*hash) as usize];
        let routes: UInt64Array = hashes.values().iter().map(route).collect::<Vec<_>>().into();
        Ok(ColumnarValue::Array(Arc::new(routes)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The mapping is also a promise to memory: one shard a partition, for every count that people
    /// use.
    #[test]
    fn every_partition_has_one_routing_value() {
        for partitions in [1, 2, 3, 7, 8, 16, 64, 256] {
            let mut values = routing_values(partitions).unwrap().to_vec();
            values.sort_unstable();
            values.dedup();
            assert_eq!(values.len(), partitions);
        }
    }
}
