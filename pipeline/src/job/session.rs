//! The DataFusion session of a run: threads, memory pool, spill folder.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use datafusion::execution::SessionStateBuilder;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::{FairSpillPool, MemoryPool, TrackConsumersPool, UnboundedMemoryPool};
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::prelude::{SessionConfig, SessionContext};
use tagmill_schemas::{Error, Result};

use super::Request;
use crate::scan::register_functions;

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
}

/// Rows that the exchange holds back in all, to hand on whole batches.
const EXCHANGED_ROWS: usize = 4 << 20;

/// Rows of a batch. The exchange cuts each into one piece a shard, so large ones pay; it holds a batch for every thread and shard.
fn batch_rows(threads: usize, shards: u32) -> usize {
    (EXCHANGED_ROWS / (threads * shards as usize).max(1)).clamp(1 << 10, 1 << 14)
}

/// A session with these resources and the functions of the scan, and a memory pool of `pool` bytes (`None`: no limit).
///
/// # Errors
/// Setup when the spill folder can not be made.
pub fn night_session(resources: &Resources, pool: Option<u64>) -> Result<SessionContext> {
    let mut config = SessionConfig::new().with_target_partitions(resources.threads).with_batch_size(batch_rows(resources.threads, resources.shards));
    let options = config.options_mut();
    options.execution.parquet.schema_force_view_types = true;
    options.execution.spill_compression = datafusion::config::SpillCompression::Zstd;
    options.optimizer.enable_round_robin_repartition = false;
    let state = SessionStateBuilder::new().with_config(config).with_runtime_env(runtime(resources, pool)?).with_default_features().build();
    let context = SessionContext::new_with_state(state);
    register_functions(&context);
    Ok(context)
}

fn runtime(resources: &Resources, pool: Option<u64>) -> Result<Arc<RuntimeEnv>> {
    let memory: Arc<dyn MemoryPool> = match pool {
        Some(bytes) => Arc::new(TrackConsumersPool::new(FairSpillPool::new(bytes as usize), NAMED_CONSUMERS)),
        None => Arc::new(UnboundedMemoryPool::default()),
    };
    let mode = if pool.is_some() {
        let unusable = |e: std::io::Error| {
            Error::setup("run", "the spill folder can not be used")
                .at(resources.spill.display().to_string())
                .because(e)
                .fix("set run.spill to a folder that can be written")
        };
        std::fs::create_dir_all(&resources.spill).map_err(unusable)?;
        DiskManagerMode::Directories(vec![resources.spill.clone()])
    } else {
        DiskManagerMode::OsTmpDirectory
    };
    let disk = DiskManagerBuilder::default().with_mode(mode);
    let runtime = RuntimeEnvBuilder::new().with_memory_pool(memory).with_disk_manager_builder(disk).build_arc();
    runtime.map_err(|e| crate::error::of_datafusion("run", e))
}
