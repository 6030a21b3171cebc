//! A name behind `{date}` that no folder of any date has, and one near to it that is there: on a
//! first night a typing mistake, and nothing to wait for.

use std::fs;
use std::path::{Path, PathBuf};

use tagmill_schemas::config::Source;
use tagmill_schemas::nearest::nearest;
use tagmill_schemas::{Error, Result};

/// Refuses such a path in a directory; in an object store nobody lists all dates.
///
/// # Errors
/// Setup, naming the folder of the newest date and the name that is near.
pub fn check_names_behind_date(source: &Source) -> Result<()> {
    let path = source.path.trim_end_matches('/');
    if path.contains("://") {
        return Ok(());
    }
    let Some((folder, name)) = first_missing(path) else {
        return Ok(());
    };
    let there = names_in(&folder);
    let Some(near) = nearest(&name, there.iter().map(String::as_str)) else {
        return Ok(());
    };
    let what = format!(
        "source {} has no file of any date: no folder has {name:?}",
        source.name
    );
    let error = Error::setup("inputs", what).at(folder.display().to_string());
    Err(error.fix(format!("did you mean {near:?}? correct its path")))
}

/// The first name of the path, behind a date, that is in no folder of any date, and the last of
/// these folders; `None` where there is such a name, or the date comes first.
fn first_missing(path: &str) -> Option<(PathBuf, String)> {
    let root = if path.starts_with('/') { "/" } else { "." };
    let mut folders = vec![PathBuf::from(root)];
    let mut is_dated = false;
    for name in path.split('/').filter(|name| !name.is_empty()) {
        let found: Vec<PathBuf> = match pattern(name) {
            None => folders.iter().map(|folder| folder.join(name)).collect(),
            Some(pattern) => folders.iter().flat_map(|f| matching(f, &pattern)).collect(),
        };
        let mut found: Vec<PathBuf> = found.into_iter().filter(|path| path.exists()).collect();
        found.sort();
        if found.is_empty() {
            let folder = folders
                .pop()
                .filter(|_| is_dated && !name.contains(['{', '*']))?;
            return Some((folder, name.to_owned()));
        }
        is_dated |= name.contains('{');
        folders = found;
    }
    None
}

/// The parts of a name between its wildcards, placeholders among them; `None`: it has none.
fn pattern(name: &str) -> Option<Vec<String>> {
    if !name.contains(['{', '*']) {
        return None;
    }
    let mut parts = vec![String::new()];
    let mut is_inside = false;
    for letter in name.chars() {
        match letter {
            '{' | '*' => {
                is_inside = letter == '{';
                parts.push(String::new());
            }
            '}' => is_inside = false,
            _ if is_inside => {}
            _ => parts.iter_mut().last()?.push(letter),
        }
    }
    Some(parts)
}

fn matching(folder: &Path, pattern: &[String]) -> Vec<PathBuf> {
    let names = names_in(folder).into_iter();
    let found = names.filter(|name| fits(name, pattern));
    found.map(|name| folder.join(name)).collect()
}

/// Whether a name has all parts in their order, the first at its beginning, the last at its end.
fn fits(name: &str, parts: &[String]) -> bool {
    let [first, middle @ .., last] = parts else {
        return false;
    };
    let Some(mut rest) = name.strip_prefix(first.as_str()) else {
        return false;
    };
    for part in middle {
        match rest.split_once(part.as_str()) {
            Some((_, behind)) => rest = behind,
            None => return false,
        }
    }
    rest.ends_with(last.as_str())
}

fn names_in(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_fits_its_pattern() {
        for (name, text, is) in [
            ("dt=2026-11-19", "dt={date}", true),
            ("day=2026-11-19", "dt={date}", false),
            ("2026-11", "{date:%Y}-{date:%m}", true),
            ("a.parquet", "*.parquet", true),
            ("a.csv", "*.parquet", false),
        ] {
            let parts = pattern(text).unwrap_or_default();
            assert_eq!(fits(name, &parts), is, "{name} {text}");
        }
        assert_eq!(pattern("events"), None);
    }
}
