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
    /// Of the filtered rows those that another night decides on, where a source names the folders
    /// of several days.
    OtherDay,
    /// Of the filtered rows those of an app that is set aside, because too many of its rows are
    /// rejected.
    SetAside,
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
    /// Accepted rows of which another row of their user, or of their user and tag, took the place.
    Superseded,
    /// Rows of a funnel's step without a time on the night's day: no funnel has them.
    NotInFunnels,
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
    /// Names of events beyond the number that an app may have.
    Events,
    /// Rows of such events, where they are not published.
    EventRows,
    /// Dimensions beyond the number that an event may have.
    Dimensions,
    /// Measures beyond the number that an event may have.
    Measures,
}

/// Every metric without a reason.
const WITHOUT_REASON: [Metric; 25] = [
    Metric::Read,
    Metric::Accepted,
    Metric::Filtered,
    Metric::Duplicates,
    Metric::OtherDay,
    Metric::SetAside,
    Metric::Noted(Note::UndeclaredEvent),
    Metric::Noted(Note::UndeclaredProperty),
    Metric::Noted(Note::UndeclaredTag),
    Metric::Noted(Note::DisabledTag),
    Metric::Noted(Note::TagOfOtherSource),
    Metric::Noted(Note::UnknownMembers),
    Metric::Noted(Note::Infinite),
    Metric::Noted(Note::Superseded),
    Metric::Noted(Note::NotInFunnels),
    Metric::OverLimit(Limited::Values),
    Metric::OverLimit(Limited::TagValues),
    Metric::OverLimit(Limited::Tags),
    Metric::OverLimit(Limited::TagRows),
    Metric::OverLimit(Limited::Combinations),
    Metric::OverLimit(Limited::Sums),
    Metric::OverLimit(Limited::Events),
    Metric::OverLimit(Limited::EventRows),
    Metric::OverLimit(Limited::Dimensions),
    Metric::OverLimit(Limited::Measures),
];

impl Metric {
    /// Whether each row of a source is in exactly one such count.
    pub fn is_fate(&self) -> bool {
        matches!(self, Self::Accepted | Self::Filtered | Self::Rejected(_))
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rejected(reason) => return write!(f, "{REJECTED}{reason}"),
            Self::Read => "read",
            Self::Accepted => "accepted",
            Self::Filtered => "filtered",
            Self::Duplicates => "duplicates",
            Self::OtherDay => "other_day",
            Self::SetAside => "set_aside",
            Self::Noted(note) => match note {
                Note::UndeclaredEvent => "undeclared_event",
                Note::UndeclaredProperty => "undeclared_property",
                Note::UndeclaredTag => "undeclared_tag",
                Note::DisabledTag => "disabled_tag",
                Note::TagOfOtherSource => "tag_of_other_source",
                Note::UnknownMembers => "unknown_members",
                Note::Infinite => "infinite",
                Note::Superseded => "superseded",
                Note::NotInFunnels => "not_in_funnels",
            },
            Self::OverLimit(limited) => match limited {
                Limited::Values => "over_limit:values",
                Limited::TagValues => "over_limit:tag_values",
                Limited::Tags => "over_limit:tags",
                Limited::TagRows => "over_limit:tag_rows",
                Limited::Combinations => "over_limit:combinations",
                Limited::Sums => "over_limit:sums",
                Limited::Events => "over_limit:events",
                Limited::EventRows => "over_limit:event_rows",
                Limited::Dimensions => "over_limit:dimensions",
                Limited::Measures => "over_limit:measures",
            },
        })
    }
}

impl FromStr for Metric {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(reason) = text.strip_prefix(REJECTED) {
            return Ok(Self::Rejected(reason.to_owned()));
        }
        WITHOUT_REASON
            .into_iter()
            .find(|metric| metric.to_string() == text)
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
        for metric in WITHOUT_REASON.iter().chain(&reasons) {
            assert_eq!(metric.to_string().parse(), Ok(metric.clone()));
            assert!(!metric.to_string().is_empty());
        }
        assert!("rejectd".parse::<Metric>().is_err());
    }
}
