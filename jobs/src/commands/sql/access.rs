//! What a statement may touch: it reads everything, and writes nothing of a warehouse.
//!
//! Every object store of a session is one of these. A write is refused before its first byte: below
//! a folder that has a `warehouse.json`, whatever url, link or `..` leads there, and over the
//! configuration; with `--read-only` anywhere.

use std::collections::BTreeMap;
use std::error::Error as StdError;
use std::fmt;
use std::ops::Range;
use std::path::{Path as FilePath, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    ObjectStoreExt, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use tagmill_query::catalog::WAREHOUSE_URL;
use tagmill_schemas::{Error, constants};
use tagmill_warehouse::store::Store;

const LOCAL: &str = "file://";

/// The rules of a session, and what it has read.
#[derive(Debug)]
pub(super) struct Access {
    /// Whether nothing at all may be written.
    pub(super) is_read_only: bool,
    /// The warehouse that is open, if one is.
    pub(super) warehouse: Option<Store>,
    /// The file of its configuration.
    pub(super) config: PathBuf,
    /// Objects that were read, by the base of their store and their path.
    read: Mutex<BTreeMap<(String, Path), Arc<dyn ObjectStore>>>,
    /// The newest write that was refused: DataFusion's writers keep no cause of what fails.
    refused: Mutex<Option<Error>>,
    /// The newest read that failed: of one in a footer DataFusion keeps no cause either.
    failed: Mutex<Option<Error>>,
}

impl Access {
    pub(super) fn new(is_read_only: bool, warehouse: Option<Store>, config: PathBuf) -> Self {
        Self {
            is_read_only,
            warehouse,
            config,
            read: Mutex::default(),
            refused: Mutex::default(),
            failed: Mutex::default(),
        }
    }

    /// The write that was refused since this was asked before.
    pub(super) fn take_refused(&self) -> Option<Error> {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        refused.take()
    }

    /// The read that failed since this was asked before.
    pub(super) fn take_failed(&self) -> Option<Error> {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed.take()
    }

    /// Keeps the error of a read, where it is one of ours.
    fn keep_failed<T>(&self, read: Result<T>) -> Result<T> {
        let cause = read.as_ref().err().and_then(StdError::source);
        if let Some(error) = cause.and_then(|cause| cause.downcast_ref::<Error>()) {
            let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
            *failed = Some(error.clone());
        }
        read
    }

    /// The objects that were read so far.
    pub(super) fn objects_read(&self) -> Vec<(Store, Path)> {
        let read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        read.iter()
            .map(|((base, path), objects)| {
                let objects = Arc::clone(objects);
                (Store::new(objects, base, Path::default()), path.clone())
            })
            .collect()
    }

    /// How a person names an object that was read.
    pub(super) fn name_of(&self, store: &Store, path: &Path) -> String {
        let base = match (store.base(), &self.warehouse) {
            (WAREHOUSE_URL, Some(warehouse)) => warehouse.base(),
            (base, _) => base,
        };
        match base {
            LOCAL => format!("/{path}"),
            base => format!("{base}/{path}"),
        }
    }

    /// Whether a folder may be written, of files that are not written through a store.
    pub(super) fn check_folder(&self, folder: &FilePath) -> tagmill_schemas::Result<()> {
        match self.is_read_only || self.is_protected(folder) {
            true => Err(self.refuse(&folder.display().to_string())),
            false => Ok(()),
        }
    }

    async fn check(
        &self,
        base: &str,
        objects: &Arc<dyn ObjectStore>,
        location: &Path,
    ) -> Result<()> {
        let is_own = base == WAREHOUSE_URL
            || self.warehouse.as_ref().is_some_and(|warehouse| {
                base == warehouse.base() && location.prefix_matches(warehouse.root())
            });
        let is_refused = self.is_read_only
            || is_own
            || match base {
                LOCAL => self.is_protected(&FilePath::new("/").join(location.as_ref())),
                _ => is_in_warehouse(objects, location).await?,
            };
        if !is_refused {
            return Ok(());
        }
        let base = if base == LOCAL { "" } else { base };
        let error = self.refuse(&format!("{base}/{location}"));
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        *refused = Some(error.clone());
        Err(object_store::Error::Generic {
            store: "tagmill",
            source: Box::new(error),
        })
    }

    fn refuse(&self, place: &str) -> Error {
        let (what, fix) = match self.is_read_only {
            true => ("with --read-only", "leave --read-only out"),
            false => (
                "in a warehouse or over its configuration",
                "write to another place",
            ),
        };
        Error::setup("sql", format!("a statement can not write {what}"))
            .at(place)
            .fix(fix)
    }

    /// Whether a file of this machine is the configuration or below a folder with a `warehouse.json`,
    /// as it is written and where links lead.
    fn is_protected(&self, file: &FilePath) -> bool {
        let (real, config) = (real(file), real(&self.config));
        let has_constants =
            |folder: &FilePath| folder.join(constants::PATH).symlink_metadata().is_ok();
        real == config
            || [file, &real]
                .iter()
                .any(|path| path.ancestors().any(has_constants))
    }

    fn note(&self, base: &str, objects: &Arc<dyn ObjectStore>, location: &Path) {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        read.entry((base.to_owned(), location.clone()))
            .or_insert_with(|| Arc::clone(objects));
    }
}

/// The real path of what exists of a path, and the rest as it is.
fn real(path: &FilePath) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let known = path.ancestors().find_map(|folder| {
        let rest = path.strip_prefix(folder).ok()?;
        let real = folder.canonicalize().ok()?;
        // A path that ends in a slash is another one.
        Some(if rest.as_os_str().is_empty() {
            real
        } else {
            real.join(rest)
        })
    });
    known.unwrap_or(path)
}

/// Whether a folder above has a `warehouse.json`.
async fn is_in_warehouse(objects: &Arc<dyn ObjectStore>, location: &Path) -> Result<bool> {
    let mut folder = Path::default();
    for part in location.parts() {
        match objects.head(&folder.clone().join(constants::PATH)).await {
            Ok(_) => return Ok(true),
            Err(object_store::Error::NotFound { .. }) => folder = folder.join(part),
            Err(error) => return Err(error),
        }
    }
    Ok(false)
}

/// One object store of a session.
#[derive(Debug)]
pub(super) struct Watched {
    base: String,
    objects: Arc<dyn ObjectStore>,
    access: Arc<Access>,
}

impl Watched {
    /// `base` is the scheme and authority by which statements name the store.
    pub(super) fn new(base: &str, objects: Arc<dyn ObjectStore>, access: &Arc<Access>) -> Self {
        Self {
            base: base.to_owned(),
            objects,
            access: Arc::clone(access),
        }
    }

    async fn check(&self, location: &Path) -> Result<()> {
        let Self {
            base,
            objects,
            access,
        } = self;
        access.check(base, objects, location).await
    }
}

impl fmt::Display for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.objects.fmt(f)
    }
}

#[async_trait]
impl ObjectStore for Watched {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        self.check(location).await?;
        self.objects.put_opts(location, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.check(location).await?;
        self.objects.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.access.note(&self.base, &self.objects, location);
        let read = self.objects.get_opts(location, options).await;
        self.access.keep_failed(read)
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.access.note(&self.base, &self.objects, location);
        let read = self.objects.get_ranges(location, ranges).await;
        self.access.keep_failed(read)
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        let (base, access) = (self.base.clone(), Arc::clone(&self.access));
        let objects = Arc::clone(&self.objects);
        let checked = locations.and_then(move |location| {
            let (base, access) = (base.clone(), Arc::clone(&access));
            let objects = Arc::clone(&objects);
            async move {
                access.check(&base, &objects, &location).await?;
                Ok(location)
            }
        });
        self.objects.delete_stream(checked.boxed())
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.objects.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.objects.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.check(to).await?;
        self.objects.copy_opts(from, to, options).await
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn watched(base: &str, store: &Store, is_read_only: bool) -> Watched {
        let config = PathBuf::from("/nowhere/warehouse.toml");
        let access = Access::new(is_read_only, Some(store.clone()), config);
        Watched::new(base, Arc::clone(store.objects()), &Arc::new(access))
    }

    #[tokio::test]
    async fn nothing_below_a_warehouse_is_written_by_any_path() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        for place in ["w/releases", "elsewhere", "other"] {
            std::fs::create_dir_all(root.join(place)).unwrap();
        }
        for warehouse in ["w", "other"] {
            std::fs::write(root.join(warehouse).join(constants::PATH), "{}").unwrap();
        }
        std::os::unix::fs::symlink(root.join("w"), root.join("elsewhere/link")).unwrap();
        let store = Store::open(root.join("w").to_str().unwrap()).unwrap();
        let objects = watched(LOCAL, &store, false);
        let put = async |path: &str, objects: &Watched| {
            let location = Path::parse(root.join(path).to_str().unwrap()).unwrap();
            objects.put(&location, "x".into()).await.map(drop)
        };
        for path in [
            "w/releases/00000000000000000001.json",
            "w/new/a.parquet",
            "w/warehouse.json",
            "other/a.parquet",
            "elsewhere/link/releases/x.json",
        ] {
            assert!(put(path, &objects).await.is_err(), "{path}");
        }
        put("elsewhere/a.parquet", &objects).await.unwrap();
        let read_only = watched(LOCAL, &store, true);
        assert!(put("elsewhere/b.parquet", &read_only).await.is_err());
        assert!(!root.join("w/new").exists() && !root.join("elsewhere/b.parquet").exists());
    }

    #[tokio::test]
    async fn a_warehouse_in_an_object_store_is_found_by_its_constants() {
        let store = Store::open("memory://access/a/w").unwrap();
        store.put(constants::PATH, "{}").await.unwrap();
        let elsewhere = Store::open("memory://access/unknown").unwrap();
        let objects = watched("memory://access", &elsewhere, false);
        let put = async |path: &str| objects.put(&Path::from(path), "x".into()).await;
        assert!(put("a/w/releases/1.json").await.is_err());
        assert!(put("unknown/x").await.is_err());
        put("a/x.parquet").await.unwrap();
    }
}
