//! The numbers of behaviour of one shard, app by app.

use std::collections::BTreeMap;

use datafusion::error::Result;
use tagmill_bitmap::Slice;
use tagmill_engine::external;
use tagmill_rules::{Test, WindowState};

use super::day::{EventDay, MeasureRow};
use super::numbers::WindowNumbers;
use super::seats::AppSeatWords;
use crate::plan::windows::{AppWindow, Step};

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
    ) -> Option<EventDay> {
        let windows = self.numbers.iter().map(|numbers| numbers.window);
        let of_event =
            windows.filter(|window| window.state.event == event && step(window).is_some());
        let mut states = of_event.map(|window| &window.state).peekable();
        states.peek()?;
        Some(EventDay::new(self.seats.ordinals.len(), states))
    }

    /// Lets a day of an event come in or go out.
    ///
    /// # Errors
    /// Those of evaluating conditions.
    pub fn apply(
        &mut self,
        event: &str,
        day: &EventDay,
        date: i32,
        step: impl Fn(&AppWindow) -> Option<Step>,
    ) -> Result<()> {
        for numbers in &mut self.numbers {
            if numbers.window.state.event == event
                && let Some(step) = step(numbers.window)
            {
                let of_day = day.numbers(&numbers.window.state).map_err(external)?;
                numbers.apply(of_day, date, step);
            }
        }
        Ok(())
    }
}

/// Takes the rows of tonight's event as they are written.
pub struct Tap<'t> {
    /// The app's seats.
    pub seats: AppSeatWords<'t>,
    /// What the rows are taken into.
    pub day: EventDay,
}

impl Tap<'_> {
    /// The row of the event's users, by ordinal.
    pub fn users(&mut self, ordinals: &[u32]) {
        self.day.add_users(&self.seats.of_ordinals(ordinals));
    }

    /// A row of a dimension's value.
    pub fn value(&mut self, dimension: &str, value: Option<&str>, number: u32, ordinals: &[u32]) {
        if self.day.needs_dimension(dimension) {
            let users = self.seats.of_ordinals(ordinals);
            self.day.add_value(dimension, value, number, &users);
        }
    }

    /// A row of a measure.
    pub fn measure(
        &mut self,
        (name, scale): (&str, u8),
        (number, is_shared): (u32, bool),
        slice: Slice,
        ordinals: &[u32],
    ) {
        if self.day.needs_measure(name) {
            let row = MeasureRow {
                name,
                scale,
                number,
                is_shared,
                slice,
            };
            self.day
                .add_measure(&row, &self.seats.of_ordinals(ordinals));
        }
    }
}
