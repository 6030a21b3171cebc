//! The keys of the configuration as data: the parser refuses every other key, and the reference in
//! docs/configuration.md is made of the same constants.

/// A key of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// As it is written.
    pub name: &'static str,
    /// The form of its value: a type, or the words to choose from.
    pub form: &'static str,
    /// What holds without it, as it would be written, or in words in brackets; `None`: it must be
    /// given.
    pub default: Option<&'static str>,
    /// What it means.
    pub what: &'static str,
}

impl Key {
    pub(super) const fn required(
        name: &'static str,
        form: &'static str,
        what: &'static str,
    ) -> Self {
        Self {
            name,
            form,
            default: None,
            what,
        }
    }

    pub(super) const fn optional(
        name: &'static str,
        form: &'static str,
        default: &'static str,
        what: &'static str,
    ) -> Self {
        Self {
            name,
            form,
            default: Some(default),
            what,
        }
    }
}

/// Whether a table has a key of this name.
pub(super) fn has(keys: &[Key], name: &str) -> bool {
    keys.iter().any(|key| key.name == name)
}

/// A table of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Table {
    /// As a reader of the file would call it: `[warehouse]`, `late` of a source.
    pub title: &'static str,
    /// What it is for.
    pub what: &'static str,
    /// Every key it may have, beside free names where `what` says so.
    pub keys: &'static [Key],
}

/// Every table, in the order of the reference.
pub const TABLES: &[Table] = &[
    super::ROOT,
    super::warehouse::WAREHOUSE,
    super::warehouse::RUN,
    super::warehouse::RETENTION,
    super::limit::LIMITS,
    super::source::EVERY_KIND,
    super::source::ATTRIBUTES.own,
    super::source::GROUP_TAGS.own,
    super::source::BEHAVIOUR_EVENTS.own,
    super::source::CUSTOM_EVENTS.own,
    super::source::READY,
    super::source::LATE,
    super::source::COLUMNS,
    super::source::LATEST,
    super::source::EVENT_KEY,
    super::source::DAY,
    super::source::MEASURE,
    super::tag::TAG,
    super::group::GROUPS,
    super::funnel::FUNNEL,
    super::funnel::STEP,
];
