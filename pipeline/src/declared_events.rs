//! The events that the registry of one source declares, within the limits of their apps: what exceeds
//! is told and counted, for that app alone.

use std::collections::BTreeMap;

use tagmill_night::Count;
use tagmill_schemas::Metric;
use tagmill_schemas::config::Limits;
use tagmill_schemas::metric::Limited;
use tagmill_schemas::registry::{EventRow, Role};

use super::Observer;

/// By property what its row says.
pub type Properties = BTreeMap<String, EventRow>;
/// By app and event.
pub type DeclaredEvents = BTreeMap<String, BTreeMap<String, Properties>>;

/// Takes out the events beyond each app's limit, the last by name, and lets dimensions and measures
/// beyond that of their event be ignored. Returns how many there were.
pub fn keep_within(
    declared: &mut DeclaredEvents,
    limits: &Limits,
    source: &str,
    observer: &dyn Observer,
) -> Vec<Count> {
    let mut counts = Vec::new();
    for (app, events) in declared {
        let limits = limits.of(app);
        let mut beyond = BTreeMap::from([(Limited::Events, cut(events, limits.events))]);
        for properties in events.values_mut() {
            for (role, limited, most) in [
                (
                    Role::Dimension,
                    Limited::Dimensions,
                    limits.dimensions_per_event,
                ),
                (Role::Measure, Limited::Measures, limits.measures_per_event),
            ] {
                *beyond.entry(limited).or_default() += ignore_beyond(properties, role, most);
            }
        }
        for (limited, value) in beyond.into_iter().filter(|(_, value)| *value > 0) {
            let metric = Metric::OverLimit(limited);
            observer.warn(&format!(
                "the registry of source {source} declares more of app {app:?} than its limits: \
                 {value} are not used ({metric})"
            ));
            counts.push(Count {
                source: source.to_owned(),
                app: Some(app.clone()),
                metric,
                value,
            });
        }
    }
    counts
}

/// Keeps the first `most`; returns how many went.
fn cut<V>(events: &mut BTreeMap<String, V>, most: u64) -> u64 {
    let first_beyond = events.keys().nth(most as usize).cloned();
    first_beyond.map_or(0, |first| events.split_off(&first).len() as u64)
}

/// Properties of the role behind the first `most` are ignored; returns how many.
fn ignore_beyond(properties: &mut Properties, role: Role, most: u64) -> u64 {
    let of_role = properties.values_mut().filter(|row| row.role == role);
    let beyond = of_role.skip(most as usize);
    beyond.map(|row| row.role = Role::Ignore).count() as u64
}
