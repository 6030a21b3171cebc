//! Listing by pattern, one folder level at a time, so that siblings of what matches are never
//! walked.

use std::collections::{BTreeMap, HashSet};

use futures::TryStreamExt;
use glob::{MatchOptions, Pattern};
use object_store::ObjectMeta;
use object_store::path::Path;
use tagmill_schemas::error::{Error, Result};

use super::local::{self, Children, Wanted};
use super::{Found, Store, join};

const ANY_FOLDERS: &str = "**";

const OPTIONS: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: true,
};

/// One segment of a pattern.
enum Segment<'a> {
    Name(&'a str),
    Wild(Pattern),
    AnyFolders,
}

pub(super) async fn list(store: &Store, pattern: &str) -> Result<Vec<Found>> {
    if !pattern.contains('*') {
        return Ok(store.head(pattern).await?.into_iter().collect());
    }
    let segments = parse(store, pattern)?;
    // A map sorts by path.
    let mut found = BTreeMap::new();
    let mut open = vec![(Path::default(), 0)];
    // Several `**` reach a folder in many ways.
    let mut seen = HashSet::new();
    while let Some((folder, next)) = open.pop() {
        if !seen.insert((folder.clone(), next)) {
            continue;
        }
        visit(store, &folder, &segments, next, &mut open, &mut found).await?;
    }
    Ok(found.into_values().collect())
}

fn parse<'a>(store: &Store, pattern: &'a str) -> Result<Vec<Segment<'a>>> {
    let mut segments = pattern
        .split('/')
        .map(|segment| {
            parse_segment(segment)
                .map_err(|why| Error::setup(store.stage(), why).at(store.name_of(pattern)))
        })
        .collect::<Result<Vec<_>>>()?;
    // Two in a row say what one does, and would list every folder twice.
    let are_any = |a: &mut Segment<'_>, b: &mut Segment<'_>| {
        matches!((a, b), (Segment::AnyFolders, Segment::AnyFolders))
    };
    segments.dedup_by(are_any);
    Ok(segments)
}

fn parse_segment(segment: &str) -> std::result::Result<Segment<'_>, String> {
    if segment == ANY_FOLDERS {
        return Ok(Segment::AnyFolders);
    }
    if matches!(segment, "" | "." | "..") {
        return Err(format!(
            "found segment {segment:?} in a pattern, expected names and wildcards"
        ));
    }
    if !segment.contains('*') {
        return Ok(Segment::Name(segment));
    }
    // Only `*` is a wildcard: brackets and question marks are ordinary characters of file names.
    let escaped = segment
        .split('*')
        .map(Pattern::escape)
        .collect::<Vec<_>>()
        .join("*");
    Pattern::new(&escaped)
        .map(Segment::Wild)
        .map_err(|e| format!("found segment {segment:?}, expected single stars or ** alone: {e}"))
}

/// Matches the segments from `next` on inside `folder` (relative to the root).
async fn visit(
    store: &Store,
    folder: &Path,
    segments: &[Segment<'_>],
    next: usize,
    open: &mut Vec<(Path, usize)>,
    found: &mut BTreeMap<String, Found>,
) -> Result<()> {
    let is_last = next + 1 == segments.len();
    match &segments[next] {
        Segment::Name(name) => match local::below(folder, name) {
            Some(path) if is_last => {
                let file = store.head(path.as_ref()).await?;
                found.extend(file.map(|file| (file.path.clone(), file)));
            }
            path => open.extend(path.map(|path| (path, next + 1))),
        },
        Segment::Wild(pattern) => {
            let wanted = Wanted {
                name: &|name| matches(pattern, name),
                files: is_last,
            };
            let Children { folders, files } = children(store, folder, wanted).await?;
            if is_last {
                refuse_folders(store, pattern, &folders)?;
                found.extend(files.into_iter().map(|file| (file.path.clone(), file)));
            } else {
                open.extend(folders.into_iter().map(|path| (path, next + 1)));
            }
        }
        Segment::AnyFolders if is_last => {
            let files = walk(store, folder).await?;
            found.extend(files.into_iter().map(|file| (file.path.clone(), file)));
        }
        Segment::AnyFolders => {
            open.push((folder.clone(), next + 1));
            let wanted = Wanted {
                name: &|name| !is_hidden(name),
                files: false,
            };
            let folders = children(store, folder, wanted).await?.folders;
            open.extend(folders.into_iter().map(|path| (path, next)));
        }
    }
    Ok(())
}

/// A folder that is named like the files: what is in it would be left out.
fn refuse_folders(store: &Store, pattern: &Pattern, folders: &[Path]) -> Result<()> {
    let names_files = pattern.as_str().bytes().any(|byte| byte != b'*');
    match folders.first().filter(|_| names_files) {
        None => Ok(()),
        Some(folder) => {
            let what = format!(
                "found a folder that matches {:?}, expected files",
                plain(pattern)
            );
            Err(Error::setup(store.stage(), what)
                .at(store.name_of(folder.as_ref()))
                .fix("end the pattern with /* or /**, or rename the folder"))
        }
    }
}

/// The segment as it was written.
fn plain(pattern: &Pattern) -> String {
    let mut text = pattern.as_str().to_owned();
    for special in ["[", "]", "?"] {
        text = text.replace(&Pattern::escape(special), special);
    }
    text
}

/// The wanted folders and files directly in a folder, relative to the root.
async fn children(store: &Store, folder: &Path, wanted: Wanted<'_>) -> Result<Children> {
    if store.is_local() {
        return local::children(store, folder, wanted).await;
    }
    let location = join(store.root(), folder);
    let listed = store.objects().list_with_delimiter(Some(&location)).await;
    let listed = listed.map_err(|e| store.explain(folder.as_ref(), "can not list", e))?;
    let is_wanted = |path: &str| (wanted.name)(name_of(path));
    let folders = listed.common_prefixes.iter();
    let files = listed.objects.into_iter();
    Ok(Children {
        folders: folders
            .filter_map(|path| Path::parse(store.relative(path)).ok())
            .filter(|path| is_wanted(path.as_ref()))
            .collect(),
        files: files
            .map(|meta: ObjectMeta| store.found(meta))
            .filter(|file| is_wanted(&file.path))
            .collect(),
    })
}

/// Every file below a folder that is not in a hidden one, nor hidden itself.
async fn walk(store: &Store, folder: &Path) -> Result<Vec<Found>> {
    if store.is_local() {
        return local::walk(store, folder, &|name| !is_hidden(name)).await;
    }
    let is_below = |file: &Found| {
        file.path[folder.as_ref().len()..]
            .split('/')
            .all(|name| !is_hidden(name))
    };
    let files: Vec<Found> = store.walk(folder.as_ref()).try_collect().await?;
    Ok(files.into_iter().filter(is_below).collect())
}

fn matches(pattern: &Pattern, name: &str) -> bool {
    let starts_wild = pattern.as_str().starts_with('*');
    !(starts_wild && is_hidden(name)) && pattern.matches_with(name, OPTIONS)
}

fn is_hidden(name: &str) -> bool {
    name.starts_with(['_', '.'])
}

fn name_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
