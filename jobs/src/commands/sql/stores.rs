//! The object stores that a statement names by url: opened when they are first asked for, with the
//! same credentials as a warehouse or a source.

use std::sync::Arc;

use datafusion::error::Result;
use datafusion::execution::object_store::{DefaultObjectStoreRegistry, ObjectStoreRegistry};
use object_store::ObjectStore;
use tagmill_engine::external;
use tagmill_warehouse::store::Store;
use url::Url;

/// DataFusion's registry, which opens what it does not know.
#[derive(Debug, Default)]
pub(super) struct Stores {
    known: DefaultObjectStoreRegistry,
}

impl ObjectStoreRegistry for Stores {
    fn register_store(
        &self,
        url: &Url,
        store: Arc<dyn ObjectStore>,
    ) -> Option<Arc<dyn ObjectStore>> {
        self.known.register_store(url, store)
    }

    fn deregister_store(&self, url: &Url) -> Result<Arc<dyn ObjectStore>> {
        self.known.deregister_store(url)
    }

    fn get_store(&self, url: &Url) -> Result<Arc<dyn ObjectStore>> {
        if let Ok(store) = self.known.get_store(url) {
            return Ok(store);
        }
        let store = Store::open(url.as_str()).map_err(external)?;
        self.known.register_store(url, Arc::clone(store.objects()));
        Ok(Arc::clone(store.objects()))
    }
}
