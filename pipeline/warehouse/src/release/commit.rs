//! The commit: a manifest becomes a release by one create-if-absent, after everything it promises
//! has been looked at.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use tagmill_schemas::checksum::Checksum;
use tagmill_schemas::error::{Error, Reason, Result};
use tagmill_schemas::manifest::{DayList, FileEntry, Manifest};
use tagmill_schemas::{Artifact, release};

use super::lists::{load_list, load_lists, put_list};
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
/// The manifest's day lists are there already. Files and lists that the release before has are
/// trusted as they are; new ones are looked at. An answer that got lost is no conflict: the same bytes under the number are our release.
///
/// # Errors
/// Refused when a promise does not hold (a file is missing, has another size, a shard is missing,
/// the head moves back); setup and retry as the store says. Nothing is visible then.
pub async fn commit(store: &Store, manifest: &Manifest) -> Result<Outcome> {
    let store = &store.for_stage(STAGE);
    let encoded = manifest.encode()?;
    let json = Bytes::from(encoded.json);
    let newest = list_releases(store).await?.newest().unwrap_or(0);
    if newest >= manifest.release {
        return settle(store, manifest, &json, newest).await;
    }
    number_follows(manifest, newest)?;
    let previous = match newest {
        0 => None,
        number => Some(load_release(store, number).await?),
    };
    let known = match &previous {
        Some(previous) => {
            previous.check_is_continued()?;
            warehouse_is_the_same(manifest, previous)?;
            head_does_not_move_back(manifest, previous)?;
            Known::of(store, manifest, previous).await?
        }
        None => Known::default(),
    };
    let listed = load_lists(store, known.new_lists(manifest)).await?;
    manifest.check_files(&listed)?;
    known.files_do_not_change(manifest.files.iter().chain(&listed))?;
    let new = known.new_files(manifest.files.iter().chain(&listed));
    shards_are_covered(manifest, &new)?;
    new_files_are_there(store, &new).await?;
    // Before there is a name for them: a release never names files that a power cut can empty.
    let paths: Vec<&str> = new.iter().map(|file| file.path.as_str()).collect();
    store.make_durable(&paths).await?;
    put_list(store, &encoded.tags).await?;
    create(store, manifest, json).await
}

/// What the release before has: it was looked at when that was published.
#[derive(Default)]
struct Known {
    release: u64,
    lists: BTreeSet<Checksum>,
    /// By path; of listed files those whose list is another one now.
    files: BTreeMap<String, FileEntry>,
}

impl Known {
    async fn of(store: &Store, manifest: &Manifest, previous: &Manifest) -> Result<Self> {
        let lists: BTreeSet<Checksum> = previous.lists.iter().map(|list| list.list).collect();
        let is_replaced = |list: &&DayList| {
            let now = manifest
                .lists
                .iter()
                .find(|now| (now.kind, now.date) == (list.kind, list.date));
            now.is_some_and(|now| now.list != list.list)
        };
        let mut replaced = Vec::new();
        for list in previous.lists.iter().filter(is_replaced) {
            match load_list(store, list).await {
                Ok(files) => replaced.extend(files),
                // What was lost is what this run writes anew.
                Err(error) if error.reason() == Some(Reason::Damaged) => {
                    log::warn!("release {} replaces a list: {error}", manifest.release);
                }
                Err(error) => return Err(error),
            }
        }
        let files = previous.files.iter().cloned().chain(replaced);
        Ok(Self {
            release: previous.release,
            lists,
            files: files.map(|file| (file.path.clone(), file)).collect(),
        })
    }

    fn new_lists<'m>(&self, manifest: &'m Manifest) -> Vec<&'m DayList> {
        let lists = manifest.lists.iter();
        lists
            .filter(|list| !self.lists.contains(&list.list))
            .collect()
    }

    /// A path that is published keeps its content for ever.
    fn files_do_not_change<'f>(
        &self,
        mut files: impl Iterator<Item = &'f FileEntry>,
    ) -> Result<()> {
        let is_other = |file: &&FileEntry| {
            let known = self.files.get(&file.path);
            known.is_some_and(|known| known != *file)
        };
        match files.find(is_other) {
            None => Ok(()),
            Some(file) => Err(refuse(format!(
                "file {:?} is not as release {} has it",
                file.path, self.release
            ))),
        }
    }

    fn new_files<'f>(&self, files: impl Iterator<Item = &'f FileEntry>) -> Vec<FileEntry> {
        files
            .filter(|file| !self.files.contains_key(&file.path))
            .cloned()
            .collect()
    }
}

async fn create(store: &Store, manifest: &Manifest, json: Bytes) -> Result<Outcome> {
    let path = release::path(manifest.release);
    for _ in 0..TRIES {
        match store.create_durable(&path, json.clone()).await {
            Ok(Create::Created) => {
                return Ok(Outcome::Committed {
                    release: manifest.release,
                });
            }
            Ok(Create::Exists) => {}
            Err(error) => return is_visible(store, manifest, &json, error).await,
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

/// A create that failed after the release could be seen has published it.
async fn is_visible(
    store: &Store,
    manifest: &Manifest,
    json: &Bytes,
    error: Error,
) -> Result<Outcome> {
    match store.try_get(&release::path(manifest.release)).await {
        Ok(Some(there)) if there == *json => {
            log::warn!(
                "release {} is published, but a power cut may undo that: {error}",
                manifest.release
            );
            Ok(Outcome::Committed {
                release: manifest.release,
            })
        }
        _ => Err(error),
    }
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
/// The dictionary's older folders lose, shard by shard, what a later run merges.
fn shards_are_covered(manifest: &Manifest, new: &[FileEntry]) -> Result<()> {
    let mut folders = BTreeMap::<&str, BTreeSet<u32>>::new();
    let whole = manifest
        .files
        .iter()
        .filter(|file| !matches!(file.artifact, Artifact::Users | Artifact::UserIndex));
    for file in whole.chain(new) {
        let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
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
    let zones = manifest.time_zone.iter().zip(&previous.time_zone);
    let same = (manifest.shards, manifest.id_scope) == (previous.shards, previous.id_scope)
        && zones.into_iter().all(|(zone, before)| zone == before);
    match same {
        true => Ok(()),
        false => Err(refuse(format!(
            "found {} shards, id_scope {}, time_zone {}, expected those of release {}",
            manifest.shards,
            manifest.id_scope.name(),
            manifest.time_zone.as_deref().unwrap_or("unknown"),
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
