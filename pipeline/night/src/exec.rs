//! The operator of the night: one hash-exchanged child a source, one partition a shard; it writes
//! the shard's files and returns one row that says where its report is.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::metrics::{
    Count, ExecutionPlanMetricsSet, Gauge, MetricBuilder, MetricsSet, Time,
};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    ChildrenPropertiesMode, DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning,
    PlanProperties, ReplaceChildrenOptions,
};
use futures::StreamExt;

use crate::end::app::Audiences;
use crate::end::finish::finish;
use crate::end::merged_users::merge_users;
use crate::end::output::Output;
use crate::end::report::{ShardReport, read_reports, report_row, report_schema};
use crate::exchange::told_shard;
use crate::plan::columns::Layout;
use crate::plan::spec::NightSpec;
use crate::shared::Shared;
use crate::take::load::{load_groups, load_parent};
use crate::take::shard::Shard;
use tagmill_engine::{Work, external, of_datafusion};
use tagmill_warehouse::store::Store;

/// The night as a physical operator. Its children are exchanged so that a partition of all of them
/// holds one shard.
pub struct NightExec {
    spec: Arc<NightSpec>,
    /// By source: the columns of its batches.
    layouts: Arc<[Layout]>,
    store: Store,
    numbers: ShardNumbers,
    children: Vec<Arc<dyn ExecutionPlan>>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
    shared: Arc<Shared>,
}

/// How a partition knows which shard it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShardNumbers {
    /// By its number: true of both exchanges inside one process.
    OfPartition,
    /// By the one row of the first child, [`shard_numbers`](crate::exchange::shard_numbers): true
    /// of every engine.
    OfRow,
}

impl NightExec {
    /// The operator over one exchanged child for each source that has input; before them the
    /// numbers of the shards, with [`ShardNumbers::OfRow`].
    ///
    /// # Errors
    /// A number of children that does not fit the sources, or a child whose columns are not those of
    /// its source's layout.
    pub fn try_new(
        spec: Arc<NightSpec>,
        store: Store,
        numbers: ShardNumbers,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Self> {
        let layouts: Arc<[Layout]> = spec.sources.iter().map(Layout::of).collect();
        let inputs: Vec<_> = spec
            .sources
            .iter()
            .zip(layouts.iter())
            .filter(|(source, _)| source.has_input)
            .collect();
        let before = usize::from(numbers == ShardNumbers::OfRow);
        if children.len() != before + inputs.len() {
            return Err(DataFusionError::Plan(format!(
                "NightExec has {} children for {} sources, expected {}",
                children.len(),
                inputs.len(),
                before + inputs.len()
            )));
        }
        for ((source, layout), child) in inputs.into_iter().zip(&children[before..]) {
            layout.check(&source.name, &child.schema())?;
        }
        let partitions = spec.shards.get() as usize;
        let properties = PlanProperties::new(
            EquivalenceProperties::new(report_schema()),
            Partitioning::UnknownPartitioning(partitions),
            EmissionType::Final,
            Boundedness::Bounded,
        );
        Ok(Self {
            shared: Shared::of(&spec),
            spec,
            layouts,
            store,
            numbers,
            children,
            properties: Arc::new(properties),
            metrics: ExecutionPlanMetricsSet::new(),
        })
    }

    /// What it computes.
    pub fn spec(&self) -> &Arc<NightSpec> {
        &self.spec
    }

    /// How its partitions know their shards.
    pub fn numbers(&self) -> ShardNumbers {
        self.numbers
    }

    /// The reports that rows of this operator point at, in the order of the rows.
    ///
    /// # Errors
    /// Retry for a report that is gone or damaged, setup for one of another version.
    pub async fn read_reports(
        &self,
        rows: &[RecordBatch],
    ) -> tagmill_schemas::Result<Vec<ShardReport>> {
        read_reports(rows, &self.store).await
    }
}

impl fmt::Debug for NightExec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NightExec")
            .field("spec", &self.spec)
            .field("numbers", &self.numbers)
            .field("children", &self.children)
            .finish_non_exhaustive()
    }
}

impl DisplayAs for NightExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sources: Vec<&str> = self.spec.sources.iter().map(|s| s.name.as_str()).collect();
        write!(
            f,
            "NightExec: date={}, shards={}, sources=[{}], rules={}",
            self.spec.date,
            self.spec.shards.get(),
            sources.join(", "),
            self.spec.audience.rules
        )
    }
}

impl ExecutionPlan for NightExec {
    fn name(&self) -> &'static str {
        "NightExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        self.children.iter().collect()
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false; self.children.len()]
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
        Ok(Arc::new(Self::try_new(
            Arc::clone(&self.spec),
            self.store.clone(),
            self.numbers,
            children,
        )?))
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
        let mut inputs = self
            .children
            .iter()
            .map(|child| child.execute(partition, Arc::clone(&context)))
            .collect::<Result<Vec<_>>>()?;
        let number = match self.numbers {
            ShardNumbers::OfPartition => ShardNumber::Known(partition as u32),
            ShardNumbers::OfRow => ShardNumber::Told(inputs.remove(0)),
        };
        let reservation =
            MemoryConsumer::new(format!("NightExec[{partition}]")).register(context.memory_pool());
        let threads = context.session_config().target_partitions().max(1);
        let task = ShardTask {
            spec: Arc::clone(&self.spec),
            layouts: Arc::clone(&self.layouts),
            store: self.store.clone(),
            shared: Arc::clone(&self.shared),
            metrics: ShardMetrics::new(&self.metrics, partition),
            reservation,
            threads,
        };
        let row = futures::stream::once(task.run(number, inputs));
        Ok(Box::pin(RecordBatchStreamAdapter::new(
            report_schema(),
            row,
        )))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}

/// Which shard a partition is, as far as that is known before anything is read.
enum ShardNumber {
    Known(u32),
    Told(SendableRecordBatchStream),
}

/// What `EXPLAIN ANALYZE` shows of each shard.
struct ShardMetrics {
    input_rows: Count,
    new_users: Count,
    bytes_written: Count,
    memory: Gauge,
    load_time: Time,
    take_time: Time,
    finish_time: Time,
    write_time: Time,
}

impl ShardMetrics {
    fn new(set: &ExecutionPlanMetricsSet, partition: usize) -> Self {
        let builder = || MetricBuilder::new(set);
        Self {
            input_rows: builder().counter("input_rows", partition),
            new_users: builder().counter("new_users", partition),
            bytes_written: builder().counter("bytes_written", partition),
            memory: builder().gauge("peak_memory", partition),
            load_time: builder().subset_time("load_time", partition),
            take_time: builder().subset_time("take_time", partition),
            finish_time: builder().subset_time("finish_time", partition),
            write_time: builder().subset_time("write_time", partition),
        }
    }
}

/// One shard of the night, ready to run.
struct ShardTask {
    spec: Arc<NightSpec>,
    layouts: Arc<[Layout]>,
    store: Store,
    shared: Arc<Shared>,
    metrics: ShardMetrics,
    reservation: MemoryReservation,
    threads: usize,
}

impl ShardTask {
    /// Runs the shard; the row that says where its report is.
    async fn run(
        self,
        number: ShardNumber,
        inputs: Vec<SendableRecordBatchStream>,
    ) -> Result<RecordBatch> {
        let (spec, layouts) = (Arc::clone(&self.spec), Arc::clone(&self.layouts));
        let number = match number {
            ShardNumber::Known(number) => number,
            ShardNumber::Told(rows) => told_shard(rows, spec.shards).await?,
        };
        let mut inputs: Vec<_> = inputs.into_iter().map(StreamExt::peekable).collect();
        // The first look sets the exchange to work: it goes on while the shard loads its parent.
        if let Some(first) = inputs.first_mut() {
            Pin::new(first).peek().await;
        }
        let mut shard = Shard::new(&spec, &layouts, number);
        let timer = self.metrics.load_time.timer();
        load_parent(&mut shard, &self.store).await?;
        shard.reserve();
        timer.done();
        let sources = spec.sources.iter().enumerate();
        let sources = sources.filter(|(_, source)| source.has_input);
        for ((source, _), mut input) in sources.zip(inputs) {
            while let Some(batch) = input.next().await {
                let batch = batch.map_err(|e| of_source(&spec, source, e))?;
                self.take(&mut shard, source, batch)?;
            }
        }
        let (report, store) = (self.finish(shard).await?, &self.store);
        let file = report.write(&spec, store).await.map_err(external)?;
        report_row(number, &file)
    }

    fn take(&self, shard: &mut Shard<'_>, source: usize, batch: RecordBatch) -> Result<()> {
        let timer = self.metrics.take_time.timer();
        self.metrics.input_rows.add(batch.num_rows());
        shard.take(source, batch)?;
        timer.done();
        let budget = self.spec.shard_budget as usize;
        let size = shard.size();
        self.metrics.memory.set_max(size);
        self.reservation.try_resize(size.saturating_sub(budget))
    }

    async fn finish(&self, shard: Shard<'_>) -> Result<ShardReport> {
        let _permit = self
            .shared
            .finishing(self.threads)
            .acquire()
            .await
            .map_err(|e| DataFusionError::External(Box::new(e)))?;
        let audience = self.shared.audience(&self.spec.audience, &self.store);
        let audience = audience.await.map_err(external)?;
        let before = load_groups(&self.spec.parent.groups, shard.number, &self.store).await?;
        let has_windows = !audience.windows().is_empty();
        let (spec, spare) = (&self.spec, &self.shared.spare);
        let mut output = Output::new(spec, &self.store, shard.number, spare, has_windows)?;
        let timer = self.metrics.finish_time.timer();
        let mut buffers = self.shared.take_buffers();
        let done = match merge_users(&shard, &self.store, &mut output).await {
            Ok(absorbed) => {
                let held = shard.size().saturating_sub(self.spec.shard_budget as usize);
                let reserve = |more: usize| self.reservation.try_resize(held + more);
                let audiences = Audiences {
                    audience,
                    before,
                    store: &self.store,
                    reserve: &reserve,
                };
                let done = finish(shard, audiences, &mut buffers, &mut output).await;
                done.map(|report| ShardReport { absorbed, ..report })
            }
            Err(error) => Err(error),
        };
        self.shared.give_back(buffers);
        let mut report = match done {
            Ok(report) => report,
            Err(error) => {
                output.abort().await;
                return Err(error);
            }
        };
        timer.done();
        let timer = self.metrics.write_time.timer();
        report.files = output.finish().await?;
        timer.done();
        self.metrics.new_users.add(report.new_users as usize);
        self.metrics
            .bytes_written
            .add(report.files.iter().map(|file| file.bytes as usize).sum());
        Ok(report)
    }
}

/// An error of reading a source says which one.
fn of_source(spec: &NightSpec, source: usize, error: DataFusionError) -> DataFusionError {
    let error = of_datafusion(Work::RawData, "scan", error);
    external(if error.place().is_some() {
        error
    } else {
        error.at(format!("source {}", spec.sources[source].name))
    })
}
