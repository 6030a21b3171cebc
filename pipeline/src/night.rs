//! The plan of the night: every source scanned and exchanged, the operator on top.

use std::sync::Arc;

use datafusion::error::Result as DataFusionResult;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::execution_plan::reset_plan_states;
use datafusion::prelude::SessionContext;
use tagmill_schemas::config::{AppColumn, AppLimits, Content, SourceKind, Tag};
use tagmill_schemas::manifest::{FileEntry, Input, Manifest};
use tagmill_schemas::{Artifact, Result};

use super::audience::{GroupNight, plan_groups};
use super::inputs::{Decision, SourceInput};
use super::limits::{load_kept, withheld_tags};
use super::memory::Forecast;
use super::registry::{Claimed, LabelCatalog, event_shapes, label_catalog};
use super::session::Resources;
use super::tag_limit::full_apps;
use super::{Observer, Request};
use tagmill_night::scan::{Scan, ScanContext, plan_source, rows_of};
use tagmill_night::{
    BehaviourLimits, Keeps, NightExec, NightLimits, NightSpec, ParentFiles, RowsSpec, SourceSpec,
    TagSpec, Withheld,
};
use tagmill_warehouse::release::Parents;
use tagmill_warehouse::store::Store;

/// Bytes of an exchanged row on disk: mostly its id, which compresses little.
const SPILLED_BYTES_PER_ROW: u64 = 80;
/// The part of the memory that is accounted for; decoding and encoding take the rest.
const POOL_SHARE: f64 = 0.9;

/// Everything a night needs before its shards start.
pub struct NightPlan {
    /// The specification without run and attempt.
    pub spec: NightSpec,
    /// One child for each source that is read.
    pub children: Vec<Arc<dyn ExecutionPlan>>,
    /// Groups with their statuses.
    pub groups: GroupNight,
    /// Inputs for the manifest.
    pub inputs: Vec<Input>,
    /// Shards that run at once.
    pub wave: usize,
    /// What the run may use.
    pub resources: Resources,
    forecast: Forecast,
}

impl NightPlan {
    /// The size of the memory pool for a limit of `memory` bytes.
    ///
    /// A fair pool gives each of the exchange's queues an equal part of what is free, by the number
    /// of queues there are then. The queues of a source come when it is its turn, and what is
    /// queued is never given back: with k sources they can take 1 + 1/2 + ... + 1/k times what is
    /// free. The pool is made smaller by that.
    pub fn pool_size(&self, memory: u64) -> u64 {
        let reserved = self.reserved();
        let sum: f64 = (1..=self.children.len()).map(|k| 1.0 / k as f64).sum();
        let free = (memory as f64 * POOL_SHARE) as u64;
        reserved + (free.saturating_sub(reserved) as f64 / sum.max(1.0)) as u64
    }

    /// Bytes that the shards of a wave reserve before the first of them reads.
    pub fn reserved(&self) -> u64 {
        self.spec.shard_budget * self.wave as u64
    }

    /// Bytes that each shard of a wave is expected to take.
    pub fn shard_forecast(&self) -> u64 {
        self.forecast.of_wave(self.wave, self.resources.threads) / self.wave.max(1) as u64
    }

    /// Bytes that `rows` raw rows may take on disk while they wait for later waves.
    pub fn spilled(&self, rows: u64) -> u64 {
        let shards = u64::from(self.spec.shards.get());
        rows * SPILLED_BYTES_PER_ROW * (shards - self.wave as u64) / shards
    }

    /// Plans fewer shards at once for another attempt; `held` is what shards held of so many of
    /// `total` rows when the memory was at its end. False if there is but one at once.
    ///
    /// # Errors
    /// Setup for children that can not be run again.
    pub fn shrink(&mut self, held: u64, rows: u64, total: u64) -> Result<bool> {
        let Some(memory) = self.resources.memory.filter(|_| self.wave > 1) else {
            return Ok(false);
        };
        let of_shard =
            held as f64 / rows.max(1) as f64 * total as f64 / f64::from(self.spec.shards.get());
        self.forecast = self
            .forecast
            .at_least(of_shard as u64, memory, self.resources.threads);
        self.wave = self.forecast.wave(&self.resources).min(self.wave / 2);
        self.spec.shard_budget = self.shard_forecast();
        let again = std::mem::take(&mut self.children)
            .into_iter()
            .map(reset_plan_states)
            .collect::<DataFusionResult<_>>();
        self.children = again.map_err(|e| tagmill_engine::of_datafusion("plan", e))?;
        Ok(true)
    }

    /// The operator.
    ///
    /// # Errors
    /// Setup for a plan that does not fit together.
    pub fn operator(&self, store: &Store) -> Result<Arc<NightExec>> {
        let exec = NightExec::try_new(
            Arc::new(self.spec.clone()),
            store.clone(),
            self.children.clone(),
        );
        Ok(Arc::new(
            exec.map_err(|e| tagmill_engine::of_datafusion("plan", e))?,
        ))
    }
}

/// Plans the night.
///
/// # Errors
/// Setup for expressions that can not be used, refused for raw data that breaks its contract.
pub async fn plan_night(
    request: &Request,
    sources: &[SourceInput<'_>],
    parents: &Parents,
    session: &SessionContext,
    (resources, forecast): (&Resources, Forecast),
    store: &Store,
    observer: &dyn Observer,
) -> Result<NightPlan> {
    let config = &request.config;
    let labels = label_catalog(request, parents.newest.as_ref(), observer).await?;
    let mut inputs: Vec<Input> = sources
        .iter()
        .map(|source| source.record(request.date))
        .collect();
    let (specs, children) =
        plan_sources(request, sources, session, resources, &mut inputs, observer).await?;
    let platform: Vec<TagSpec> = specs.iter().flat_map(platform_tags).cloned().collect();
    let is_backfill = parents.is_before_head(request.date);
    let withheld = if is_backfill {
        Withheld::new()
    } else {
        withheld_tags(config, parents.state.as_ref(), sources)
    };
    let mut groups = if is_backfill {
        GroupNight::default()
    } else {
        plan_groups(request, &platform, &labels, &withheld, observer).await?
    };
    let LabelCatalog {
        by_app,
        shared,
        unused,
        inputs: mut read,
    } = labels;
    inputs.append(&mut read);
    inputs.append(&mut groups.inputs);
    let limits = |l: &AppLimits| BehaviourLimits {
        combinations: l.combinations_per_user.min(u64::from(u32::MAX - 1)) as u32,
        values: l.values_per_dimension as usize,
    };
    let spec = NightSpec {
        run: String::new(),
        attempt: 0,
        date: request.date,
        shards: config.warehouse.shards,
        id_scope: config.warehouse.id_scope,
        store: store.name_of(""),
        is_backfill,
        limits: NightLimits {
            default: limits(&config.limits.default),
            apps: config
                .limits
                .apps
                .iter()
                .map(|(app, l)| (app.clone(), limits(l)))
                .collect(),
        },
        kept_values: load_kept(parents.state.as_ref(), &config.limits, store).await?,
        withheld,
        parent: parent_files(parents, &specs, is_backfill),
        sources: specs,
        labels: by_app,
        shared_labels: shared,
        unused_labels: unused,
        full_apps: full_apps(config, parents.state.as_ref()),
        rules: groups.rules.clone(),
        lists: groups.lists.clone(),
        shard_budget: 0,
    };
    let wave = forecast.wave(resources);
    let mut plan = NightPlan {
        spec,
        children,
        groups,
        inputs,
        wave,
        resources: resources.clone(),
        forecast,
    };
    if plan.wave < plan.spec.shards.get() as usize {
        plan.spec.shard_budget = plan.shard_forecast();
    }
    Ok(plan)
}

async fn plan_sources(
    request: &Request,
    sources: &[SourceInput<'_>],
    session: &SessionContext,
    resources: &Resources,
    inputs: &mut Vec<Input>,
    observer: &dyn Observer,
) -> Result<(Vec<SourceSpec>, Vec<Arc<dyn ExecutionPlan>>)> {
    let warehouse = &request.config.warehouse;
    let context = ScanContext {
        session,
        date: request.date,
        time_zone: warehouse.time_zone,
        id_scope: warehouse.id_scope,
        shards: warehouse.shards,
        exchange: resources.exchange(),
    };
    let (mut specs, mut children, mut claimed) = (Vec::new(), Vec::new(), Claimed::new());
    for input in sources {
        let source = input.source;
        let tags: Vec<&Tag> = request
            .config
            .tags
            .iter()
            .filter(|tag| tag.source == source.name)
            .collect();
        let (rows, has_input) = match &input.decision {
            Decision::Read(files) => {
                let shapes = match &source.kind {
                    SourceKind::CustomEvents(events) => {
                        let (shapes, read) =
                            event_shapes(request, source, events, &mut claimed, observer).await?;
                        inputs.extend(read);
                        Some(shapes)
                    }
                    _ => None,
                };
                let Scan { plan, rows } =
                    plan_source(&context, source, &tags, shapes, files.clone()).await?;
                children.push(plan);
                (rows, true)
            }
            Decision::Carry(_) | Decision::Keep(_) | Decision::Skip => {
                (rows_of(source, &tags), false)
            }
        };
        let app = match &source.columns.app {
            AppColumn::Constant(app) => Some(app.clone()),
            AppColumn::Column(_) => None,
        };
        let keeps = match &input.decision {
            _ if source.kind.events().is_some() => Keeps::Nothing,
            Decision::Keep(_) => Keeps::OfDate,
            Decision::Carry(_) => Keeps::Earlier,
            Decision::Read(_) if source.content == Content::Changes => Keeps::Earlier,
            Decision::Read(_) | Decision::Skip => Keeps::Nothing,
        };
        let expected_rows = if let Decision::Read(files) = &input.decision {
            files.rows()
        } else {
            0
        };
        specs.push(SourceSpec {
            name: source.name.clone(),
            app,
            has_input,
            expected_rows,
            keeps,
            rows,
        });
    }
    Ok((specs, children))
}

fn platform_tags(source: &SourceSpec) -> &[TagSpec] {
    match &source.rows {
        RowsSpec::Attributes { tags, .. } => tags,
        _ => &[],
    }
}

fn parent_files(parents: &Parents, sources: &[SourceSpec], is_backfill: bool) -> ParentFiles {
    let files = |manifest: &Option<Manifest>, artifact: Artifact| -> Vec<FileEntry> {
        manifest
            .iter()
            .flat_map(|m| m.files_of(artifact))
            .cloned()
            .collect()
    };
    let keep = |kept: Keeps| sources.iter().any(|source| source.keeps == kept);
    ParentFiles {
        users: files(&parents.newest, Artifact::Users),
        universe: files(&parents.newest, Artifact::Universe),
        tags: if keep(Keeps::Earlier) && !is_backfill {
            files(&parents.state, Artifact::Tags)
        } else {
            Vec::new()
        },
        tags_of_date: if keep(Keeps::OfDate) && !is_backfill {
            files(&parents.newest, Artifact::Tags)
        } else {
            Vec::new()
        },
        groups: if is_backfill {
            Vec::new()
        } else {
            files(&parents.state, Artifact::Groups)
        },
    }
}
