//! The rows of one measure of one event: its sums bit-sliced, combination by combination.

use datafusion::error::Result;
use tagmill_bitmap::{Width, write_sorted};
use tagmill_schemas::artifact::behaviour_measures::Column;
use tagmill_warehouse::artifact::Cell;

use super::app_event::AppEvent;
use super::items::Sum;
use super::writer::{BehaviourOutput, BehaviourWriter};
use crate::end::bsi::cut_slices;
use crate::end::cutter::Cutter;
use tagmill_behaviour::MeasureRow;

/// A measure of an event.
pub struct Measured<'a> {
    /// Its name.
    pub name: &'a str,
    /// Decimal digits of its sums.
    pub scale: u8,
    /// The greatest number of a combination.
    pub most: u32,
}

impl BehaviourWriter<'_> {
    /// Writes the slices of `sums`, which ascend by user and number.
    ///
    /// # Errors
    /// Those of the rows.
    pub fn write_slices(
        &mut self,
        cutter: &mut Cutter,
        event: &AppEvent<'_>,
        measure: &Measured<'_>,
        sums: impl Iterator<Item = Sum> + Clone,
        output: &mut BehaviourOutput<'_>,
    ) -> Result<()> {
        let shard = self.shard;
        let BehaviourOutput {
            measures: rows,
            tap,
            ..
        } = output;
        let width = Width::of(sums.clone().map(|item| item.sum));
        rows.set_all([
            (Column::App, Cell::Text(event.app)),
            (Column::Date, Cell::Int(i64::from(self.date))),
            (Column::Event, Cell::Text(event.event)),
            (Column::Measure, Cell::Text(measure.name)),
            (Column::Scale, Cell::Int(i64::from(measure.scale))),
            (Column::Offset, Cell::Int(0)),
            (Column::Shard, Cell::Int(i64::from(shard))),
        ])?;
        let by_number = sums.map(|item| (item.number, item.ordinal, item.sum));
        let numbers = measure.most + 1;
        cut_slices(
            cutter,
            numbers,
            width,
            by_number,
            |number, slice, ordinals| {
                let is_overflow = number == event.limits.combinations;
                if let Some(tap) = tap {
                    let row = MeasureRow {
                        name: measure.name,
                        scale: measure.scale,
                        number,
                        is_shared: is_overflow,
                        slice,
                    };
                    tap.add_measure(&row, ordinals);
                }
                rows.set_all([
                    (Column::Combination, Cell::Int(i64::from(number))),
                    (Column::Slice, Cell::Int(slice.number().into())),
                    (Column::Overflow, Cell::Bool(is_overflow)),
                ])?;
                Ok(rows.push(ordinals.len() as u64, |out| {
                    write_sorted(shard, ordinals, out)
                })?)
            },
        )
    }
}
