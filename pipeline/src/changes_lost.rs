//! Apps that can not be set aside: a source of changes says each only once, and the nights after
//! this one would not miss them.

use std::collections::BTreeMap;

use tagmill_schemas::config::{Content, Source};
use tagmill_schemas::manifest::SourceCount;
use tagmill_schemas::{Config, Error, Result};

/// Refuses to set apps aside that have changes tonight; each app with what is said of it.
///
/// # Errors
/// Refused, naming app and source.
pub fn check_changes(
    config: &Config,
    counts: &[SourceCount],
    apps: &BTreeMap<String, String>,
) -> Result<()> {
    let has_changes =
        |source: &&Source| source.content == Content::Changes && source.kind.events().is_none();
    for source in config.sources.iter().filter(has_changes) {
        let of_source = counts.iter().filter(|count| count.source == source.name);
        let mut lost = of_source
            .filter(|count| count.read > 0)
            .filter_map(|count| {
                let app = count.app.as_ref()?;
                Some((app, apps.get(app)?))
            });
        let Some((app, why)) = lost.next() else {
            continue;
        };
        let what = format!(
            "{why}; app {app:?} can not be set aside, as its changes in source {} would be lost to \
             all later nights",
            source.name
        );
        return Err(Error::refused("verdict", what)
            .at(format!("source {}", source.name))
            .fix(
                "correct the app's rows, or take them out of the files until they are; when they \
                 are as they should be, raise max_rejected",
            ));
    }
    Ok(())
}
