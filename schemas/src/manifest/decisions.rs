//! What checks and people decided about a release. Version 2 has a place for each; a decision that
//! nobody took is not written.

use std::fmt;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// Why there is a release.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum ReleaseKind {
    /// The night of a date that is not before the head.
    #[default]
    Night,
    /// The behaviour of a date before the head.
    Backfill,
    /// Older content once more.
    Rollback,
    /// Users were forgotten.
    Erase,
    /// The same content in fewer files.
    Compaction,
    /// The same content, of which a person decided something.
    Decision,
}

impl ReleaseKind {
    /// The name in manifests.
    pub fn name(self) -> &'static str {
        match self {
            Self::Night => "night",
            Self::Backfill => "backfill",
            Self::Rollback => "rollback",
            Self::Erase => "erase",
            Self::Compaction => "compaction",
            Self::Decision => "decision",
        }
    }
}

/// Decisions about a release; none by default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decisions {
    /// Releases that this one takes the place of, ascending.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replaces: Vec<u64>,
    /// Releases that were marked bad, ascending.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bad: Vec<u64>,
    /// Parts of the release that keep their last values.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub carried: Vec<CarriedScope>,
    /// Days without data that a person accepted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accepted_missing: Vec<MissingDay>,
    /// What the checks said; `None` when there were none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
}

impl Decisions {
    /// Whether nobody decided anything.
    pub fn are_none(&self) -> bool {
        *self == Self::default()
    }
}

/// The scope of an app whose values are older than the release: tags and groups.
pub const CARRIED_APP: &str = "app";
/// The scope of an app that should be in the release and has no values yet.
pub const LEFT_OUT_APP: &str = "app_left_out";

/// A source, tag, group or app whose values are older than the release.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CarriedScope {
    /// What it is: `source`, `tag`, `group`, [`CARRIED_APP`], [`LEFT_OUT_APP`].
    pub scope: String,
    /// Its name.
    pub name: String,
    /// The date of its values; of what is left out, that of the release.
    pub date: NaiveDate,
    /// Why.
    pub reason: String,
}

/// `app "tea" is carried, of 2026-11-19: <why>`.
impl fmt::Display for CarriedScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            scope,
            name,
            date,
            reason,
        } = self;
        match scope == LEFT_OUT_APP {
            true => write!(f, "app {name:?} is left out: {reason}"),
            false => write!(f, "{scope} {name:?} is carried, of {date}: {reason}"),
        }
    }
}

/// A day on which a source had no data, and that is fine.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct MissingDay {
    /// The source's name.
    pub source: String,
    /// The day.
    pub date: NaiveDate,
}

/// What the checks said of a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// All in all.
    pub outcome: Outcome,
    /// How many checks there were.
    pub checks: u64,
    /// The names of those that failed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<String>,
    /// Why it was published nevertheless.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The outcome of checks for a release that was published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Every check held.
    Passed,
    /// Only checks that warn failed.
    Warned,
    /// A check that stops failed, and a person published.
    Forced,
}
