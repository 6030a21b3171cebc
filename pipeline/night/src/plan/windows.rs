//! The numbers of behaviour that a night computes, and what they are computed from: fixed by the
//! driver, part of the file of the rules.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use tagmill_behaviour::AppWindow;
use tagmill_schemas::manifest::FileEntry;

/// The numbers of every app; none where no rule asks for behaviour.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NightWindows {
    /// By app, in the order of the rows of `windows`.
    pub apps: BTreeMap<String, Vec<AppWindow>>,
    /// The files of behaviour of days whose events the night does not read, as far as a number may
    /// need them.
    pub days: BTreeMap<NaiveDate, Vec<FileEntry>>,
    /// The windows of the night before.
    pub before: Vec<FileEntry>,
}

impl NightWindows {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.apps.is_empty()
    }

    /// Puts the numbers of each app in the order of their rows.
    pub fn sort(&mut self) {
        for windows in self.apps.values_mut() {
            windows.sort_by(|a, b| a.state.row_key().cmp(&b.state.row_key()));
        }
    }
}
