//! Events that the configuration names and no row had: mostly a typing mistake.

use std::collections::BTreeSet;

use tagmill_night::{MOST_EVENT_NAMES, NightSpec, ShardReport};
use tagmill_schemas::Config;
use tagmill_schemas::nearest::nearest;

/// A sentence for each such event of a source that was read and had rows; none where shards saw too
/// many names to tell them all.
pub fn unseen_events(config: &Config, spec: &NightSpec, reports: &[ShardReport]) -> Vec<String> {
    let mut told = Vec::new();
    for (source, of_night) in config.sources.iter().zip(&spec.sources) {
        let Some(events) = source.kind.events().filter(|_| of_night.expected_rows > 0) else {
            continue;
        };
        let of_shards = || {
            reports
                .iter()
                .filter_map(|report| report.events.get(&source.name))
        };
        if of_shards().any(|names| names.len() >= MOST_EVENT_NAMES) {
            continue;
        }
        let seen: BTreeSet<&str> = of_shards().flatten().map(String::as_str).collect();
        let of_measures = events.measures.iter().flat_map(|measure| &measure.events);
        let named: BTreeSet<&String> = events.events.iter().chain(of_measures).collect();
        for name in named {
            if !seen.contains(name.as_str()) {
                let near = nearest(name, seen.iter().copied());
                let near = near.map_or_else(String::new, |near| format!(", near: {near:?}"));
                let source = &source.name;
                told.push(format!(
                    "source {source} had no event {name:?} that day{near}"
                ));
            }
        }
    }
    told
}
