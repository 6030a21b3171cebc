//! A place for bytes: a directory, memory, S3, GCS or HTTP, addressed by paths relative to one
//! root.
//!
//! Reads and writes whole objects and ranges; knows nothing of Parquet or manifests. Every error
//! says whether a retry can help.
//!
//! ```text
//! url ──► open ──► Store = object store + root          path "tags/date=…/00003.parquet" ──► location
//!                    │
//!                    ├─ list / head / get / get_range   (pattern.rs: `*` and `**`)
//!                    ├─ put / create                    (create: only if nothing is there)
//!                    ├─ make_durable / create_durable   (on disk, not only in the system's memory)
//!                    └─ explained                       (for DataFusion: errors that name the file)
//! ```

mod durable;
mod explained;
mod fault;
mod list_files;
mod local;
mod open;
mod partition;
mod pattern;
mod table_format;
pub mod testing;

use std::ops::Range;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload};
use tagmill_schemas::error::{Error, Result};

pub use explained::Promise;
pub use fault::{cause_of, damaged, explain};
pub use list_files::ListFiles;
pub use open::{check_url, open_pattern, split_pattern};
pub use partition::{Partition, partitions_of};
pub use table_format::refuse_table_format;

/// What became of a [`Store::create`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Create {
    /// The object is ours.
    Created,
    /// Something was there before; it is unchanged.
    Exists,
}

/// An object that a listing or a look found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The path relative to the store's root.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// The store's tag of the content; local file systems make it from inode, time and size.
    pub etag: Option<String>,
    /// When it was last written.
    pub modified: DateTime<Utc>,
}

/// An object store and a root inside it; cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    objects: Arc<dyn ObjectStore>,
    base: String,
    root: Path,
    stage: &'static str,
    /// Shared by clones: who waits for a file need not be who wrote it.
    begun: Arc<Mutex<durable::Begun>>,
    /// Shared by clones: what a reader of [`Store::explained`] was told last.
    failed: Arc<Mutex<Option<Error>>>,
}

impl Store {
    /// Opens a directory (relative or absolute, existing or not), `file://`, `memory://`, `s3://`,
    /// `gs://` or `http(s)://` (read only). Credentials come from the environment (`AWS_*`,
    /// `GOOGLE_*`); nothing is contacted.
    ///
    /// # Errors
    /// Setup for an unknown scheme, a malformed url or credentials that can not be used.
    pub fn open(url: &str) -> Result<Self> {
        open::open(url)
    }

    /// A store made by hand: `base` is scheme and authority (`s3://bucket`, `file://`), `root` the
    /// path under it.
    pub fn new(objects: Arc<dyn ObjectStore>, base: impl Into<String>, root: Path) -> Self {
        Self {
            objects,
            base: base.into(),
            root,
            stage: "store",
            begun: Arc::default(),
            failed: Arc::default(),
        }
    }

    /// The same store with another object store between: counting, faults.
    pub fn wrapped(&self, wrap: impl FnOnce(Arc<dyn ObjectStore>) -> Arc<dyn ObjectStore>) -> Self {
        Self {
            objects: wrap(Arc::clone(&self.objects)),
            ..self.clone()
        }
    }

    /// The same store whose errors name this stage.
    pub fn for_stage(&self, stage: &'static str) -> Self {
        Self {
            stage,
            ..self.clone()
        }
    }

    /// The stage that errors name.
    pub fn stage(&self) -> &'static str {
        self.stage
    }

    /// The object store, for DataFusion: register it under [`Store::base`] and use
    /// [`Store::location`] for paths.
    pub fn objects(&self) -> &Arc<dyn ObjectStore> {
        &self.objects
    }

    /// Scheme and authority, without a path: `file://`, `s3://bucket`.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The path of the root under [`Store::base`].
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Whether the objects are files of this machine.
    pub fn is_local(&self) -> bool {
        self.base == "file://"
    }

    /// How a person names an object: an absolute path for local files, a url for the rest. `""` is
    /// the root.
    pub fn name_of(&self, path: &str) -> String {
        let prefix = if self.is_local() {
            ""
        } else {
            self.base.as_str()
        };
        let slash = if path.is_empty() || self.root.as_ref().is_empty() {
            ""
        } else {
            "/"
        };
        format!("{prefix}/{}{slash}{path}", self.root)
    }

    /// The full location of a relative path.
    ///
    /// # Errors
    /// Setup for a path that is empty, absolute, leaves the root (`..`) or holds control
    /// characters.
    pub fn location(&self, path: &str) -> Result<Path> {
        let refuse = |why: String| {
            Error::setup(
                self.stage,
                format!("found path {path:?}, expected one below the root: {why}"),
            )
            .at(self.name_of(""))
        };
        if path.is_empty() || path.starts_with('/') || path.ends_with('/') {
            return Err(refuse(
                "a path neither starts nor ends with a slash".to_owned(),
            ));
        }
        if is_unfinished(path.rsplit('/').next().unwrap_or(path)) {
            return Err(refuse("a name does not end with # and digits".to_owned()));
        }
        let relative = Path::parse(path).map_err(|e| refuse(e.to_string()))?;
        Ok(join(&self.root, &relative))
    }

    /// The objects that match a pattern, sorted by path; `*` stands for any part of one name, a
    /// segment `**` for any folders.
    ///
    /// Wildcards do not match names that start with `_` or `.` (markers, unfinished files), as in
    /// Spark and Hive. A pattern without wildcard is a look at that one object. Nothing there: an
    /// empty list.
    ///
    /// # Errors
    /// See [`explain`].
    pub async fn list(&self, pattern: &str) -> Result<Vec<Found>> {
        pattern::list(self, pattern).await
    }

    /// Every object under a folder, in the store's order, without the rules of [`Store::list`].
    /// Names that no path can hold, and those of unfinished uploads, are left out: nobody asked for
    /// them by name.
    pub fn walk(&self, folder: &str) -> BoxStream<'static, Result<Found>> {
        let location = match folder {
            "" => Ok(self.root.clone()),
            _ => self.location(folder),
        };
        let store = self.clone();
        let folder = folder.to_owned();
        match location {
            Err(e) => futures::stream::once(async { Err(e) }).boxed(),
            Ok(_) if self.is_local() => futures::stream::once(async move {
                let folder = Path::parse(&folder).unwrap_or_default();
                let found = local::walk(&store, &folder, &is_path_part).await?;
                Ok::<_, Error>(futures::stream::iter(found.into_iter().map(Ok)))
            })
            .try_flatten()
            .boxed(),
            Ok(location) => self
                .objects
                .list(Some(&location))
                .map_err(move |e| explain(store.stage, &store.name_of(&folder), "can not list", e))
                .map({
                    let store = self.clone();
                    move |meta| meta.map(|meta| store.found(meta))
                })
                .boxed(),
        }
    }

    /// Size, tag and time of an object; `None` when there is none.
    ///
    /// # Errors
    /// See [`explain`].
    pub async fn head(&self, path: &str) -> Result<Option<Found>> {
        let location = self.location(path)?;
        match self.objects.head(&location).await {
            Ok(meta) => Ok(Some(self.found(meta))),
            Err(e) if is_absent(&e) && self.is_local() => {
                local::check_absent(self, path).map(|()| None)
            }
            Err(e) if is_absent(&e) => Ok(None),
            Err(e) => Err(self.explain(path, "can not look at", e)),
        }
    }

    /// The bytes of an object.
    ///
    /// # Errors
    /// Retry when it is not there: it was listed or is named in a release, so it vanished; else see
    /// [`explain`].
    pub async fn get(&self, path: &str) -> Result<Bytes> {
        match self.try_get(path).await? {
            Some(bytes) => Ok(bytes),
            None => Err(Error::retry(self.stage, "not found")
                .at(self.name_of(path))
                .fix("it was removed or moved: run again once it is back")),
        }
    }

    /// The bytes of an object; `None` when there is none.
    ///
    /// # Errors
    /// See [`explain`].
    pub async fn try_get(&self, path: &str) -> Result<Option<Bytes>> {
        let location = self.location(path)?;
        let read = async { self.objects.get(&location).await?.bytes().await };
        match read.await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(e) if is_absent(&e) => Ok(None),
            Err(e) => Err(self.explain(path, "can not read", e)),
        }
    }

    /// The bytes `range` of an object.
    ///
    /// # Errors
    /// As [`Store::get`]; a range beyond the end is an error of the store.
    pub async fn get_range(&self, path: &str, range: Range<u64>) -> Result<Bytes> {
        let location = self.location(path)?;
        self.objects
            .get_range(&location, range)
            .await
            .map_err(|e| self.explain(path, "can not read", e))
    }

    /// Writes an object, replacing what was there; never visible in part.
    ///
    /// # Errors
    /// See [`explain`].
    pub async fn put(&self, path: &str, bytes: impl Into<Bytes>) -> Result<()> {
        let location = self.location(path)?;
        let payload = PutPayload::from_bytes(bytes.into());
        self.objects
            .put(&location, payload)
            .await
            .map(|_| ())
            .map_err(|e| self.explain(path, "can not write", e))
    }

    /// Writes an object only if nothing is there, in one atomic step.
    ///
    /// # Errors
    /// Setup when the store has no such operation; else see [`explain`].
    pub async fn create(&self, path: &str, bytes: impl Into<Bytes>) -> Result<Create> {
        let location = self.location(path)?;
        let payload = PutPayload::from_bytes(bytes.into());
        match self
            .objects
            .put_opts(&location, payload, PutOptions::from(PutMode::Create))
            .await
        {
            Ok(_) => Ok(Create::Created),
            Err(
                object_store::Error::AlreadyExists { .. }
                | object_store::Error::Precondition { .. },
            ) => Ok(Create::Exists),
            Err(e) => Err(self.explain(path, "can not create", e)),
        }
    }

    /// Removes an object; nothing there is fine.
    ///
    /// # Errors
    /// See [`explain`].
    pub async fn delete(&self, path: &str) -> Result<()> {
        let location = self.location(path)?;
        match self.objects.delete(&location).await {
            Err(e) if !is_absent(&e) => Err(self.explain(path, "can not delete", e)),
            _ => Ok(()),
        }
    }

    /// An error of the object store as ours, with stage and place.
    pub fn explain(&self, path: &str, what: &str, error: object_store::Error) -> Error {
        explain(self.stage, &self.name_of(path), what, error)
    }

    fn found(&self, meta: ObjectMeta) -> Found {
        Found {
            path: self.relative(&meta.location),
            size: meta.size,
            etag: meta.e_tag,
            modified: meta.last_modified,
        }
    }

    fn relative(&self, location: &Path) -> String {
        let full = location.as_ref();
        full.strip_prefix(self.root.as_ref())
            .unwrap_or(full)
            .trim_start_matches('/')
            .to_owned()
    }
}

/// A folder in the place of a name (`a/b` where `a` is a file) is as absent as nothing.
fn is_absent(error: &object_store::Error) -> bool {
    matches!(error, object_store::Error::NotFound { .. })
        || fault::io_kind(error) == Some(std::io::ErrorKind::NotADirectory)
}

/// Whether the local store keeps such a name for an unfinished upload.
fn is_unfinished(name: &str) -> bool {
    name.split_once('#')
        .is_some_and(|(_, tail)| !tail.is_empty() && tail.bytes().all(|b| b.is_ascii_digit()))
}

/// Whether a file of the warehouse can have this name.
fn is_path_part(name: &str) -> bool {
    !name.contains(char::REPLACEMENT_CHARACTER) && Path::parse(name).is_ok() && !is_unfinished(name)
}

fn join(root: &Path, relative: &Path) -> Path {
    root.parts().chain(relative.parts()).collect()
}
