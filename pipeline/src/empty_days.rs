//! Days without files on which nothing happened: a shop that is closed on Saturdays has no orders to
//! wait for.

use futures::TryStreamExt;
use tagmill_schemas::config::Source;
use tagmill_schemas::{Error, Result};
use tagmill_warehouse::store::open_pattern;

/// What to do where a date may have no files, behind another cure.
pub const CURE: &str = "where a day may have no data, set empty_days = \"ok\" of the source";

/// Refuses a path below which there is no file of any date: it is a typing mistake rather than a day
/// on which nothing happened.
///
/// # Errors
/// Setup, naming the folder; those of the store.
pub async fn check_path(source: &Source) -> Result<()> {
    // What is the same for every date ends where the first placeholder or wildcard begins.
    let same = source.path.find(['{', '*']).unwrap_or(source.path.len());
    let (store, _) = open_pattern(&format!("{}*", &source.path[..same]))?;
    let store = store.for_stage("inputs");
    if store.walk("").try_next().await?.is_some() {
        return Ok(());
    }
    let what = format!(
        "source {} has empty_days = \"ok\", but there is no file of any date",
        source.name
    );
    Err(Error::setup("inputs", what)
        .at(store.name_of(""))
        .fix("correct its path, or put the first files there"))
}
