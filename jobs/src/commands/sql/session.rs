//! The session behind `tagmill sql`: the bitmap functions and files by url; with a warehouse, a
//! release's tables and the raw sources.

use std::sync::Arc;

use chrono::NaiveDate;
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::optimizer::Analyzer;
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;
use datafusion::prelude::{SessionConfig, SessionContext};
use tagmill_engine::ExactLiterals;
use tagmill_query::answers::{self, RuleNames};
use tagmill_query::catalog;
use tagmill_query::guard::{Facts, FileFloats, Notes, ReleaseRules};
use tagmill_query::never_rows::NeverRows;
use tagmill_schemas::config::RunSettings;
use tagmill_schemas::{Manifest, Result};

use super::access::Access;
use super::failed;
use super::split_scans::SplitScans;
use super::stores::Stores;
use crate::warehouse::Warehouse;

/// What statements ask, and what they may touch.
pub(super) struct Session {
    pub(super) ctx: SessionContext,
    pub(super) access: Arc<Access>,
    /// What a person should know of the newest statement.
    pub(super) notes: Arc<Notes>,
    /// The release that is open, if one is.
    pub(super) manifest: Option<Manifest>,
}

impl Session {
    /// The names of tables and views: those of the default schema alone, others behind their schema's.
    pub(super) fn table_names(&self) -> Vec<String> {
        let state = self.ctx.state();
        let default = &state.config_options().catalog;
        let Some(catalog) = state.catalog_list().catalog(&default.default_catalog) else {
            return Vec::new();
        };
        let mut names = Vec::new();
        for schema in catalog.schema_names() {
            let tables = catalog.schema(&schema).map(|schema| schema.table_names());
            names.extend(tables.into_iter().flatten().map(|table| {
                match schema == default.default_schema {
                    true => table,
                    false => format!("{schema}.{table}"),
                }
            }));
        }
        names.sort();
        names
    }
}

/// A session over one release of a warehouse.
///
/// # Errors
/// Setup when something can not be registered; nothing is read.
pub(super) async fn open(
    warehouse: &Warehouse,
    manifest: Manifest,
    date: Option<NaiveDate>,
    access: Access,
) -> Result<Session> {
    let session = session(Some(&warehouse.config.run), Some(&manifest), access)?;
    catalog::register(&session.ctx, &warehouse.store, &manifest).await?;
    let rules = RuleNames {
        tags: warehouse.config.tags.clone(),
        lists: (warehouse.config.groups.as_ref()).and_then(|groups| groups.lists.clone()),
    };
    answers::register(&session.ctx, &warehouse.store, &manifest, rules).await?;
    let date = date.unwrap_or(manifest.date);
    catalog::register_raw(&session.ctx, &warehouse.config, date)?;
    Ok(Session {
        manifest: Some(manifest),
        ..session
    })
}

/// A session over no release: all functions, and files.
///
/// # Errors
/// Setup when something can not be registered.
pub(super) fn without_release(access: Access) -> Result<Session> {
    session(None, None, access)
}

fn session(
    settings: Option<&RunSettings>,
    manifest: Option<&Manifest>,
    access: Access,
) -> Result<Session> {
    let access = Arc::new(access);
    let mut config = SessionConfig::new().with_information_schema(true);
    // As for the release's tables: what a filter keeps out is not read, and a bitmap is long.
    config.options_mut().execution.parquet.pushdown_filters = true;
    if let Some(threads) = settings.map(|settings| settings.threads).filter(|n| *n > 0) {
        config = config.with_target_partitions(threads);
    }
    let mut runtime = RuntimeEnvBuilder::new()
        .with_object_store_registry(Arc::new(Stores::new(Arc::clone(&access))));
    if let Some(bytes) = settings
        .and_then(|settings| settings.memory)
        .and_then(|bytes| usize::try_from(bytes).ok())
    {
        runtime = runtime.with_memory_pool(Arc::new(FairSpillPool::new(bytes)));
    }
    let mut rules = PhysicalOptimizer::new().rules;
    let runtime = runtime.build_arc().map_err(failed)?;
    rules.insert(
        0,
        Arc::new(SplitScans {
            footers: runtime.cache_manager.get_file_metadata_cache(),
        }),
    );
    // Before types are made equal.
    let mut analyzers = Analyzer::new().rules;
    analyzers.insert(0, Arc::new(ExactLiterals));
    let notes = Arc::new(Notes::default());
    analyzers.insert(1, Arc::new(FileFloats));
    if let Some(manifest) = manifest {
        let rules = ReleaseRules::new(Facts::of(manifest), Arc::clone(&notes));
        analyzers.insert(2, Arc::new(rules));
    }
    let state = SessionStateBuilder::new()
        .with_analyzer_rules(analyzers)
        .with_config(config)
        .with_runtime_env(runtime)
        .with_default_features()
        .with_optimizer_rule(Arc::new(NeverRows))
        .with_physical_optimizer_rules(rules)
        .build();
    let ctx = SessionContext::new_with_state(state).enable_url_table();
    tagmill_udfs::register_all(&ctx).map_err(failed)?;
    Ok(Session {
        ctx,
        access,
        notes,
        manifest: None,
    })
}
