//! `members(app, group[, release])` and `audience(app, rule[, release])`: who is in a group, and who
//! a rule selects.

use std::sync::Arc;

use arrow::array::AsArray;
use arrow::datatypes::{UInt32Type, UInt64Type};
use async_trait::async_trait;
use datafusion::catalog::{TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion::error::Result;
use datafusion::logical_expr::{Expr, ident, lit};
use datafusion::prelude::SessionContext;
use tagmill_schemas::{Error, Result as OurResult};

use super::STAGE;
use super::arguments::Arguments;
use super::ordinals::Ordinals;
use super::released::{Released, Releases};
use super::user_table::{UserSet, UserTable};
use crate::catalog::failed;
use crate::estimate::{Asked, ask};

pub(super) const MEMBERS: &str = "members(app, group[, release])";
pub(super) const AUDIENCE: &str = "audience(app, rule[, release])";

/// Registers both.
pub(super) fn register(ctx: &SessionContext, releases: &Arc<Releases>) {
    ctx.register_udtf("members", Arc::new(Members(Arc::clone(releases))));
    ctx.register_udtf("audience", Arc::new(Audience(Arc::clone(releases))));
}

#[derive(Debug)]
struct Members(Arc<Releases>);

impl TableFunctionImpl for Members {
    fn call_with_args(&self, args: TableFunctionArgs<'_, '_>) -> Result<Arc<dyn TableProvider>> {
        let arguments = Arguments::of(MEMBERS, args.exprs(), 2, 3)?;
        let group = Group {
            app: arguments.text(0)?,
            name: arguments.text(1)?,
        };
        Ok(UserTable::of(group, &self.0, arguments.release(2)?))
    }
}

#[derive(Debug)]
struct Audience(Arc<Releases>);

impl TableFunctionImpl for Audience {
    fn call_with_args(&self, args: TableFunctionArgs<'_, '_>) -> Result<Arc<dyn TableProvider>> {
        let arguments = Arguments::of(AUDIENCE, args.exprs(), 2, 3)?;
        let rule = Rule {
            app: arguments.text(0)?,
            rule: arguments.text(1)?,
        };
        Ok(UserTable::of(rule, &self.0, arguments.release(2)?))
    }
}

/// The members of a group.
#[derive(Debug)]
struct Group {
    app: String,
    name: String,
}

impl Group {
    fn rows(&self) -> Expr {
        let group = ident("group").eq(lit(self.name.as_str()));
        ident("app").eq(lit(self.app.as_str())).and(group)
    }
}

#[async_trait]
impl UserSet for Group {
    async fn count(&self, release: &Released) -> OurResult<u64> {
        release.check_group(&self.app, &self.name).await?;
        let sizes = release.rows("groups", self.rows(), &["cardinality"]).await;
        let sizes = sizes.map_err(failed)?;
        let sizes = sizes
            .iter()
            .flat_map(|batch| batch.column(0).as_primitive::<UInt64Type>().values());
        Ok(sizes.sum())
    }

    async fn sets(&self, release: &Released) -> OurResult<Vec<Ordinals>> {
        release.check_group(&self.app, &self.name).await?;
        let rows = release.rows("groups", self.rows(), &["shard", "bitmap"]);
        let mut sets = Vec::new();
        for batch in rows.await.map_err(failed)? {
            let shards = batch.column(0).as_primitive::<UInt32Type>();
            let bitmaps = batch.column(1).as_binary_view();
            for (shard, bitmap) in shards.values().iter().zip(bitmaps.iter().flatten()) {
                sets.push(ordinals(*shard, bitmap, "groups")?);
            }
        }
        Ok(sets)
    }
}

/// The users of a cell, whose bytes are checked.
pub(super) fn ordinals(shard: u32, bitmap: &[u8], table: &str) -> OurResult<Ordinals> {
    let checked = tagmill_bitmap::BitmapRef::parse(bitmap).map(drop);
    checked
        .and_then(|()| Ordinals::of(shard, [bitmap.to_vec()]))
        .map_err(|defect| {
            let error = Error::refused(STAGE, "found a damaged bitmap");
            error.at(format!("{table}, shard {shard}")).because(defect)
        })
}

/// The users whom a rule selects.
#[derive(Debug)]
struct Rule {
    app: String,
    rule: String,
}

impl Rule {
    async fn ask(&self, release: &Released) -> OurResult<Asked> {
        let (lists, tags) = (release.rules.lists.as_deref(), &release.rules.tags);
        let asked = ask(
            &release.ctx,
            &release.manifest,
            tags,
            lists,
            &self.app,
            &self.rule,
        );
        let asked = asked.await?;
        for hint in &asked.hints {
            log::warn!("audience: look at {hint}");
        }
        for note in asked.notes() {
            log::warn!("audience: {note}");
        }
        Ok(asked)
    }
}

#[async_trait]
impl UserSet for Rule {
    async fn count(&self, release: &Released) -> OurResult<u64> {
        Ok(self
            .ask(release)
            .await?
            .count()
            .await?
            .iter()
            .map(|shard| shard.users)
            .sum())
    }

    async fn sets(&self, release: &Released) -> OurResult<Vec<Ordinals>> {
        let selected = self.ask(release).await?.select().await?;
        let of_shard = |(shard, words): (u32, Vec<u64>)| Ordinals {
            shard,
            words: words.into(),
        };
        Ok(selected.into_iter().map(of_shard).collect())
    }
}
