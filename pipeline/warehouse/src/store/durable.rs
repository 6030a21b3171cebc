//! Makes files outlast a power cut. An object store promises that with every write; a file system
//! only when it is asked to, and otherwise may keep a name and lose the bytes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{MutexGuard, PoisonError};

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use object_store::ObjectStoreExt;
use tagmill_schemas::error::Result;
use tokio::task::JoinHandle;
use xxhash_rust::xxh3::xxh3_64;

use super::{Create, Store};

/// Waits for so many disks' answers at once.
const AT_ONCE: usize = 8;

/// Files that are on their way to disk.
pub(super) type Begun = BTreeMap<PathBuf, JoinHandle<io::Result<()>>>;

impl Store {
    /// Returns when the bytes and the names of these objects are on disk. Nothing to do on object
    /// stores.
    ///
    /// # Errors
    /// See [`super::explain`].
    pub async fn make_durable(&self, paths: &[&str]) -> Result<()> {
        if !self.is_local() {
            return Ok(());
        }
        let files = paths
            .iter()
            .map(|path| Ok(((*path).to_owned(), self.file_of(path)?)))
            .collect::<Result<Vec<_>>>()?;
        let root = Path::new("/").join(self.root().as_ref());
        let folders: BTreeSet<PathBuf> = files
            .iter()
            .flat_map(|(_, file)| {
                file.ancestors()
                    .skip(1)
                    .take_while(|folder| folder.starts_with(&root))
            })
            .map(Path::to_owned)
            .collect();
        self.sync_all(files).await?;
        self.sync_all(
            folders
                .into_iter()
                .map(|folder| (String::new(), folder))
                .collect(),
        )
        .await
    }

    /// Asks for the bytes of a new object to be written while other work goes on, so that
    /// [`Store::make_durable`] waits less: it waits for this, because a system tells a failure once,
    /// to whoever asks first.
    pub fn begin_sync(&self, path: &str) {
        if let (true, Ok(file)) = (self.is_local(), self.file_of(path)) {
            let of_task = file.clone();
            let task = tokio::task::spawn_blocking(move || sync(&of_task));
            self.begun().insert(file, task);
        }
    }

    fn begun(&self) -> MutexGuard<'_, Begun> {
        self.begun.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// [`Store::create`] of an object that is whole or not there after a power cut.
    ///
    /// # Errors
    /// As [`Store::create`].
    pub async fn create_durable(&self, path: &str, bytes: Bytes) -> Result<Create> {
        if !self.is_local() {
            return self.create(path, bytes).await;
        }
        let staged = staged_name(path, &bytes);
        let created = self.link_durable(&staged, path, bytes).await;
        // The object is there or is not: a staged name that stays behind changes nothing, and
        // listings leave it out.
        drop(self.delete(&staged).await);
        created
    }

    async fn link_durable(&self, staged: &str, path: &str, bytes: Bytes) -> Result<Create> {
        self.put(staged, bytes).await?;
        self.make_durable(&[staged]).await?;
        // A hard link: as atomic as the create of the same store, and the bytes are on disk
        // already.
        match self
            .objects()
            .copy_if_not_exists(&self.location(staged)?, &self.location(path)?)
            .await
        {
            Ok(()) => self.make_durable(&[path]).await.map(|()| Create::Created),
            Err(object_store::Error::AlreadyExists { .. }) => Ok(Create::Exists),
            Err(e) => Err(self.explain(path, "can not create", e)),
        }
    }

    fn file_of(&self, path: &str) -> Result<PathBuf> {
        Ok(Path::new("/").join(self.location(path)?.as_ref()))
    }

    async fn sync_all(&self, files: Vec<(String, PathBuf)>) -> Result<()> {
        let synced = files.into_iter().map(|(path, file)| {
            let store = self.clone();
            async move {
                let begun = store.begun().remove(&file);
                let done = begun
                    .unwrap_or_else(|| tokio::task::spawn_blocking(move || sync(&file)))
                    .await
                    .map_err(io::Error::other)
                    .and_then(|done| done);
                done.map_err(|e| {
                    store.explain(
                        &path,
                        "can not be brought to disk",
                        object_store::Error::Generic {
                            store: "local",
                            source: Box::new(e),
                        },
                    )
                })
            }
        });
        futures::stream::iter(synced)
            .buffer_unordered(AT_ONCE)
            .try_collect::<Vec<()>>()
            .await
            .map(drop)
    }
}

/// A name next to `path` that no other process and no other call uses; listings leave it out.
fn staged_name(path: &str, bytes: &[u8]) -> String {
    static CALLS: AtomicU64 = AtomicU64::new(0);
    let (folder, name) = path
        .rsplit_once('/')
        .map_or((String::new(), path), |(folder, name)| {
            (format!("{folder}/"), name)
        });
    format!(
        "{folder}.{name}.{:016x}-{}-{}",
        xxh3_64(bytes),
        std::process::id(),
        CALLS.fetch_add(1, Ordering::Relaxed)
    )
}

/// Some file systems have no such request for folders.
fn sync(path: &Path) -> io::Result<()> {
    match File::open(path)?.sync_all() {
        Err(e)
            if path.is_dir()
                && matches!(
                    e.kind(),
                    io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported
                ) =>
        {
            Ok(())
        }
        done => done,
    }
}
