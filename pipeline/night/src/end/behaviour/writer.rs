//! Writes one event of an app after the other: its users, its dimensions, its count and measures.

use datafusion::error::Result;
use tagmill_bitmap::write_sorted;
use tagmill_schemas::artifact::{behaviour, behaviour_measures};
use tagmill_warehouse::artifact::{Cell, KeyedRows};

use super::app_event::AppEvent;
use super::dimension::Dimension;
use super::items::{EventItems, Sum};
use super::kept::ValueChooser;
use super::slices::Measured;
use super::text_order::TextOrder;
use crate::end::cutter::Cutter;
use crate::end::tag_sets::CodeOrder;
use crate::plan::shape::EventShape;
use crate::take::measure::NO_SUM;
use crate::take::sorted_events::SortedEvents;

/// The name of the measure that counts events.
const COUNT: &str = "*";

/// Rows of `behaviour`.
pub type BehaviourRows<'w> = KeyedRows<'w, behaviour::Column>;
/// Rows of `behaviour_measures`.
pub type MeasureRows<'w> = KeyedRows<'w, behaviour_measures::Column>;

/// Where the rows of an event go.
pub struct BehaviourOutput<'w> {
    /// Users and dimensions.
    pub behaviour: BehaviourRows<'w>,
    /// Counts and sums.
    pub measures: MeasureRows<'w>,
}

/// What does not change from app to app.
pub struct BehaviourWriter<'a> {
    /// The events of one source.
    pub(super) events: &'a SortedEvents,
    /// Seat -> ordinal.
    pub(super) ordinals: &'a [u32],
    /// The shard.
    pub(super) shard: u32,
    /// The run's date, days since 1970.
    pub(super) date: i32,
    pub(super) names: CodeOrder,
    /// By dimension slot, the order of its values in the artifact.
    pub(super) orders: Vec<TextOrder>,
    /// Memory of events that are written.
    pub(super) spare: Vec<EventItems>,
    /// Decides which values have rows of their own.
    pub chooser: ValueChooser,
}

impl<'a> BehaviourWriter<'a> {
    /// A writer over the sorted events of one source.
    pub fn new(events: &'a SortedEvents, ordinals: &'a [u32], shard: u32, date: i32) -> Self {
        let names = CodeOrder::of(&events.names);
        let orders = events.dimensions.iter().map(TextOrder::of).collect();
        Self {
            events,
            ordinals,
            shard,
            date,
            names,
            orders,
            spare: Vec::new(),
            chooser: ValueChooser::default(),
        }
    }

    /// Writes one event of an app. Returns how many sums do not fit into 64 bits and are left out.
    ///
    /// # Errors
    /// As [`Self::write_dimension`], and those of the rows.
    pub fn write_event(
        &mut self,
        cutter: &mut Cutter,
        event: &AppEvent<'_>,
        items: &EventItems,
        shape: &EventShape,
        output: &mut BehaviourOutput<'_>,
    ) -> Result<u64> {
        self.write_users(cutter, event, items, &mut output.behaviour)?;
        for (name, slot) in &shape.dimensions {
            let dimension = Dimension { name, slot: *slot };
            self.write_dimension(cutter, event, items, &dimension, &mut output.behaviour)?;
        }
        self.write_counts(cutter, event, items, &mut output.measures)?;
        let mut left_out = 0;
        for shape in &shape.measures {
            let Some(sums) = items.sums.get(shape.slot) else {
                continue;
            };
            let fitting = sums.iter().copied().filter(|item| item.sum != NO_SUM);
            let fit = fitting.clone().count();
            left_out += (sums.len() - fit) as u64;
            if fit > 0 {
                let measure = Measured {
                    name: &shape.name,
                    scale: shape.scale,
                    most: items.most,
                };
                self.write_slices(cutter, event, &measure, fitting, &mut output.measures)?;
            }
        }
        Ok(left_out)
    }

    /// Takes back the memory of an event that is written.
    pub fn give_back(&mut self, items: EventItems) {
        self.spare.push(items);
    }

    /// The users of the event, whatever they did of it.
    fn write_users(
        &mut self,
        cutter: &mut Cutter,
        event: &AppEvent<'_>,
        items: &EventItems,
        rows: &mut BehaviourRows<'_>,
    ) -> Result<()> {
        use behaviour::Column;
        let shard = self.shard;
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
            Ok(rows.push(ordinals.len() as u64, |out| {
                write_sorted(shard, ordinals, out)
            })?)
        })
    }

    fn write_counts(
        &mut self,
        cutter: &mut Cutter,
        event: &AppEvent<'_>,
        items: &EventItems,
        rows: &mut MeasureRows<'_>,
    ) -> Result<()> {
        let counts = items.combinations.iter().filter(|item| item.count > 0);
        let counts = counts.map(|item| Sum {
            ordinal: item.ordinal,
            number: item.number,
            sum: i64::from(item.count),
        });
        let measure = Measured {
            name: COUNT,
            scale: 0,
            most: items.most,
        };
        self.write_slices(cutter, event, &measure, counts, rows)
    }
}
