//! The commit: a manifest becomes a release by one create-if-absent, after everything it promises
//! has been looked at.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use tagmill_schemas::error::{Error, Reason, Result};
use tagmill_schemas::manifest::{FileEntry, Manifest};
use tagmill_schemas::release;

use super::releases::{list_releases, load_release};
use crate::store::{Create, Store};

const STAGE: &str = "publish";

/// Looks at this many files at once.
const LOOKS: usize = 32;
/// A create that is refused although nothing is there (a race inside the store) is tried again this
/// often.
const TRIES: usize = 3;

/// What became of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The manifest is the release of its number.
    Committed {
        /// Its number.
        release: u64,
    },
    /// Another run published first: nothing of ours is visible.
    Conflict {
        /// The newest release there is.
        newest: u64,
    },
}

impl Outcome {
    /// The number of the release, a conflict being an error.
    ///
    /// # Errors
    /// Retry for a conflict: the run has to start again from the newer release.
    pub fn committed(self) -> Result<u64> {
        match self {
            Self::Committed { release } => Ok(release),
            Self::Conflict { newest } => Err(Error::retry(
                STAGE,
                format!(
                    "another run published \
                release {newest} meanwhile, nothing of this run is visible"
                ),
            )
            .for_reason(Reason::Conflict)
            .fix("run again: it will build on the newer release")),
        }
    }
}

/// Publishes: checks the manifest's promises against the store, then creates `releases/<20
/// digits>.json`.
///
/// Files that the release before already has are trusted as they are; new ones are looked at. An
/// answer that got lost is no conflict: the same bytes under the number are our release.
///
/// # Errors
/// Refused when a promise does not hold (a file is missing, has another size, a shard is missing,
/// the head moves back); setup and retry as the store says. Nothing is visible then.
pub async fn commit(store: &Store, manifest: &Manifest) -> Result<Outcome> {
    let store = &store.for_stage(STAGE);
    let json = Bytes::from(manifest.to_json()?);
    let newest = list_releases(store).await?.newest().unwrap_or(0);
    if newest >= manifest.release {
        return settle(store, manifest, &json, newest).await;
    }
    number_follows(manifest, newest)?;
    shards_are_covered(manifest)?;
    let previous = match newest {
        0 => None,
        number => Some(load_release(store, number).await?),
    };
    if let Some(previous) = &previous {
        warehouse_is_the_same(manifest, previous)?;
        head_does_not_move_back(manifest, previous)?;
        published_files_do_not_change(manifest, previous)?;
    }
    let new = new_files(manifest, previous.as_ref());
    new_files_are_there(store, &new).await?;
    // Before there is a name for them: a release never names files that a power cut can empty.
    let paths: Vec<&str> = new.iter().map(|file| file.path.as_str()).collect();
    store.make_durable(&paths).await?;
    create(store, manifest, json).await
}

async fn create(store: &Store, manifest: &Manifest, json: Bytes) -> Result<Outcome> {
    let path = release::path(manifest.release);
    for _ in 0..TRIES {
        if store.create_durable(&path, json.clone()).await? == Create::Created {
            return Ok(Outcome::Committed {
                release: manifest.release,
            });
        }
        if store.head(&path).await?.is_some() {
            return settle(store, manifest, &json, manifest.release).await;
        }
    }
    Err(Error::retry(
        STAGE,
        "the store refuses to create the release although there is none",
    )
    .at(store.name_of(&path)))
}

/// The number is taken: by us, if the bytes are ours.
async fn settle(store: &Store, manifest: &Manifest, json: &Bytes, newest: u64) -> Result<Outcome> {
    match store.try_get(&release::path(manifest.release)).await? {
        Some(there) if there == *json => Ok(Outcome::Committed {
            release: manifest.release,
        }),
        _ => Ok(Outcome::Conflict {
            newest: list_releases(store).await?.newest().unwrap_or(newest),
        }),
    }
}

/// Says that a date is done: `success/date=…/_SUCCESS` names the release. Again is harmless.
///
/// # Errors
/// An error of the store; the release is published nevertheless.
pub async fn mark_success(store: &Store, manifest: &Manifest) -> Result<()> {
    let text = format!("{{\"release\":{}}}\n", manifest.release);
    store
        .for_stage(STAGE)
        .put(&release::success_path(manifest.date), text.into_bytes())
        .await
}

fn refuse(what: impl Into<String>) -> Error {
    Error::refused(STAGE, what)
}

/// Numbers have no gaps at the end: ours is the next.
fn number_follows(manifest: &Manifest, newest: u64) -> Result<()> {
    match manifest.release == newest + 1 {
        true => Ok(()),
        false => Err(refuse(format!(
            "found release {}, expected {}, the one after the newest",
            manifest.release,
            newest + 1
        ))),
    }
}

/// A folder with one shard's file has every shard's: a shard without rows has a file without rows.
fn shards_are_covered(manifest: &Manifest) -> Result<()> {
    let mut folders = BTreeMap::<&str, BTreeSet<u32>>::new();
    for file in &manifest.files {
        let (folder, name) = file.path.rsplit_once('/').unwrap_or(("", &file.path));
        let expected = file.shard.map_or("all.parquet".to_owned(), |shard| {
            format!("{shard:05}.parquet")
        });
        if name != expected {
            return Err(refuse(format!(
                "found file {:?}, expected the name {expected:?}",
                file.path
            )));
        }
        if let Some(shard) = file.shard {
            folders.entry(folder).or_default().insert(shard);
        }
    }
    for (folder, shards) in folders {
        if let Some(missing) = (0..manifest.shards).find(|shard| !shards.contains(shard)) {
            return Err(refuse(format!(
                "found {} of {} shards, shard {missing} is missing",
                shards.len(),
                manifest.shards
            ))
            .at(folder));
        }
    }
    Ok(())
}

fn warehouse_is_the_same(manifest: &Manifest, previous: &Manifest) -> Result<()> {
    match (manifest.shards, manifest.id_scope) == (previous.shards, previous.id_scope) {
        true => Ok(()),
        false => Err(refuse(format!(
            "found {} shards and id_scope {}, expected those of release {}",
            manifest.shards,
            manifest.id_scope.name(),
            previous.release
        ))),
    }
}

/// A late date leaves the head where it is; only a rollback, which says why, may name an older one.
fn head_does_not_move_back(manifest: &Manifest, previous: &Manifest) -> Result<()> {
    match manifest.head_date >= previous.head_date || manifest.reason.is_some() {
        true => Ok(()),
        false => Err(refuse(format!(
            "found head date {}, expected {} or later",
            manifest.head_date, previous.head_date
        ))),
    }
}

/// A path that is published keeps its content for ever.
fn published_files_do_not_change(manifest: &Manifest, previous: &Manifest) -> Result<()> {
    let known: BTreeMap<&str, &FileEntry> = previous
        .files
        .iter()
        .map(|file| (file.path.as_str(), file))
        .collect();
    match manifest.files.iter().find(|file| {
        known
            .get(file.path.as_str())
            .is_some_and(|known| known != file)
    }) {
        None => Ok(()),
        Some(file) => Err(refuse(format!(
            "file {:?} is not as release {} has it",
            file.path, previous.release
        ))),
    }
}

/// The files that the previous release does not have.
fn new_files(manifest: &Manifest, previous: Option<&Manifest>) -> Vec<FileEntry> {
    let known: BTreeSet<&str> = previous
        .into_iter()
        .flat_map(|previous| &previous.files)
        .map(|file| file.path.as_str())
        .collect();
    manifest
        .files
        .iter()
        .filter(|file| !known.contains(file.path.as_str()))
        .cloned()
        .collect()
}

/// Every new file is there with its size.
async fn new_files_are_there(store: &Store, new: &[FileEntry]) -> Result<()> {
    // Owned all through: a future that borrows in a stream's closure can not be spawned.
    let looks: Vec<_> = new
        .iter()
        .cloned()
        .map(|file| is_there(store.clone(), file))
        .collect();
    futures::stream::iter(looks)
        .buffer_unordered(LOOKS)
        .try_collect::<Vec<()>>()
        .await
        .map(drop)
}

async fn is_there(store: Store, file: FileEntry) -> Result<()> {
    let found = store.head(&file.path).await?.map(|found| found.size);
    match found {
        Some(size) if size == file.bytes => Ok(()),
        Some(size) => Err(
            refuse(format!("found {size} bytes, expected {}", file.bytes))
                .at(store.name_of(&file.path)),
        ),
        None => Err(refuse("a file of the release is missing").at(store.name_of(&file.path))),
    }
}
