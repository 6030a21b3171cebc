//! What the shards of one attempt share inside a process, however often their plan was decoded: an
//! engine decodes it anew for every task.

use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use tagmill_schemas::Result;
use tagmill_warehouse::artifact::Spare;
use tagmill_warehouse::store::Store;
use tokio::sync::{OnceCell, Semaphore};

use crate::end::buffers::EndBuffers;
use crate::plan::audience::{Audience, AudienceSpec};
use crate::plan::spec::NightSpec;

/// What the shards of one attempt share.
#[derive(Default)]
pub struct Shared {
    audience: OnceCell<Audience>,
    finishing: OnceLock<Semaphore>,
    buffers: Mutex<Vec<EndBuffers>>,
    /// Memory of files that are done.
    pub spare: Spare,
}

/// An attempt: store, run, attempt, and what its rules are.
type Key = (String, String, u32, AudienceSpec);

/// What the attempts share that run in this process.
static RUNNING: Mutex<Vec<(Key, Weak<Shared>)>> = Mutex::new(Vec::new());

impl Shared {
    /// What the shards of this attempt share; it lives as long as one of their plans.
    pub fn of(spec: &NightSpec) -> Arc<Self> {
        let key = (
            spec.store.clone(),
            spec.run.clone(),
            spec.attempt,
            spec.audience.clone(),
        );
        let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        running.retain(|(_, shared)| shared.strong_count() > 0);
        let found = running.iter().find(|(found, _)| *found == key);
        if let Some(shared) = found.and_then(|(_, shared)| shared.upgrade()) {
            return shared;
        }
        let shared = Arc::default();
        running.push((key, Arc::downgrade(&shared)));
        shared
    }

    /// The rules and lists; the first shard that asks reads them for all.
    ///
    /// # Errors
    /// As [`AudienceSpec::read`].
    pub async fn audience(&self, spec: &AudienceSpec, store: &Store) -> Result<&Audience> {
        self.audience.get_or_try_init(|| spec.read(store)).await
    }

    /// Permits to finish a shard, which holds sort buffers: as many as threads.
    pub fn finishing(&self, threads: usize) -> &Semaphore {
        self.finishing.get_or_init(|| Semaphore::new(threads))
    }

    /// Buffers of a shard that is done, or new ones.
    pub fn take_buffers(&self) -> EndBuffers {
        let mut buffers = self.buffers.lock().unwrap_or_else(PoisonError::into_inner);
        buffers.pop().unwrap_or_default()
    }

    /// Leaves buffers to the next shard.
    pub fn give_back(&self, buffers: EndBuffers) {
        let mut all = self.buffers.lock().unwrap_or_else(PoisonError::into_inner);
        all.push(buffers);
    }
}
