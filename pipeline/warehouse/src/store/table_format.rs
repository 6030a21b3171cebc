//! Folders of table formats: which of their files count is said by a log, so their files are no
//! source by themselves.
//!
//! ```text
//! Delta    _delta_log/          Hudi    .hoodie/          Iceberg    metadata/*.metadata.json, data/
//! ```

use futures::TryStreamExt;
use object_store::path::Path;
use tagmill_schemas::error::{Error, Kind, Result};

use super::Store;

/// Refuses a store whose root is in a folder of a table format, or is one.
///
/// # Errors
/// Setup, naming the folder; those of the store, unless it is rights that lack above the root.
pub async fn refuse_table_format(store: &Store) -> Result<()> {
    if store.base().starts_with("http") {
        // It can not be listed.
        return Ok(());
    }
    let mut next = Some(store.root().clone());
    while let Some(folder) = next {
        let at = Store {
            root: folder.clone(),
            ..store.clone()
        };
        match format_of(&at).await {
            Ok(None) => {}
            Ok(Some(format)) => return Err(refusal(&at, format)),
            Err(e) if e.kind() == Kind::Setup && folder != *store.root() => {}
            Err(e) => return Err(e),
        }
        next = parent(&folder);
    }
    Ok(())
}

/// A table format, and the function of DuckDB that reads it.
#[derive(Debug, Clone, Copy)]
enum Format {
    Delta,
    Hudi,
    Iceberg,
}

async fn format_of(at: &Store) -> Result<Option<Format>> {
    if at.has_folder("_delta_log").await? {
        return Ok(Some(Format::Delta));
    }
    if at.has_folder(".hoodie").await? {
        return Ok(Some(Format::Hudi));
    }
    let has_both = at.has_folder("metadata").await? && at.has_folder("data").await?;
    let is_iceberg = has_both && !at.list("metadata/*.metadata.json").await?.is_empty();
    Ok(is_iceberg.then_some(Format::Iceberg))
}

fn refusal(at: &Store, format: Format) -> Error {
    let (name, fix) = match format {
        Format::Delta => (
            "Delta",
            "copy one version of it and read the copy: COPY (FROM delta_scan('…')) TO '….parquet' \
             in DuckDB",
        ),
        Format::Hudi => (
            "Hudi",
            "copy one version of it and read the copy: spark.read.format(\"hudi\").load(…)\
             .write.parquet(…)",
        ),
        Format::Iceberg => (
            "Iceberg",
            "copy one version of it and read the copy: COPY (FROM iceberg_scan('…')) TO '….parquet' \
             in DuckDB",
        ),
    };
    let what = format!(
        "found a table of {name}, expected a folder of which every file counts: deleted and replaced \
         rows would be read too"
    );
    Error::setup(at.stage(), what).at(at.name_of("")).fix(fix)
}

fn parent(folder: &Path) -> Option<Path> {
    let mut parts: Vec<_> = folder.parts().collect();
    parts.pop().map(|_| parts.into_iter().collect())
}

impl Store {
    /// Whether there is anything in a folder of this name.
    ///
    /// # Errors
    /// See [`super::explain`].
    async fn has_folder(&self, name: &str) -> Result<bool> {
        let location = self.location(name)?;
        if self.is_local() {
            return Ok(std::path::Path::new("/").join(location.as_ref()).is_dir());
        }
        let first = self.objects.list(Some(&location)).try_next().await;
        first
            .map(|first| first.is_some())
            .map_err(|e| self.explain(name, "can not list", e))
    }
}
