//! The funnels of a night: conditions compiled, the files of the night before, days that are missing.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate};
use tagmill_schemas::config::{Funnel, Step};
use tagmill_schemas::manifest::{FileEntry, Manifest};
use tagmill_schemas::nearest::nearest;
use tagmill_schemas::{Artifact, Config, Error, Result};

use super::event_days::EventDays;
use super::known_events::KnownEvents;
use tagmill_night::{EventShapes, MissingDay, NightFunnel, NightFunnels, RowsSpec, SourceSpec};
use tagmill_rules::{DimensionCondition, event_condition};
use tagmill_warehouse::release::Parents;

/// Plans what the night computes of funnels.
///
/// # Errors
/// Setup for an event that no source can have, and for a condition that is not understood.
pub fn plan_funnels(
    config: &Config,
    sources: &[SourceSpec],
    parents: &Parents,
    date: NaiveDate,
) -> Result<NightFunnels> {
    let goes_on = !parents.is_before_head(date);
    let before = match goes_on {
        true => parents
            .state
            .as_ref()
            .filter(|_| !config.funnels.is_empty()),
        false => parents.newest.as_ref(),
    };
    let files = |artifact: Artifact, of: Option<&Manifest>| -> Vec<FileEntry> {
        let files = of.into_iter().flat_map(|of| of.direct_files(artifact));
        files.cloned().collect()
    };
    let newest = parents.newest.as_ref();
    let kept = config.retention.behaviour_days;
    let tonight = Tonight {
        events: KnownEvents::of(config, registries(sources)),
        days: EventDays::of(newest, sources, date, kept),
        date,
    };
    let funnels = config.funnels.iter().map(|funnel| tonight.plan(funnel));
    Ok(NightFunnels {
        funnels: funnels.collect::<Result<_>>()?,
        state: files(Artifact::FunnelState, before.filter(|_| goes_on)),
        before: files(Artifact::Funnels, before),
        goes_on,
    })
}

/// What registries of custom events declare, by source, as far as they are read tonight.
fn registries(sources: &[SourceSpec]) -> BTreeMap<String, EventShapes> {
    let read = sources.iter().filter(|source| source.has_input);
    let shapes = read.filter_map(|source| match &source.rows {
        RowsSpec::Events { shapes, .. } => Some((source.name.clone(), shapes.clone())),
        RowsSpec::Attributes { .. } | RowsSpec::GroupTags { .. } => None,
    });
    shapes.collect()
}

/// The conditions of a funnel's steps.
///
/// # Errors
/// Setup for an event that no source can have, and for a condition that is not understood.
pub fn conditions_of(
    funnel: &Funnel,
    events: &KnownEvents<'_>,
    date: NaiveDate,
) -> Result<Vec<Option<DimensionCondition>>> {
    let steps = funnel.steps.iter();
    steps
        .map(|step| condition(funnel, step, events, date))
        .collect()
}

/// The condition of a step, and that there can be such an event at all.
fn condition(
    funnel: &Funnel,
    step: &Step,
    events: &KnownEvents<'_>,
    date: NaiveDate,
) -> Result<Option<DimensionCondition>> {
    let refuse =
        |what: String| Error::setup("configuration", what).at(format!("funnel {}", funnel.name));
    let Some(info) = events.event_of_config(funnel.app.as_deref(), &step.event) else {
        let app = funnel.app.as_deref().unwrap_or_default();
        let names = events.names(app);
        let error = refuse(format!("no source has the event {:?}", step.event));
        return Err(match nearest(&step.event, names.iter().copied()) {
            Some(near) => error.fix(format!("did you mean {near:?}?")),
            None => error.fix(format!("there is {}", names.join(", "))),
        });
    };
    let Some(text) = &step.condition else {
        return Ok(None);
    };
    let condition = event_condition(text, &info, date);
    condition
        .map(Some)
        .map_err(|e| refuse(format!("invalid condition of step {:?} at {e}", step.event)))
}

/// What funnels are planned from.
struct Tonight<'a> {
    events: KnownEvents<'a>,
    days: EventDays<'a>,
    date: NaiveDate,
}

impl Tonight<'_> {
    fn plan(&self, funnel: &Funnel) -> Result<NightFunnel> {
        Ok(NightFunnel {
            definition: funnel.definition(),
            conditions: conditions_of(funnel, &self.events, self.date)?,
            missing: self.missing(funnel),
            funnel: funnel.clone(),
        })
    }

    /// The days within the window before tonight, and tonight, on which a source that could have a
    /// step was not there.
    fn missing(&self, funnel: &Funnel) -> Vec<MissingDay> {
        let back = funnel.window_seconds.div_ceil(86_400) + 1;
        let from = self.date.checked_sub_days(Days::new(back));
        let from = from.unwrap_or(self.date);
        let mut apps: Vec<Option<&str>> = vec![funnel.app.as_deref()];
        if funnel.app.is_none() {
            apps.extend(self.days.apps_without().into_iter().map(Some));
        }
        let mut missing = Vec::new();
        for app in apps {
            let steps = funnel.steps.iter();
            let mut sources: Vec<&str> = steps
                .flat_map(|step| self.events.sources_of(app.unwrap_or_default(), &step.event))
                .chain(self.events.registries())
                .collect();
            sources.sort_unstable();
            sources.dedup();
            let days = self.days.days_without(app, from, &sources);
            missing.extend(days.into_iter().map(|date| MissingDay {
                app: app.map(str::to_owned),
                date,
            }));
        }
        missing
    }
}
