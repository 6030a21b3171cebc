//! The command `plan`: what a run would do.

use datafusion::physical_plan::displayable;
use tagmill_schemas::Result;

use super::bounded::Bounded;
use super::later::tell_later;
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
    let observer = &Bounded::new(observer);
    tell_later(&request.config, observer);
    let night = Tonight::open(request, observer).await?;
    let planned = Inputs::find(&night).await?.plan().await?;
    let (plan, parents) = (planned.plan(), planned.parents());
    let exec = plan.operator(night.store())?;
    let statuses = plan.groups.plans.iter().flat_map(|p| &p.statuses);
    Ok(PlanReport {
        date: request.date,
        release: parents.next_release(),
        is_backfill: plan.spec.is_backfill,
        as_of: parents
            .newest
            .as_ref()
            .filter(|_| plan.spec.is_backfill)
            .map_or(request.date, |head| head.head_date),
        sources: planned.sources().iter().map(source_plan).collect(),
        groups: plan.groups.by_status(),
        notices: statuses
            .flat_map(|s| s.notice().into_iter().chain(s.hint_lines()))
            .collect(),
        shards: plan.spec.shards.get(),
        shards_at_once: plan.wave,
        shard_forecast: plan.shard_forecast(),
        plan: displayable(exec.as_ref()).indent(false).to_string(),
    })
}

fn source_plan(input: &SourceInput<'_>) -> SourcePlan {
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
            .collect(),
    }
}
