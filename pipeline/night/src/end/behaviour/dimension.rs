//! The rows of one dimension of one event: one bitmap a value and combination number.

use datafusion::error::{DataFusionError, Result};
use tagmill_bitmap::write_sorted;
use tagmill_schemas::artifact::behaviour::Column;
use tagmill_warehouse::artifact::Cell;

use super::app_event::AppEvent;
use super::items::EventItems;
use super::keys::{CombinationKeys, ValueKeys};
use super::writer::{BehaviourOutput, BehaviourWriter};
use crate::end::cutter::Cutter;

/// A dimension of an event.
pub struct Dimension<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its slot.
    pub slot: usize,
}

impl BehaviourWriter<'_> {
    /// Writes the users of each value, combination by combination. Values that are not kept share
    /// one overflow row without a value; null has no row.
    ///
    /// # Errors
    /// More values and numbers than keys of 32 bits can hold; those of the rows.
    pub fn write_dimension(
        &mut self,
        cutter: &mut Cutter,
        event: &AppEvent<'_>,
        items: &EventItems,
        dimension: &Dimension<'_>,
        output: &mut BehaviourOutput<'_>,
    ) -> Result<()> {
        let BehaviourOutput {
            behaviour: rows,
            tap,
            ..
        } = output;
        let (name, shard) = (dimension.name, self.shard);
        let order = &self.orders[dimension.slot];
        let ranks = self.events.tuples.dimension(dimension.slot);
        let combinations = items.combinations.iter();
        let folded = self.chooser.choose(
            event,
            name,
            order.len(),
            combinations.map(|item| ranks[item.tuple as usize]),
            |rank| order.text(order.text_rank(rank)).unwrap_or_default(),
        );
        let keys = ValueKeys::of(order, folded, items, ranks);
        if keys.end() > u64::from(u32::MAX) {
            return Err(too_many(event, name, &keys));
        }
        let first = items.combinations.first().map_or(0, |item| item.tuple);
        let tuples = self.events.tuples.of_same_event(first);
        let of_items = CombinationKeys::of(&keys, ranks, tuples, items);
        rows.set_all([
            (Column::App, Cell::Text(event.app)),
            (Column::Date, Cell::Int(i64::from(self.date))),
            (Column::Event, Cell::Text(event.event)),
            (Column::Dimension, Cell::Text(name)),
            (Column::Shard, Cell::Int(i64::from(shard))),
        ])?;
        let combinations = items.combinations.iter();
        let pairs = combinations.filter_map(|item| Some((of_items.key(item)?, item.ordinal)));
        let mut last = None;
        cutter.cut_walking(
            keys.end(),
            items.combinations.len(),
            pairs,
            |key, ordinals| {
                let (text_rank, number) = keys.parts(key);
                let value = order.text(text_rank);
                if last.replace(text_rank) != Some(text_rank) {
                    rows.set(Column::Value, value.map_or(Cell::Null, Cell::Text))?;
                }
                if let Some(tap) = tap {
                    tap.add_value(name, value, number, ordinals);
                }
                let is_overflow = number == event.limits.combinations || value.is_none();
                rows.set_all([
                    (Column::Combination, Cell::Int(i64::from(number))),
                    (Column::Overflow, Cell::Bool(is_overflow)),
                ])?;
                Ok(rows.push(ordinals.len() as u64, |out| {
                    write_sorted(shard, ordinals, out)
                })?)
            },
        )
    }
}

fn too_many(event: &AppEvent<'_>, dimension: &str, keys: &ValueKeys<'_>) -> DataFusionError {
    DataFusionError::Execution(format!(
        "dimension {dimension:?} of event {:?} of app {:?} has {} values in one shard, and users \
         with {} combinations: lower limits.values_per_dimension or limits.combinations_per_user",
        event.event,
        event.app,
        keys.values(),
        keys.numbers()
    ))
}
