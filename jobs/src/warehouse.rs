//! From the global options to an open warehouse: its configuration, its store, the release that is
//! meant.

use std::fs;
use std::path::Path;

use datafusion::prelude::SessionContext;
use tagmill_engine::{Work, of_datafusion};
use tagmill_query::catalog;
use tagmill_schemas::{Config, Error, Manifest, ReleaseName, Result};
use tagmill_warehouse::release as publish;
use tagmill_warehouse::store::Store;

use crate::global::Global;

/// Reads the configuration, with relative paths below its folder.
///
/// # Errors
/// Setup when the file can not be read or is not as documented.
pub fn config(global: &Global) -> Result<Config> {
    let name = global.config().display().to_string();
    let text = fs::read_to_string(global.config()).map_err(|e| unreadable(global.config(), e))?;
    let config = Config::parse(&text, &name)?;
    Ok(config.below(folder_of(global.config())?))
}

/// The folder that relative paths in a configuration are below; empty: the current one.
fn folder_of(file: &Path) -> Result<&str> {
    let folder = file.parent().unwrap_or(Path::new(""));
    let refuse = |what: &str| {
        let fix = "keep it in another folder, or make all its paths absolute and run tagmill there";
        Err(Error::setup("configuration", what)
            .at(file.display().to_string())
            .fix(fix))
    };
    match folder.to_str() {
        None => refuse("the name of its folder is not UTF-8, which relative paths have to be"),
        Some(folder) if folder.contains(['*', '{', '}']) => {
            refuse("the name of its folder has *, { or }, which mean something else in paths")
        }
        Some(folder) => Ok(folder),
    }
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

    /// A session with the tables of a release and the bitmap functions.
    ///
    /// # Errors
    /// Setup when something can not be registered; nothing is read.
    pub async fn tables(&self, manifest: &Manifest) -> Result<SessionContext> {
        let ctx = SessionContext::new();
        tagmill_udfs::register_all(&ctx).map_err(|e| of_datafusion(Work::Release, "catalog", e))?;
        catalog::register(&ctx, &self.store, manifest).await?;
        Ok(ctx)
    }

    /// The manifest of a release; says so where it is not the night that was asked for.
    ///
    /// # Errors
    /// Setup when there is no such release.
    pub async fn release(&self, name: ReleaseName) -> Result<Manifest> {
        let manifest = publish::resolve_release(&self.store, name).await?;
        if let Some(note) = publish::newer_state(name, &manifest) {
            log::warn!("{note}");
        }
        Ok(manifest)
    }
}
