//! The numbers of behaviour that a rule asks for, made of the days of a release as a night makes them:
//! no rule need have asked for them before.
//!
//! ```text
//! atoms ──► states, by event ──► per shard: rows of the window's days ──► EventDay ──► WindowNumbers ──► who passes
//!                                only dimensions, values and measures that a state needs
//! ```

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Date32Type, Int8Type, Int16Type, Int64Type, UInt32Type};
use chrono::NaiveDate;
use datafusion::logical_expr::{Expr, ident, lit};
use tagmill_behaviour::{AppSeatWords, AppWindow, EventDay, MeasureRow, Step, WindowNumbers};
use tagmill_bitmap::Slice;
use tagmill_rules::{Atom, DimensionCondition, Test, WindowState};
use tagmill_schemas::value::date_of;
use tagmill_schemas::{Error, Result};

use super::STAGE;
use super::days::Days;
use super::reader::Reader;
use super::rows_of_event::RowsOfEvent;

/// The numbers that a rule asks for.
#[derive(Debug)]
pub(super) struct Behaviour {
    /// The date that the windows move with.
    date: NaiveDate,
    windows: Vec<AppWindow>,
    events: Vec<RowsOfEvent>,
}

impl Behaviour {
    /// Those of some atoms; `None` without any of behaviour.
    pub(super) fn of(atoms: &[Atom], app: &str, days: &Days<'_>) -> Option<Self> {
        let states: BTreeSet<&WindowState> = atoms.iter().filter_map(state_of).collect();
        let window = |state: &WindowState| AppWindow {
            state: state.clone(),
            since: days.since(app, state),
            is_rolled: false,
        };
        let windows: Vec<AppWindow> = states.into_iter().map(window).collect();
        let events: BTreeSet<&str> = windows.iter().map(|of| of.state.event.as_str()).collect();
        let events = events.into_iter().map(|event| {
            let of_event = windows.iter().filter(|window| window.state.event == event);
            RowsOfEvent::of(event, of_event, days.head_date())
        });
        let events: Vec<RowsOfEvent> = events.collect();
        let date = days.head_date();
        (!windows.is_empty()).then_some(Self {
            date,
            windows,
            events,
        })
    }

    /// The first and the last day that any number asks for.
    pub(super) fn days(&self) -> Option<(NaiveDate, NaiveDate)> {
        let days = self.windows.iter().map(|window| days_of(window, self.date));
        days.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
    }

    /// The numbers of the users of one shard, of whom `words` is a bit an ordinal.
    ///
    /// # Errors
    /// Refused for damaged bitmaps; retry when the store fails.
    pub(super) async fn numbers(
        &self,
        reader: &Reader,
        (shard, words): (u32, usize),
    ) -> Result<ShardNumbers<'_>> {
        let last = u32::try_from(words * 64).unwrap_or(u32::MAX);
        let ordinals: Vec<u32> = (0..last).collect();
        let seats = AppSeatWords {
            shard,
            ordinals: &ordinals,
        };
        let zero = |window| WindowNumbers::new(window, words);
        let mut numbers: Vec<WindowNumbers<'_>> = self.windows.iter().map(zero).collect();
        for event in &self.events {
            let mut days = EventDays {
                date: self.date,
                windows: &self.windows,
                event: event.name(),
                seats,
                days: BTreeMap::new(),
                members: Vec::new(),
            };
            days.read(event, reader).await?;
            days.add_to(&mut numbers)?;
        }
        Ok(ShardNumbers(numbers))
    }
}

/// The numbers of one shard.
pub(super) struct ShardNumbers<'a>(Vec<WindowNumbers<'a>>);

impl ShardNumbers<'_> {
    /// Users whose number passes, as in [`WindowNumbers::passing`].
    pub(super) fn passing(&self, state: &WindowState, test: Option<&Test>) -> Vec<u64> {
        let found = self.0.iter().find(|number| number.window.state == *state);
        found.map_or_else(Vec::new, |number| number.passing(test))
    }

    /// Users of whom a limit kept something out that a number asks for.
    pub(super) fn uncertain(&self) -> Vec<u64> {
        let mut all = Vec::new();
        for number in &self.0 {
            let some = number.uncertain();
            all.resize(all.len().max(some.len()), 0);
            let words = all.iter_mut().zip(some);
            words.for_each(|(all, some)| *all |= some);
        }
        all
    }
}

/// The days of an event in one shard, while their rows are read.
struct EventDays<'a> {
    date: NaiveDate,
    windows: &'a [AppWindow],
    event: &'a str,
    seats: AppSeatWords<'a>,
    /// `None` for a day that no number asks for.
    days: BTreeMap<i32, Option<EventDay<'a>>>,
    /// Memory of one row's users.
    members: Vec<u32>,
}

impl<'a> EventDays<'a> {
    async fn read(&mut self, event: &RowsOfEvent, reader: &Reader) -> Result<()> {
        let of_shard = || {
            reader
                .of_app()
                .and(ident("shard").eq(lit(self.seats.shard)))
        };
        let (values, measures) = (event.values(of_shard()), event.measures(of_shard()));
        if let Some(rows) = values {
            let columns = ["date", "dimension", "value", "combination", "bitmap"];
            let take = |batch: &RecordBatch| self.add_values(batch, reader);
            reader.each("behaviour", rows, &columns, take).await?;
        }
        if let Some(rows) = measures {
            let columns = [
                "date",
                "measure",
                "combination",
                "scale",
                "offset",
                "slice",
                "overflow",
                "bitmap",
            ];
            let take = |batch: &RecordBatch| self.add_measures(batch, reader);
            reader
                .each("behaviour_measures", rows, &columns, take)
                .await?;
        }
        Ok(())
    }

    fn add_values(&mut self, batch: &RecordBatch, reader: &Reader) -> Result<()> {
        let place = ("behaviour", self.seats.shard);
        let dates = batch.column(0).as_primitive::<Date32Type>();
        let dimensions = batch.column(1).as_string_view();
        let values = batch.column(2).as_string_view();
        let numbers = batch.column(3).as_primitive::<UInt32Type>();
        let bitmaps = batch.column(4).as_binary_view();
        for row in 0..batch.num_rows() {
            reader.members(bitmaps.value(row), place, &mut self.members)?;
            let Some(day) = day_of(&mut self.days, dates.value(row), || {
                new_day(
                    self.windows,
                    self.event,
                    self.seats,
                    self.date,
                    dates.value(row),
                )
            }) else {
                continue;
            };
            if dimensions.is_null(row) {
                day.add_users(&self.members);
                continue;
            }
            let value = values.is_valid(row).then(|| values.value(row));
            day.add_value(
                dimensions.value(row),
                value,
                numbers.value(row),
                &self.members,
            );
        }
        Ok(())
    }

    fn add_measures(&mut self, batch: &RecordBatch, reader: &Reader) -> Result<()> {
        let place = ("behaviour_measures", self.seats.shard);
        let dates = batch.column(0).as_primitive::<Date32Type>();
        let measures = batch.column(1).as_string_view();
        let numbers = batch.column(2).as_primitive::<UInt32Type>();
        let scales = batch.column(3).as_primitive::<Int8Type>();
        let offsets = batch.column(4).as_primitive::<Int64Type>();
        let slices = batch.column(5).as_primitive::<Int16Type>();
        let shared = batch.column(6).as_boolean();
        let bitmaps = batch.column(7).as_binary_view();
        for row in 0..batch.num_rows() {
            reader.members(bitmaps.value(row), place, &mut self.members)?;
            let Some(day) = day_of(&mut self.days, dates.value(row), || {
                new_day(
                    self.windows,
                    self.event,
                    self.seats,
                    self.date,
                    dates.value(row),
                )
            }) else {
                continue;
            };
            let slice = slice_of(slices.value(row))?;
            let of_offset = (slice == Slice::Exists).then(|| Slice::of_offset(offsets.value(row)));
            for slice in std::iter::once(slice).chain(of_offset.into_iter().flatten()) {
                let row = MeasureRow {
                    name: measures.value(row),
                    scale: u8::try_from(scales.value(row)).unwrap_or_default(),
                    number: numbers.value(row),
                    is_shared: shared.value(row),
                    slice,
                };
                day.add_measure(&row, &self.members);
            }
        }
        Ok(())
    }

    /// Lets the days come into the numbers of the event, in order.
    fn add_to(&self, numbers: &mut [WindowNumbers<'_>]) -> Result<()> {
        for (date, day) in &self.days {
            let (Some(day), Some(of_day)) = (day, date_of(*date)) else {
                continue;
            };
            for number in numbers.iter_mut() {
                let window = number.window;
                if window.state.event == self.event && is_in(window, of_day, self.date) {
                    number.apply(&day.numbers(&window.state)?, *date, Step::Add);
                }
            }
        }
        Ok(())
    }
}

/// A day, made when its first row comes.
fn day_of<'d, 'a>(
    days: &'d mut BTreeMap<i32, Option<EventDay<'a>>>,
    date: i32,
    new: impl FnOnce() -> Option<EventDay<'a>>,
) -> Option<&'d mut EventDay<'a>> {
    days.entry(date).or_insert_with(new).as_mut()
}

fn new_day<'a>(
    windows: &'a [AppWindow],
    event: &str,
    seats: AppSeatWords<'a>,
    date: NaiveDate,
    day: i32,
) -> Option<EventDay<'a>> {
    let day = date_of(day)?;
    let of_day = |of: &&AppWindow| of.state.event == event && is_in(of, day, date);
    let mut states = windows.iter().filter(of_day).map(|of| &of.state).peekable();
    states.peek()?;
    Some(EventDay::new(seats, states))
}

fn is_in(window: &AppWindow, day: NaiveDate, date: NaiveDate) -> bool {
    window.step(day, date).is_some()
}

/// The first and the last day of a number.
pub(super) fn days_of(window: &AppWindow, date: NaiveDate) -> (NaiveDate, NaiveDate) {
    let of_window = window.state.window.and_then(|of| of.days_of(date));
    of_window.unwrap_or((window.since, date))
}

fn state_of(atom: &Atom) -> Option<&WindowState> {
    match atom {
        Atom::Behaviour { state, .. } => Some(state),
        Atom::Has { .. }
        | Atom::Tag { .. }
        | Atom::InGroup(_)
        | Atom::Before(_)
        | Atom::InList(_)
        | Atom::InSplit { .. } => None,
    }
}

/// The conditions over dimensions that atoms of behaviour have, with their events.
pub(super) fn conditions<'a>(
    atoms: impl Iterator<Item = &'a Atom>,
) -> impl Iterator<Item = (&'a WindowState, &'a DimensionCondition)> {
    let states = atoms.filter_map(state_of);
    states.filter_map(|state| Some((state, state.condition.as_ref()?)))
}

fn slice_of(number: i16) -> Result<Slice> {
    Slice::from_number(number.into()).ok_or_else(|| {
        let (least, most) = (Slice::LEAST, Slice::MOST);
        let what = format!("found slice {number}, expected {least} to {most}");
        Error::refused(STAGE, what).at("behaviour_measures")
    })
}

/// Holds for a day of a table.
pub(super) fn between(from: NaiveDate, to: NaiveDate) -> Expr {
    use datafusion::common::ScalarValue;
    let day = |day: NaiveDate| {
        let days = (day - NaiveDate::default()).num_days();
        lit(ScalarValue::Date32(i32::try_from(days).ok()))
    };
    ident("date").between(day(from), day(to))
}
