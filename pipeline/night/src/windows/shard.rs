//! The numbers of behaviour of one shard, app by app.

use std::collections::BTreeMap;

use datafusion::error::Result;
use tagmill_behaviour::{AppSeatWords, AppWindow, DayNumbers, EventDay, Step, WindowNumbers};
use tagmill_engine::external;
use tagmill_rules::{Test, WindowState};

/// The numbers of each app that has some.
#[derive(Default)]
pub struct ShardWindows<'a> {
    /// By name.
    pub apps: BTreeMap<&'a str, AppWindows<'a>>,
}

/// The numbers of one app.
pub struct AppWindows<'a> {
    /// Its seats.
    pub seats: AppSeatWords<'a>,
    /// In the order of their rows.
    pub numbers: Vec<WindowNumbers<'a>>,
}

impl ShardWindows<'_> {
    /// Heap bytes held.
    pub fn size(&self) -> usize {
        let numbers = self.apps.values().flat_map(|app| &app.numbers);
        numbers.map(WindowNumbers::size).sum()
    }
}

impl<'a> AppWindows<'a> {
    /// 0 for every user.
    pub fn new(seats: AppSeatWords<'a>, windows: &'a [AppWindow]) -> Self {
        let words = seats.words();
        let numbers = windows
            .iter()
            .map(|window| WindowNumbers::new(window, words));
        Self {
            seats,
            numbers: numbers.collect(),
        }
    }

    /// Users whose number of a state passes; `None` for a state that is not computed.
    pub fn passing(&self, state: &WindowState, test: Option<&Test>) -> Option<Vec<u64>> {
        let mut numbers = self.numbers.iter();
        let found = numbers.find(|numbers| numbers.window.state == *state)?;
        Some(found.passing(test))
    }

    /// A day of an event for the states that it changes; `None`: it changes none.
    pub fn day_of(
        &self,
        event: &str,
        step: impl Fn(&AppWindow) -> Option<Step>,
    ) -> Option<EventDay<'a>> {
        let windows = self.numbers.iter().map(|numbers| numbers.window);
        let of_event =
            windows.filter(|window| window.state.event == event && step(window).is_some());
        let mut states = of_event.map(|window| &window.state).peekable();
        states.peek()?;
        Some(EventDay::new(self.seats, states))
    }

    /// Lets a day of an event come in or go out.
    ///
    /// # Errors
    /// Those of evaluating conditions.
    pub fn apply(
        &mut self,
        event: &str,
        day: &EventDay<'_>,
        date: i32,
        step: impl Fn(&AppWindow) -> Option<Step>,
    ) -> Result<()> {
        let mut known: Vec<(&WindowState, DayNumbers)> = Vec::new();
        for numbers in &mut self.numbers {
            let state = &numbers.window.state;
            let Some(step) = step(numbers.window).filter(|_| state.event == event) else {
                continue;
            };
            // A day is worth the same to windows of any length.
            let is_same = |of: &WindowState| {
                of.measure() == state.measure() && of.condition == state.condition
            };
            let at = match known.iter().position(|(of, _)| is_same(of)) {
                Some(at) => at,
                None => {
                    known.push((state, day.numbers(state).map_err(external)?));
                    known.len() - 1
                }
            };
            if let Some((_, of_day)) = known.get(at) {
                numbers.apply(of_day, date, step);
            }
        }
        Ok(())
    }
}
