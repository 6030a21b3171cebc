//! An app for tests: tags of every type, two groups, one list, and users with values.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use tagmill_schemas::{Value, ValueType};

use crate::{EventInfo, Names, TagInfo};

pub(super) const DATE: NaiveDate = NaiveDate::from_ymd_opt(2026, 11, 19).unwrap();

const TAGS: [(&str, ValueType, bool); 9] = [
    ("age", ValueType::Integer, false),
    ("visits", ValueType::Integer, true),
    ("gender", ValueType::String, false),
    ("city", ValueType::String, false),
    ("interests", ValueType::String, true),
    ("spend", ValueType::Double, false),
    ("signup", ValueType::Date, false),
    ("vip", ValueType::Boolean, false),
    ("date", ValueType::Date, true),
];

pub(super) struct Sample;

impl Names for Sample {
    fn tag(&self, name: &str) -> Option<TagInfo> {
        TAGS.iter().find(|tag| tag.0 == name).map(|tag| TagInfo {
            value_type: tag.1,
            multi: tag.2,
        })
    }

    fn tag_names(&self) -> Vec<&str> {
        TAGS.iter().map(|tag| tag.0).collect()
    }

    fn has_group(&self, name: &str) -> bool {
        self.group_names().contains(&name)
    }

    fn group_names(&self) -> Vec<&str> {
        vec!["vips", "young"]
    }

    fn has_list(&self, name: &str) -> bool {
        name == "list"
    }

    fn has_behaviour(&self) -> bool {
        true
    }

    fn event(&self, name: &str) -> Option<EventInfo> {
        self.event_names().contains(&name).then(|| EventInfo {
            dimensions: vec!["city".to_owned(), "os".to_owned()],
            measures: vec!["amount".to_owned()],
            is_open: false,
        })
    }

    fn event_names(&self) -> Vec<&str> {
        vec!["purchase", "visit"]
    }

    fn list_names(&self) -> Vec<&str> {
        vec!["list"]
    }
}

/// A user's values by tag; no key, no value.
pub(super) type User = BTreeMap<&'static str, BTreeSet<Value>>;
