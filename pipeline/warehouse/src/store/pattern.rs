//! Listing by pattern, one folder level at a time, so that siblings of what matches are never
//! walked.

use std::collections::BTreeMap;

use futures::TryStreamExt;
use glob::{MatchOptions, Pattern};
use object_store::ObjectMeta;
use object_store::path::Path;
use tagmill_schemas::error::{Error, Result};

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
    // A map sorts by path and forgets what two readings of `**` found twice.
    let mut found = BTreeMap::new();
    let mut open = vec![(Path::default(), 0)];
    while let Some((folder, next)) = open.pop() {
        visit(store, &folder, &segments, next, &mut open, &mut found).await?;
    }
    Ok(found.into_values().collect())
}

fn parse<'a>(store: &Store, pattern: &'a str) -> Result<Vec<Segment<'a>>> {
    pattern
        .split('/')
        .map(|segment| {
            parse_segment(segment)
                .map_err(|why| Error::setup(store.stage(), why).at(store.name_of(pattern)))
        })
        .collect()
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
        Segment::Name(name) if is_last => {
            let path = folder.clone().join(*name);
            found.extend(
                store
                    .head(path.as_ref())
                    .await?
                    .map(|file| (file.path.clone(), file)),
            );
        }
        Segment::Name(name) => open.push((folder.clone().join(*name), next + 1)),
        Segment::Wild(pattern) => {
            let (folders, files) = children(store, folder).await?;
            if is_last {
                found.extend(
                    files
                        .into_iter()
                        .filter(|file| matches(pattern, name_of(&file.path)))
                        .map(|file| (file.path.clone(), file)),
                );
            } else {
                open.extend(
                    folders
                        .into_iter()
                        .filter(|path| matches(pattern, name_of(path.as_ref())))
                        .map(|path| (path, next + 1)),
                );
            }
        }
        Segment::AnyFolders if is_last => {
            let files: Vec<Found> = store.walk(folder.as_ref()).try_collect().await?;
            let below = |file: &Found| {
                file.path[folder.as_ref().len()..]
                    .split('/')
                    .all(|name| !is_hidden(name))
            };
            found.extend(
                files
                    .into_iter()
                    .filter(below)
                    .map(|file| (file.path.clone(), file)),
            );
        }
        Segment::AnyFolders => {
            open.push((folder.clone(), next + 1));
            let (folders, _) = children(store, folder).await?;
            open.extend(
                folders
                    .into_iter()
                    .filter(|path| !is_hidden(name_of(path.as_ref())))
                    .map(|path| (path, next)),
            );
        }
    }
    Ok(())
}

/// The folders (relative to the root) and files directly in a folder.
async fn children(store: &Store, folder: &Path) -> Result<(Vec<Path>, Vec<Found>)> {
    let location = join(store.root(), folder);
    let listed = store.objects().list_with_delimiter(Some(&location)).await;
    let listed = listed.map_err(|e| store.explain(folder.as_ref(), "can not list", e))?;
    let folders = listed
        .common_prefixes
        .iter()
        .filter_map(|path| Path::parse(store.relative(path)).ok())
        .collect();
    Ok((
        folders,
        listed
            .objects
            .into_iter()
            .map(|meta: ObjectMeta| store.found(meta))
            .collect(),
    ))
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
