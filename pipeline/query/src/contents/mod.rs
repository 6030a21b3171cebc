//! What a release has, for somebody who comes to it new: its apps, their tags with sizes and values,
//! their groups.
//!
//! Reads, through the tables of a session (see [`crate::catalog::register`]), keys and sizes; bitmaps
//! only of tags of which a user can have several values. Writes nothing.

mod apps;
mod fates;
mod groups;
mod rows;
mod tags;

pub use apps::{App, apps};
pub use fates::{Fate, fates};
pub use groups::{Group, groups};
pub use tags::{Sample, Tag, tags};

use std::collections::BTreeSet;

use tagmill_schemas::nearest::nearest;
use tagmill_schemas::{Error, Manifest};

/// Apps that an error lists.
const MOST_APPS: usize = 10;

/// The apps of a release that its manifest names, by their tags or by their rows.
pub fn app_names(manifest: &Manifest) -> BTreeSet<&str> {
    let of_tags = manifest.tags.iter().map(|entry| entry.app.as_str());
    let of_rows = manifest.counts.iter().filter(|count| count.accepted > 0);
    of_tags
        .chain(of_rows.filter_map(|count| count.app.as_deref()))
        .collect()
}

/// The error for an app that a release knows nothing of: with the nearest, or those that there are.
pub fn unknown_app(stage: &'static str, manifest: &Manifest, app: &str) -> Error {
    let known = app_names(manifest);
    let what = format!("unknown app {app:?} in release {}", manifest.release);
    let first: Vec<&str> = known.iter().copied().take(MOST_APPS).collect();
    let more = match known.len().saturating_sub(MOST_APPS) {
        0 => String::new(),
        more => format!(" and {more} more: tagmill apps lists them"),
    };
    let apps = format!("apps: {}{more}", first.join(", "));
    Error::setup(stage, what).fix(match nearest(app, known.iter().copied()) {
        Some(near) => format!("did you mean {near:?}? {apps}"),
        None if known.is_empty() => "it has no app at all: see tagmill show".to_owned(),
        None => apps,
    })
}
