//! Which releases there are, and their manifests.

use chrono::NaiveDate;
use futures::TryStreamExt;
use tagmill_schemas::error::{Error, Result};
use tagmill_schemas::manifest::Manifest;
use tagmill_schemas::release::{self, ReleaseName};

use crate::store::Store;

/// The numbers of the releases there are, ascending; others may be added at any time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Releases(Vec<u64>);

impl Releases {
    /// Ascending.
    pub fn numbers(&self) -> &[u64] {
        &self.0
    }

    /// The highest number, the current release; `None` before the first.
    pub fn newest(&self) -> Option<u64> {
        self.0.last().copied()
    }
}

/// The releases there are. Files of other names in their folder are ignored.
///
/// # Errors
/// An error of the store.
pub async fn list_releases(store: &Store) -> Result<Releases> {
    let found: Vec<_> = store.walk(release::FOLDER).try_collect().await?;
    let mut numbers: Vec<u64> = found
        .iter()
        .filter_map(|file| release::number_of(&file.path))
        .collect();
    numbers.sort_unstable();
    Ok(Releases(numbers))
}

/// The manifest of a release.
///
/// # Errors
/// Setup when there is no such release or this program does not know its format; refused when it is
/// damaged.
pub async fn load_release(store: &Store, number: u64) -> Result<Manifest> {
    let path = release::path(number);
    let json = store.try_get(&path).await?;
    let json = json.ok_or_else(|| {
        Error::setup(store.stage(), format!("there is no release {number}"))
            .at(store.name_of(&path))
    })?;
    let manifest = Manifest::from_json(&json, &store.name_of(&path))?;
    match manifest.release == number {
        true => Ok(manifest),
        false => Err(Error::refused(
            store.stage(),
            format!(
                "found the manifest of release {}, expected {number}",
                manifest.release
            ),
        )
        .at(store.name_of(&path))),
    }
}

/// The current release; `None` before the first.
///
/// # Errors
/// As [`load_release`].
pub async fn newest_release(store: &Store) -> Result<Option<Manifest>> {
    match list_releases(store).await?.newest() {
        Some(number) => load_release(store, number).await.map(Some),
        None => Ok(None),
    }
}

/// The release a person means.
///
/// # Errors
/// Setup when there is none of that name; for a date, the message names the dates there are around
/// it.
pub async fn resolve_release(store: &Store, name: ReleaseName) -> Result<Manifest> {
    match name {
        ReleaseName::Number(number) => load_release(store, number).await,
        ReleaseName::Current => newest_release(store)
            .await?
            .ok_or_else(|| nothing_published(store)),
        ReleaseName::At(date) => release_of(store, date).await,
    }
}

async fn release_of(store: &Store, date: NaiveDate) -> Result<Manifest> {
    let releases = list_releases(store).await?;
    let (mut before, mut after) = (None::<NaiveDate>, None::<NaiveDate>);
    for number in releases.numbers().iter().rev() {
        let manifest = load_release(store, *number).await?;
        match manifest.date {
            found if found == date => return Ok(manifest),
            found if found < date => before = before.max(Some(found)),
            found => after = Some(after.map_or(found, |after| after.min(found))),
        }
    }
    let nearest: Vec<String> = [before, after]
        .into_iter()
        .flatten()
        .map(|date| date.to_string())
        .collect();
    match nearest.is_empty() {
        true => Err(nothing_published(store)),
        false => Err(Error::setup(
            store.stage(),
            format!(
                "there is no release for {date}, nearest: {}",
                nearest.join(" and ")
            ),
        )
        .at(store.name_of(release::FOLDER))),
    }
}

fn nothing_published(store: &Store) -> Error {
    Error::setup(store.stage(), "nothing has been published")
        .at(store.name_of(""))
        .fix("run tagmill run")
}
