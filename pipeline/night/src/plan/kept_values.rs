//! The values that dimensions beyond their limit keep, and the events of apps beyond theirs, as the
//! release before chose them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The event and the dimension under which the events of an app stand: no event has an empty name.
pub const EVENTS: &str = "";

/// The values that are kept, by app, event and dimension; ascending. A dimension that is not named
/// has no choice yet.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptValues {
    by_app: BTreeMap<String, BTreeMap<String, BTreeMap<String, Vec<String>>>>,
}

impl KeptValues {
    /// The values that this dimension keeps.
    pub fn of(&self, app: &str, event: &str, dimension: &str) -> Option<&[String]> {
        self.by_app
            .get(app)?
            .get(event)?
            .get(dimension)
            .map(Vec::as_slice)
    }

    /// The events that this app keeps, of those whose names only rows say.
    pub fn events_of(&self, app: &str) -> Option<&[String]> {
        self.of(app, EVENTS, EVENTS)
    }

    /// Every dimension with a choice: (app, event, dimension), values.
    pub fn iter(&self) -> impl Iterator<Item = ((String, String, String), &Vec<String>)> {
        self.by_app.iter().flat_map(|(app, events)| {
            let dimensions = events.iter().flat_map(|(event, dimensions)| {
                dimensions
                    .iter()
                    .map(move |(name, values)| (event, name, values))
            });
            dimensions
                .map(|(event, name, values)| ((app.clone(), event.clone(), name.clone()), values))
        })
    }

    /// Sets the values of a dimension, in any order.
    pub fn set(&mut self, app: &str, event: &str, dimension: &str, mut values: Vec<String>) {
        values.sort();
        self.by_app
            .entry(app.to_owned())
            .or_default()
            .entry(event.to_owned())
            .or_default()
            .insert(dimension.to_owned(), values);
    }
}
