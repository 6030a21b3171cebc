//! The object stores that a statement names by url: opened when they are first asked for, with the
//! same credentials as a warehouse or a source; each watched over by the session's [`Access`].

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use datafusion::error::{DataFusionError, Result};
use datafusion::execution::object_store::ObjectStoreRegistry;
use object_store::ObjectStore;
use tagmill_engine::external;
use tagmill_warehouse::store::{Promise, Store};
use url::{Position, Url};

use super::access::{Access, Watched};

/// A registry that opens what it does not know.
#[derive(Debug)]
pub(super) struct Stores {
    /// By scheme and authority.
    known: Mutex<HashMap<String, Arc<dyn ObjectStore>>>,
    access: Arc<Access>,
}

impl Stores {
    pub(super) fn new(access: Arc<Access>) -> Self {
        Self {
            known: Mutex::default(),
            access,
        }
    }

    fn known(&self) -> MutexGuard<'_, HashMap<String, Arc<dyn ObjectStore>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn base_of(url: &Url) -> &str {
    &url[..Position::BeforePath]
}

impl ObjectStoreRegistry for Stores {
    fn register_store(
        &self,
        url: &Url,
        store: Arc<dyn ObjectStore>,
    ) -> Option<Arc<dyn ObjectStore>> {
        let base = base_of(url);
        let watched = Arc::new(Watched::new(base, store, &self.access));
        self.known().insert(base.to_owned(), watched)
    }

    fn deregister_store(&self, url: &Url) -> Result<Arc<dyn ObjectStore>> {
        let removed = self.known().remove(base_of(url));
        removed
            .ok_or_else(|| DataFusionError::Plan(format!("found no object store {}", base_of(url))))
    }

    fn get_store(&self, url: &Url) -> Result<Arc<dyn ObjectStore>> {
        let base = base_of(url);
        if let Some(store) = self.known().get(base) {
            return Ok(Arc::clone(store));
        }
        let store = Store::open(&format!("{base}/")).map_err(external)?;
        let objects = store.for_stage("sql").explained(Promise::Listed);
        let watched: Arc<dyn ObjectStore> = Arc::new(Watched::new(base, objects, &self.access));
        self.known().insert(base.to_owned(), Arc::clone(&watched));
        Ok(watched)
    }
}
