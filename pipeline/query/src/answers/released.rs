//! A release with a session of its own, in which its views are planned and its sets are read: what
//! a person registers under the same names changes nothing here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch};
use datafusion::catalog::TableProvider;
use datafusion::error::Result;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::logical_expr::{Expr, ident, lit};
use datafusion::prelude::{SessionConfig, SessionContext};
use futures::lock::Mutex;
use tagmill_engine::external;
use tagmill_schemas::config::Tag;
use tagmill_schemas::nearest::nearest;
use tagmill_schemas::{Artifact, Error, Manifest, ReleaseName};
use tagmill_warehouse::release::{newer_state, resolve_release};
use tagmill_warehouse::store::Store;

use super::{STAGE, functions, views};
use crate::catalog::{self, FileTable};
use crate::estimate::AppNames;

/// What rules may name beside what a release holds: the configuration's tags and its path of lists.
#[derive(Debug, Clone, Default)]
pub struct RuleNames {
    /// The configuration's tags, which an app has without a value of its own, too.
    pub tags: Vec<Tag>,
    /// The configuration's path of lists.
    pub lists: Option<String>,
}

/// A release that can be asked.
pub(super) struct Released {
    pub(super) manifest: Manifest,
    pub(super) ctx: SessionContext,
    /// The dictionary's files, for scans of a shard.
    pub(super) users: Arc<FileTable>,
    pub(super) rules: RuleNames,
}

/// The releases that a session has opened.
pub(super) struct Releases {
    store: Store,
    config: SessionConfig,
    runtime: Arc<RuntimeEnv>,
    rules: RuleNames,
    /// The one that the session shows.
    shown: Arc<Released>,
    opened: Mutex<BTreeMap<u64, Arc<Released>>>,
}

impl std::fmt::Debug for Releases {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Releases")
            .field("shown", &self.shown.manifest.release)
            .finish_non_exhaustive()
    }
}

impl Releases {
    /// Those of a warehouse, of which the session of `ctx` shows one.
    pub(super) async fn of(
        ctx: &SessionContext,
        store: &Store,
        shown: &Manifest,
        rules: RuleNames,
    ) -> tagmill_schemas::Result<Self> {
        let config = ctx
            .copied_config()
            .with_create_default_catalog_and_schema(true);
        let runtime = ctx.runtime_env();
        let shown = Released::open(&config, &runtime, store, shown.clone(), &rules).await?;
        Ok(Self {
            store: store.clone(),
            config,
            runtime,
            rules,
            shown: Arc::new(shown),
            opened: Mutex::default(),
        })
    }

    /// Where the releases are.
    pub(super) fn store(&self) -> &Store {
        &self.store
    }

    /// The release that the session shows.
    pub(super) fn shown(&self) -> &Arc<Released> {
        &self.shown
    }

    /// A release by name; without one, that which the session shows.
    ///
    /// # Errors
    /// Setup for a release that is not there; retry when the store fails.
    pub(super) async fn get(
        &self,
        name: Option<ReleaseName>,
    ) -> tagmill_schemas::Result<Arc<Released>> {
        let Some(name) = name else {
            return Ok(Arc::clone(&self.shown));
        };
        let manifest = match name {
            ReleaseName::Number(number) if number == self.shown.manifest.release => {
                return Ok(Arc::clone(&self.shown));
            }
            _ => resolve_release(&self.store, name).await?,
        };
        if let Some(note) = newer_state(name, &manifest) {
            log::warn!("{note}");
        }
        let mut opened = self.opened.lock().await;
        if let Some(released) = opened.get(&manifest.release) {
            return Ok(Arc::clone(released));
        }
        let number = manifest.release;
        let released = Released::open(
            &self.config,
            &self.runtime,
            &self.store,
            manifest,
            &self.rules,
        );
        let released = Arc::new(released.await?);
        opened.insert(number, Arc::clone(&released));
        Ok(released)
    }
}

impl Released {
    async fn open(
        config: &SessionConfig,
        runtime: &Arc<RuntimeEnv>,
        store: &Store,
        manifest: Manifest,
        rules: &RuleNames,
    ) -> tagmill_schemas::Result<Self> {
        let ctx = SessionContext::new_with_config_rt(config.clone(), Arc::clone(runtime));
        tagmill_udfs::register_all(&ctx).map_err(catalog::failed)?;
        functions::register(&ctx);
        catalog::register(&ctx, store, &manifest).await?;
        views::register(&ctx).await.map_err(catalog::failed)?;
        let users = catalog::files(Artifact::Users, store, &manifest)?;
        Ok(Self {
            manifest,
            ctx,
            users: Arc::new(users),
            rules: rules.clone(),
        })
    }

    /// A table or view of the release.
    pub(super) async fn table(&self, name: &str) -> Result<Arc<dyn TableProvider>> {
        self.ctx.table_provider(name).await
    }

    /// The matching rows of a table.
    pub(super) async fn rows(
        &self,
        table: &str,
        filter: Expr,
        columns: &[&str],
    ) -> Result<Vec<RecordBatch>> {
        let columns: Vec<Expr> = columns.iter().map(|name| ident(*name)).collect();
        let rows = self.ctx.table(table).await?.filter(filter)?;
        rows.select(columns)?.collect().await
    }

    /// The distinct texts of a column in the matching rows, ascending.
    pub(super) async fn texts(
        &self,
        table: &str,
        filter: Expr,
        column: &str,
    ) -> Result<Vec<String>> {
        let rows = self.ctx.table(table).await?.filter(filter)?;
        let batches = rows.select([ident(column)])?.distinct()?.collect().await?;
        let texts = batches
            .iter()
            .flat_map(|batch| batch.column(0).as_string_view().iter().flatten());
        let mut texts: Vec<String> = texts.map(str::to_owned).collect();
        texts.sort_unstable();
        Ok(texts)
    }

    /// The apps that have tags or rows of sources, ascending.
    pub(super) fn apps(&self) -> Vec<String> {
        let tags = self.manifest.tags.iter().map(|entry| &entry.app);
        let counted = self
            .manifest
            .counts
            .iter()
            .filter_map(|count| count.app.as_ref());
        let apps: BTreeSet<&String> = tags.chain(counted).collect();
        apps.into_iter().cloned().collect()
    }

    /// What rules of an app may name.
    ///
    /// # Errors
    /// Setup for an app that the release knows nothing of, with the nearest.
    pub(super) async fn names(&self, app: &str) -> tagmill_schemas::Result<AppNames> {
        AppNames::load(&self.ctx, &self.manifest, &self.rules.tags, app).await
    }

    /// Refuses a group that has no members of any night.
    ///
    /// # Errors
    /// Setup for an unknown app or group, with the nearest.
    pub(super) async fn check_group(&self, app: &str, group: &str) -> tagmill_schemas::Result<()> {
        use tagmill_rules::Names;
        let names = self.names(app).await?;
        if names.has_group(group) {
            return Ok(());
        }
        let same = ident("app").eq(lit(app)).and(ident("group").eq(lit(group)));
        let status = self.texts("group_status", same, "status").await;
        let status = status.map_err(catalog::failed)?;
        if let Some(status) = status.first() {
            let what = format!("group {group:?} of app {app:?} has no members: it is {status}");
            return Err(Error::setup(STAGE, what).fix("see its reason in group_status"));
        }
        Err(self.unknown(
            "group",
            group,
            &format!("app {app:?}"),
            &names.group_names(),
        ))
    }

    /// The error of a name that is not there, with the nearest or with what there is.
    pub(super) fn unknown(&self, kind: &str, name: &str, of: &str, known: &[&str]) -> Error {
        let release = self.manifest.release;
        let what = format!("unknown {kind} {name:?} of {of} in release {release}");
        let error = Error::setup(STAGE, what);
        match nearest(name, known.iter().copied()) {
            Some(near) => error.fix(format!("did you mean {near:?}?")),
            None => error.fix(format!("there is {}", listed(known))),
        }
    }
}

/// Names that an error lists.
const MOST_NAMES: usize = 10;

fn listed(names: &[&str]) -> String {
    if names.is_empty() {
        return "none".to_owned();
    }
    let first = &names[..names.len().min(MOST_NAMES)];
    match names.len() - first.len() {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}

/// Carries one of our errors through DataFusion.
pub(super) fn told<T>(result: tagmill_schemas::Result<T>) -> Result<T> {
    result.map_err(external)
}
