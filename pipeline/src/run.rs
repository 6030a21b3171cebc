//! The commands of the job: run, plan, validate, init.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use arrow::array::{AsArray, RecordBatch};
use datafusion::error::DataFusionError;
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::physical_plan::{ExecutionPlan, displayable};
use datafusion::prelude::SessionContext;
use futures::{StreamExt, TryStreamExt};
use tagmill_schemas::artifact::Columns;
use tagmill_schemas::artifact::group_status::Column;
use tagmill_schemas::manifest::Manifest;
use tagmill_schemas::{Artifact, Config, Constants, Error, Kind, Result};

use super::audience::{check_new_invalid, check_rules_are_there, plan_groups};
use super::damage::name_damaged;
use super::inputs::{Decision, SourceInput, find_inputs};
use super::memory::{Forecast, memory_of_machine, within_machine};
use super::night::{NightPlan, plan_night};
use super::registry::{check_types, label_catalog};
use super::report::{PlanReport, Report, SourcePlan, ValidateReport};
use super::rollup::{RolledUp, manifest_of, roll_up};
use super::session::{Resources, night_session};
use super::spill::SpillFolder;
use super::{CODE_VERSION, Observer, Request};
use tagmill_engine::is_out_of_memory;
use tagmill_night::scan::{check_syntax, register_store};
use tagmill_night::{NightExec, ShardReport, TagSpec};
use tagmill_rules::groups::{GroupStatus, Status};
use tagmill_warehouse::artifact::read_columns;
use tagmill_warehouse::release::{
    Parents, choose_parents, claim_attempt, commit, init_warehouse, load_constants, mark_success,
    open_warehouse, probe, run_id,
};
use tagmill_warehouse::store::{Store, open_pattern};

/// Groups that the report names.
const LARGEST: usize = 10;

/// Measures the stages of a run.
struct Clock<'a> {
    observer: &'a dyn Observer,
    seconds: Vec<(String, f64)>,
    since: Instant,
}

impl<'a> Clock<'a> {
    fn new(observer: &'a dyn Observer) -> Self {
        Self {
            observer,
            seconds: Vec::new(),
            since: Instant::now(),
        }
    }

    fn stage(&mut self, name: &'static str, detail: &str) {
        self.end();
        self.observer.stage(name, detail);
        self.seconds.push((name.to_owned(), 0.0));
        self.since = Instant::now();
    }

    fn end(&mut self) {
        if let Some((_, seconds)) = self.seconds.last_mut() {
            *seconds = self.since.elapsed().as_secs_f64();
        }
    }
}

fn refuse_later(request: &Request) -> Result<()> {
    let later = [
        (request.stage_only, "--stage-only"),
        (request.force, "--force"),
    ];
    match later.iter().find(|(asked, _)| *asked) {
        Some((_, option)) => Err(Error::setup(
            "usage",
            format!("{option} is not in this version"),
        )),
        None => Ok(()),
    }
}

/// What the configuration asks for and this version does not do, without being wrong for it.
fn tell_later(config: &Config, observer: &dyn Observer) {
    if config.retention.releases.is_some() {
        observer.warn(
            "retention.releases is not in this version: no release and no file is ever removed",
        );
    }
}

/// Runs one night and publishes it.
///
/// # Errors
/// Refused: the data can not be used. Setup: a person must change something. Retry: later. Nothing
/// is published then.
pub async fn run(request: &Request, observer: &dyn Observer) -> Result<Report> {
    refuse_later(request)?;
    let config = &request.config;
    tell_later(config, observer);
    let mut clock = Clock::new(observer);
    clock.stage(
        "inputs",
        &format!("looking for the data of {}", request.date),
    );
    let store = Store::open(&config.warehouse.url)?;
    open_warehouse(&store, &config.warehouse).await?;
    probe(&store).await?;
    let parents = choose_parents(&store, request.date).await?;
    check_types(config, parents.newest.as_ref())?;
    let sources = find_inputs(request, &parents, observer).await?;

    clock.stage("plan", "checking columns, registries and rules");
    let (resources, forecast) = resources_of(request, &sources, &parents, observer);
    let session = night_session(&resources, None)?;
    let mut plan = plan_night(
        request,
        &sources,
        &parents,
        &session,
        (&resources, forecast),
        &store,
        observer,
    )
    .await?;
    if let (Some(groups), Some(state), false) =
        (&config.groups, &parents.state, plan.spec.is_backfill)
    {
        let before = statuses_of(state, &store).await?;
        check_rules_are_there(&plan.inputs, before.len())?;
        let told = check_new_invalid(
            &plan.groups,
            &plan.inputs,
            state,
            &before,
            groups.max_new_invalid,
        )?;
        told.iter().for_each(|line| observer.warn(line));
    }
    let parent = parents.newest.as_ref().map(|newest| newest.release);
    plan.spec.run = run_id(
        parent,
        request.date,
        &plan.inputs,
        &config.hash,
        CODE_VERSION,
    )?;
    plan.spec.attempt = claim_attempt(&store, &plan.spec.run, request.date)
        .await?
        .number;

    clock.stage(
        "shards",
        &format!(
            "{} rows into {} shards, {} at once",
            rows_of(&sources),
            plan.spec.shards.get(),
            plan.wave
        ),
    );
    let reports = run_attempts(&mut plan, &sources, &store, observer).await?;
    check_rows(&sources, &reports)?;

    clock.stage("roll-up", "adding up over shards");
    let rolled = roll_up(
        &plan.spec,
        config,
        &reports,
        &mut plan.groups,
        &parents,
        &plan.inputs,
        &store,
    )
    .await?;
    rolled
        .notices
        .iter()
        .for_each(|notice| observer.warn(notice));
    let mut report = report_of(&plan, &reports, &rolled, &parents);
    if let Some(head) = parents.newest.as_ref().filter(|_| plan.spec.is_backfill) {
        report.keep_head(head, statuses_of(head, &store).await?.into_values());
    }
    clock.stage("publish", "committing the release");
    let manifest = manifest_of(&plan.spec, config, rolled, plan.inputs.clone(), &parents)?;
    report.release = Some(commit(&store, &manifest).await?.committed()?);
    mark_success(&store, &manifest).await?;
    clock.end();
    report.seconds = clock.seconds;
    Ok(report)
}

/// What the run may use, and what it is expected to take.
fn resources_of(
    request: &Request,
    sources: &[SourceInput<'_>],
    parents: &Parents,
    observer: &dyn Observer,
) -> (Resources, Forecast) {
    let resources = Resources::of(request);
    let forecast = Forecast::of(sources, parents, resources.shards);
    (
        within_machine(resources, forecast, memory_of_machine(), observer),
        forecast,
    )
}

/// Runs the shards; where the memory holds fewer at once than was expected of the data, again with
/// fewer, as another attempt.
async fn run_attempts(
    plan: &mut NightPlan,
    sources: &[SourceInput<'_>],
    store: &Store,
    observer: &dyn Observer,
) -> Result<Vec<ShardReport>> {
    loop {
        let exec = plan.operator(store)?;
        let error = match run_attempt(plan, &exec, sources, observer).await {
            Err(error) if is_out_of_memory(&error) => error,
            done => return done,
        };
        let before = plan.wave;
        if !plan.shrink(
            sum_of(&exec, "peak_memory"),
            sum_of(&exec, "input_rows"),
            rows_of(sources),
        )? {
            return Err(error);
        }
        observer.warn(&format!(
            "the memory does not hold {before} shards of this data at once: \
                                once more from the start, {} at once",
            plan.wave
        ));
        plan.spec.attempt = claim_attempt(store, &plan.spec.run, plan.spec.date)
            .await?
            .number;
    }
}

async fn run_attempt(
    plan: &NightPlan,
    exec: &Arc<NightExec>,
    sources: &[SourceInput<'_>],
    observer: &dyn Observer,
) -> Result<Vec<ShardReport>> {
    let resources = &plan.resources;
    let spill = resources
        .memory
        .map(|_| SpillFolder::open(&resources.spill))
        .transpose()?;
    if let Some(spill) = &spill {
        tell_spill(spill, plan.spilled(rows_of(sources)), observer);
    }
    let limit = resources
        .memory
        .zip(spill.as_ref())
        .map(|(memory, spill)| (plan.pool_size(memory), spill));
    let session = night_session(resources, limit)?;
    let reports = run_shards(exec, plan, sources, &session, observer).await;
    if !matches!(&reports, Err(e) if e.kind() != Kind::Refused) {
        // Before the data is blamed: a file that was written meanwhile, or a store that is gone,
        // reads like damage.
        check_unchanged(sources).await?;
    }
    match reports {
        Ok(reports) => Ok(reports),
        Err(error) => {
            drop(session);
            if let Some(spill) = spill {
                spill.remove().await;
            }
            Err(name_damaged(error, sources).await)
        }
    }
}

/// What a person should know before hours are spent: a disk that may be too small.
fn tell_spill(spill: &SpillFolder, expected: u64, observer: &dyn Observer) {
    if spill.left() > 0 {
        observer.warn(&format!(
            "removed what killed runs had left in the spill folder ({} of them)",
            spill.left()
        ));
    }
    let free = spill.free_bytes().unwrap_or(u64::MAX);
    if free < expected {
        let (free, expected) = (free >> 20, expected >> 20);
        observer.warn(&format!(
            "the spill folder has {free} MiB free, about {expected} MiB may be \
                                needed: free disk space, or give the run more memory"
        ));
    }
}

/// Polls the shards of one wave after the other; what belongs to later ones waits in the exchange
/// and spills.
async fn run_shards(
    exec: &Arc<NightExec>,
    plan: &NightPlan,
    sources: &[SourceInput<'_>],
    session: &SessionContext,
    observer: &dyn Observer,
) -> Result<Vec<ShardReport>> {
    let context = session.task_ctx();
    register_stores(sources, session)?;
    // Held for the whole run: what one wave gives back must not go to the exchange of the next.
    let reserved = MemoryConsumer::new("NightExec").register(context.memory_pool());
    reserved
        .try_resize(plan.reserved() as usize)
        .map_err(failed)?;
    let total = rows_of(sources);
    let shards: Vec<usize> = (0..plan.spec.shards.get() as usize).collect();
    let mut reports = Vec::with_capacity(shards.len());
    for wave in shards.chunks(plan.wave) {
        let mut running = tokio::task::JoinSet::new();
        for &shard in wave {
            let (exec, context) = (Arc::clone(exec), Arc::clone(&context));
            running.spawn(async move {
                let batches: Vec<_> = exec
                    .execute(shard, context)
                    .map_err(failed)?
                    .try_collect()
                    .await
                    .map_err(failed)?;
                reports_in(&batches)
            });
        }
        let mut ticks = tokio::time::interval(std::time::Duration::from_millis(500));
        loop {
            let joined = tokio::select! {
                joined = running.join_next() => joined,
                _ = ticks.tick() => {
                    observer.progress(sum_of(exec, "input_rows"), total);
                    continue;
                }
            };
            let Some(joined) = joined else { break };
            match joined
                .map_err(|e| Error::setup("shards", "a shard stopped").because(e))
                .flatten()
            {
                Ok(done) => reports.extend(done),
                Err(error) => {
                    // Another attempt needs what the others hold.
                    running.shutdown().await;
                    return Err(error);
                }
            }
        }
    }
    observer.progress(total, total);
    reports.sort_by_key(|report: &ShardReport| report.shard);
    Ok(reports)
}

/// Parsed by the task of the shard: with thousands of apps a report is megabytes.
fn reports_in(batches: &[RecordBatch]) -> Result<Vec<ShardReport>> {
    let rows = batches
        .iter()
        .flat_map(|batch| batch["report"].as_string::<i32>().iter().flatten());
    rows.map(|json| {
        serde_json::from_str(json)
            .map_err(|e| Error::setup("shards", "a shard's report can not be read").because(e))
    })
    .collect()
}

fn failed(error: DataFusionError) -> Error {
    tagmill_engine::of_datafusion("shards", error)
}

/// The plan was made in another session: the one that runs it must find the same stores.
fn register_stores(sources: &[SourceInput<'_>], session: &SessionContext) -> Result<()> {
    for source in sources {
        if let Decision::Read(files) = &source.decision {
            register_store(&files.store, &session.runtime_env())?;
        }
    }
    Ok(())
}

/// A metric of all shards.
fn sum_of(exec: &NightExec, metric: &str) -> u64 {
    exec.metrics()
        .unwrap_or_default()
        .sum_by_name(metric)
        .map_or(0, |sum| sum.as_usize() as u64)
}

fn rows_of(sources: &[SourceInput<'_>]) -> u64 {
    let rows = |source: &SourceInput<'_>| {
        if let Decision::Read(files) = &source.decision {
            files.rows()
        } else {
            0
        }
    };
    sources.iter().map(rows).sum()
}

async fn check_unchanged(sources: &[SourceInput<'_>]) -> Result<()> {
    for source in sources {
        if let Decision::Read(files) = &source.decision {
            files.check_unchanged().await?;
        }
    }
    Ok(())
}

/// Every row of every footer is accounted for.
fn check_rows(sources: &[SourceInput<'_>], reports: &[ShardReport]) -> Result<()> {
    for source in sources {
        let Decision::Read(files) = &source.decision else {
            continue;
        };
        let counted: u64 = reports
            .iter()
            .flat_map(|r| &r.counts)
            .filter(|c| c.source == source.source.name && c.metric.is_fate())
            .map(|c| c.value)
            .sum();
        if counted != files.rows() {
            let what = format!(
                "source {}: {counted} rows were read, its files' footers say {}",
                source.source.name,
                files.rows()
            );
            return Err(
                Error::retry("shards", what).fix("run again when the writer of the files is done")
            );
        }
    }
    Ok(())
}

/// The status of every group of a release.
async fn statuses_of(
    manifest: &Manifest,
    store: &Store,
) -> Result<BTreeMap<(String, String), String>> {
    let mut statuses = BTreeMap::new();
    for file in manifest.files_of(Artifact::GroupStatus) {
        let columns = [Column::App, Column::Group, Column::Status];
        let mut batches = read_columns(store, file, &columns).await?;
        while let Some(batch) = batches.next().await {
            let batch = batch?;
            let texts = |column: Column| {
                let column = column.of(&batch).map_err(|e| failed(e.into()))?;
                Ok::<_, Error>(column.as_string::<i32>())
            };
            let (apps, groups) = (texts(Column::App)?, texts(Column::Group)?);
            let values = texts(Column::Status)?;
            for row in 0..batch.num_rows() {
                statuses.insert(
                    (apps.value(row).to_owned(), groups.value(row).to_owned()),
                    values.value(row).to_owned(),
                );
            }
        }
    }
    Ok(statuses)
}

fn report_of(
    plan: &NightPlan,
    reports: &[ShardReport],
    rolled: &RolledUp,
    parents: &Parents,
) -> Report {
    let mut rows = BTreeMap::new();
    for count in &rolled.counts {
        *rows.entry(count.source.clone()).or_default() += count.read;
    }
    let mut largest: Vec<(String, String, u64)> = rolled
        .groups
        .iter()
        .map(|((app, group), &size)| (app.clone(), group.clone(), size))
        .collect();
    largest.sort_by(|a, b| b.2.cmp(&a.2).then_with(|| (&a.0, &a.1).cmp(&(&b.0, &b.1))));
    largest.truncate(LARGEST);
    let mut shard_seconds: Vec<(String, f64)> = Vec::new();
    for (name, seconds) in reports.iter().flat_map(|report| &report.seconds) {
        match shard_seconds.iter_mut().find(|(n, _)| n == name) {
            Some((_, sum)) => *sum += seconds,
            None => shard_seconds.push((name.clone(), *seconds)),
        }
    }
    Report {
        release: None,
        parent: parents.newest.as_ref().map(|newest| newest.release),
        date: plan.spec.date,
        run: plan.spec.run.clone(),
        attempt: plan.spec.attempt,
        users: reports.iter().map(|r| r.users).sum(),
        new_users: reports.iter().map(|r| r.new_users).sum(),
        rows,
        rejected: rolled.counts.iter().map(|c| c.rejected).sum(),
        groups: plan
            .groups
            .by_status()
            .into_iter()
            .map(|(status, count)| (status.to_owned(), count))
            .collect(),
        largest_groups: largest,
        tags: rolled.tags.len() as u64,
        as_of: plan.spec.date,
        files: rolled.files.len() as u64,
        bytes: rolled.files.iter().map(|f| f.bytes).sum(),
        seconds: Vec::new(),
        shard_seconds,
    }
}

/// What a run would do; reads footers, registries and rules, writes nothing.
///
/// # Errors
/// As [`run`], as far as it goes.
pub async fn plan(request: &Request, observer: &dyn Observer) -> Result<PlanReport> {
    tell_later(&request.config, observer);
    let store = Store::open(&request.config.warehouse.url)?;
    open_warehouse(&store, &request.config.warehouse).await?;
    let parents = choose_parents(&store, request.date).await?;
    check_types(&request.config, parents.newest.as_ref())?;
    let sources = find_inputs(request, &parents, observer).await?;
    let (resources, forecast) = resources_of(request, &sources, &parents, observer);
    let session = night_session(&resources, None)?;
    let plan = plan_night(
        request,
        &sources,
        &parents,
        &session,
        (&resources, forecast),
        &store,
        observer,
    )
    .await?;
    let exec = plan.operator(&store)?;
    Ok(PlanReport {
        date: request.date,
        release: parents.next_release(),
        is_backfill: plan.spec.is_backfill,
        as_of: parents
            .newest
            .as_ref()
            .filter(|_| plan.spec.is_backfill)
            .map_or(request.date, |head| head.head_date),
        sources: sources.iter().map(source_plan).collect(),
        groups: plan.groups.by_status(),
        notices: plan
            .groups
            .plans
            .iter()
            .flat_map(|p| &p.statuses)
            .filter_map(|s| s.notice())
            .collect(),
        shards: plan.spec.shards.get(),
        shards_at_once: plan.wave,
        shard_forecast: plan.shard_forecast(),
        plan: displayable(exec.as_ref()).indent(false).to_string(),
    })
}

fn source_plan(input: &SourceInput<'_>) -> SourcePlan {
    let source = input.source.name.clone();
    match &input.decision {
        Decision::Read(files) => SourcePlan {
            source,
            status: "read",
            files: files.files.len(),
            rows: files.rows(),
            bytes: files.bytes(),
        },
        Decision::Carry(_) | Decision::Keep(_) => SourcePlan {
            source,
            status: "carried",
            files: 0,
            rows: 0,
            bytes: 0,
        },
        Decision::Skip => SourcePlan {
            source,
            status: "skipped",
            files: 0,
            rows: 0,
            bytes: 0,
        },
    }
}

/// Checks rules and registries of a configuration; no warehouse and no raw data is needed.
///
/// # Errors
/// Setup and refused for files that can not be read at all.
pub async fn validate(request: &Request) -> Result<ValidateReport> {
    let config: &Config = &request.config;
    check_syntax(config)?;
    check_places(config)?;
    let heard = Heard::default();
    tell_later(config, &heard);
    let labels = label_catalog(request, None, &heard).await?;
    let is_platform = |source: &str| {
        config.sources.iter().any(|s| {
            s.name == source
                && matches!(
                    s.kind,
                    tagmill_schemas::config::SourceKind::Attributes { .. }
                )
        })
    };
    let platform: Vec<TagSpec> = config
        .tags
        .iter()
        .filter(|tag| is_platform(&tag.source))
        .filter_map(|tag| {
            Some(TagSpec {
                name: tag.name.clone(),
                value_type: tag.value_type?,
                multi: tag.multi,
                scale: tag.scale,
            })
        })
        .collect();
    let groups = plan_groups(
        request,
        &platform,
        &labels,
        &tagmill_night::Withheld::new(),
        &super::Silent,
    )
    .await?;
    let mut problems = heard.lines.into_inner().unwrap_or_default();
    let statuses = || groups.plans.iter().flat_map(|p| &p.statuses);
    problems.extend(
        statuses()
            .filter(|s| matches!(s.status, Status::Invalid | Status::OverLimit))
            .filter_map(|s| s.notice()),
    );
    let hints = statuses().flat_map(GroupStatus::hint_lines).collect();
    let (sources, tags, rules) = (
        config.sources.len(),
        config.tags.len(),
        statuses().count() as u64,
    );
    Ok(ValidateReport {
        sources,
        tags,
        rules,
        problems,
        hints,
        config_hash: config.hash.clone(),
    })
}

/// Whether the warehouse and every source are at places that can be opened; nothing is contacted.
fn check_places(config: &Config) -> Result<()> {
    Store::open(&config.warehouse.url)?;
    let mut places = config
        .sources
        .iter()
        .flat_map(|source| [Some(&source.path), source.ready.as_ref()])
        .flatten();
    places.try_for_each(|place| open_pattern(place).map(drop))
}

/// Keeps what is said.
#[derive(Default)]
struct Heard {
    lines: std::sync::Mutex<Vec<String>>,
}

impl Observer for Heard {
    fn stage(&self, _: &'static str, _: &str) {}
    fn progress(&self, _: u64, _: u64) {}
    fn warn(&self, line: &str) {
        if let Ok(mut lines) = self.lines.lock() {
            lines.push(line.to_owned());
        }
    }
}

/// Makes a warehouse, or finds it made; returns what is fixed for ever.
///
/// # Errors
/// Setup for a store without conditional create or a warehouse with other constants.
pub async fn init(config: &Config) -> Result<Constants> {
    let store = Store::open(&config.warehouse.url)?;
    init_warehouse(&store, &config.warehouse).await?;
    load_constants(&store).await
}
