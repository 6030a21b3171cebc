//! A number of one app, and which days come into it and go out.

use chrono::{Days, NaiveDate};
use serde::{Deserialize, Serialize};
use tagmill_rules::WindowState;

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
