//! The apps of a release.

use std::collections::BTreeMap;

use datafusion::prelude::SessionContext;
use serde::Serialize;
use tagmill_schemas::{Manifest, Result};

use super::app_names;
use super::rows::Rows;

/// An app of a release.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct App {
    /// Its name.
    pub app: String,
    /// Its users: what NOT is the complement in.
    pub users: u64,
    /// Its tags.
    pub tags: u64,
    /// Its groups by status.
    pub groups: BTreeMap<String, u64>,
    /// Rows of the newest night that were read for it.
    pub rows: u64,
    /// Of these, rows with something wrong.
    pub rejected: u64,
}

const USERS: &str = "SELECT app, sum(cardinality) FROM universe GROUP BY app";
const GROUPS: &str = "SELECT app, status, count(*) FROM group_status GROUP BY app, status";

/// The apps of a release, by name.
///
/// # Errors
/// Those of reading the release.
pub async fn apps(ctx: &SessionContext, manifest: &Manifest) -> Result<Vec<App>> {
    let named = |name: &str| App {
        app: name.to_owned(),
        ..App::default()
    };
    let mut apps: BTreeMap<String, App> = app_names(manifest)
        .into_iter()
        .map(|name| (name.to_owned(), named(name)))
        .collect();
    for entry in &manifest.tags {
        apps.entry(entry.app.clone())
            .or_insert_with(|| named(&entry.app))
            .tags += 1;
    }
    for count in &manifest.counts {
        if let Some(app) = count.app.as_ref().and_then(|name| apps.get_mut(name)) {
            app.rows += count.read;
            app.rejected += count.rejected;
        }
    }
    let sizes = Rows::ask(ctx, USERS, None).await?;
    for (name, users) in sizes.texts(0)?.into_iter().zip(sizes.numbers(1)?) {
        let Some(name) = name else { continue };
        let app = apps.entry(name.clone()).or_insert_with(|| named(&name));
        app.users = users.unwrap_or(0);
    }
    let statuses = Rows::ask(ctx, GROUPS, None).await?;
    let (names, counts) = (statuses.texts(0)?, statuses.numbers(2)?);
    for ((name, status), count) in names.into_iter().zip(statuses.texts(1)?).zip(counts) {
        let (Some(name), Some(status)) = (name, status) else {
            continue;
        };
        let app = apps.entry(name.clone()).or_insert_with(|| named(&name));
        app.groups.insert(status, count.unwrap_or(0));
    }
    Ok(apps.into_values().collect())
}
