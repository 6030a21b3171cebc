//! When events were that are steps of funnels; nights without funnels keep nothing of it.

use arrow::array::Array;
use datafusion::error::Result;
use tagmill_schemas::Metric;
use tagmill_schemas::metric::Note;

use super::accounting::Accounting;
use super::batch::AcceptedRows;
use super::events::EventRows;
use crate::plan::spec::NightSpec;

impl EventRows {
    /// Takes the times of rows whose events are steps. `kept` are the rows' numbers here and in the
    /// batch, `names` the codes of all events of the batch. A time that is not on the night's day,
    /// or missing, is counted and not taken: it would stand before what earlier nights did.
    ///
    /// # Errors
    /// A column of another type.
    pub(super) fn take_times(
        &mut self,
        kept: impl Iterator<Item = (usize, usize)>,
        names: &[u32],
        rows: &AcceptedRows<'_>,
        spec: &NightSpec,
        account: &mut Accounting,
    ) -> Result<()> {
        let Some(times) = rows.batch.times()? else {
            return Ok(());
        };
        let (steps, day) = (self.name_codes(&spec.funnels.events()), spec.micros());
        for (number, row) in kept.filter(|&(_, row)| steps.contains(&names[row])) {
            match times.is_valid(row).then(|| times.value(row)) {
                Some(time) if day.contains(&time) => {
                    self.times.rows.push(number as u32);
                    self.times.values.push(time);
                }
                _ => account.note(rows.apps[row], &Metric::Noted(Note::NotInFunnels), 1),
            }
        }
        Ok(())
    }
}
