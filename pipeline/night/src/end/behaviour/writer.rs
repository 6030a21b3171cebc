//! What stays the same from app to app while behaviour is written, and where its rows go.

use tagmill_schemas::artifact::{behaviour, behaviour_measures};
use tagmill_warehouse::artifact::KeyedRows;

use super::items::EventItems;
use super::kept::ValueChooser;
use super::text_order::TextOrder;
use crate::end::tag_sets::CodeOrder;
use crate::take::sorted_events::SortedEvents;
use tagmill_behaviour::EventDay;

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
    /// Takes the rows of an event that numbers of behaviour need.
    pub tap: Option<EventDay<'w>>,
}

/// Writes the events of one source, app by app.
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
    /// By event where its items are while an app is numbered, zero otherwise.
    pub(super) places: Vec<usize>,
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
            places: Vec::new(),
            spare: Vec::new(),
            chooser: ValueChooser::default(),
        }
    }

    /// Takes back the memory of an event that is written.
    pub fn give_back(&mut self, items: EventItems) {
        self.spare.push(items);
    }
}
