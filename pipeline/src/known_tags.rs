//! The tags of a release: those with values tonight, and those that are declared still but have
//! none.

use std::collections::BTreeMap;

use tagmill_schemas::manifest::{Manifest, OverLimit, TagEntry};

use super::limits::Exceeded;
use super::tags_of_night::TagOfNight;
use tagmill_night::{NightSpec, RowsSpec};

/// The manifest's tags, by app and name. A tag that has no value for a night stays, as long as it
/// is declared: otherwise it could come back with another type.
pub fn tag_entries(
    spec: &NightSpec,
    tags: &[TagOfNight<'_>],
    exceeded: &Exceeded,
    newest: Option<&Manifest>,
) -> Vec<TagEntry> {
    let mut entries: BTreeMap<(String, String), TagEntry> = BTreeMap::new();
    for before in newest.iter().flat_map(|m| &m.tags) {
        if let Some(source) = declaring_source(spec, &before.app, &before.tag) {
            // A tag without values is no longer beyond the number of tags.
            let over_limit = before.over_limit.filter(|&limit| limit != OverLimit::Tags);
            let is_withheld = is_withheld(spec, &before.app, &before.tag);
            let entry = TagEntry {
                source: source.to_owned(),
                over_limit,
                is_withheld,
                ..before.clone()
            };
            entries.insert((before.app.clone(), before.tag.clone()), entry);
        }
    }
    for same in tags.chunk_by(|a, b| (a.app, a.tag) == (b.app, b.tag)) {
        let Some(tag) = same
            .iter()
            .min_by_key(|tag| tag.place())
            .and_then(TagOfNight::first)
        else {
            continue;
        };
        let key = (tag.app.clone(), tag.tag.clone());
        let entry = TagEntry {
            app: tag.app.clone(),
            tag: tag.tag.clone(),
            value_type: tag.value_type,
            multi: tag.multi,
            source: tag.source.clone(),
            over_limit: exceeded.tags.get(&key).copied(),
            is_withheld: tag.is_withheld,
        };
        entries.insert(key, entry);
    }
    entries.into_values().collect()
}

fn is_withheld(spec: &NightSpec, app: &str, tag: &str) -> bool {
    spec.withheld
        .get(app)
        .is_some_and(|tags| tags.contains_key(tag))
}

/// The source that has this tag by tonight's configuration and registries.
fn declaring_source<'a>(spec: &'a NightSpec, app: &str, tag: &str) -> Option<&'a str> {
    let has = |rows: &RowsSpec| matches!(rows, RowsSpec::Attributes { tags, .. } if tags.iter().any(|t| t.name == tag));
    let platform = spec
        .sources
        .iter()
        .find(|source| has(&source.rows))
        .map(|source| source.name.as_str());
    platform.or_else(|| spec.label(app, tag).map(|label| label.source.as_str()))
}
