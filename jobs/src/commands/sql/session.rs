//! The session behind `tagmill sql`: the release's tables, the raw sources, the bitmap functions,
//! and the DataFusion CLI's own.

use std::sync::Arc;

use chrono::NaiveDate;
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion_cli::catalog::DynamicObjectStoreCatalog;
use datafusion_cli::functions::ParquetMetadataFunc;
use datafusion_cli::object_storage::instrumented::InstrumentedObjectStoreRegistry;
use tagmill_pipeline::catalog;
use tagmill_schemas::{Manifest, Result};

use super::failed;
use super::local_files::Stores;
use super::split_scans::SplitScans;
use crate::warehouse::Warehouse;

/// A session over one release, and the registry in which the CLI counts requests.
///
/// # Errors
/// Setup when something can not be registered; nothing is read.
pub(super) async fn open(
    warehouse: &Warehouse,
    manifest: &Manifest,
    date: Option<NaiveDate>,
) -> Result<(SessionContext, Arc<InstrumentedObjectStoreRegistry>)> {
    let settings = &warehouse.config.run;
    let registry = Arc::new(InstrumentedObjectStoreRegistry::new());
    let mut config = SessionConfig::new().with_information_schema(true);
    // As for the release's tables: what a filter keeps out is not read, and a bitmap is long.
    config.options_mut().execution.parquet.pushdown_filters = true;
    if settings.threads > 0 {
        config = config.with_target_partitions(settings.threads);
    }
    let stores = Stores::from(Arc::clone(&registry));
    let mut runtime = RuntimeEnvBuilder::new().with_object_store_registry(Arc::new(stores));
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
    let state = SessionStateBuilder::new()
        .with_config(config)
        .with_runtime_env(runtime)
        .with_default_features()
        .with_physical_optimizer_rules(rules)
        .build();
    let ctx = SessionContext::new_with_state(state).enable_url_table();
    // Tables by url open their stores when they are named; parquet_metadata looks into files.
    ctx.register_catalog_list(Arc::new(DynamicObjectStoreCatalog::new(
        Arc::clone(ctx.state().catalog_list()),
        ctx.state_weak_ref(),
    )));
    ctx.register_udtf("parquet_metadata", Arc::new(ParquetMetadataFunc {}));
    tagmill_udfs::register_all(&ctx).map_err(failed)?;
    catalog::register(&ctx, &warehouse.store, manifest).await?;
    catalog::register_raw(&ctx, &warehouse.config, date.unwrap_or(manifest.date))?;
    Ok((ctx, registry))
}
