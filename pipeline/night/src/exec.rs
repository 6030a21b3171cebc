//! The operator of the night: one hash-exchanged child a source, one partition a shard; it writes
//! the shard's files and returns one row that says what it wrote.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use arrow::array::{RecordBatch, StringArray, UInt32Array};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
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
use tokio::sync::Semaphore;

use crate::end::app::Audiences;
use crate::end::buffers::EndBuffers;
use crate::end::finish::finish;
use crate::end::merged_users::merge_users;
use crate::end::output::Output;
use crate::end::report::ShardReport;
use crate::plan::audience::{Audience, compile_rules};
use crate::plan::columns::Layout;
use crate::plan::spec::NightSpec;
use crate::take::batch::SourceBatch;
use crate::take::load::{load_groups, load_parent};
use crate::take::shard::Shard;
use tagmill_engine::{Work, external, of_datafusion};
use tagmill_warehouse::artifact::Spare;
use tagmill_warehouse::store::Store;

/// The night as a physical operator. Its children are exchanged so that partition `i` holds shard
/// `i`.
#[derive(Debug)]
pub struct NightExec {
    spec: Arc<NightSpec>,
    /// By source: the columns of its batches.
    layouts: Arc<[Layout]>,
    store: Store,
    children: Vec<Arc<dyn ExecutionPlan>>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
    shared: Arc<Shared>,
}

/// What the partitions of one process share.
#[derive(Default)]
struct Shared {
    programs: OnceLock<std::result::Result<BTreeMap<String, Audience>, String>>,
    /// Shards that are being finished at once hold sort buffers: no more of them than threads.
    finishing: OnceLock<Arc<Semaphore>>,
    /// Buffers of shards that are done.
    buffers: Mutex<Vec<EndBuffers>>,
    /// Memory of their files.
    spare: Spare,
}

impl Shared {
    fn take_buffers(&self) -> EndBuffers {
        self.buffers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop()
            .unwrap_or_default()
    }

    fn give_back(&self, buffers: EndBuffers) {
        self.buffers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(buffers);
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shared")
    }
}

/// The operator's output: one row a shard.
pub fn report_schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("shard", DataType::UInt32, false),
        Field::new("report", DataType::Utf8, false),
    ]))
}

impl NightExec {
    /// The operator over one exchanged child for each source that has input.
    ///
    /// # Errors
    /// A number of children that does not fit the sources, or a child whose columns are not those of
    /// its source's layout.
    pub fn try_new(
        spec: Arc<NightSpec>,
        store: Store,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Self> {
        let layouts: Arc<[Layout]> = spec.sources.iter().map(Layout::of).collect();
        let inputs: Vec<_> = spec
            .sources
            .iter()
            .zip(layouts.iter())
            .filter(|(source, _)| source.has_input)
            .collect();
        if inputs.len() != children.len() {
            return Err(DataFusionError::Plan(format!(
                "NightExec has {} children for {} sources",
                children.len(),
                inputs.len()
            )));
        }
        for ((source, layout), child) in inputs.into_iter().zip(&children) {
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
            spec,
            layouts,
            store,
            children,
            properties: Arc::new(properties),
            metrics: ExecutionPlanMetricsSet::new(),
            shared: Arc::default(),
        })
    }

    /// What it computes.
    pub fn spec(&self) -> &Arc<NightSpec> {
        &self.spec
    }
}

impl DisplayAs for NightExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sources: Vec<&str> = self.spec.sources.iter().map(|s| s.name.as_str()).collect();
        let rules: usize = self.spec.rules.iter().map(|rules| rules.groups.len()).sum();
        write!(
            f,
            "NightExec: date={}, shards={}, sources=[{}], rules={rules}",
            self.spec.date,
            self.spec.shards.get(),
            sources.join(", ")
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
        let inputs = self
            .children
            .iter()
            .map(|child| child.execute(partition, Arc::clone(&context)))
            .collect::<Result<Vec<_>>>()?;
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
        let row = futures::stream::once(async move {
            task.run(partition as u32, inputs)
                .await
                .and_then(|report| report_row(&report))
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(
            report_schema(),
            row,
        )))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}

fn report_row(report: &ShardReport) -> Result<RecordBatch> {
    let json = serde_json::to_string(report).map_err(|e| DataFusionError::External(Box::new(e)))?;
    let columns: [arrow::array::ArrayRef; 2] = [
        Arc::new(UInt32Array::from(vec![report.shard])),
        Arc::new(StringArray::from(vec![json])),
    ];
    Ok(RecordBatch::try_new(report_schema(), columns.to_vec())?)
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
    async fn run(
        self,
        partition: u32,
        inputs: Vec<SendableRecordBatchStream>,
    ) -> Result<ShardReport> {
        let budget = self.spec.shard_budget as usize;
        let sources = self
            .spec
            .sources
            .iter()
            .enumerate()
            .filter(|(_, source)| source.has_input)
            .map(|(number, _)| number);
        let mut inputs: Vec<_> = sources.zip(inputs).collect();
        let (spec, layouts) = (Arc::clone(&self.spec), Arc::clone(&self.layouts));
        let mut first = first_batch(&mut inputs, &spec, &layouts).await?;
        let number = first.as_ref().map_or(partition, |first| first.shard);
        let mut shard = Shard::new(&spec, &layouts, number);
        let timer = self.metrics.load_time.timer();
        load_parent(&mut shard, &self.store).await?;
        shard.reserve();
        timer.done();
        for (at, (source, input)) in inputs.iter_mut().enumerate() {
            if let Some(first) = first.take_if(|first| first.input == at) {
                self.take(&mut shard, *source, first.batch, budget)?;
            }
            while let Some(batch) = input.next().await {
                self.take(
                    &mut shard,
                    *source,
                    batch.map_err(|e| of_source(&spec, *source, e))?,
                    budget,
                )?;
            }
        }
        drop(inputs);
        self.finish(shard).await
    }

    fn take(
        &self,
        shard: &mut Shard<'_>,
        source: usize,
        batch: RecordBatch,
        budget: usize,
    ) -> Result<()> {
        let timer = self.metrics.take_time.timer();
        self.metrics.input_rows.add(batch.num_rows());
        shard.take(source, batch)?;
        timer.done();
        let size = shard.size();
        self.metrics.memory.set_max(size);
        self.reservation.try_resize(size.saturating_sub(budget))
    }

    async fn finish(self, shard: Shard<'_>) -> Result<ShardReport> {
        let permits = Arc::clone(
            self.shared
                .finishing
                .get_or_init(|| Arc::new(Semaphore::new(self.threads))),
        );
        let _permit = permits
            .acquire()
            .await
            .map_err(|e| DataFusionError::External(Box::new(e)))?;
        let programs = self
            .shared
            .programs
            .get_or_init(|| compile_rules(&self.spec).map_err(|e| e.to_string()));
        let programs = programs
            .as_ref()
            .map_err(|e| DataFusionError::Execution(e.clone()))?;
        let before = load_groups(&self.spec.parent.groups, shard.number, &self.store).await?;
        let mut output = Output::new(&self.spec, &self.store, shard.number, &self.shared.spare)?;
        let timer = self.metrics.finish_time.timer();
        let mut buffers = self.shared.take_buffers();
        let done = match merge_users(&shard, &self.store, &mut output).await {
            Ok(absorbed) => {
                let audiences = Audiences { programs, before };
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

/// The first batch with a row.
struct FirstBatch {
    /// The shard of this task: an engine may number partitions anew for each task.
    shard: u32,
    /// Which input it is of.
    input: usize,
    batch: RecordBatch,
}

/// The first batch of the first input that has rows; `None` where no input has any.
async fn first_batch(
    inputs: &mut [(usize, SendableRecordBatchStream)],
    spec: &NightSpec,
    layouts: &[Layout],
) -> Result<Option<FirstBatch>> {
    for (number, (source, input)) in inputs.iter_mut().enumerate() {
        while let Some(batch) = input.next().await {
            let batch = batch.map_err(|e| of_source(spec, *source, e))?;
            let of_source = SourceBatch::new(batch.clone(), &layouts[*source]);
            let hash = of_source.hashes()?.values().first().copied();
            if let Some(hash) = hash {
                return Ok(Some(FirstBatch {
                    shard: spec.shards.of_hash(hash),
                    input: number,
                    batch,
                }));
            }
        }
    }
    Ok(None)
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
