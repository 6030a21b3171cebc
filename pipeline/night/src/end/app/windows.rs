//! The numbers of behaviour of one app: tonight's events come in as they are written, and the numbers
//! are written when they are whole.

use datafusion::error::Result;
use tagmill_bitmap::{pick, write_sorted};
use tagmill_schemas::artifact::windows::Column;
use tagmill_warehouse::artifact::Cell;

use super::writer::AppWriter;
use crate::end::output::Output;
use crate::end::report::WindowReport;
use crate::take::seats::AppSeats;
use tagmill_behaviour::{EventDay, WindowNumbers};

impl<'a> AppWriter<'a> {
    /// What takes the rows of an event of tonight, if a number of the app needs them.
    pub(super) fn tap(&self, app: &str, event: &str) -> Option<EventDay<'a>> {
        let night = self.shard.spec.date;
        let windows = self.windows.apps.get(app)?;
        windows.day_of(event, |window| window.step(night, night))
    }

    /// Lets tonight's day of an event come in.
    ///
    /// # Errors
    /// Those of evaluating conditions.
    pub(super) fn add_tonight(&mut self, app: &str, event: &str, day: &EventDay<'_>) -> Result<()> {
        let (night, date) = (self.shard.spec.date, self.shard.spec.day());
        match self.windows.apps.get_mut(app) {
            Some(windows) => windows.apply(event, day, date, |window| window.step(night, night)),
            None => Ok(()),
        }
    }

    /// Writes the numbers of the app; not of one that is set aside, whose night is missing in them.
    ///
    /// # Errors
    /// Those of the rows.
    pub(super) fn write_windows(&mut self, seats: AppSeats, output: &mut Output) -> Result<()> {
        let app = self.name(seats);
        let Some(windows) = self.windows.apps.remove(app) else {
            return Ok(());
        };
        if self.shard.spec.set_aside.contains(app) {
            return Ok(());
        }
        for numbers in &windows.numbers {
            self.write_window(app, windows.seats.ordinals, numbers, output)?;
            let uncertain = numbers
                .uncertain()
                .into_iter()
                .map(|word| u64::from(word.count_ones()));
            let report = WindowReport {
                app: app.to_owned(),
                state: numbers.window.state.to_string(),
                uncertain: uncertain.sum(),
                beyond: numbers.beyond(),
            };
            self.window_reports
                .extend((!report.is_exact()).then_some(report));
        }
        Ok(())
    }

    /// Numbers beyond 64 bits are left out; they are reported.
    fn write_window(
        &mut self,
        app: &str,
        ordinals: &[u32],
        numbers: &WindowNumbers<'_>,
        output: &mut Output,
    ) -> Result<()> {
        if numbers.beyond() > 0 {
            return Ok(());
        }
        let (event, what, measure, days, back, condition) = numbers.window.state.row_key();
        let since = numbers.window.since - chrono::NaiveDate::default();
        let number = |number: Option<u32>| number.map_or(Cell::Null, |n| Cell::Int(n.into()));
        let (shard, mut rows) = (self.shard.number, output.rows()?);
        rows.set_all([
            (Column::App, Cell::Text(app)),
            (Column::Event, Cell::Text(event)),
            (Column::What, Cell::Text(what)),
            (Column::Measure, text_cell(measure)),
            (Column::Days, number(days)),
            (Column::Back, number(back)),
            (Column::Condition, text_cell(condition)),
            (Column::Since, Cell::Int(since.num_days())),
            (Column::Scale, Cell::Int(numbers.scale().into())),
            (Column::Offset, Cell::Int(0)),
            (Column::Shard, Cell::Int(shard.into())),
        ])?;
        for (is_uncertain, slice, users) in numbers.slices() {
            rows.set_all([
                (Column::Uncertain, Cell::Bool(is_uncertain)),
                (Column::Slice, Cell::Int(slice.number().into())),
            ])?;
            pick(&users, ordinals, &mut self.ordinals);
            let members = &self.ordinals;
            rows.push(members.len() as u64, |out| {
                write_sorted(shard, members, out)
            })?;
        }
        Ok(())
    }
}

fn text_cell(text: Option<&str>) -> Cell<'_> {
    text.map_or(Cell::Null, Cell::Text)
}
