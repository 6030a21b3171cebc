//! The command `validate`: rules and registries of a configuration, without a store.

use std::collections::{BTreeMap, BTreeSet};

use tagmill_night::{EventShapes, TagSpec, Withheld};
use tagmill_rules::groups::{GroupStatus, GroupsBefore, Status};
use tagmill_rules::{Atom, Expr};
use tagmill_schemas::config::{Source, SourceKind};
use tagmill_schemas::{Config, Error, Problem, Result};
use tagmill_warehouse::store::{Store, open_pattern};

use super::bounded::Bounded;
use super::funnels::conditions_of;
use super::groups::{GroupNight, plan_groups};
use super::heard::Heard;
use super::known_events::KnownEvents;
use super::later::tell_later;
use super::new_tags::brings_tags;
use super::pitfalls::hints;
use super::registry::{ClaimedEvents, event_shapes, group_tags};
use super::report::ValidateReport;
use super::{Observer, Request, Silent};
use tagmill_night::scan::check_syntax;

/// Checks rules and registries of a configuration; no warehouse and no raw data is needed.
///
/// # Errors
/// Setup for expressions that are no SQL and places that are none, all of them; setup and refused for
/// files that can not be read at all.
pub async fn validate(request: &Request) -> Result<ValidateReport> {
    let config: &Config = &request.config;
    let checks = [check_syntax(config), check_places(config)];
    let wrong = checks.into_iter().filter_map(Result::err).collect();
    Error::of_all(wrong).map_or(Ok(()), Err)?;
    let heard = Heard::new(&Silent);
    let bounded = Bounded::new(&heard);
    tell_later(config, &bounded);
    let mut tags = group_tags(request, None, &bounded).await?;
    let registries = check_events(request, &bounded).await?;
    let events = KnownEvents::of(config, registries);
    drop(bounded);
    for funnel in &config.funnels {
        conditions_of(funnel, &events, request.date)?;
    }
    tags.is_open = config
        .sources
        .iter()
        .any(|source| brings_tags(config, source));
    let platform = platform_tags(config);
    let (withheld, before) = (Withheld::new(), GroupsBefore::new());
    let groups = plan_groups(
        request,
        &platform,
        &tags,
        &withheld,
        before,
        (&events, None),
        &Silent,
    )
    .await?;
    let mut problems = heard.into_problems();
    problems.extend(groups.unread.iter().cloned());
    let statuses = || groups.plans.iter().flat_map(|p| &p.statuses);
    problems.extend(
        statuses()
            .filter(|s| matches!(s.status, Status::Invalid | Status::OverLimit))
            .filter_map(|s| s.notice()),
    );
    Ok(ValidateReport {
        sources: config.sources.len(),
        tags: config.tags.len(),
        rules: (statuses().count() + groups.unread.len()) as u64,
        problems,
        hints: hints(config)
            .into_iter()
            .chain(statuses().flat_map(GroupStatus::hint_problems))
            .chain(undeclared(&groups))
            .collect(),
        config_hash: config.hash.clone(),
    })
}

/// Tags of valid rules that are declared nowhere: rows have to bring them.
fn undeclared(groups: &GroupNight) -> Vec<Problem> {
    let plans = groups.plans.iter();
    let statuses = plans.flat_map(|plan| plan.statuses.iter().map(move |status| (plan, status)));
    let mut hints = Vec::new();
    for (plan, status) in statuses {
        let atoms = plan.rule(&status.group).map_or_else(Vec::new, Expr::atoms);
        let tags = atoms.into_iter().filter_map(|atom| match atom {
            Atom::Has { tag } | Atom::Tag { tag, .. } => Some(tag),
            _ => None,
        });
        let is_unknown = |tag: &&String| {
            groups
                .unknown_tags
                .contains(&(plan.app.clone(), (*tag).clone()))
        };
        let unknown: BTreeSet<&String> = tags.filter(is_unknown).collect();
        hints.extend(unknown.into_iter().map(|tag| {
            status.hint(&format!(
                ": tag {tag:?} is declared nowhere, it is a text that rows have to bring"
            ))
        }));
    }
    hints
}

/// Tells what is wrong with registries of events; by source what they declare.
async fn check_events(
    request: &Request,
    heard: &dyn Observer,
) -> Result<BTreeMap<String, EventShapes>> {
    let (mut claimed, mut registries) = (ClaimedEvents::new(), BTreeMap::new());
    for source in &request.config.sources {
        if let SourceKind::CustomEvents(events) = &source.kind {
            let read = event_shapes(request, source, events, &mut claimed, heard).await?;
            registries.insert(source.name.clone(), read.shapes);
        }
    }
    Ok(registries)
}

/// The tags of attributes sources that the configuration gives a type.
fn platform_tags(config: &Config) -> Vec<TagSpec> {
    let has_attributes = |source: &&Source| matches!(source.kind, SourceKind::Attributes { .. });
    let tags = config.tags.iter().filter(|tag| {
        let mut of_tag = config.sources.iter().filter(|s| s.name == tag.source);
        of_tag.any(|source| has_attributes(&source))
    });
    tags.filter_map(|tag| {
        Some(TagSpec {
            name: tag.name.clone(),
            value_type: tag.value_type?,
            multi: tag.multi,
            scale: tag.scale,
        })
    })
    .collect()
}

/// Whether the warehouse and every source are at places that can be opened; nothing is contacted.
fn check_places(config: &Config) -> Result<()> {
    let located = |name: String, error: Error| match config.places.get(&name) {
        Some(position) => error.found_at(position.clone()),
        None => error,
    };
    let mut wrong = Vec::new();
    if let Err(error) = Store::open(&config.warehouse.url) {
        wrong.push(located("warehouse url".to_owned(), error));
    }
    for source in &config.sources {
        let ready = source.ready.iter().map(|ready| ("ready", ready));
        for (key, place) in [("path", &source.path)].into_iter().chain(ready) {
            if let Err(error) = open_pattern(place) {
                wrong.push(located(format!("source {} {key}", source.name), error));
            }
        }
    }
    Error::of_all(wrong).map_or(Ok(()), Err)
}
