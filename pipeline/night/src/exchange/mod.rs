//! The exchange by shard: sends the rows of shard `i` of a source's plan to partition `i`, so that
//! one partition of the operator sees a whole shard.
//!
//! ```text
//! Exchange::Engine     DataFusion's hash repartition over a routing value: it spills, and Ballista makes a shuffle of it
//! Exchange::InProcess  ShardExchangeExec: batches are put in order of their shards and cut; nothing is hashed or put together again
//! ```

mod direct;
mod gate;
mod numbers;
mod order;
mod routing;

use std::sync::Arc;

use datafusion::error::Result;
use datafusion::physical_plan::ExecutionPlan;
use tagmill_schemas::Shards;

pub use crate::plan::columns::HASH_COLUMN;

pub use direct::ShardExchangeExec;
pub use numbers::{shard_numbers, told_shard};
pub use routing::{RouteFunction, routing_values};

/// Who moves the rows. It never changes what is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exchange {
    /// DataFusion, or the engine that the plan is sent to: what has no room in memory waits on
    /// disk.
    Engine,
    /// [`ShardExchangeExec`]: for a run in one process with room for all shards at once.
    InProcess,
}

impl Exchange {
    /// Sends the rows of shard `i` of `plan` to partition `i`.
    ///
    /// # Errors
    /// A plan without [`HASH_COLUMN`].
    pub fn by_shard(
        self,
        plan: Arc<dyn ExecutionPlan>,
        shards: Shards,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        match self {
            Self::Engine => routing::exchange_by_shard(plan, shards),
            Self::InProcess => Ok(Arc::new(ShardExchangeExec::try_new(plan, shards)?)),
        }
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{AsArray, RecordBatch, StringViewArray, UInt64Array};
    use arrow::datatypes::{DataType, Field, Schema, UInt64Type};
    use datafusion::datasource::memory::MemorySourceConfig;
    use datafusion::error::DataFusionError;
    use datafusion::execution::{SendableRecordBatchStream, TaskContext};
    use datafusion::physical_plan::common::collect;
    use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
    use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
    use datafusion::physical_plan::{ExecutionPlan, collect_partitioned};
    use datafusion::prelude::SessionContext;
    use futures::{StreamExt, stream};
    use std::collections::BTreeSet;

    use super::*;

    fn of(shards: u32) -> Shards {
        Shards::new(shards).unwrap()
    }

    /// Rows whose number stands in their text: 3 batches in each of 2 partitions.
    fn scan(rows: u64) -> Arc<dyn ExecutionPlan> {
        let schema = Arc::new(Schema::new(vec![
            Field::new(HASH_COLUMN, DataType::UInt64, false),
            Field::new("text", DataType::Utf8View, true),
        ]));
        let batch = |from: u64| {
            let hashes = UInt64Array::from_iter_values(
                (from..from + rows).map(|row| row.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
            );
            let texts =
                StringViewArray::from_iter((from..from + rows).map(|row| {
                    (row % 7 != 0).then(|| format!("a text beyond twelve bytes {row}"))
                }));
            RecordBatch::try_new(Arc::clone(&schema), vec![Arc::new(hashes), Arc::new(texts)])
                .unwrap()
        };
        let partition = |first: u64| {
            (0..3)
                .map(|i| batch((first + i) * rows))
                .collect::<Vec<_>>()
        };
        MemorySourceConfig::try_new_exec(&[partition(0), partition(3)], Arc::clone(&schema), None)
            .unwrap()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn every_row_arrives_once_and_shard_i_in_partition_i() {
        for exchange in [Exchange::Engine, Exchange::InProcess] {
            for (shards, rows) in [(1u32, 1000u64), (3, 5000), (16, 20_000), (16, 1)] {
                let plan = exchange.by_shard(scan(rows), of(shards)).unwrap();
                let partitions = collect_partitioned(plan, SessionContext::new().task_ctx())
                    .await
                    .unwrap();
                assert_eq!(partitions.len(), shards as usize);
                let mut seen = BTreeSet::new();
                for (shard, batches) in partitions.iter().enumerate() {
                    for batch in batches {
                        let texts = batch.column(1).as_string_view();
                        for (row, &hash) in batch
                            .column(0)
                            .as_primitive::<UInt64Type>()
                            .values()
                            .iter()
                            .enumerate()
                        {
                            let number = hash.wrapping_mul(0xf1de_83e1_9937_733d); // The inverse of the multiplier.
                            assert_eq!(hash % u64::from(shards), shard as u64);
                            let expected = (number % 7 != 0)
                                .then(|| format!("a text beyond twelve bytes {number}"));
                            assert_eq!(texts.iter().nth(row).unwrap().map(str::to_owned), expected);
                            assert!(seen.insert(number));
                        }
                    }
                }
                assert_eq!(seen.len() as u64, rows * 6);
            }
        }
    }

    /// A partition that gives a batch and then `end`.
    #[derive(Debug)]
    struct Broken {
        schema: Arc<Schema>,
        end: fn() -> DataFusionError,
    }

    impl PartitionStream for Broken {
        fn schema(&self) -> &Arc<Schema> {
            &self.schema
        }

        fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
            let batch = RecordBatch::try_new(
                Arc::clone(&self.schema),
                vec![Arc::new(UInt64Array::from_iter_values(0..100))],
            )
            .unwrap();
            let end = self.end;
            let rows = stream::iter([true, false]).map(move |is_first| {
                if is_first {
                    Ok(batch.clone())
                } else {
                    Err(end())
                }
            });
            Box::pin(RecordBatchStreamAdapter::new(
                Arc::clone(&self.schema),
                rows,
            ))
        }
    }

    /// What each partition says of a child that breaks.
    async fn errors(end: fn() -> DataFusionError) -> Vec<String> {
        let schema = Arc::new(Schema::new(vec![Field::new(
            HASH_COLUMN,
            DataType::UInt64,
            false,
        )]));
        let partitions: Vec<Arc<dyn PartitionStream>> = vec![Arc::new(Broken {
            schema: Arc::clone(&schema),
            end,
        })];
        let child =
            StreamingTableExec::try_new(schema, partitions, None, Vec::new(), false, None).unwrap();
        let plan = Exchange::InProcess
            .by_shard(Arc::new(child), of(3))
            .unwrap();
        let context = SessionContext::new().task_ctx();
        let mut errors = Vec::new();
        for partition in 0..3 {
            errors.push(
                collect(plan.execute(partition, Arc::clone(&context)).unwrap())
                    .await
                    .unwrap_err()
                    .to_string(),
            );
        }
        errors
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_error_reaches_every_partition() {
        let errors = errors(|| DataFusionError::Execution("the file is damaged".to_owned())).await;
        assert!(
            errors.len() == 3
                && errors
                    .iter()
                    .all(|error| error.contains("the file is damaged")),
            "{errors:?}"
        );
    }

    /// Rows that never come must not look like an end.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_task_that_dies_is_an_error_in_every_partition() {
        let errors = errors(|| panic!("for the test")).await;
        assert!(
            errors
                .iter()
                .all(|error| error.contains("stopped at: for the test")),
            "{errors:?}"
        );
    }

    /// All rows are of one shard: the readers of the others, which wait for nothing, must not let
    /// its queue grow. On one thread the reader goes on only when the writer waits, and the writer
    /// only when the reader has nothing to read: no clock says how much is queued.
    #[tokio::test(flavor = "current_thread")]
    async fn shards_without_rows_do_not_fill_the_queue_of_another() {
        const BATCHES: usize = 400;
        let schema = Arc::new(Schema::new(vec![Field::new(
            HASH_COLUMN,
            DataType::UInt64,
            false,
        )]));
        let batch = RecordBatch::try_new(
            Arc::clone(&schema),
            vec![Arc::new(UInt64Array::from_iter_values(
                (0..1000).map(|row| row * 3),
            ))],
        )
        .unwrap();
        let bytes = batch.get_array_memory_size();
        let child =
            MemorySourceConfig::try_new_exec(&[vec![batch; BATCHES]], schema, None).unwrap();
        let plan = Exchange::InProcess.by_shard(child, of(3)).unwrap();
        let context = SessionContext::new().task_ctx();
        let mut readers: Vec<_> = (0..3)
            .map(|partition| plan.execute(partition, Arc::clone(&context)).unwrap())
            .collect();
        let (mut read, mut most) = (0, 0);
        while let Some(piece) = readers[0].next().await {
            read += piece.unwrap().num_rows();
            most = most.max(context.memory_pool().reserved());
        }
        assert_eq!(read, BATCHES * 1000);
        assert!(
            most < BATCHES / 4 * bytes,
            "{} batches of {BATCHES} were queued",
            most / bytes
        );
    }
}
