//! The command `plan`: what a run would do.

use datafusion::physical_plan::displayable;
use tagmill_night::scan::Trial;
use tagmill_schemas::problem::Code;
use tagmill_schemas::{Problem, Result};

use super::bounded::Bounded;
use super::heard::Heard;
use super::later::tell_later;
use super::never_seen::never_seen;
use super::old_values::mark_old;
use super::pitfalls::hints;
use super::report::{PlanReport, SourcePlan};
use super::sources::{Decision, SourceInput};
use super::stages::Inputs;
use super::tonight::Tonight;
use super::{Observer, Request};

/// What a run would do; reads footers, registries and rules, writes nothing.
///
/// # Errors
/// As [`run`](super::run()), as far as it goes.
pub async fn plan(request: &Request, observer: &dyn Observer) -> Result<PlanReport> {
    let heard = Heard::new(observer);
    let planned = plan_night(request, &heard).await;
    let mut report = planned.map_err(|error| request.config.located(error))?;
    let told = heard.into_problems().into_iter();
    // Those of groups are in the report, and there without a limit.
    let is_of_groups = |problem: &Problem| problem.code == Code::Rule.name();
    let mut notices: Vec<Problem> = told.filter(|problem| !is_of_groups(problem)).collect();
    notices.append(&mut report.notices);
    notices.extend(hints(&request.config));
    report.notices = notices;
    Ok(report)
}

async fn plan_night(request: &Request, observer: &dyn Observer) -> Result<PlanReport> {
    let observer = &Bounded::new(observer);
    tell_later(&request.config, observer);
    let night = Tonight::open(request, observer).await?;
    let planned = Inputs::find(&night).await?.plan().await?;
    let release = planned.parents().next_release();
    let newest = planned.parents().newest.as_ref();
    let head_date = newest.map(|head| head.head_date);
    let newest = newest.cloned();
    let trials = planned.try_rows().await?;
    let tried = planned.sources().iter().zip(&trials);
    let sources = tried.map(|(input, trial)| source_plan(input, trial.as_ref()));
    let sources = sources.collect();
    let (mut plan, _session) = planned.into_plan();
    mark_old(&plan.spec, &mut plan.groups, &plan.inputs);
    let exec = plan.operator(night.store())?;
    let unseen = match &newest {
        Some(newest) => never_seen(&plan.groups.plans, newest, night.store()).await?,
        None => Vec::new(),
    };
    let statuses = plan.groups.plans.iter().flat_map(|p| &p.statuses);
    Ok(PlanReport {
        date: request.date,
        release,
        is_backfill: plan.spec.is_backfill,
        as_of: head_date
            .filter(|_| plan.spec.is_backfill)
            .unwrap_or(request.date),
        sources,
        groups: plan.groups.by_status(),
        notices: statuses
            .flat_map(|s| s.notice().into_iter().chain(s.hint_problems()))
            .chain(unseen)
            .collect(),
        shards: plan.spec.shards.get(),
        shards_at_once: plan.wave,
        shard_forecast: plan.shard_forecast(),
        plan: displayable(exec.as_ref()).indent(false).to_string(),
    })
}

fn source_plan(input: &SourceInput<'_>, trial: Option<&Trial>) -> SourcePlan {
    let (status, files) = match &input.decision {
        Decision::Read(files) => ("read", Some(files)),
        Decision::Carry(_) | Decision::Keep(_) => ("carried", None),
        Decision::Empty => ("empty", None),
        Decision::Skip => ("skipped", None),
    };
    SourcePlan {
        source: input.source.name.clone(),
        status,
        files: files.map_or(0, |files| files.files.len()),
        rows: input.rows(),
        bytes: files.map_or(0, |files| files.bytes()),
        notes: files
            .into_iter()
            .flat_map(|files| [files.note_of_formats(), files.note_of_times()])
            .flatten()
            .chain(trial.and_then(Trial::note))
            .collect(),
    }
}
