//! Which releases there are, and their manifests.

use bytes::Bytes;
use chrono::NaiveDate;
use futures::{StreamExt, TryStreamExt};
use tagmill_schemas::error::{Error, Result};
use tagmill_schemas::manifest::{ListObject, Manifest, Page, Past, Stored, Summary, list_path};
use tagmill_schemas::release::{self, ReleaseName};

use super::history::Lineage;
use super::lists::get_list;
use crate::store::Store;

/// Manifests read at once.
const AT_ONCE: usize = 8;

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

    /// The numbers that are missing between others: releases without a manifest.
    pub fn missing(&self) -> Vec<u64> {
        let pairs = self.0.windows(2);
        pairs.flat_map(|pair| pair[0] + 1..pair[1]).collect()
    }

    /// Whether there is a release of this number.
    pub fn contains(&self, number: u64) -> bool {
        self.0.binary_search(&number).is_ok()
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

/// The manifest of a release, with its tags; the lists of its files are read when they are needed.
///
/// # Errors
/// Setup when there is no such release or it needs a newer program; refused when it is damaged.
pub async fn load_release(store: &Store, number: u64) -> Result<Manifest> {
    let (json, place) = manifest_bytes(store, number).await?;
    let stored = Stored::parse(&json, &place)?;
    is_of(store, stored.release(), number, &place)?;
    let tags = match stored.tags_list() {
        None => Vec::new(),
        Some(list) => ListObject::tags(list, &get_list(store, list).await?)
            .map_err(|e| e.at(store.name_of(&list_path(list))))?,
    };
    Ok(stored.with_tags(tags))
}

/// The head of a release's manifest.
///
/// # Errors
/// As [`load_release`].
pub async fn load_summary(store: &Store, number: u64) -> Result<Summary> {
    let (json, place) = manifest_bytes(store, number).await?;
    let summary = Summary::parse(&json, &place)?;
    is_of(store, summary.release, number, &place)?;
    Ok(summary)
}

/// The heads of several manifests, in the order of `numbers`.
///
/// # Errors
/// As [`load_release`].
pub async fn load_summaries(store: &Store, numbers: &[u64]) -> Result<Vec<Summary>> {
    let loads: Vec<_> = numbers
        .iter()
        .map(|&number| {
            let store = store.clone();
            async move { load_summary(&store, number).await }
        })
        .collect();
    futures::stream::iter(loads)
        .buffered(AT_ONCE)
        .try_collect()
        .await
}

async fn manifest_bytes(store: &Store, number: u64) -> Result<(Bytes, String)> {
    let path = release::path(number);
    let place = store.name_of(&path);
    match store.try_get(&path).await? {
        Some(json) => Ok((json, place)),
        None => Err(Error::setup(store.stage(), format!("there is no release {number}")).at(place)),
    }
}

fn is_of(store: &Store, found: u64, expected: u64, place: &str) -> Result<()> {
    match found == expected {
        true => Ok(()),
        false => Err(Error::refused(
            store.stage(),
            format!("found the manifest of release {found}, expected {expected}"),
        )
        .at(place)),
    }
}

/// The numbers of the releases whose run was for `date` or later, ascending.
///
/// # Errors
/// As [`load_release`].
pub async fn releases_since(store: &Store, date: NaiveDate) -> Result<Vec<u64>> {
    let releases = list_releases(store).await?;
    let Some(number) = releases.newest() else {
        return Ok(Vec::new());
    };
    let newest = load_release(store, number).await?;
    let lineage = Lineage::new(store, &newest, &releases);
    let mut all = lineage.of_pages(|page| page.to >= date).await?;
    all.push(newest.past());
    all.retain(|past| past.date >= date);
    Ok(all.into_iter().map(|past| past.release).collect())
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

/// What to tell who asked for a night by its date, where only a release made for that date later is
/// there: it has the date's behaviour, and the tags and groups of a newer night.
pub fn newer_state(name: ReleaseName, manifest: &Manifest) -> Option<String> {
    let ReleaseName::At(date) = name else {
        return None;
    };
    let (release, head) = (manifest.release, manifest.head_date);
    (head != date).then(|| {
        format!(
            "release {release} was made for {date} when {head} was there: it has the events of \
             {date}, its tags and groups are as of {head}"
        )
    })
}

/// The night itself, if it is there: its tags and groups are of that date.
async fn release_of(store: &Store, date: NaiveDate) -> Result<Manifest> {
    let releases = list_releases(store).await?;
    let Some(number) = releases.newest() else {
        return Err(nothing_published(store));
    };
    let newest = load_release(store, number).await?;
    if (newest.date, newest.head_date) == (date, date) {
        return Ok(newest);
    }
    let lineage = Lineage::new(store, &newest, &releases);
    let is_around = |page: &Page| page.from <= date && date <= page.to;
    let is_night = |past: &Past| (past.date, past.head_date) == (date, date);
    if let Some(past) = lineage.find(is_around, is_night).await? {
        return load_release(store, past.release).await;
    }
    if newest.date == date {
        return Ok(newest);
    }
    if let Some(past) = lineage.find(is_around, |past| past.date == date).await? {
        return load_release(store, past.release).await;
    }
    let mut dates: Vec<NaiveDate> = lineage.all().await?.iter().map(|past| past.date).collect();
    dates.push(newest.date);
    Err(no_release_of(store, date, &dates))
}

fn no_release_of(store: &Store, date: NaiveDate, dates: &[NaiveDate]) -> Error {
    let before = dates.iter().filter(|found| **found < date).max();
    let after = dates.iter().filter(|found| **found > date).min();
    let nearest: Vec<String> = before
        .into_iter()
        .chain(after)
        .map(|date| date.to_string())
        .collect();
    Error::setup(
        store.stage(),
        format!(
            "there is no release for {date}, nearest: {}",
            nearest.join(" and ")
        ),
    )
    .at(store.name_of(release::FOLDER))
}

fn nothing_published(store: &Store) -> Error {
    Error::setup(store.stage(), "nothing has been published")
        .at(store.name_of(""))
        .fix("run tagmill run")
}
