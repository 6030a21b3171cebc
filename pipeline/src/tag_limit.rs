//! Apps with more tags of their own than `limits.tags`: those that group-tags sources name, beside
//! the platform's.
//!
//! ```text
//! night 1   whole, and says so; the manifest marks the tags beyond the limit: those that are new, then by name
//! night 2   marked tags are not published, tags that nobody knows are not taken; counted
//! ```
//! Known tags come first, so that what a merchant sends today takes nothing away that worked
//! yesterday.

use std::collections::{BTreeMap, BTreeSet};

use tagmill_schemas::Config;
use tagmill_schemas::config::SourceKind;
use tagmill_schemas::manifest::{Manifest, OverLimit, TagEntry};

use super::tags_of_night::TagOfNight;
use tagmill_night::NightSpec;

/// A tag of an app.
type Tag = (String, String);

/// Whether a tag is the app's own: of a group-tags source, and not named by the configuration.
fn is_own(config: &Config, source: &str, tag: &str) -> bool {
    let is_label = || {
        config
            .sources
            .iter()
            .any(|s| s.name == source && matches!(s.kind, SourceKind::GroupTags { .. }))
    };
    !config.tags.iter().any(|t| t.name == tag) && is_label()
}

/// The tags that the release marks as beyond the limit, without those for which a raised limit has
/// room.
pub fn marked_tags(config: &Config, state: Option<&Manifest>) -> BTreeSet<Tag> {
    let mut by_app: BTreeMap<&str, Vec<&TagEntry>> = BTreeMap::new();
    for entry in state
        .iter()
        .flat_map(|m| &m.tags)
        .filter(|entry| is_own(config, &entry.source, &entry.tag))
    {
        by_app.entry(&entry.app).or_default().push(entry);
    }
    let marked = by_app.into_iter().flat_map(|(app, entries)| {
        let (marked, others): (Vec<_>, Vec<_>) = entries
            .into_iter()
            .partition(|entry| entry.over_limit == Some(OverLimit::Tags));
        let room = config
            .limits
            .of(app)
            .tags
            .saturating_sub(others.len() as u64);
        marked.into_iter().skip(room as usize)
    });
    marked
        .map(|entry| (entry.app.clone(), entry.tag.clone()))
        .collect()
}

/// Apps of which no tag is taken tonight that is not known yet.
pub fn full_apps(config: &Config, state: Option<&Manifest>) -> BTreeSet<String> {
    marked_tags(config, state)
        .into_iter()
        .map(|(app, _)| app)
        .collect()
}

/// The tags of the night beyond each app's limit.
pub fn tags_beyond(
    spec: &NightSpec,
    config: &Config,
    tags: &[TagOfNight<'_>],
    newest: Option<&Manifest>,
) -> BTreeMap<String, BTreeSet<String>> {
    let marks: BTreeMap<(&str, &str), bool> = newest
        .iter()
        .flat_map(|m| &m.tags)
        .map(|e| {
            (
                (e.app.as_str(), e.tag.as_str()),
                e.over_limit == Some(OverLimit::Tags),
            )
        })
        .collect();
    let rank = |app: &str, tag: &str| match marks.get(&(app, tag)) {
        Some(false) => 0,
        _ if spec.label(app, tag).is_some() => 1,
        _ => 2,
    };
    let mut by_app: BTreeMap<&str, BTreeSet<(u8, &str)>> = BTreeMap::new();
    for tag in tags
        .iter()
        .filter(|tag| is_own(config, tag.source, tag.tag))
    {
        by_app
            .entry(tag.app)
            .or_default()
            .insert((rank(tag.app, tag.tag), tag.tag));
    }
    let beyond = by_app.into_iter().map(|(app, tags)| {
        let most = config.limits.of(app).tags as usize;
        (
            app.to_owned(),
            tags.into_iter()
                .skip(most)
                .map(|(_, tag)| tag.to_owned())
                .collect::<BTreeSet<String>>(),
        )
    });
    beyond.filter(|(_, tags)| !tags.is_empty()).collect()
}
