//! `[limits]`: what one app may use in a night, and `[limits.app.<name>]` for apps that may use
//! more or less.

use std::collections::BTreeMap;

use serde::Serialize;

use super::entry::Entry;
use super::key::{Key, Table};
use super::section::Section;
use crate::error::Result;
use crate::shard::is_app_name;

/// The limits of every app.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Limits {
    /// Of an app that is not named.
    pub default: AppLimits,
    /// Of named apps, the default already merged in.
    pub apps: BTreeMap<String, AppLimits>,
}

impl Limits {
    /// The limits of this app.
    pub fn of(&self, app: &str) -> &AppLimits {
        self.apps.get(app).unwrap_or(&self.default)
    }
}

/// What an app may use; what exceeds is over limit for that app alone, and counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct AppLimits {
    /// Groups; 500 when not given.
    pub groups: u64,
    /// Tags; 200 when not given.
    pub tags: u64,
    /// Distinct values of a tag; 100,000 when not given.
    pub values_per_tag: u64,
    /// Distinct values of an event's dimension; 10,000 when not given.
    pub values_per_dimension: u64,
    /// Combinations of one user, event and day; 256 when not given.
    pub combinations_per_user: u64,
    /// Distinct names of events; 2,000 when not given.
    pub events: u64,
    /// Dimensions of an event of a registry; 100 when not given.
    pub dimensions_per_event: u64,
    /// Measures of an event of a registry; 100 when not given.
    pub measures_per_event: u64,
}

impl Default for AppLimits {
    fn default() -> Self {
        Self {
            groups: 500,
            tags: 200,
            values_per_tag: 100_000,
            values_per_dimension: 10_000,
            combinations_per_user: 256,
            events: 2_000,
            dimensions_per_event: 100,
            measures_per_event: 100,
        }
    }
}

pub(super) const LIMITS: Table = Table {
    title: "[limits]",
    what: "What one app may use in a night. What exceeds a limit is counted, for that app alone; it \
           is in no artifact or, of dimensions, in an `overflow` row.",
    keys: &[
        Key::optional(
            "groups",
            "whole number",
            "500",
            "groups, the first by name; the others are `over_limit`",
        ),
        Key::optional(
            "tags",
            "whole number",
            "200",
            "tags; what exceeds is counted and, from the next night on, not published",
        ),
        Key::optional(
            "values_per_tag",
            "whole number",
            "100_000",
            "distinct values of a tag; the same, but a source of changes keeps all",
        ),
        Key::optional(
            "values_per_dimension",
            "whole number",
            "10_000",
            "distinct values of an event's dimension; what exceeds is counted and, from the next \
             night on, marked `overflow`",
        ),
        Key::optional(
            "combinations_per_user",
            "whole number",
            "256",
            "combinations of one user, event and day; the others share the last number, marked \
             `overflow`",
        ),
        Key::optional(
            "events",
            "whole number",
            "2_000",
            "names of events: of a registry the first by name; what exceeds in the rows of a source of \
             kind `behaviour` is counted and, from the next night on, not published",
        ),
        Key::optional(
            "dimensions_per_event",
            "whole number",
            "100",
            "dimensions that a registry declares of an event, the first by name; the others are \
             counted and not used",
        ),
        Key::optional(
            "measures_per_event",
            "whole number",
            "100",
            "the same of measures",
        ),
        Key::optional(
            APP,
            "table of app = table",
            "(none)",
            "other limits of single apps, with the keys above: `[limits.app.mega_mart]`",
        ),
    ],
};

/// The key of the apps that may use more or less.
const APP: &str = "app";

impl Limits {
    pub(super) fn read(root: &Section<'_>) -> Result<Self> {
        let section = root.section("limits", LIMITS.keys)?;
        let of_app: Vec<_> = LIMITS
            .keys
            .iter()
            .filter(|key| key.name != APP)
            .copied()
            .collect();
        let default = AppLimits::read(&section, AppLimits::default());
        let mut apps = BTreeMap::new();
        for entry in section.free_entries(APP)? {
            let limits = Self::of_app(&entry, &of_app, default.clone().unwrap_or_default());
            if let Some(limits) = entry.document.read(limits) {
                apps.insert(entry.key.clone(), limits);
            }
        }
        Ok(Self {
            default: default?,
            apps,
        })
    }

    fn of_app(entry: &Entry<'_>, known: &[Key], default: AppLimits) -> Result<AppLimits> {
        if !is_app_name(&entry.key) {
            let what = "found an app name that is empty or has a zero byte in [limits.app]";
            return Err(entry.refuse(what));
        }
        let section = entry
            .section()?
            .named(format!("[limits.app.{}]", entry.key));
        section.only(known);
        AppLimits::read(&section, default)
    }
}

impl AppLimits {
    fn read(section: &Section<'_>, default: Self) -> Result<Self> {
        let count = |key, default| {
            Ok(section
                .optional(key, |entry| entry.count(0))?
                .map_or(default, u64::from))
        };
        let (groups, tags) = (count("groups", default.groups), count("tags", default.tags));
        let values_per_tag = count("values_per_tag", default.values_per_tag);
        let values_per_dimension = count("values_per_dimension", default.values_per_dimension);
        let combinations = count("combinations_per_user", default.combinations_per_user);
        let events = count("events", default.events);
        let dimensions = count("dimensions_per_event", default.dimensions_per_event);
        let measures = count("measures_per_event", default.measures_per_event);
        Ok(Self {
            groups: groups?,
            tags: tags?,
            values_per_tag: values_per_tag?,
            values_per_dimension: values_per_dimension?,
            combinations_per_user: combinations?,
            events: events?,
            dimensions_per_event: dimensions?,
            measures_per_event: measures?,
        })
    }
}
