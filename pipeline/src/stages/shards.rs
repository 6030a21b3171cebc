//! The fourth stage: every shard is computed and its files are written.
//!
//! ```text
//! attempt ─► wave of shards ─► wave ─► ... ─► reports
//!    ▲            └─ memory exhausted: all over again with fewer shards at once
//!    └───────────────┘
//! ```

use std::sync::Arc;
use std::time::Duration;

use datafusion::error::DataFusionError;
use datafusion::execution::TaskContext;
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::SessionContext;
use futures::TryStreamExt;
use tagmill_engine::{Work, of_datafusion};
use tagmill_night::{NightExec, ShardReport};
use tagmill_schemas::{Error, Kind, Reason, Result};
use tokio::task::JoinSet;
use tokio::time::Interval;

use super::{Claimed, Inputs};
use crate::Observer;
use crate::damage::name_damaged;
use crate::night::NightPlan;
use crate::session::night_session;
use crate::set_aside::SetAside;
use crate::spill::SpillFolder;

/// How often a person hears how many rows are read.
const TICK: Duration = Duration::from_millis(500);

/// A night whose shards are all done.
pub struct ShardsDone<'n> {
    pub(super) inputs: Inputs<'n>,
    pub(super) plan: NightPlan,
    /// One for each shard, in order.
    pub(super) reports: Vec<ShardReport>,
    /// Apps whose rows they did not take.
    pub(super) aside: SetAside,
}

impl<'n> Claimed<'n> {
    /// Runs the shards; where the memory holds fewer at once than was expected of the data, again
    /// with fewer, as another attempt.
    ///
    /// # Errors
    /// Refused for raw data that can not be used, retry for files that changed while they were
    /// read, and for memory, disk and store.
    pub async fn run_shards(mut self) -> Result<ShardsDone<'n>> {
        let observer = self.inputs.night.observer();
        loop {
            let exec = self.plan.operator(self.inputs.night.store())?;
            let error = match self.run_attempt(&exec).await {
                Ok(reports) => {
                    return Ok(ShardsDone {
                        inputs: self.inputs,
                        plan: self.plan,
                        reports,
                        aside: SetAside::default(),
                    });
                }
                Err(error) if error.reason() == Some(Reason::OutOfMemory) => error,
                Err(error) if self.inputs.read_text_as_bytes(&error).await? => {
                    let again = "the shards run once more: text that is no UTF-8 is read as bytes";
                    observer.stage("invalid-text", again);
                    let claimed = Box::pin(self.inputs.plan()).await?.claim().await?;
                    return Box::pin(claimed.run_shards()).await;
                }
                Err(error) if self.inputs.reject_failures(&error) => {
                    let again = "the shards run once more: rows on which an expression fails are \
                                 rejected";
                    observer.stage("failed-expression", again);
                    let claimed = Box::pin(self.inputs.plan()).await?.claim().await?;
                    return Box::pin(claimed.run_shards()).await;
                }
                Err(error) => return Err(error),
            };
            let before = self.plan.wave;
            if !self.plan.shrink(
                sum_of(&exec, "peak_memory"),
                sum_of(&exec, "input_rows"),
                self.inputs.rows(),
            )? {
                return Err(error);
            }
            observer.warn(&format!(
                "the memory does not hold {before} shards of this data at once: once more from \
                 the start, {} at once",
                self.plan.wave
            ));
            self.next_attempt().await?;
        }
    }

    async fn run_attempt(&self, exec: &Arc<NightExec>) -> Result<Vec<ShardReport>> {
        let resources = &self.plan.resources;
        let spill = resources
            .memory
            .map(|_| SpillFolder::open(&resources.spill))
            .transpose()?;
        if let Some(spill) = &spill {
            let expected = self.plan.spilled(self.inputs.rows());
            tell_spill(spill, expected, self.inputs.night.observer());
        }
        let limit = resources
            .memory
            .zip(spill.as_ref())
            .map(|(memory, spill)| (self.plan.pool_size(memory), spill));
        let session = night_session(resources, limit)?;
        let reports = self.run_waves(exec, &session).await;
        if reports.as_ref().map_or_else(may_be_of_files, |_| true) {
            self.inputs.check_unchanged().await?;
        }
        match reports {
            Ok(reports) => Ok(reports),
            Err(error) => {
                drop(session);
                if let Some(spill) = spill {
                    spill.remove().await;
                }
                Err(name_damaged(error, &self.inputs.sources).await)
            }
        }
    }

    /// Polls the shards of one wave after the other; what belongs to later ones waits in the
    /// exchange and spills.
    async fn run_waves(
        &self,
        exec: &Arc<NightExec>,
        session: &SessionContext,
    ) -> Result<Vec<ShardReport>> {
        let context = session.task_ctx();
        self.inputs.register_stores(session)?;
        // Held for the whole run: what one wave gives back must not go to the exchange of the next.
        let reserved = MemoryConsumer::new("NightExec").register(context.memory_pool());
        reserved
            .try_resize(self.plan.reserved() as usize)
            .map_err(failed)?;
        let total = self.inputs.rows();
        let observer = self.inputs.night.observer();
        let shards: Vec<usize> = (0..self.plan.spec.shards.get() as usize).collect();
        let mut reports = Vec::with_capacity(shards.len());
        for wave in shards.chunks(self.plan.wave) {
            let mut running = JoinSet::new();
            for &shard in wave {
                running.spawn(run_shard(Arc::clone(exec), shard, Arc::clone(&context)));
            }
            let progress = || observer.progress(sum_of(exec, "input_rows"), total);
            let mut ticks = tokio::time::interval(TICK);
            while let Some(done) = next_of(&mut running, &mut ticks, progress).await {
                match done {
                    Ok(done) => reports.extend(done),
                    Err(error) => {
                        // Another attempt needs what the others hold.
                        running.shutdown().await;
                        return Err(error);
                    }
                }
            }
        }
        observer.progress(total, total);
        reports.sort_by_key(|report: &ShardReport| report.shard);
        Ok(reports)
    }
}

async fn run_shard(
    exec: Arc<NightExec>,
    shard: usize,
    context: Arc<TaskContext>,
) -> Result<Vec<ShardReport>> {
    let rows = exec.execute(shard, context).map_err(failed)?;
    let rows: Vec<_> = rows.try_collect().await.map_err(failed)?;
    // Parsed by the task of the shard: with thousands of apps a report is megabytes.
    exec.read_reports(&rows).await
}

/// The next shard that is done; meanwhile the progress is told at every tick. `None` after the
/// last one.
async fn next_of(
    running: &mut JoinSet<Result<Vec<ShardReport>>>,
    ticks: &mut Interval,
    progress: impl Fn(),
) -> Option<Result<Vec<ShardReport>>> {
    loop {
        tokio::select! {
            joined = running.join_next() => {
                return joined.map(|joined| {
                    joined
                        .map_err(|e| failed(DataFusionError::ExecutionJoin(Box::new(e))))
                        .flatten()
                });
            }
            _ = ticks.tick() => progress(),
        }
    }
}

/// Whether the files that are read may be why: a file that was written meanwhile, or a store that
/// is gone, reads like damage.
fn may_be_of_files(error: &Error) -> bool {
    match error.kind() {
        Kind::Refused => true,
        Kind::Retry => error.reason().is_none(),
        Kind::Setup => error.reason() == Some(Reason::Defect),
        Kind::Interrupted => false,
    }
}

/// What a person should know before hours are spent: a disk that may be too small.
fn tell_spill(spill: &SpillFolder, expected: u64, observer: &dyn Observer) {
    if spill.left() > 0 {
        observer.warn(&format!(
            "removed what killed runs had left in the spill folder ({} of them)",
            spill.left()
        ));
    }
    let free = spill.free_bytes().unwrap_or(u64::MAX);
    if free < expected {
        let (free, expected) = (free >> 20, expected >> 20);
        observer.warn(&format!(
            "the spill folder has {free} MiB free, about {expected} MiB may be needed: free disk \
             space, or give the run more memory"
        ));
    }
}

/// A metric of all shards.
fn sum_of(exec: &NightExec, metric: &str) -> u64 {
    exec.metrics()
        .unwrap_or_default()
        .sum_by_name(metric)
        .map_or(0, |sum| sum.as_usize() as u64)
}

fn failed(error: DataFusionError) -> Error {
    of_datafusion(Work::RawData, "shards", error)
}
