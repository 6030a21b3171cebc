//! What `quality` counts of a source's rows, each under one name for ever.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The text before the reason of a rejected row.
const REJECTED: &str = "rejected:";

/// A count of the `quality` artifact. Its text is the artifact's `metric`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Metric {
    /// Rows read: accepted, filtered and rejected together.
    Read,
    /// Rows used.
    Accepted,
    /// Rows that the source's filter, or a duplicate of theirs, left out.
    Filtered,
    /// Rows with something wrong: the name of a reject rule, or a built-in reason.
    Rejected(String),
    /// Of the filtered rows those that repeat another one.
    Duplicates,
    /// Accepted rows of which something is not indexed, or what else is worth knowing.
    Noted(Note),
    /// What is beyond a limit of its app.
    OverLimit(Limited),
}

/// What is worth knowing beside the fate of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Note {
    /// Rows of events that no registry names.
    UndeclaredEvent,
    /// Properties that no registry names.
    UndeclaredProperty,
    /// Rows of tags that no registry names.
    UndeclaredTag,
    /// Rows of a tag whose registry row is wrong.
    DisabledTag,
    /// Tags, in each shard, that an earlier source brought as well.
    TagOfOtherSource,
    /// Ids of lists that are no users.
    UnknownMembers,
    /// Infinities, which are no value.
    Infinite,
}

/// What was beyond a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Limited {
    /// Dimensions with more values than the limit.
    Values,
    /// Tags with more values than the limit.
    TagValues,
    /// Tags beyond the number that an app may have.
    Tags,
    /// Rows of such tags.
    TagRows,
    /// (user, event) pairs with more combinations than the limit.
    Combinations,
    /// Sums of one user and measure that do not fit into 64 bits.
    Sums,
}

/// Every metric without a reason, and its text.
const NAMES: [(Metric, &str); 17] = [
    (Metric::Read, "read"),
    (Metric::Accepted, "accepted"),
    (Metric::Filtered, "filtered"),
    (Metric::Duplicates, "duplicates"),
    (Metric::Noted(Note::UndeclaredEvent), "undeclared_event"),
    (
        Metric::Noted(Note::UndeclaredProperty),
        "undeclared_property",
    ),
    (Metric::Noted(Note::UndeclaredTag), "undeclared_tag"),
    (Metric::Noted(Note::DisabledTag), "disabled_tag"),
    (Metric::Noted(Note::TagOfOtherSource), "tag_of_other_source"),
    (Metric::Noted(Note::UnknownMembers), "unknown_members"),
    (Metric::Noted(Note::Infinite), "infinite"),
    (Metric::OverLimit(Limited::Values), "over_limit:values"),
    (
        Metric::OverLimit(Limited::TagValues),
        "over_limit:tag_values",
    ),
    (Metric::OverLimit(Limited::Tags), "over_limit:tags"),
    (Metric::OverLimit(Limited::TagRows), "over_limit:tag_rows"),
    (
        Metric::OverLimit(Limited::Combinations),
        "over_limit:combinations",
    ),
    (Metric::OverLimit(Limited::Sums), "over_limit:sums"),
];

impl Metric {
    /// Whether each row of a source is in exactly one such count.
    pub fn is_fate(&self) -> bool {
        matches!(self, Self::Accepted | Self::Filtered | Self::Rejected(_))
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::Rejected(reason) = self {
            return write!(f, "{REJECTED}{reason}");
        }
        let name = NAMES.iter().find(|(metric, _)| metric == self);
        f.write_str(name.map_or("", |(_, name)| name))
    }
}

impl FromStr for Metric {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(reason) = text.strip_prefix(REJECTED) {
            return Ok(Self::Rejected(reason.to_owned()));
        }
        let known = NAMES.iter().find(|(_, name)| *name == text);
        known
            .map(|(metric, _)| metric.clone())
            .ok_or_else(|| format!("found {text:?}, expected the name of a metric"))
    }
}

impl TryFrom<String> for Metric {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Metric> for String {
    fn from(metric: Metric) -> Self {
        metric.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_reads_back_from_its_text() {
        let reasons = [
            Metric::Rejected("late".into()),
            Metric::Rejected("over_limit:tags".into()),
        ];
        for metric in NAMES.iter().map(|(metric, _)| metric).chain(&reasons) {
            assert_eq!(metric.to_string().parse(), Ok(metric.clone()));
            assert!(!metric.to_string().is_empty());
        }
        assert!("rejectd".parse::<Metric>().is_err());
    }
}
