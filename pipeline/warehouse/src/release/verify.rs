//! Is everything a release promises still there, byte for byte?

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use object_store::ObjectStoreExt;
use tagmill_schemas::checksum::Checksum;
use tagmill_schemas::error::Result;
use tagmill_schemas::manifest::{FileEntry, Manifest, list_path};
use xxhash_rust::xxh3::Xxh3;

use crate::store::Store;

const FILES_AT_ONCE: usize = 8;

/// How closely [`verify`] looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Presence and size: one small request a file.
    Sizes,
    /// Every byte is read and hashed.
    Checksums,
}

/// What is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Relative to the warehouse.
    pub path: String,
    /// What was found and expected.
    pub what: String,
}

/// What [`verify`] saw.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verified {
    /// Files looked at.
    pub files: u64,
    /// Their bytes according to the manifest.
    pub bytes: u64,
    /// By path; empty when all is well.
    pub problems: Vec<Problem>,
}

/// Looks at every file of a release, and at the lists that name them. Damage is reported, not an
/// error.
///
/// # Errors
/// Only when the store can not be asked.
pub async fn verify(store: &Store, manifest: &Manifest, depth: Depth) -> Result<Verified> {
    let store = store.for_stage("verify");
    let mut problems = Vec::new();
    let mut files = manifest.files.clone();
    for list in &manifest.lists {
        match look_at_list(&store, list.list).await? {
            Ok(bytes) => match list.read(&bytes) {
                Ok(listed) => files.extend(listed),
                Err(error) => problems.push(of_list(list.list, error.what().to_owned())),
            },
            Err(problem) => problems.push(problem),
        }
    }
    for page in &manifest.history.older {
        problems.extend(look_at_list(&store, page.list).await?.err());
    }
    let bytes = files.iter().map(|file| file.bytes).sum();
    let count = files.len() as u64;
    let looks = files
        .into_iter()
        .map(|file| look(store.clone(), file, depth));
    let found: Vec<Option<Problem>> = futures::stream::iter(looks)
        .buffered(FILES_AT_ONCE)
        .try_collect()
        .await?;
    problems.extend(found.into_iter().flatten());
    problems.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(Verified {
        files: count,
        bytes,
        problems,
    })
}

fn of_list(list: Checksum, what: String) -> Problem {
    Problem {
        path: list_path(list),
        what,
    }
}

/// The bytes of a list that is whole, or what is wrong with it.
async fn look_at_list(store: &Store, list: Checksum) -> Result<Result<Bytes, Problem>> {
    Ok(match store.try_get(&list_path(list)).await? {
        None => Err(of_list(list, "not found".to_owned())),
        Some(bytes) => match Checksum::of(&bytes) {
            found if found == list => Ok(bytes),
            found => Err(of_list(
                list,
                format!("found checksum {found}, expected {list}"),
            )),
        },
    })
}

async fn look(store: Store, file: FileEntry, depth: Depth) -> Result<Option<Problem>> {
    let problem = |what: String| {
        Some(Problem {
            path: file.path.clone(),
            what,
        })
    };
    let Some(found) = store.head(&file.path).await? else {
        return Ok(problem("not found".to_owned()));
    };
    if found.size != file.bytes {
        return Ok(problem(format!(
            "found {} bytes, expected {}",
            found.size, file.bytes
        )));
    }
    if depth == Depth::Sizes {
        return Ok(None);
    }
    let checksum = checksum_of(&store, &file.path).await?;
    Ok((checksum.to_string() != file.checksum)
        .then(|| {
            problem(format!(
                "found checksum {checksum}, expected {}",
                file.checksum
            ))
        })
        .flatten())
}

async fn checksum_of(store: &Store, path: &str) -> Result<Checksum> {
    let location = store.location(path)?;
    let read = async {
        let mut hash = Box::new(Xxh3::new());
        let mut parts = store.objects().get(&location).await?.into_stream();
        while let Some(part) = parts.try_next().await? {
            hash.update(&part);
        }
        Ok(Checksum(hash.digest128()))
    };
    read.await
        .map_err(|e| store.explain(path, "can not read", e))
}
