//! The users of one event of one app, whatever they did of it.

use datafusion::error::Result;
use tagmill_bitmap::write_sorted;
use tagmill_schemas::artifact::behaviour::Column;
use tagmill_warehouse::artifact::Cell;

use super::app_event::AppEvent;
use super::items::EventItems;
use super::writer::{BehaviourOutput, BehaviourWriter};
use crate::end::cutter::Cutter;

impl BehaviourWriter<'_> {
    /// Writes the event's users: the row without dimension and combination.
    ///
    /// # Errors
    /// Those of the rows.
    pub(super) fn write_users(
        &mut self,
        cutter: &mut Cutter,
        event: &AppEvent<'_>,
        items: &EventItems,
        output: &mut BehaviourOutput<'_>,
    ) -> Result<()> {
        let shard = self.shard;
        let BehaviourOutput {
            behaviour: rows,
            tap,
            ..
        } = output;
        let users = items
            .combinations
            .iter()
            .filter(|item| item.number == 0)
            .map(|item| (0, item.ordinal));
        rows.set_all([
            (Column::App, Cell::Text(event.app)),
            (Column::Date, Cell::Int(i64::from(self.date))),
            (Column::Event, Cell::Text(event.event)),
            (Column::Dimension, Cell::Null),
            (Column::Value, Cell::Null),
            (Column::Combination, Cell::Null),
            (Column::Overflow, Cell::Bool(false)),
            (Column::Shard, Cell::Int(i64::from(shard))),
        ])?;
        cutter.cut_walking(1, items.combinations.len(), users, |_, ordinals| {
            if let Some(tap) = tap {
                tap.add_users(ordinals);
            }
            Ok(rows.push(ordinals.len() as u64, |out| {
                write_sorted(shard, ordinals, out)
            })?)
        })
    }
}
