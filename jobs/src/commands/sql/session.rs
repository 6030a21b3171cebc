//! The session behind `tagmill sql`: the release's tables, the raw sources, the bitmap functions,
//! and files by url.

use std::sync::Arc;

use chrono::NaiveDate;
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::optimizer::Analyzer;
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;
use datafusion::prelude::{SessionConfig, SessionContext};
use tagmill_engine::ExactLiterals;
use tagmill_query::catalog;
use tagmill_query::guard::{Facts, Notes, ReleaseRules};
use tagmill_schemas::{Manifest, Result};

use super::access::Access;
use super::failed;
use super::split_scans::SplitScans;
use super::stores::Stores;
use crate::warehouse::Warehouse;

/// A session over one release, and what its statements may touch.
pub(super) struct Session {
    pub(super) ctx: SessionContext,
    pub(super) access: Arc<Access>,
    /// What a person should know of the newest statement.
    pub(super) notes: Arc<Notes>,
}

/// A session over one release.
///
/// # Errors
/// Setup when something can not be registered; nothing is read.
pub(super) async fn open(
    warehouse: &Warehouse,
    manifest: &Manifest,
    date: Option<NaiveDate>,
    access: Access,
) -> Result<Session> {
    let access = Arc::new(access);
    let settings = &warehouse.config.run;
    let mut config = SessionConfig::new().with_information_schema(true);
    // As for the release's tables: what a filter keeps out is not read, and a bitmap is long.
    config.options_mut().execution.parquet.pushdown_filters = true;
    if settings.threads > 0 {
        config = config.with_target_partitions(settings.threads);
    }
    let mut runtime = RuntimeEnvBuilder::new()
        .with_object_store_registry(Arc::new(Stores::new(Arc::clone(&access))));
    if let Some(bytes) = settings
        .memory
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
    analyzers.insert(
        1,
        Arc::new(ReleaseRules::new(Facts::of(manifest), Arc::clone(&notes))),
    );
    let state = SessionStateBuilder::new()
        .with_analyzer_rules(analyzers)
        .with_config(config)
        .with_runtime_env(runtime)
        .with_default_features()
        .with_physical_optimizer_rules(rules)
        .build();
    let ctx = SessionContext::new_with_state(state).enable_url_table();
    tagmill_udfs::register_all(&ctx).map_err(failed)?;
    catalog::register(&ctx, &warehouse.store, manifest).await?;
    catalog::register_raw(&ctx, &warehouse.config, date.unwrap_or(manifest.date))?;
    Ok(Session { ctx, access, notes })
}
