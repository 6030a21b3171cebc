//! Other releases as schemas of the session's catalog: `release_2.groups`, `night_2026_11_18.groups`.
//!
//! A schema is made when a statement names it; nothing is read before one of its tables is named.
//! They are not listed: there is one for every release and every night.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::NaiveDate;
use datafusion::catalog::{CatalogProvider, SchemaProvider, TableProvider};
use datafusion::error::Result;
use datafusion::prelude::SessionContext;
use tagmill_schemas::ReleaseName;

use super::released::{Releases, told};

const BY_NUMBER: &str = "release_";
const BY_NIGHT: &str = "night_";
/// Of a date in a name: no letter of it needs quotes.
const DATE: &str = "%Y_%m_%d";

/// The release that a schema's name means; `None` for a name of another form.
pub fn schema_of(name: &str) -> Option<ReleaseName> {
    if let Some(number) = name.strip_prefix(BY_NUMBER) {
        return match number.parse() {
            Ok(ReleaseName::Number(number)) => Some(ReleaseName::Number(number)),
            _ => None,
        };
    }
    let date = NaiveDate::parse_from_str(name.strip_prefix(BY_NIGHT)?, DATE).ok()?;
    (date.format(DATE).to_string() == name[BY_NIGHT.len()..]).then_some(ReleaseName::At(date))
}

/// Puts the schemas into the session's default catalog; `None` when it has none.
pub(super) fn register(ctx: &SessionContext, releases: &Arc<Releases>) -> Option<()> {
    let name = ctx.state().config_options().catalog.default_catalog.clone();
    let inner = ctx.catalog(&name)?;
    let releases = Arc::clone(releases);
    ctx.register_catalog(name, Arc::new(Catalog { inner, releases }));
    Some(())
}

/// The catalog of the session, with a schema a release.
#[derive(Debug)]
struct Catalog {
    inner: Arc<dyn CatalogProvider>,
    releases: Arc<Releases>,
}

impl CatalogProvider for Catalog {
    fn schema_names(&self) -> Vec<String> {
        self.inner.schema_names()
    }

    fn schema(&self, name: &str) -> Option<Arc<dyn SchemaProvider>> {
        if let Some(schema) = self.inner.schema(name) {
            return Some(schema);
        }
        Some(Arc::new(ReleaseSchema {
            release: schema_of(name)?,
            releases: Arc::clone(&self.releases),
        }))
    }

    fn register_schema(
        &self,
        name: &str,
        schema: Arc<dyn SchemaProvider>,
    ) -> Result<Option<Arc<dyn SchemaProvider>>> {
        self.inner.register_schema(name, schema)
    }

    fn deregister_schema(
        &self,
        name: &str,
        cascade: bool,
    ) -> Result<Option<Arc<dyn SchemaProvider>>> {
        self.inner.deregister_schema(name, cascade)
    }
}

/// The tables and views of one release.
#[derive(Debug)]
struct ReleaseSchema {
    release: ReleaseName,
    releases: Arc<Releases>,
}

#[async_trait]
impl SchemaProvider for ReleaseSchema {
    /// The names are the same in every release.
    fn table_names(&self) -> Vec<String> {
        let shown = &self.releases.shown().ctx;
        let state = shown.state();
        let defaults = &state.config_options().catalog;
        let catalog = shown.catalog(&defaults.default_catalog);
        let schema = catalog.and_then(|catalog| catalog.schema(&defaults.default_schema));
        schema
            .map(|schema| schema.table_names())
            .unwrap_or_default()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        if !self.table_exist(name) {
            return Ok(None);
        }
        let release = told(self.releases.get(Some(self.release)).await)?;
        release.table(name).await.map(Some)
    }

    fn table_exist(&self, name: &str) -> bool {
        self.table_names().iter().any(|table| table == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemas_are_named_by_number_or_night_and_by_nothing_else() {
        let night = NaiveDate::from_ymd_opt(2026, 11, 8).map(ReleaseName::At);
        assert_eq!(schema_of("release_12"), Some(ReleaseName::Number(12)));
        assert_eq!(schema_of("night_2026_11_08"), night);
        for name in [
            "release_",
            "release_0",
            "release_x",
            "release_current",
            "night_2026_11_8",
            "night_2026_13_01",
            "public",
            "raw",
        ] {
            assert_eq!(schema_of(name), None, "{name}");
        }
    }
}
