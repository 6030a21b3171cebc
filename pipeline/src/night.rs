//! The plan of the night: every source scanned and exchanged, the operator on top.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use datafusion::error::Result as DataFusionResult;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::execution_plan::reset_plan_states;
use datafusion::prelude::SessionContext;
use tagmill_schemas::config::{AppColumn, AppLimits, Content, SourceKind, Tag};
use tagmill_schemas::manifest::{FileEntry, Input, Manifest, OverLimit};
use tagmill_schemas::{Artifact, Config, Error, Result};

use super::event_days::{EventDays, keeps_events};
use super::funnels::plan_funnels;
use super::groups::{GroupNight, plan_groups};
use super::known_events::KnownEvents;
use super::limits::{load_kept, withheld_tags};
use super::memory::Forecast;
use super::new_tags::add_new_tags;
use super::registry::{ClaimedEvents, GroupTags, event_shapes, group_tags};
use super::session::Resources;
use super::set_aside::SetAside;
use super::sources::{Decision, SourceInput};
use super::statuses::statuses_of;
use super::tag_limit::full_apps;
use super::tonight::Tonight;
use super::windows::plan_windows;
use tagmill_engine::{Work, of_datafusion};
use tagmill_night::exchange::shard_numbers;
use tagmill_night::scan::{Scan, ScanContext, mistakes_of, plan_source, rows_of};
use tagmill_night::{
    AudienceSpec, BehaviourLimits, Count, EventShapes, Keeps, NightExec, NightLimits, NightSpec,
    ParentFiles, RowsSpec, ShardNumbers, SourceSpec, TagSpec, Withheld,
};
use tagmill_rules::groups::GroupsBefore;
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
    /// What registries of events declare beyond limits.
    pub over_limit: Vec<Count>,
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
        self.reset()?;
        Ok(true)
    }

    /// Plans another attempt without the rows of these apps, whose values of `state`, the release
    /// before, are carried.
    ///
    /// # Errors
    /// Setup for children that can not be run again.
    pub fn set_aside(&mut self, aside: &SetAside, state: Option<&Manifest>) -> Result<()> {
        let spec = &mut self.spec;
        spec.set_aside = aside.names();
        for entry in state.iter().flat_map(|m| &m.tags) {
            if aside.contains(&entry.app) && entry.is_withheld {
                // What was not published can not be carried.
                let limit = entry.over_limit.unwrap_or(OverLimit::Values(0));
                let of_app = spec.withheld.entry(entry.app.clone()).or_default();
                of_app.entry(entry.tag.clone()).or_insert(limit);
            }
        }
        if !spec.is_backfill {
            let tags = state.iter().flat_map(|m| m.direct_files(Artifact::Tags));
            spec.parent.tags = tags.cloned().collect();
        }
        self.reset()
    }

    /// Lets the children run once more.
    fn reset(&mut self) -> Result<()> {
        let again = std::mem::take(&mut self.children)
            .into_iter()
            .map(reset_plan_states)
            .collect::<DataFusionResult<_>>();
        self.children = again.map_err(|e| of_datafusion(Work::RawData, "plan", e))?;
        Ok(())
    }

    /// Writes the rules and the ids of lists for the shards, once for all attempts at the run; from
    /// then on only their numbers are kept here.
    ///
    /// # Errors
    /// An error of the store.
    pub async fn write_audience(&mut self, store: &Store) -> Result<()> {
        let lists = std::mem::take(&mut self.groups.lists);
        let attempt = (self.spec.run.as_str(), self.spec.attempt);
        let (rules, windows) = (self.groups.rules(), &self.groups.windows);
        let written = self
            .spec
            .audience
            .write(&rules, &lists, windows, store, attempt);
        written.await
    }

    /// The operator that runs in this process.
    ///
    /// # Errors
    /// Setup for a plan that does not fit together.
    pub fn operator(&self, store: &Store) -> Result<Arc<NightExec>> {
        self.operator_over(store, ShardNumbers::OfPartition, self.children.clone())
    }

    /// The operator that may run elsewhere, as long as its sources are exchanged by the engine:
    /// every shard is told its number by a row.
    ///
    /// # Errors
    /// As [`NightPlan::operator`].
    pub fn operator_to_send(&self, store: &Store) -> Result<Arc<NightExec>> {
        let numbers = shard_numbers(self.spec.shards);
        let numbers = numbers.map_err(|e| of_datafusion(Work::RawData, "plan", e))?;
        let children = std::iter::once(numbers).chain(self.children.iter().cloned());
        self.operator_over(store, ShardNumbers::OfRow, children.collect())
    }

    fn operator_over(
        &self,
        store: &Store,
        numbers: ShardNumbers,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<NightExec>> {
        let spec = Arc::new(self.spec.clone());
        let exec = NightExec::try_new(spec, store.clone(), numbers, children);
        Ok(Arc::new(
            exec.map_err(|e| of_datafusion(Work::RawData, "plan", e))?,
        ))
    }
}

/// What a plan is made from.
pub struct Planning<'a> {
    /// What was asked for, the warehouse, who is told.
    pub night: &'a Tonight<'a>,
    /// The releases that the night builds on.
    pub parents: &'a Parents,
    /// What is taken from each source.
    pub sources: &'a [SourceInput<'a>],
    /// The session that knows the functions of the scan.
    pub session: &'a SessionContext,
    /// What the run may use.
    pub resources: &'a Resources,
    /// What it is expected to take.
    pub forecast: Forecast,
}

/// Plans the night.
///
/// # Errors
/// Setup for expressions that can not be used, refused for raw data that breaks its contract.
pub async fn plan_night(planning: &Planning<'_>) -> Result<NightPlan> {
    let Planning {
        night,
        parents,
        sources,
        ..
    } = *planning;
    let (request, observer) = (night.request(), night.observer());
    let mut tags = group_tags(request, parents.newest.as_ref(), observer).await?;
    let mut inputs: Vec<Input> = sources
        .iter()
        .map(|source| source.record(request.date))
        .collect();
    let PlannedSources {
        specs,
        children,
        over_limit,
    } = plan_sources(planning, &mut inputs).await?;
    let (mut groups, mut withheld) = (GroupNight::default(), Withheld::new());
    if !parents.is_before_head(request.date) {
        let platform: Vec<TagSpec> = specs.iter().flat_map(platform_tags).cloned().collect();
        withheld = withheld_tags(night.config(), parents.state.as_ref(), sources);
        let before = match (&request.config.groups, &parents.state) {
            (Some(_), Some(state)) => statuses_of(state, night.store()).await?,
            _ => GroupsBefore::new(),
        };
        let events = KnownEvents::of(night.config(), registries(&specs));
        let kept = night.config().retention.behaviour_days;
        let newest = parents.newest.as_ref();
        let days = EventDays::of(newest, &specs, request.date, kept);
        let known = (&events, Some(&days));
        let plan = async |tags: &GroupTags, before| {
            plan_groups(request, &platform, tags, &withheld, before, known, observer).await
        };
        groups = plan(&tags, before).await?;
        let (context, state) = (planning.scan_context(), parents.state.as_ref());
        let (config, wanted) = (night.config(), &groups.unknown_tags);
        if add_new_tags(&context, config, sources, state, wanted, &mut tags).await? {
            groups = plan(&tags, std::mem::take(&mut groups.before)).await?;
        }
        let tonight = (request.date, keeps_events(&specs, request.date, newest));
        let windows = plan_windows(&groups.plans, &days, parents, tonight, night.store());
        groups.windows = windows.await?;
        groups.tell(observer);
    }
    inputs.append(&mut tags.inputs);
    inputs.append(&mut groups.inputs);
    let spec = planning.spec(specs, tags, &groups, withheld).await?;
    let mut plan = NightPlan {
        spec,
        children,
        groups,
        inputs,
        over_limit,
        wave: planning.forecast.wave(planning.resources),
        resources: planning.resources.clone(),
        forecast: planning.forecast,
    };
    if plan.wave < plan.spec.shards.get() as usize {
        plan.spec.shard_budget = plan.shard_forecast();
    }
    Ok(plan)
}

impl Planning<'_> {
    /// The specification, without run and attempt.
    async fn spec(
        &self,
        sources: Vec<SourceSpec>,
        tags: GroupTags,
        groups: &GroupNight,
        withheld: Withheld,
    ) -> Result<NightSpec> {
        let (config, state) = (self.night.config(), self.parents.state.as_ref());
        let date = self.night.request().date;
        let is_backfill = self.parents.is_before_head(date);
        let funnels = plan_funnels(config, &sources, self.parents, date)?;
        Ok(NightSpec {
            run: String::new(),
            attempt: 0,
            date,
            time_zone: config.warehouse.time_zone,
            shards: config.warehouse.shards,
            id_scope: config.warehouse.id_scope,
            store: self.night.store().name_of(""),
            is_backfill,
            limits: night_limits(config),
            kept_values: load_kept(state, &config.limits, self.night.store()).await?,
            withheld,
            set_aside: BTreeSet::new(),
            parent: parent_files(self.parents, &sources, is_backfill),
            sources,
            labels: tags.by_app,
            shared_labels: tags.shared,
            unused_labels: tags.unused,
            full_apps: full_apps(config, state),
            audience: AudienceSpec::of(groups.rules(), &groups.lists),
            funnels,
            shard_budget: 0,
        })
    }

    fn scan_context(&self) -> ScanContext<'_> {
        let (request, warehouse) = (self.night.request(), &self.night.config().warehouse);
        ScanContext {
            session: self.session,
            date: request.date,
            time_zone: warehouse.time_zone,
            id_scope: warehouse.id_scope,
            shards: warehouse.shards,
            exchange: self.resources.exchange(),
        }
    }
}

fn night_limits(config: &Config) -> NightLimits {
    let limits = |l: &AppLimits| BehaviourLimits {
        combinations: l.combinations_per_user.min(u64::from(u32::MAX - 1)) as u32,
        values: l.values_per_dimension as usize,
        events: l.events as usize,
    };
    let apps = config.limits.apps.iter();
    NightLimits {
        default: limits(&config.limits.default),
        apps: apps.map(|(app, l)| (app.clone(), limits(l))).collect(),
    }
}

/// The sources of a night.
struct PlannedSources {
    specs: Vec<SourceSpec>,
    children: Vec<Arc<dyn ExecutionPlan>>,
    over_limit: Vec<Count>,
}

/// Every source in the order of the configuration, and one child for each that is read; registries
/// of events become `inputs`.
async fn plan_sources(planning: &Planning<'_>, inputs: &mut Vec<Input>) -> Result<PlannedSources> {
    let (request, observer) = (planning.night.request(), planning.night.observer());
    let context = planning.scan_context();
    let (mut specs, mut children, mut over_limit) = (Vec::new(), Vec::new(), Vec::new());
    let mut claimed = ClaimedEvents::new();
    let mut mistakes = Vec::new();
    for input in planning.sources {
        let source = input.source;
        let all = planning.night.config().tags.iter();
        let tags: Vec<&Tag> = all.filter(|tag| tag.source == source.name).collect();
        let rows = match &input.decision {
            Decision::Read(files) => {
                let mut shapes = None;
                if let SourceKind::CustomEvents(events) = &source.kind {
                    let read =
                        event_shapes(request, source, events, &mut claimed, observer).await?;
                    inputs.extend(read.input);
                    over_limit.extend(read.over_limit);
                    shapes = Some(read.shapes);
                }
                let planned = plan_source(&context, source, &tags, shapes, files.as_ref().clone());
                match planned.await {
                    Ok(Scan { plan, rows, notes }) => {
                        for note in notes {
                            observer.warn(&format!("source {}: {note}", source.name));
                        }
                        children.push(plan);
                        rows
                    }
                    Err(first) => {
                        mistakes.extend(mistakes_of(&context, source, &tags, files, first));
                        continue;
                    }
                }
            }
            Decision::Carry(_) | Decision::Keep(_) | Decision::Empty | Decision::Skip => {
                rows_of(source, &tags)
            }
        };
        specs.push(source_spec(input, rows));
    }
    let config = planning.night.config();
    let mistakes = mistakes.into_iter().map(|mistake| config.located(mistake));
    match Error::of_all(mistakes.collect()) {
        None => Ok(PlannedSources {
            specs,
            children,
            over_limit,
        }),
        Some(mistakes) => Err(mistakes),
    }
}

fn source_spec(input: &SourceInput<'_>, rows: RowsSpec) -> SourceSpec {
    let source = input.source;
    SourceSpec {
        name: source.name.clone(),
        app: match &source.columns.app {
            AppColumn::Constant(app) => Some(app.clone()),
            AppColumn::Column(_) => None,
        },
        has_input: matches!(input.decision, Decision::Read(_)),
        is_empty: matches!(input.decision, Decision::Empty),
        expected_rows: input.rows(),
        keeps: match &input.decision {
            _ if source.kind.events().is_some() => Keeps::Nothing,
            Decision::Keep(_) => Keeps::OfDate,
            Decision::Carry(_) => Keeps::Earlier,
            Decision::Read(_) | Decision::Empty if source.content == Content::Changes => {
                Keeps::Earlier
            }
            Decision::Read(_) | Decision::Empty | Decision::Skip => Keeps::Nothing,
        },
        nulls: source.nulls.clone(),
        rows,
    }
}

/// What registries of custom events declare, by source, as far as they are read tonight.
fn registries(specs: &[SourceSpec]) -> BTreeMap<String, EventShapes> {
    let read = specs.iter().filter(|source| source.has_input);
    let shapes = read.filter_map(|source| match &source.rows {
        RowsSpec::Events { shapes, .. } => Some((source.name.clone(), shapes.clone())),
        RowsSpec::Attributes { .. } | RowsSpec::GroupTags { .. } => None,
    });
    shapes.collect()
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
            .flat_map(|m| m.direct_files(artifact))
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
        behaviour: Vec::new(),
        behaviour_measures: Vec::new(),
    }
}
