//! The command `validate`: rules and registries of a configuration, without a store.

use std::sync::Mutex;

use tagmill_night::{TagSpec, Withheld};
use tagmill_rules::groups::{GroupStatus, Status};
use tagmill_schemas::config::{Source, SourceKind};
use tagmill_schemas::{Config, Result};
use tagmill_warehouse::store::{Store, open_pattern};

use super::bounded::Bounded;
use super::groups::plan_groups;
use super::later::tell_later;
use super::registry::group_tags;
use super::report::ValidateReport;
use super::{Observer, Request, Silent};
use tagmill_night::scan::check_syntax;

/// Checks rules and registries of a configuration; no warehouse and no raw data is needed.
///
/// # Errors
/// Setup and refused for files that can not be read at all.
pub async fn validate(request: &Request) -> Result<ValidateReport> {
    let config: &Config = &request.config;
    check_syntax(config)?;
    check_places(config)?;
    let heard = Heard::default();
    let bounded = Bounded::new(&heard);
    tell_later(config, &bounded);
    let tags = group_tags(request, None, &bounded).await?;
    drop(bounded);
    let platform = platform_tags(config);
    let groups = plan_groups(request, &platform, &tags, &Withheld::new(), &Silent).await?;
    let mut problems = heard.lines.into_inner().unwrap_or_default();
    let statuses = || groups.plans.iter().flat_map(|p| &p.statuses);
    problems.extend(
        statuses()
            .filter(|s| matches!(s.status, Status::Invalid | Status::OverLimit))
            .filter_map(|s| s.notice()),
    );
    Ok(ValidateReport {
        sources: config.sources.len(),
        tags: config.tags.len(),
        rules: statuses().count() as u64,
        problems,
        hints: statuses().flat_map(GroupStatus::hint_lines).collect(),
        config_hash: config.hash.clone(),
    })
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
    lines: Mutex<Vec<String>>,
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
