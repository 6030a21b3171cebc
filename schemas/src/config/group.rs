//! `[groups]`: where rules and uploaded lists are.

use serde::Serialize;

use super::key::{Key, Table};
use super::section::Section;
use super::template;
use super::unit::parse_percent;
use crate::error::Result;

/// Where rules and uploaded lists are.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Groups {
    /// Files of [`crate::registry::GroupRow`]: Parquet, CSV or NDJSON.
    pub rules: String,
    /// Files of user ids, with `{list}` and, where lists are an app's own, `{app}`; `None`: no
    /// lists.
    pub lists: Option<String>,
    /// The fraction of newly invalid rules above which the night is refused; 0.02 when not given.
    pub max_new_invalid: f64,
    /// The fraction of an app's groups above which the night is refused when their rows can not be
    /// read; 0.5 when not given. It never changes what is computed.
    #[serde(skip)]
    pub max_lost: f64,
    /// The fraction of an app's groups above which the night is refused when they are gone; 0.5 when
    /// not given. It never changes what is computed.
    #[serde(skip)]
    pub max_removed: f64,
    /// How many days the last members of a lost group are kept; 7 when not given.
    #[serde(skip_serializing_if = "Groups::is_default_days")]
    pub max_lost_days: u32,
}

pub(super) const GROUPS: Table = Table {
    title: "[groups]",
    what: "Where rules and uploaded lists are; without it no groups are computed.",
    keys: &[
        Key::required(
            "rules",
            "path or url with `{date}`, `*` and `**`",
            "group rows, NDJSON, CSV or Parquet: app, group, name, rule, valid_from, valid_to, \
             enabled",
        ),
        Key::optional(
            "lists",
            "path or url with `{list}`, `{app}` and `{date}`",
            "(no lists)",
            "files of user ids, one a line, for `in_list('name')`",
        ),
        Key::optional(
            "max_new_invalid",
            "percentage",
            "\"2%\"",
            "when more of all rules than this become invalid in one night, it is our mistake and \
             the night is refused; the rules of a single app alone never do that",
        ),
        Key::optional(
            "max_lost",
            "percentage",
            "\"50%\"",
            "when rows of more of one app's groups than this, and of more than 10, can not be read \
             any more, the night is refused; fewer are `lost`",
        ),
        Key::optional(
            "max_removed",
            "percentage",
            "\"50%\"",
            "when more of one app's groups than this, and more than 10, are gone from the rows in \
             one night, it is refused; fewer are `removed`",
        ),
        Key::optional(
            "max_lost_days",
            "whole number",
            "7",
            "how old the last members of a lost group may become; then nobody is a member",
        ),
    ],
};

impl Groups {
    /// The fraction of newly invalid rules a configuration that does not say accepts.
    const MAX_NEW_INVALID: f64 = 0.02;
    /// The same of an app's lost and of its removed groups.
    const MAX_GONE: f64 = 0.5;
    /// The days of a configuration that does not say.
    const MAX_LOST_DAYS: u32 = 7;

    fn is_default_days(days: &u32) -> bool {
        *days == Self::MAX_LOST_DAYS
    }

    pub(super) fn read(root: &Section<'_>) -> Result<Option<Self>> {
        if root.get("groups").is_none() {
            return Ok(None);
        }
        let section = root.section("groups", GROUPS.keys)?;
        let lists = section.optional("lists", |entry| {
            let path = template::path(entry, &["app", "list", "date"])?;
            let are_together =
                |part: &str| template::has(part, "app") && template::has(part, "list");
            match template::has(&path, "list") {
                false => Err(entry.expected("a path with {list}, the list's name")),
                // Where one name ends and the other begins could not be told.
                true if path.split('/').any(are_together) => {
                    Err(entry.expected("{app} and {list} in different folder or file names"))
                }
                true => Ok(path),
            }
        });
        let gone = |key: &str| {
            let given = section.optional(key, |entry| entry.parsed(parse_percent))?;
            Ok(given.unwrap_or(Self::MAX_GONE))
        };
        let (max_lost, max_removed) = (gone("max_lost"), gone("max_removed"));
        let max_lost_days = section.optional("max_lost_days", |entry| entry.count(0));
        let rules = section.required("rules", |entry| template::path(entry, &["date"]));
        let max_new_invalid =
            section.optional("max_new_invalid", |entry| entry.parsed(parse_percent));
        Ok(Some(Self {
            max_lost: max_lost?,
            max_removed: max_removed?,
            max_lost_days: max_lost_days?.unwrap_or(Self::MAX_LOST_DAYS),
            rules: rules?,
            lists: lists?,
            max_new_invalid: max_new_invalid?.unwrap_or(Self::MAX_NEW_INVALID),
        }))
    }
}
