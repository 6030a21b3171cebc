//! Folders of this machine, entry by entry: what can not be looked at is an error and never left
//! out.
//!
//! The object store's own listing drops entries whose metadata it can not read, such as links to
//! storage that is not mounted, and fails for a name that nobody asked for. Here a name is looked at
//! only if it is wanted.

use std::ffi::{OsStr, OsString};
use std::fs::{self, FileType};
use std::io::{Error as IoError, ErrorKind};
use std::path::{Path as FilePath, PathBuf};

use object_store::path::Path;
use tagmill_schemas::error::{Error, Result};

use super::{Found, Store};

/// Which entries are looked at.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'a> {
    /// By name; one that is not UTF-8 is asked for with what is wrong in it replaced.
    pub(super) name: &'a (dyn Fn(&str) -> bool + Send + Sync),
    /// Whether files are wanted, or folders only.
    pub(super) files: bool,
}

/// Folders and files, relative to the root, in the order of the names.
#[derive(Debug, Default)]
pub(super) struct Children {
    pub(super) folders: Vec<Path>,
    pub(super) files: Vec<Found>,
}

/// What is directly in a folder (relative to the root); nothing where there is no such folder.
///
/// # Errors
/// Setup for a wanted name that no path can hold, and for rights; retry for a link to nothing and
/// for what else can not be looked at.
pub(super) async fn children(store: &Store, folder: &Path, wanted: Wanted<'_>) -> Result<Children> {
    let place = place_of(store, folder.as_ref());
    let mut children = Children::default();
    for (name, own) in entries(store, &place, wanted)? {
        let path = || path_of(store, folder, &place, &name);
        match kind_of(store, &place.join(&name), own)? {
            Kind::Folder => children.folders.push(path()?),
            // A file that is gone meanwhile was removed: a listing is of one moment.
            Kind::File if wanted.files => {
                children.files.extend(store.head(path()?.as_ref()).await?)
            }
            Kind::File | Kind::Above => {}
        }
    }
    Ok(children)
}

/// Every file below a folder, in no particular order.
///
/// # Errors
/// As [`children`].
pub(super) async fn walk(
    store: &Store,
    folder: &Path,
    name: &(dyn Fn(&str) -> bool + Send + Sync),
) -> Result<Vec<Found>> {
    let wanted = Wanted { name, files: true };
    let mut found = Vec::new();
    let mut open = vec![folder.clone()];
    while let Some(next) = open.pop() {
        let mut children = children(store, &next, wanted).await?;
        found.append(&mut children.files);
        open.append(&mut children.folders);
    }
    Ok(found)
}

/// That there is nothing at a path, and that no link on the way to it leads nowhere.
///
/// # Errors
/// Retry for a link to nothing; setup for rights.
pub(super) fn check_absent(store: &Store, path: &str) -> Result<()> {
    for place in place_of(store, path).ancestors() {
        match fs::symlink_metadata(place) {
            Ok(found) if found.is_symlink() => {
                return kind_of(store, place, found.file_type()).map(drop);
            }
            Ok(_) => return Ok(()),
            Err(e) if is_nothing(&e) => {}
            Err(e) => return Err(explain(store, place, "can not look at", e)),
        }
    }
    Ok(())
}

/// What an entry is, links followed.
enum Kind {
    File,
    Folder,
    /// A link to a folder that it is in: what is there was seen.
    Above,
}

fn kind_of(store: &Store, place: &FilePath, own: FileType) -> Result<Kind> {
    if !own.is_symlink() {
        return kind(store, place, own);
    }
    match fs::metadata(place) {
        Ok(found) if found.is_dir() && leads_above(place) => Ok(Kind::Above),
        Ok(found) => kind(store, place, found.file_type()),
        Err(e) if is_nothing(&e) => {
            let error = Error::retry(store.stage(), "found a link to nothing");
            Err(error
                .at(shown(place.as_os_str()))
                .fix("mount what it leads to, or remove the link"))
        }
        Err(e) => Err(explain(store, place, "can not look at", e)),
    }
}

/// Whoever reads a pipe waits for somebody who writes it.
fn kind(store: &Store, place: &FilePath, found: FileType) -> Result<Kind> {
    match found {
        folder if folder.is_dir() => Ok(Kind::Folder),
        file if file.is_file() => Ok(Kind::File),
        _ => Err(Error::setup(
            store.stage(),
            "found a pipe, a socket or a device, expected a file",
        )
        .at(shown(place.as_os_str()))
        .fix("take it out of the folder, or write the path so that it does not match")),
    }
}

/// Whether a link leads to a folder that it is in, directly or through other links.
fn leads_above(link: &FilePath) -> bool {
    let Ok(target) = link.canonicalize() else {
        return false;
    };
    let mut above = link.ancestors().skip(1);
    above.any(|folder| {
        folder
            .canonicalize()
            .is_ok_and(|real| real.starts_with(&target))
    })
}

/// The wanted names in a folder with what they are themselves, in order.
fn entries(
    store: &Store,
    place: &FilePath,
    wanted: Wanted<'_>,
) -> Result<Vec<(OsString, FileType)>> {
    let failed = |e| explain(store, place, "can not list", e);
    let listed = match fs::read_dir(place) {
        Ok(listed) => listed,
        Err(e) if is_nothing(&e) => {
            let text = place.to_string_lossy();
            let root = format!("/{}", store.root());
            let relative = text.strip_prefix(root.as_str()).unwrap_or_default();
            check_absent(store, relative.trim_start_matches('/'))?;
            return Ok(Vec::new());
        }
        Err(e) => return Err(failed(e)),
    };
    let mut entries = Vec::new();
    for entry in listed {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        if !(wanted.name)(&name.to_string_lossy()) {
            continue;
        }
        match entry.file_type() {
            Ok(own) => entries.push((name, own)),
            Err(e) if is_nothing(&e) => {}
            Err(e) => return Err(explain(store, &entry.path(), "can not look at", e)),
        }
    }
    entries.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(entries)
}

fn path_of(store: &Store, folder: &Path, place: &FilePath, name: &OsStr) -> Result<Path> {
    name.to_str()
        .and_then(|name| below(folder, name))
        .ok_or_else(|| {
            let what = "found a file name that no path can hold, expected UTF-8 without control \
                        characters";
            Error::setup(store.stage(), what)
                .at(shown(place.join(name).as_os_str()))
                .fix("rename it")
        })
}

/// The path of a name in a folder, as it is: joined as a part it would be encoded.
pub(super) fn below(folder: &Path, name: &str) -> Option<Path> {
    match folder.as_ref() {
        "" => Path::parse(name).ok(),
        folder => Path::parse(format!("{folder}/{name}")).ok(),
    }
}

/// Where a path, relative to the root, is on this machine.
fn place_of(store: &Store, path: &str) -> PathBuf {
    let root = FilePath::new("/").join(store.root().as_ref());
    match path {
        "" => root,
        _ => root.join(path),
    }
}

/// A name as text; bytes that are no UTF-8 as `\xff`.
fn shown(name: &OsStr) -> String {
    let text = |chunk: std::str::Utf8Chunk<'_>| {
        let invalid: String = chunk
            .invalid()
            .iter()
            .map(|byte| format!("\\x{byte:02x}"))
            .collect();
        format!("{}{invalid}", chunk.valid())
    };
    name.as_encoded_bytes().utf8_chunks().map(text).collect()
}

/// A file in the place of a folder is as absent as nothing.
fn is_nothing(error: &IoError) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

fn explain(store: &Store, place: &FilePath, what: &str, error: IoError) -> Error {
    let error = object_store::Error::Generic {
        store: "LocalFileSystem",
        source: Box::new(error),
    };
    super::explain(store.stage(), &shown(place.as_os_str()), what, error)
}
