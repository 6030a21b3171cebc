//! A group's rule: `{"app":"tea_shop","group":"bj_mac","rule":"city =
//! 'Beijing'","valid_to":"2026-11-30"}`.

use chrono::NaiveDate;
use serde_json::{Map, Value as Json};

use super::RowError;
use super::field::Fields;

/// A group of one app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupRow {
    /// Not empty, without a zero byte.
    pub app: String,
    /// Not empty, at most 1,024 bytes; any other text; the name rules and results use.
    pub group: String,
    /// A display name.
    pub name: Option<String>,
    /// The rule's text, not yet parsed.
    pub rule: String,
    /// The first date the group is computed; `None`: from the beginning.
    pub valid_from: Option<NaiveDate>,
    /// The last date the group is computed, inclusive; `None`: without end.
    pub valid_to: Option<NaiveDate>,
    /// True when absent.
    pub enabled: bool,
}

impl GroupRow {
    /// # Errors
    /// The first field that is missing or has the wrong type, or a validity that ends before it
    /// begins.
    pub fn from_json(row: &Map<String, Json>) -> Result<Self, RowError> {
        let fields = Fields::open(
            row,
            &[
                "app",
                "group",
                "name",
                "rule",
                "valid_from",
                "valid_to",
                "enabled",
            ],
        )?;
        let parsed = Self {
            app: fields.app()?,
            group: fields.name("group")?,
            name: fields.optional_name("name")?,
            rule: fields.text("rule")?,
            valid_from: fields.date("valid_from")?,
            valid_to: fields.date("valid_to")?,
            enabled: fields.boolean("enabled", true)?,
        };
        match (parsed.valid_from, parsed.valid_to) {
            (Some(from), Some(to)) if to < from => {
                Err(fields.refuse("valid_to", &format!("a date from {from} on")))
            }
            _ => Ok(parsed),
        }
    }
}
