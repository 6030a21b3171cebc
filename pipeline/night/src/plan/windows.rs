//! The numbers of behaviour that a night computes, and what they are computed from: fixed by the
//! driver, part of the file of the rules.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate};
use serde::{Deserialize, Serialize};
use tagmill_rules::WindowState;
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

/// A number of one app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppWindow {
    /// Which.
    pub state: WindowState,
    /// The first day that is in it.
    pub since: NaiveDate,
    /// Whether it goes on from the night before; else its days are read.
    pub is_rolled: bool,
}

/// What a day does to a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// It comes in.
    Add,
    /// It goes out.
    Subtract,
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

impl AppWindow {
    /// What a day does to the number in the night of `date`; `None`: nothing.
    pub fn step(&self, day: NaiveDate, date: NaiveDate) -> Option<Step> {
        let Some(window) = self.state.window else {
            let is_new = !self.is_rolled && self.since <= day || day == date;
            return (is_new && day <= date).then_some(Step::Add);
        };
        let (first, last) = window.days_of(date)?;
        match self.is_rolled {
            false => (first..=last).contains(&day).then_some(Step::Add),
            true if day == last => Some(Step::Add),
            true => (first.checked_sub_days(Days::new(1)) == Some(day)).then_some(Step::Subtract),
        }
    }
}
