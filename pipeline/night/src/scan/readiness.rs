//! Whether a source's data of a date is complete, by the markers that its writer leaves.
//!
//! ```text
//! ready   e/dt=2026-11-19/hour=*/_SUCCESS           path   e/dt=2026-11-19/hour=*/*.parquet
//!                         └── a folder that has files needs a marker ──┘
//! ```

use std::collections::BTreeSet;

use chrono::NaiveDate;
use tagmill_schemas::Result;
use tagmill_schemas::config::{Source, for_date};
use tagmill_warehouse::store::{Store, open_pattern};

const STAGE: &str = "scan";

/// What is missing of a source's markers, in words; `None`: it is ready. A source without a marker
/// always is. A marker with a number is ready when there are so many; a pattern whose folders are
/// those of the files, when each folder that has files has one; any other, when there is one.
///
/// # Errors
/// Those of the store.
pub async fn missing_marker(source: &Source, date: NaiveDate) -> Result<Option<String>> {
    let Some(ready) = &source.ready else {
        return Ok(None);
    };
    let marker = for_date(ready, date);
    let (store, pattern) = open_pattern(&marker)?;
    let store = store.for_stage(STAGE);
    let found = store.list(&pattern).await?;
    if let Some(count) = source.ready_count {
        let is_missing = found.len() < count as usize;
        return Ok(is_missing.then(|| format!("{marker} ({} of {count} are there)", found.len())));
    }
    if found.is_empty() {
        return Ok(Some(marker));
    }
    let path = for_date(&source.path, date);
    let Some(depth) = shared_folders(&marker, &path) else {
        return Ok(None);
    };
    let marked: BTreeSet<String> = found
        .iter()
        .filter_map(|file| folder_of(&store, &file.path, depth))
        .collect();
    let (files, pattern) = open_pattern(path.trim_end_matches('/'))?;
    let files = files.for_stage(STAGE);
    let listed = files.list(&pattern).await?;
    let folders = listed
        .iter()
        .filter_map(|file| folder_of(&files, &file.path, depth));
    let folders: BTreeSet<String> = folders.collect();
    let unmarked = folders.difference(&marked).next();
    Ok(unmarked.map(|folder| {
        format!(
            "{marker} (of {} folders with files {} have their marker, {folder} has none)",
            folders.len(),
            folders.intersection(&marked).count()
        )
    }))
}

/// How many segments the folder of the marker has below the folder before its first `*`, counted
/// from the end of the shared part; `None` when it has no `*`, or is not above the files.
fn shared_folders(marker: &str, path: &str) -> Option<usize> {
    let (folder, _) = marker.rsplit_once('/')?;
    if !folder.contains('*') {
        return None;
    }
    let marker: Vec<&str> = folder.split('/').collect();
    let of_path: Vec<&str> = path.split('/').collect();
    let is_above = of_path.len() > marker.len() && of_path[..marker.len()] == marker[..];
    let depth = marker.iter().skip_while(|part| !part.contains('*')).count();
    (is_above && !marker.contains(&"**")).then_some(depth)
}

/// The name of the folder `depth` segments below the root that a file is in.
fn folder_of(store: &Store, path: &str, depth: usize) -> Option<String> {
    let parts: Vec<&str> = path.split('/').take(depth).collect();
    (parts.len() == depth).then(|| store.name_of(&parts.join("/")))
}

#[cfg(test)]
mod tests {
    use super::shared_folders;

    #[test]
    fn a_marker_is_compared_with_the_folders_that_it_is_in() {
        for (marker, path, expected) in [
            ("e/dt=1/hour=*/_SUCCESS", "e/dt=1/hour=*/*.parquet", Some(1)),
            ("e/dt=1/*/*/_SUCCESS", "e/dt=1/*/*/p/*.parquet", Some(2)),
            ("e/dt=1/_SUCCESS", "e/dt=1/hour=*/*.parquet", None),
            ("e/dt=1/*.done", "e/dt=1/hour=*/*.parquet", None),
            ("flags/hour=*/done", "e/dt=1/hour=*/*.parquet", None),
            ("e/**/_SUCCESS", "e/**/*.parquet", None),
        ] {
            assert_eq!(shared_folders(marker, path), expected, "{marker}");
        }
    }
}
