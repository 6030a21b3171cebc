//! What is worked out of every shard, as many of them at once as there are threads.

use std::num::NonZeroUsize;

use datafusion::common::runtime::SpawnedTask;
use futures::{StreamExt, TryStreamExt};
use tagmill_schemas::{Error, Result};

use super::super::STAGE;

/// The answers of shards, in their order, each of a task of its own.
///
/// # Errors
/// The first of `answer`; internal for a task that was stopped.
pub(super) async fn per_shard<T, F>(
    shards: impl IntoIterator<Item = u32>,
    answer: impl Fn(u32) -> F,
) -> Result<Vec<T>>
where
    T: Send + 'static,
    F: Future<Output = Result<T>> + Send + 'static,
{
    let at_once = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let work: Vec<F> = shards.into_iter().map(answer).collect();
    let spawned = work.into_iter().map(async |work| {
        let done = SpawnedTask::spawn(work).join().await;
        done.map_err(|error| Error::refused(STAGE, "a task ended early").because(error))?
    });
    futures::stream::iter(spawned)
        .buffered(at_once)
        .try_collect()
        .await
}
