//! `groups_of(user_id[, app[, release]])` and `tags_of(user_id[, app[, release]])`: what one user is
//! in, and has.

use std::sync::Arc;

use arrow::array::AsArray;
use arrow::datatypes::{DataType, UInt64Type};
use async_trait::async_trait;
use datafusion::catalog::{TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion::error::Result;
use datafusion::logical_expr::{LogicalPlan, ident, lit};
use datafusion::prelude::SessionContext;
use tagmill_schemas::{Error, Result as OurResult};

use super::STAGE;
use super::arguments::Arguments;
use super::query_table::{Query, QueryTable, quoted};
use super::released::{Released, Releases, told};
use super::views::TAG_VALUE;
use crate::catalog::failed;

pub(super) const GROUPS_OF: &str = "groups_of(user_id[, app[, release]])";
pub(super) const TAGS_OF: &str = "tags_of(user_id[, app[, release]])";

/// Registers both.
pub(super) fn register(ctx: &SessionContext, releases: &Arc<Releases>) {
    for (name, of) in [("groups_of", Of::Groups), ("tags_of", Of::Tags)] {
        let releases = Arc::clone(releases);
        ctx.register_udtf(name, Arc::new(OfUser { of, releases }));
    }
}

/// What is asked of a user.
#[derive(Debug, Clone, Copy)]
enum Of {
    Groups,
    Tags,
}

#[derive(Debug)]
struct OfUser {
    of: Of,
    releases: Arc<Releases>,
}

impl TableFunctionImpl for OfUser {
    fn call_with_args(&self, args: TableFunctionArgs<'_, '_>) -> Result<Arc<dyn TableProvider>> {
        let syntax = match self.of {
            Of::Groups => GROUPS_OF,
            Of::Tags => TAGS_OF,
        };
        let arguments = Arguments::of(syntax, args.exprs(), 1, 3)?;
        let query = RowsOfUser {
            of: self.of,
            user_id: arguments.text(0)?,
            app: arguments.optional_text(1)?,
        };
        Ok(QueryTable::of(query, &self.releases, arguments.release(2)?))
    }
}

/// The rows whose users have one among them.
#[derive(Debug)]
struct RowsOfUser {
    of: Of,
    user_id: String,
    app: Option<String>,
}

#[async_trait]
impl Query for RowsOfUser {
    fn columns(&self) -> Vec<(&'static str, DataType)> {
        let names: &[&str] = match self.of {
            Of::Groups => &["app", "name"],
            Of::Tags => &["app", "tag", "type", "value"],
        };
        let text = |name: &&'static str| (*name, DataType::Utf8View);
        names.iter().map(text).collect()
    }

    async fn plan(&self, release: &Released) -> Result<LogicalPlan> {
        let uids = told(self.uids(release).await)?;
        let rows = match self.of {
            Of::Groups => "SELECT app, \"group\" AS name FROM groups".to_owned(),
            Of::Tags => format!("SELECT app, tag, type, {TAG_VALUE} AS value FROM tags"),
        };
        let has = |uid: &u64| {
            let shard = uid >> 32;
            format!("(shard = {shard} AND bitmap_contains(bitmap, {uid}))")
        };
        let any: Vec<String> = uids.iter().map(has).collect();
        let app = self.app.as_deref();
        let app = app.map_or("true".to_owned(), |app| format!("app = {}", quoted(app)));
        let sql = format!("{rows} WHERE {app} AND ({})", any.join(" OR "));
        release.ctx.state().create_logical_plan(&sql).await
    }
}

impl RowsOfUser {
    /// The user's numbers: several, where an id belongs to an app and none is named.
    async fn uids(&self, release: &Released) -> OurResult<Vec<u64>> {
        if let Some(app) = &self.app {
            release.names(app).await?;
        }
        let mut rows = ident("user_id").eq(lit(self.user_id.as_str()));
        if release.manifest.id_scope == tagmill_schemas::IdScope::App {
            let apps = match &self.app {
                Some(app) => vec![app.clone()],
                None => release.apps(),
            };
            rows = rows.and(ident("app").in_list(apps.into_iter().map(lit).collect(), false));
        }
        let found = release.rows("users", rows, &["uid"]).await;
        let found = found.map_err(failed)?;
        let uids = found
            .iter()
            .flat_map(|batch| batch.column(0).as_primitive::<UInt64Type>().values());
        let uids: Vec<u64> = uids.copied().collect();
        if uids.is_empty() {
            let what = format!(
                "there is no user {:?} in release {}",
                self.user_id, release.manifest.release
            );
            return Err(
                Error::setup(STAGE, what).fix("ids are compared as they are, letter by letter")
            );
        }
        Ok(uids)
    }
}
