//! Whose an event is when two sources of one app have it: rows of two sources can not be counted
//! together, because they say different things of it.
//!
//! A declaration in a registry comes before a source that takes every event; of equals the one that
//! stands first in the configuration. The rows of the others are rejected, and the night goes on.

use std::collections::BTreeMap;

use super::accounting::Accounting;
use crate::plan::spec::{EventShapes, NightSpec, RowsSpec};

/// The reason of rejected rows.
pub const OTHER_SOURCE: &str = "event_of_other_source";

/// Rows of an event that belongs to another source.
pub struct Lost {
    /// The source that they came from, or the first of those it shares its events with.
    pub source: usize,
    /// Code of the app.
    pub app: u32,
    /// The event.
    pub event: String,
    /// How many rows.
    pub rows: u64,
}

/// For every (event, source) of an app, in order, whether the source is the one that has the event.
pub fn owned(spec: &NightSpec, app: &str, events: &[(&str, usize)]) -> Vec<bool> {
    let mut owned = Vec::with_capacity(events.len());
    for same in events.chunk_by(|a, b| a.0 == b.0) {
        let declaring = same
            .iter()
            .map(|(event, source)| declares(spec, *source, app, event))
            .collect::<Vec<_>>();
        let elsewhere =
            || (0..spec.sources.len()).any(|source| declares(spec, source, app, same[0].0));
        let owner = match declaring.iter().position(|declares| *declares) {
            None if elsewhere() => None,
            None => Some(0),
            first => first,
        };
        owned.extend((0..same.len()).map(|at| Some(at) == owner));
    }
    owned
}

fn declares(spec: &NightSpec, source: usize, app: &str, event: &str) -> bool {
    match &spec.sources[source].rows {
        RowsSpec::Events {
            shapes: EventShapes::Properties { events, .. },
            ..
        } => events
            .get(app)
            .is_some_and(|events| events.contains_key(event)),
        _ => false,
    }
}

/// Moves lost rows from the accepted to the rejected ones. `state_of` says which sources share
/// their events.
pub fn reject_lost(lost: &[Lost], state_of: &[usize], accounts: &mut [Accounting]) {
    let mut sharing: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    state_of
        .iter()
        .enumerate()
        .for_each(|(source, state)| sharing.entry(*state).or_default().push(source));
    for Lost {
        source,
        app,
        event,
        rows,
    } in lost
    {
        let mut left = *rows;
        for &source in sharing.get(source).into_iter().flatten() {
            left -= accounts[source].reject_rows(*app, OTHER_SOURCE, left, || {
                serde_json::json!({ "event": event }).to_string()
            });
        }
    }
}
