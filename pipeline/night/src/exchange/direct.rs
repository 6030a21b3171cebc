//! The exchange inside one process: a task for each partition of the child cuts its batches by
//! shard and hands on the pieces.
//!
//! DataFusion's repartition hashes the routing value, gathers every column once for every
//! partition, and copies the pieces, with their texts, into whole batches. Here a batch is gathered
//! once and its pieces share its memory: a third of that work. It does not spill;
//! [`super::Exchange::Engine`] does.

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arrow::array::RecordBatch;
use datafusion::common::runtime::SpawnedTask;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::EmissionType;
use datafusion::physical_plan::metrics::{
    BaselineMetrics, ExecutionPlanMetricsSet, MetricBuilder, MetricsSet, Time,
};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    ChildrenPropertiesMode, DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties,
    Partitioning, PlanProperties, ReplaceChildrenOptions,
};
use futures::{FutureExt, StreamExt, stream};

use super::gate::{Receiver, Senders, queues};
use super::order::in_order_of_shards;
use crate::plan::columns::HASH_COLUMN;
use tagmill_engine::panicked;
use tagmill_schemas::Shards;

/// Batches of a task that may be on their way, and how long it waits for readers to catch up when
/// there are more.
const MOST_BATCHES: usize = 16;
const WAIT: Duration = Duration::from_millis(1);
const MOST_WAITS: usize = 10;

/// Partition `i` gives the rows of shard `i`; each partition can be read once.
#[derive(Debug)]
pub struct ShardExchangeExec {
    child: Arc<dyn ExecutionPlan>,
    shards: Shards,
    hash: usize,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
    run: Arc<Mutex<Option<Run>>>,
}

/// What the readers of one run share.
struct Run {
    receivers: Vec<Option<Receiver<Piece>>>,
    /// Aborted when the plan and the last reader are gone.
    tasks: Arc<Vec<SpawnedTask<()>>>,
}

/// What a task hands on.
enum Piece {
    /// Rows of one shard.
    Rows(RecordBatch, Arc<Held>),
    /// Its input is read to the end: a queue that ends without one of these from every task has
    /// lost rows.
    End,
    /// For every reader.
    Failed(Arc<DataFusionError>),
}

/// Memory of a batch, given back with its last piece.
struct Held {
    reservation: Arc<MemoryReservation>,
    bytes: usize,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.reservation.shrink(self.bytes);
    }
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Run of {} tasks", self.tasks.len())
    }
}

impl ShardExchangeExec {
    /// The exchange of `child`, which has a column [`HASH_COLUMN`].
    ///
    /// # Errors
    /// A child without that column.
    pub fn try_new(child: Arc<dyn ExecutionPlan>, shards: Shards) -> Result<Self> {
        let hash = child.schema().index_of(HASH_COLUMN)?;
        let properties = PlanProperties::new(
            EquivalenceProperties::new(child.schema()),
            Partitioning::UnknownPartitioning(shards.get() as usize),
            EmissionType::Incremental,
            child.boundedness(),
        );
        Ok(Self {
            child,
            shards,
            hash,
            properties: Arc::new(properties),
            metrics: ExecutionPlanMetricsSet::new(),
            run: Arc::default(),
        })
    }

    fn start(&self, context: &Arc<TaskContext>) -> Result<Run> {
        let (senders, receivers) = queues(self.shards.get() as usize);
        let reservation =
            Arc::new(MemoryConsumer::new("ShardExchangeExec").register(context.memory_pool()));
        let partitions = self.child.output_partitioning().partition_count();
        let tasks = (0..partitions).map(|partition| {
            let input = self.child.execute(partition, Arc::clone(context))?;
            let route_time = MetricBuilder::new(&self.metrics).subset_time("route_time", partition);
            let cut = Cut {
                hash: self.hash,
                shards: self.shards,
                senders: senders.clone(),
                reservation: Arc::clone(&reservation),
                most: MOST_BATCHES * partitions,
                route_time,
            };
            Ok(SpawnedTask::spawn(cut.all(input)))
        });
        Ok(Run {
            tasks: Arc::new(tasks.collect::<Result<_>>()?),
            receivers: receivers.into_iter().map(Some).collect(),
        })
    }
}

/// The work of one task.
struct Cut {
    hash: usize,
    shards: Shards,
    senders: Senders<Piece>,
    reservation: Arc<MemoryReservation>,
    /// Batches of all tasks that are on their way before a task waits for readers.
    most: usize,
    route_time: Time,
}

impl Cut {
    /// Hands on every row of `input`, or an error to every reader.
    async fn all(self, mut input: SendableRecordBatchStream) {
        let ended = AssertUnwindSafe(self.each(&mut input)).catch_unwind().await;
        let ended = ended.unwrap_or_else(|payload| Err(panicked(payload.as_ref())));
        let failed = ended.err().map(Arc::new);
        for shard in 0..self.senders.len() {
            self.senders.send(
                shard,
                failed
                    .as_ref()
                    .map_or(Piece::End, |error| Piece::Failed(Arc::clone(error))),
            );
        }
    }

    async fn each(&self, input: &mut SendableRecordBatchStream) -> Result<()> {
        loop {
            self.senders.opened().await;
            match input.next().await {
                Some(batch) => {
                    let bytes = self.hand_on(&batch?)?;
                    self.let_readers_catch_up(bytes).await;
                }
                None => return Ok(()),
            }
        }
    }

    /// An empty shard keeps the gate open permanently, so we also throttle by memory. The wait is
    /// bounded: the batches may sit in a partition that has no reader yet.
    async fn let_readers_catch_up(&self, bytes: usize) {
        for _ in 0..MOST_WAITS {
            if self.reservation.size() <= self.most * bytes {
                return;
            }
            tokio::time::sleep(WAIT).await;
        }
    }

    /// Hands on the rows of a batch; returns the bytes it takes.
    fn hand_on(&self, batch: &RecordBatch) -> Result<usize> {
        let _timer = self.route_time.timer();
        let (ordered, ends) = in_order_of_shards(batch, self.hash, self.shards)?;
        let bytes = ordered.get_array_memory_size();
        self.reservation.try_grow(bytes)?;
        let held = Arc::new(Held {
            reservation: Arc::clone(&self.reservation),
            bytes,
        });
        let mut start = 0;
        for (shard, end) in ends.into_iter().enumerate() {
            if start < end {
                self.senders.send(
                    shard,
                    Piece::Rows(ordered.slice(start, end - start), Arc::clone(&held)),
                );
            }
            start = end;
        }
        Ok(bytes)
    }
}

/// The reader of one partition.
struct Reader {
    receiver: Receiver<Piece>,
    /// Tasks that have not read their input to the end.
    running: usize,
    _tasks: Arc<Vec<SpawnedTask<()>>>,
    metrics: BaselineMetrics,
}

impl Reader {
    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        while self.running > 0 {
            match self.receiver.receive().await {
                Some(Piece::Rows(batch, _held)) => {
                    self.metrics.record_output(batch.num_rows());
                    return Ok(Some(batch));
                }
                Some(Piece::End) => self.running -= 1,
                Some(Piece::Failed(error)) => return Err(DataFusionError::Shared(error)),
                None => {
                    return Err(DataFusionError::Internal(
                        "a task of ShardExchangeExec ended before its input".to_owned(),
                    ));
                }
            }
        }
        Ok(None)
    }
}

impl DisplayAs for ShardExchangeExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "ShardExchangeExec: shards={}, input_partitions={}",
            self.shards.get(),
            self.child.output_partitioning().partition_count()
        )
    }
}

impl ExecutionPlan for ShardExchangeExec {
    fn name(&self) -> &'static str {
        "ShardExchangeExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.child]
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let [child] = <[_; 1]>::try_from(children).map_err(|children| {
            DataFusionError::Internal(format!(
                "ShardExchangeExec has one child, not {}",
                children.len()
            ))
        })?;
        Ok(Arc::new(Self::try_new(child, self.shards)?))
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(
            children,
            ReplaceChildrenOptions {
                children_properties: ChildrenPropertiesMode::Recompute,
            },
        )
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let mut run = self.run.lock().unwrap_or_else(PoisonError::into_inner);
        let run = match &mut *run {
            Some(run) => run,
            none => none.insert(self.start(&context)?),
        };
        let receiver = run.receivers.get_mut(partition).and_then(Option::take);
        let receiver = receiver.ok_or_else(|| {
            DataFusionError::Internal(format!(
                "partition {partition} of ShardExchangeExec is read twice or does not exist"
            ))
        })?;
        let reader = Reader {
            receiver,
            running: run.tasks.len(),
            _tasks: Arc::clone(&run.tasks),
            metrics: BaselineMetrics::new(&self.metrics, partition),
        };
        let rows = stream::try_unfold(reader, |mut reader| async move {
            Ok(reader.next().await?.map(|batch| (batch, reader)))
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(
            self.child.schema(),
            rows,
        )))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}
