//! A path that leads nowhere, whatever the date: a typing mistake, and nothing to wait for.

use std::fs;
use std::path::{Path, PathBuf};

use futures::TryStreamExt;
use tagmill_schemas::config::{LatePolicy, Source};
use tagmill_schemas::nearest::nearest;
use tagmill_schemas::{Error, Kind, Result};
use tagmill_warehouse::store::open_pattern;

use super::Observer;
use super::no_such_name::check_names_behind_date;

/// Stores that tell what there is below a name.
const LISTED: [&str; 3] = ["s3://", "s3a://", "gs://"];

/// Refuses a path of which the part that is the same for every date does not exist; a source that the
/// night may skip is only told. Before the first night also a name behind the date. In an object store, which has no folders, a folder is a file in it.
///
/// # Errors
/// Setup, naming the folder and, in a directory, the nearest one; those of the store.
pub async fn check_folder(source: &Source, is_first: bool, observer: &dyn Observer) -> Result<()> {
    let mut found = find_folder(source).await;
    if is_first && found.is_ok() {
        found = check_names_behind_date(source);
    }
    match (found, source.late.policy) {
        (Err(error), LatePolicy::Skip) if error.kind() == Kind::Setup => {
            observer.warn(&error.to_string());
            Ok(())
        }
        (found, _) => found,
    }
}

async fn find_folder(source: &Source) -> Result<()> {
    let path = &source.path;
    let same = &path[..path.find(['{', '*']).unwrap_or(path.len())];
    let folder = same.rfind('/').map_or("", |slash| &same[..slash]);
    if LISTED.iter().any(|scheme| folder.starts_with(scheme)) {
        let (store, _) = open_pattern(&format!("{folder}/*"))?;
        let mut files = store.for_stage("inputs").walk("");
        return match files.try_next().await? {
            Some(_) => Ok(()),
            None => Err(refused(source, folder, None)),
        };
    }
    if folder.is_empty() || folder.contains("://") || Path::new(folder).exists() {
        return Ok(());
    }
    Err(refused(source, folder, near(Path::new(folder))))
}

fn refused(source: &Source, folder: &str, near: Option<PathBuf>) -> Error {
    let what = format!(
        "source {} has no file of any date: its folder does not exist",
        source.name
    );
    let error = Error::setup("inputs", what).at(folder.to_owned());
    error.fix(match near {
        Some(near) => format!("did you mean {}? correct its path", near.display()),
        None => "correct its path, or make the folder".to_owned(),
    })
}

/// The folder that the path may mean: where it leaves what exists, the nearest name there.
fn near(folder: &Path) -> Option<PathBuf> {
    let missing = folder
        .ancestors()
        .take_while(|part| !part.as_os_str().is_empty() && !part.exists())
        .last()?;
    let parent = missing.parent()?;
    let shown = match parent.as_os_str().is_empty() {
        true => Path::new("."),
        false => parent,
    };
    let names: Vec<String> = fs::read_dir(shown)
        .ok()?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    let name = missing.file_name()?.to_str()?;
    let near = nearest(name, names.iter().map(String::as_str))?;
    Some(parent.join(near))
}
