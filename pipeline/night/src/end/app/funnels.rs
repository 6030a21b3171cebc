//! The funnels of one app: tonight's steps go on with the chains of the night before, day by day on
//! which these began.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, TimeDelta};
use chrono_tz::Tz;
use datafusion::error::Result;
use tagmill_bitmap::write_sorted;
use tagmill_schemas::artifact::{funnel_state, funnels::Column};
use tagmill_schemas::config::Funnel;
use tagmill_schemas::local_day::start_of;
use tagmill_warehouse::artifact::Cell;

use super::writer::AppWriter;
use crate::end::behaviour::EventItems;
use crate::end::output::Output;
use crate::funnels::{Chains, FunnelDay, NONE, StepEvent, StepUsers};
use crate::plan::funnels::NightFunnel;
use crate::plan::shape::EventShape;
use crate::take::load::members;
use crate::take::seats::AppSeats;

/// The longest window of a funnel.
const MOST_MICROS: i64 = 7 * 86_400 * 1_000_000;

/// A funnel of an app on one night.
struct Night<'a> {
    of: &'a NightFunnel,
    app: &'a str,
    /// Microseconds.
    window: i64,
    date: NaiveDate,
    /// When the night's day is over, microseconds since 1970.
    end: i64,
    /// Whether rows of the app that could be steps are not used tonight.
    lacks_rows: bool,
}

impl AppWriter<'_> {
    /// Keeps those events of the night that are steps of the app's funnels.
    ///
    /// # Errors
    /// Those of evaluating conditions.
    pub(super) fn keep_steps(
        &mut self,
        seats: AppSeats,
        source: usize,
        (event, items): (&str, &EventItems),
        shape: &EventShape,
    ) -> Result<()> {
        let app = self.name(seats);
        let Some(writer) = &self.behaviour[source] else {
            return Ok(());
        };
        for (at, of) in self.shard.spec.funnels.funnels.iter().enumerate() {
            if of.funnel.is_of(app) && of.funnel.steps.iter().any(|step| step.event == event) {
                let steps = self.steps.entry(at).or_default();
                writer.add_steps(seats, (event, items), shape, of, steps)?;
            }
        }
        Ok(())
    }

    /// Notes that an event of the app is beyond its limit and not published: no funnel has it.
    pub(super) fn note_unpublished(&mut self, app: &str, event: &str) {
        for (at, of) in self.shard.spec.funnels.funnels.iter().enumerate() {
            if of.funnel.is_of(app) && of.funnel.steps.iter().any(|step| step.event == event) {
                self.unpublished_steps.insert(at);
            }
        }
    }

    /// Writes the funnels of the app. Of a date before the head chains are not gone on with: what the
    /// newest release has is written again, and days whose chains the date is part of are not
    /// complete any more.
    ///
    /// # Errors
    /// A damaged bitmap of the night before; those of the rows.
    pub(super) fn write_funnels(&mut self, seats: AppSeats, output: &mut Output) -> Result<()> {
        let (spec, app) = (self.shard.spec, self.name(seats));
        if spec.funnels.is_empty() {
            return Ok(());
        }
        if spec.is_backfill {
            return self.copy_funnels(app, output);
        }
        let mut steps = std::mem::take(&mut self.steps);
        let unpublished = std::mem::take(&mut self.unpublished_steps);
        for (at, of) in spec.funnels.funnels.iter().enumerate() {
            if !of.funnel.is_of(app) {
                continue;
            }
            let mut events = steps.remove(&at).unwrap_or_default();
            events.sort_unstable();
            let night = Night {
                of,
                app,
                window: window_of(&of.funnel),
                date: spec.date,
                end: spec.micros().end,
                lacks_rows: spec.set_aside.contains(app) || unpublished.contains(&at),
            };
            self.write_funnel(&night, &events, output)?;
        }
        Ok(())
    }

    fn write_funnel(
        &mut self,
        night: &Night<'_>,
        events: &[StepEvent],
        output: &mut Output,
    ) -> Result<()> {
        let key = (night.app.to_owned(), night.of.funnel.name.clone());
        let mut days = self.funnels.days.remove(&key).unwrap_or_default();
        days.retain(|day, before| night.shows(*day) && before.definition == night.of.definition);
        let mut chains = self.funnels.chains.remove(&key).unwrap_or_default();
        chains.retain(|day, _| days.contains_key(day));
        days.entry(self.shard.spec.day())
            .or_insert_with(|| FunnelDay {
                definition: night.of.definition.clone(),
                is_final: false,
                is_complete: true,
                steps: BTreeMap::new(),
            });
        for (day, mut funnel_day) in days {
            if !funnel_day.is_final {
                let before = chains.remove(&day);
                let before = before.unwrap_or_else(|| Chains::new(night.of.funnel.steps.len()));
                let begins = day == self.shard.spec.day();
                let after = before.after(events, night.window, begins);
                self.go_on(night, day, &after, &mut funnel_day)?;
                self.write_chains(night, day, &after, output)?;
            }
            self.write_day(night.app, &night.of.funnel.name, day, &funnel_day, output)?;
        }
        Ok(())
    }

    /// Adds those who came further tonight.
    fn go_on(
        &mut self,
        night: &Night<'_>,
        day: i32,
        chains: &Chains,
        funnel_day: &mut FunnelDay,
    ) -> Result<()> {
        let shard = self.shard.number;
        let date = date_of(day);
        let end = end_of(date, self.shard.spec.time_zone);
        funnel_day.is_final = end + night.window <= night.end;
        let last = day_of(end + night.window - 1, self.shard.spec.time_zone);
        let is_missed = night.of.misses(night.app, date, last.min(night.date));
        funnel_day.is_complete &= !is_missed && !night.lacks_rows;
        for (number, step) in night.of.funnel.steps.iter().enumerate() {
            let mut users: Vec<u32> = chains.reached(number).collect();
            let before = funnel_day.steps.get(&(number as u32 + 1));
            if let Some(before) = before {
                members(&before.bitmap, shard, self.shard.known, &mut self.ordinals)?;
                users.extend_from_slice(&self.ordinals);
                users.sort_unstable();
                users.dedup();
            }
            if users.is_empty() {
                continue;
            }
            let mut bitmap = Vec::new();
            write_sorted(shard, &users, &mut bitmap);
            let reached = StepUsers {
                event: step.event.clone(),
                cardinality: users.len() as u64,
                bitmap,
            };
            funnel_day.steps.insert(number as u32 + 1, reached);
        }
        Ok(())
    }

    /// Writes the chains that a later night can go on with.
    fn write_chains(
        &self,
        night: &Night<'_>,
        day: i32,
        chains: &Chains,
        output: &mut Output,
    ) -> Result<()> {
        use funnel_state::Column;
        for (ordinal, starts) in chains.users() {
            if !Chains::is_open(starts, night.window, night.end) {
                continue;
            }
            for (step, &start) in (1..).zip(starts).filter(|(_, start)| **start != NONE) {
                output.funnel_state.push([
                    (Column::App, Cell::Text(night.app)),
                    (Column::Funnel, Cell::Text(&night.of.funnel.name)),
                    (Column::Date, Cell::Int(i64::from(day))),
                    (Column::Ordinal, Cell::Int(i64::from(ordinal))),
                    (Column::Step, Cell::Int(step)),
                    (Column::Shard, Cell::Int(i64::from(self.shard.number))),
                    (Column::Start, Cell::Int(start)),
                ])?;
            }
        }
        Ok(())
    }

    fn write_day(
        &self,
        app: &str,
        funnel: &str,
        day: i32,
        funnel_day: &FunnelDay,
        output: &mut Output,
    ) -> Result<()> {
        let mut rows = output.rows()?;
        rows.set_all([
            (Column::App, Cell::Text(app)),
            (Column::Funnel, Cell::Text(funnel)),
            (Column::Date, Cell::Int(i64::from(day))),
            (Column::Definition, Cell::Text(&funnel_day.definition)),
            (Column::Final, Cell::Bool(funnel_day.is_final)),
            (Column::Complete, Cell::Bool(funnel_day.is_complete)),
            (Column::Shard, Cell::Int(i64::from(self.shard.number))),
        ])?;
        for (step, users) in &funnel_day.steps {
            rows.set_all([
                (Column::Step, Cell::Int(i64::from(*step))),
                (Column::Event, Cell::Text(&users.event)),
            ])?;
            rows.push(users.cardinality, |out| {
                out.extend_from_slice(&users.bitmap)
            })?;
        }
        Ok(())
    }

    fn copy_funnels(&mut self, app: &str, output: &mut Output) -> Result<()> {
        let spec = self.shard.spec;
        let start = spec.micros().start;
        let days = std::mem::take(&mut self.funnels.days);
        for ((_, funnel), days) in days.iter().filter(|((of, _), _)| of == app) {
            let mut declared = spec.funnels.funnels.iter();
            let declared = declared.find(|of| of.funnel.name == *funnel);
            let window = declared.map_or(MOST_MICROS, |of| window_of(&of.funnel));
            for (day, before) in days {
                let mut copied = before.clone();
                let began = date_of(*day);
                let is_part = began <= spec.date && end_of(began, spec.time_zone) + window > start;
                copied.is_complete &= !is_part;
                self.write_day(app, funnel, *day, &copied, output)?;
            }
        }
        self.funnels.days = days;
        Ok(())
    }
}

impl Night<'_> {
    /// Whether the release shows chains of this day.
    fn shows(&self, day: i32) -> bool {
        let days = self.date.signed_duration_since(date_of(day)).num_days();
        (1..i64::from(self.of.funnel.days)).contains(&days)
    }
}

fn window_of(funnel: &Funnel) -> i64 {
    funnel.window_seconds as i64 * 1_000_000
}

/// The local day with this number since 1970.
fn date_of(day: i32) -> NaiveDate {
    NaiveDate::default() + TimeDelta::days(i64::from(day))
}

/// The local day of an instant, in microseconds since 1970.
fn day_of(micros: i64, zone: Tz) -> NaiveDate {
    let instant = DateTime::from_timestamp_micros(micros).unwrap_or_default();
    instant.with_timezone(&zone).date_naive()
}

/// When a local day is over, microseconds since 1970.
fn end_of(date: NaiveDate, zone: Tz) -> i64 {
    start_of(date.succ_opt().unwrap_or(date), zone).timestamp_micros()
}
