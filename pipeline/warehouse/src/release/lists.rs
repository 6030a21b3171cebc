//! Lists: immutable objects named by their content (see [`tagmill_schemas::manifest`]), written
//! before the manifest that refers to them and read when somebody asks for what they hold.

use bytes::Bytes;
use chrono::NaiveDate;
use futures::{StreamExt, TryStreamExt};
use tagmill_schemas::Artifact;
use tagmill_schemas::checksum::Checksum;
use tagmill_schemas::error::{Error, Reason, Result};
use tagmill_schemas::manifest::{DayList, FileEntry, ListObject, Manifest, list_path};

use crate::store::{Create, Store};

/// Lists read at once.
const AT_ONCE: usize = 16;

/// Writes a list, unless it is there. It outlasts a power cut when this returns.
///
/// # Errors
/// Refused when something else is there under its name; else an error of the store.
pub async fn put_list(store: &Store, list: &ListObject) -> Result<()> {
    let path = list.path();
    let is_there = |there: Option<Bytes>| match there {
        Some(there) if there == list.bytes => Ok(true),
        Some(_) => Err(Error::refused(
            store.stage(),
            "the list is damaged: its content is not what its name says",
        )
        .at(store.name_of(&path))
        .fix("restore the file from a copy, or remove it and run again")),
        None => Ok(false),
    };
    if is_there(store.try_get(&path).await?)?
        || store
            .create_durable(&path, Bytes::from(list.bytes.clone()))
            .await?
            == Create::Created
        || is_there(store.try_get(&path).await?)?
    {
        return Ok(());
    }
    Err(Error::retry(store.stage(), "the store refuses to create a list").at(store.name_of(&path)))
}

/// [`put_list`] of several lists.
///
/// # Errors
/// As [`put_list`].
pub async fn put_lists(store: &Store, lists: Vec<ListObject>) -> Result<()> {
    let puts = lists.into_iter().map(|list| {
        let store = store.clone();
        async move { put_list(&store, &list).await }
    });
    futures::stream::iter(puts)
        .buffer_unordered(AT_ONCE)
        .try_collect::<Vec<()>>()
        .await
        .map(drop)
}

/// The bytes of a list, not looked at yet.
pub(super) async fn get_list(store: &Store, checksum: Checksum) -> Result<Bytes> {
    let path = list_path(checksum);
    store.try_get(&path).await?.ok_or_else(|| {
        Error::setup(store.stage(), "a list of the release is missing")
            .for_reason(Reason::Damaged)
            .at(store.name_of(&path))
            .fix("restore the file from a copy")
    })
}

/// The files of a date's list.
///
/// # Errors
/// Setup when the list is missing, refused when it is damaged, else an error of the store.
pub async fn load_list(store: &Store, list: &DayList) -> Result<Vec<FileEntry>> {
    let of_date = |error: Error| match error.reason() {
        Some(Reason::Damaged) => error.fix(format!(
            "restore the file from a copy, or run its night again: tagmill run --date {}",
            list.date
        )),
        _ => error,
    };
    let bytes = get_list(store, list.list).await.map_err(of_date)?;
    list.read(&bytes)
        .map_err(|e| of_date(e.at(store.name_of(&list_path(list.list)))))
}

/// The files of several lists, one list after the other.
///
/// # Errors
/// As [`load_list`].
pub async fn load_lists<'l>(
    store: &Store,
    lists: impl IntoIterator<Item = &'l DayList>,
) -> Result<Vec<FileEntry>> {
    Ok(load_each_list(store, lists).await?.concat())
}

/// The files of each of several lists.
///
/// # Errors
/// As [`load_list`].
pub async fn load_each_list<'l>(
    store: &Store,
    lists: impl IntoIterator<Item = &'l DayList>,
) -> Result<Vec<Vec<FileEntry>>> {
    // Owned all through: a future that borrows in a stream's closure can not be spawned.
    let loads: Vec<_> = lists
        .into_iter()
        .cloned()
        .map(|list| {
            let store = store.clone();
            async move { load_list(&store, &list).await }
        })
        .collect();
    futures::stream::iter(loads)
        .buffered(AT_ONCE)
        .try_collect()
        .await
}

/// The files of a release whose artifact and date are wanted, those of lists included; in the order
/// of [`FileEntry::sort`]. Only lists that can have one are read.
///
/// # Errors
/// As [`load_list`].
pub async fn files_where(
    store: &Store,
    manifest: &Manifest,
    is_wanted: impl Fn(Artifact, NaiveDate) -> bool,
) -> Result<Vec<FileEntry>> {
    let lists: Vec<&DayList> = manifest
        .lists
        .iter()
        .filter(|list| {
            let mut artifacts = list.totals.keys();
            artifacts.any(|artifact| is_wanted(*artifact, list.date))
        })
        .collect();
    let listed = load_lists(store, lists).await?;
    let mut files: Vec<FileEntry> = manifest
        .files
        .iter()
        .cloned()
        .chain(listed)
        .filter(|file| is_wanted(file.artifact, file.date))
        .collect();
    FileEntry::sort(&mut files);
    Ok(files)
}
