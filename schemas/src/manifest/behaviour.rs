//! What a release knows of the days of behaviour: which are missing, and what its windows of days
//! were made of.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::lists::hex;
use crate::checksum::Checksum;

/// The days of behaviour; nothing where no day is missing and no rule asks for windows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BehaviourDays {
    /// What should be there and is not, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<MissingEvents>,
    /// The lists that the windows were made of, by date: a date without a list had no events. They
    /// stay as they were when a list changes: who goes on from the windows can see it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub made_of: Vec<DayOfWindows>,
    /// The windows of each app, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub windows: Vec<StateOfApps>,
}

/// A day whose events of a source never came, or did not count.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct MissingEvents {
    /// The day.
    pub date: NaiveDate,
    /// The source's name.
    pub source: String,
    /// The app that is set aside; `None`: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app: Option<String>,
}

/// A date and the list of its behaviour.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DayOfWindows {
    /// The date.
    pub date: NaiveDate,
    /// The list's checksum.
    #[serde(with = "hex")]
    pub list: Checksum,
}

/// A number per user that is in `windows`, of some apps.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StateOfApps {
    /// As a rule says it.
    pub state: String,
    /// The first day that is in it.
    pub since: NaiveDate,
    /// The apps, in order.
    pub apps: Vec<String>,
}

impl BehaviourDays {
    /// Whether there is nothing to say.
    pub fn are_complete(&self) -> bool {
        *self == Self::default()
    }

    /// Puts everything in order.
    pub(super) fn sort(&mut self) {
        self.missing.sort();
        self.made_of.sort();
        self.windows.sort();
    }
}
