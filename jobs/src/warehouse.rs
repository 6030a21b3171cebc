//! From the global options to an open warehouse: its configuration, its store, the release that is
//! meant.

use std::fs;
use std::path::Path;

use tagmill_schemas::{Config, Error, Manifest, ReleaseName, Result};
use tagmill_warehouse::release as publish;
use tagmill_warehouse::store::Store;

use crate::global::Global;

/// Reads the configuration.
///
/// # Errors
/// Setup when the file can not be read or is not as documented.
pub fn config(global: &Global) -> Result<Config> {
    let name = global.config.display().to_string();
    let text = fs::read_to_string(&global.config).map_err(|e| unreadable(&global.config, e))?;
    Config::parse(&text, &name)
}

fn unreadable(file: &Path, cause: std::io::Error) -> Error {
    let error =
        Error::setup("configuration", "the file can not be read").at(file.display().to_string());
    error
        .because(cause)
        .fix("name it with --config FILE or TAGMILL_CONFIG")
}

/// A warehouse that exists and fits its configuration.
pub struct Warehouse {
    pub config: Config,
    pub store: Store,
}

impl Warehouse {
    /// Opens it; `stage` is the command, for messages.
    ///
    /// # Errors
    /// Setup when there is none or it was made with other constants; retry when the store does not
    /// answer.
    pub async fn open(global: &Global, stage: &'static str) -> Result<Self> {
        let config = config(global)?;
        let store = Store::open(&config.warehouse.url)?.for_stage(stage);
        publish::open_warehouse(&store, &config.warehouse).await?;
        Ok(Self { config, store })
    }

    /// The manifest of a release.
    ///
    /// # Errors
    /// Setup when there is no such release.
    pub async fn release(&self, name: ReleaseName) -> Result<Manifest> {
        publish::resolve_release(&self.store, name).await
    }
}
