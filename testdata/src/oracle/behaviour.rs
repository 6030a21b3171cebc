//! The day's behaviour: who did what, under which dimension values, in which combination, how often
//! and for how much. Reads events, writes sets and sums.
//!
//! Combinations are numbered per app, event and user, by the sorted tuple of values, null first.
//! Those from the limit on share the limit's own number and are marked. A null value has no set of
//! its own; its tuple still has a number.

use std::collections::{BTreeMap, BTreeSet};

use super::fact::{EventFact, EventKey, Facts};
use super::value::Value;

/// The number of a combination within its user's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Combination {
    /// 0, 1, 2 ...; the limit for those beyond it.
    pub number: u32,
    /// Whether it stands for all combinations beyond the limit.
    pub is_overflow: bool,
}

/// One event of one app on one day.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventBehaviour {
    /// Everybody who did it.
    pub users: BTreeSet<String>,
    /// Users by dimension, value and combination.
    pub values: BTreeMap<(String, Value, Combination), BTreeSet<String>>,
    /// Rows by combination and user.
    pub counts: BTreeMap<Combination, BTreeMap<String, i128>>,
    /// Scaled sums by measure, combination and user; a user without a value is absent.
    pub sums: BTreeMap<(String, Combination), BTreeMap<String, i128>>,
}

/// The behaviour of a day, with at most `limit` numbered combinations a user.
pub fn behaviour(facts: &Facts, limit: u32) -> BTreeMap<EventKey, EventBehaviour> {
    let names = |key: &EventKey| facts.dimensions.get(key).cloned().unwrap_or_default();
    facts
        .events
        .iter()
        .map(|(key, events)| (key.clone(), behaviour_of(&names(key), events, limit)))
        .collect()
}

fn behaviour_of(dimensions: &[String], events: &[EventFact], limit: u32) -> EventBehaviour {
    let mut tuples: BTreeMap<&str, BTreeSet<&[Option<Value>]>> = BTreeMap::new();
    for event in events {
        tuples
            .entry(&event.user)
            .or_default()
            .insert(&event.dimensions);
    }
    let mut result = EventBehaviour {
        users: tuples.keys().map(ToString::to_string).collect(),
        ..EventBehaviour::default()
    };
    for event in events {
        let number = tuples[event.user.as_str()]
            .iter()
            .position(|tuple| *tuple == event.dimensions)
            .unwrap_or(0) as u32;
        let combination = Combination {
            number: number.min(limit),
            is_overflow: number >= limit,
        };
        for (name, value) in dimensions.iter().zip(&event.dimensions) {
            if let Some(value) = value {
                result
                    .values
                    .entry((name.clone(), value.clone(), combination))
                    .or_default()
                    .insert(event.user.clone());
            }
        }
        *result
            .counts
            .entry(combination)
            .or_default()
            .entry(event.user.clone())
            .or_default() += 1;
        for (measure, amount) in &event.measures {
            *result
                .sums
                .entry((measure.clone(), combination))
                .or_default()
                .entry(event.user.clone())
                .or_default() += amount;
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(user: &str, city: Option<&str>, os: &str, amount: Option<i128>) -> EventFact {
        let text = |text: &str| Value::String(text.to_owned());
        EventFact {
            user: user.to_owned(),
            dimensions: vec![city.map(text), Some(text(os))],
            measures: amount
                .map(|amount| ("amount".to_owned(), amount))
                .into_iter()
                .collect(),
        }
    }

    #[test]
    fn combinations_are_numbered_by_the_sorted_tuple_null_first() {
        let events = [
            event("u", Some("b"), "ios", Some(5)),
            event("u", Some("a"), "mac", None),
            event("u", None, "zos", Some(1)),
            event("u", Some("b"), "ios", Some(7)),
        ];
        let result = behaviour_of(&["city".to_owned(), "os".to_owned()], &events, 2);
        let at = |number, is_overflow| Combination {
            number,
            is_overflow,
        };
        assert_eq!(result.counts[&at(0, false)]["u"], 1);
        assert!(result.values.contains_key(&(
            "os".to_owned(),
            Value::String("zos".to_owned()),
            at(0, false)
        )));
        assert!(result.values.contains_key(&(
            "city".to_owned(),
            Value::String("a".to_owned()),
            at(1, false)
        )));
        assert_eq!(result.sums[&("amount".to_owned(), at(2, true))]["u"], 12);
        assert!(
            !result
                .sums
                .contains_key(&("amount".to_owned(), at(1, false)))
        );
        assert_eq!(result.values.len(), 5);
    }
}
