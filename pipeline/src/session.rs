//! The DataFusion session of a run: threads, memory pool, spill folder.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use datafusion::execution::SessionStateBuilder;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::{
    FairSpillPool, MemoryPool, TrackConsumersPool, UnboundedMemoryPool,
};
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::prelude::{SessionConfig, SessionContext};
use tagmill_engine::{Work, of_datafusion};
use tagmill_schemas::Result;

use super::Request;
use super::spill::SpillFolder;
use tagmill_night::exchange::Exchange;
use tagmill_night::scan::register_functions;

/// Holders of memory that an error names.
const NAMED_CONSUMERS: NonZeroUsize = NonZeroUsize::new(5).unwrap();

/// What a run may use. It never changes what is computed.
#[derive(Debug, Clone)]
pub struct Resources {
    /// Bytes; `None`: no limit.
    pub memory: Option<u64>,
    /// Threads.
    pub threads: usize,
    /// The warehouse's.
    pub shards: u32,
    /// Where the exchange spills.
    pub spill: PathBuf,
}

impl Resources {
    /// The request's, else the configuration's.
    pub fn of(request: &Request) -> Self {
        let run = &request.config.run;
        let all = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = request.threads.unwrap_or(run.threads);
        Self {
            memory: request.memory.or(run.memory),
            threads: if threads == 0 { all } else { threads },
            shards: request.config.warehouse.shards.get(),
            spill: PathBuf::from(&run.spill),
        }
    }

    /// With a limit of memory rows may have to wait on disk.
    pub fn exchange(&self) -> Exchange {
        if self.memory.is_some() {
            Exchange::Engine
        } else {
            Exchange::InProcess
        }
    }
}

/// Rows that the exchange holds back in all, to hand on whole batches.
const EXCHANGED_ROWS: usize = 4 << 20;

/// Rows of a batch. The exchange cuts each into one piece a shard, so large ones pay; it holds a
/// batch for every thread and shard.
fn batch_rows(threads: usize, shards: u32) -> usize {
    (EXCHANGED_ROWS / (threads * shards as usize).max(1)).clamp(1 << 10, 1 << 14)
}

/// A session with these resources and the functions of the scan; with a limit a memory pool of so
/// many bytes, and the folder to which goes what does not fit.
///
/// # Errors
/// Setup when DataFusion can not use the folder.
pub fn night_session(
    resources: &Resources,
    limit: Option<(u64, &SpillFolder)>,
) -> Result<SessionContext> {
    let mut config = SessionConfig::new()
        .with_target_partitions(resources.threads)
        .with_batch_size(batch_rows(resources.threads, resources.shards));
    let options = config.options_mut();
    options.execution.parquet.schema_force_view_types = true;
    options.execution.spill_compression = datafusion::config::SpillCompression::Zstd;
    options.optimizer.enable_round_robin_repartition = false;
    // Fields of structs and maps would come from below a projection that has their column under the
    // same name, and be ambiguous.
    options.optimizer.enable_leaf_expression_pushdown = false;
    let state = SessionStateBuilder::new()
        .with_config(config)
        .with_runtime_env(runtime(limit)?)
        .with_default_features()
        .build();
    let context = SessionContext::new_with_state(state);
    register_functions(&context);
    Ok(context)
}

fn runtime(limit: Option<(u64, &SpillFolder)>) -> Result<Arc<RuntimeEnv>> {
    let (pool, spill) = limit.unzip();
    let memory: Arc<dyn MemoryPool> = match pool {
        Some(bytes) => Arc::new(TrackConsumersPool::new(
            FairSpillPool::new(bytes as usize),
            NAMED_CONSUMERS,
        )),
        None => Arc::new(UnboundedMemoryPool::default()),
    };
    let mode = spill.map_or(DiskManagerMode::OsTmpDirectory, |folder| {
        DiskManagerMode::Directories(vec![folder.path().to_owned()])
    });
    // The disk alone says when it is full; DataFusion's own limit is 100 GB and an error without a
    // kind.
    let disk = DiskManagerBuilder::default()
        .with_mode(mode)
        .with_max_temp_directory_size(u64::MAX);
    let runtime = RuntimeEnvBuilder::new()
        .with_memory_pool(memory)
        .with_disk_manager_builder(disk)
        .build_arc();
    runtime.map_err(|e| of_datafusion(Work::RawData, "run", e))
}
