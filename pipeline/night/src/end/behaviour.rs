//! The behaviour of one app on the day: reads counted events, writes rows of `behaviour` and
//! `behaviour_measures`.
//!
//! Combinations of one user and event are numbered 0, 1, 2 ... in order of their typed values.
//! Those from the limit on share the limit as their number and are marked `overflow`.

use datafusion::error::{DataFusionError, Result};
use tagmill_bitmap::write_sorted;
use tagmill_schemas::artifact::{behaviour, behaviour_measures};

use super::bsi::{cut_slices, offset_for};
use super::cutter::Cutter;
use super::kept::ValueChooser;
use super::tag_sets::CodeOrder;
use crate::plan::shape::EventShape;
use crate::plan::spec::{BehaviourLimits, NightSpec};
use crate::take::measure::{NO_SUM, sum};
use crate::take::seats::AppSeats;
use crate::take::sorted_events::SortedEvents;
use crate::take::values::{Values, positions};
use tagmill_warehouse::artifact::{Cell, KeyedRows};

/// Rows of `behaviour`.
type BehaviourRows<'w> = KeyedRows<'w, behaviour::Column>;
/// Rows of `behaviour_measures`.
type MeasureRows<'w> = KeyedRows<'w, behaviour_measures::Column>;

/// The name of the measure that counts events.
pub const COUNT: &str = "*";

/// Null stands before every value; folded values take its place in the artifact.
const NULL_RANK: u32 = 0;

/// A combination without a value: there are fewer keys than this.
const NO_KEY: u32 = u32::MAX;

/// What does not change from app to app.
pub struct BehaviourWriter<'a> {
    /// The events of one source.
    pub events: &'a SortedEvents,
    /// Seat -> ordinal.
    pub ordinals: &'a [u32],
    /// The shard.
    pub shard: u32,
    /// The run's date, days since 1970.
    pub date: i32,
    names: CodeOrder,
    /// For each dimension slot the order of its values in the artifact.
    orders: Vec<TextOrder>,
    /// Memory of events that are written.
    spare: Vec<EventItems>,
    /// Decides which values have rows of their own.
    pub chooser: ValueChooser,
}

/// One user's combination of one event.
#[derive(Debug, Clone, Copy)]
struct Combination {
    ordinal: u32,
    number: u32,
    tuple: u32,
    count: u32,
}

/// What the users of an app did of one event.
#[derive(Default)]
pub struct EventItems {
    combinations: Vec<Combination>,
    /// By measure slot: (ordinal, combination number, sum).
    sums: Vec<Vec<(u32, u32, i64)>>,
    most: u32,
    /// Where the last user's overflow began.
    overflow: Option<usize>,
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
    pub fn write_event(
        &mut self,
        cutter: &mut Cutter,
        place: &EventPlace<'_>,
        items: &EventItems,
        shape: &EventShape,
        (behaviour, measures): (&mut BehaviourRows<'_>, &mut MeasureRows<'_>),
    ) -> Result<u64> {
        self.write_users(cutter, place, items, behaviour)?;
        for (name, slot) in &shape.dimensions {
            self.write_dimension(cutter, place, items, (name, *slot), behaviour)?;
        }
        let counts = items
            .combinations
            .iter()
            .filter(|item| item.count > 0)
            .map(|item| (item.ordinal, item.number, i64::from(item.count)));
        self.write_slices(cutter, place, (COUNT, 0), items.most, counts, measures)?;
        let mut left_out = 0;
        for measure in &shape.measures {
            let Some(sums) = items.sums.get(measure.slot) else {
                continue;
            };
            let fitting = sums.iter().copied().filter(|&(_, _, sum)| sum != NO_SUM);
            let fit = fitting.clone().count();
            left_out += (sums.len() - fit) as u64;
            if fit > 0 {
                self.write_slices(
                    cutter,
                    place,
                    (&measure.name, measure.scale),
                    items.most,
                    fitting,
                    measures,
                )?;
            }
        }
        Ok(left_out)
    }

    /// The events of one app with their items, combinations numbered, in order of the name; and how
    /// many (user, event) pairs have more combinations than `limit`.
    pub fn events_of(&mut self, seats: AppSeats, limit: u32) -> (Vec<(String, EventItems)>, u64) {
        let events = self.events;
        let slots = events.measure_slots();
        let sums: Vec<&[(u64, i64)]> = (0..slots)
            .map(|slot| events.sums(slot, seats.start, seats.end))
            .collect();
        let mut next_sum = vec![0; slots];
        let mut out: Vec<Option<EventItems>> = std::iter::repeat_with(|| None)
            .take(events.names.len())
            .collect();
        let spare = &mut self.spare;
        let (mut seat, mut event, mut number, mut exceeded) = (usize::MAX, u32::MAX, 0, 0);
        let keys = events.keys(seats.start, seats.end);
        // Grown step by step, the lists of a large app would be in memory twice.
        let mut most = vec![0; events.names.len()];
        keys.iter()
            .for_each(|&key| most[events.tuples.event(events.tuple(key)) as usize] += 1);
        for same in keys.chunk_by(|a, b| a == b) {
            let (key, count) = (same[0], same.len() as u32);
            let (item_seat, tuple) = (events.seat(key), events.tuple(key));
            let item_event = events.tuples.event(tuple);
            if (item_seat, item_event) == (seat, event) {
                number += 1;
            } else {
                (seat, event, number) = (item_seat, item_event, 0);
            }
            exceeded += u64::from(number == limit);
            let ordinal = self.ordinals[seat];
            let place = out[event as usize].get_or_insert_with(|| {
                spare
                    .pop()
                    .unwrap_or_default()
                    .emptied(slots, most[event as usize])
            });
            place.add(
                Combination {
                    ordinal,
                    number: number.min(limit),
                    tuple,
                    count,
                },
                limit,
            );
            for (slot, sums) in sums.iter().enumerate() {
                if let Some(&(_, sum)) = sums.get(next_sum[slot]).filter(|(of, _)| *of == key) {
                    next_sum[slot] += 1;
                    place.add_sum(slot, ordinal, number.min(limit), sum);
                }
            }
        }
        let name = |event: usize| {
            events
                .names
                .value(self.names.code(event as u32))
                .map(|name| name.to_string())
        };
        (
            out.into_iter()
                .enumerate()
                .filter_map(|(event, items)| Some((name(event)?, items?)))
                .collect(),
            exceeded,
        )
    }

    /// Takes back the memory of an event that is written.
    pub fn give_back(&mut self, items: EventItems) {
        self.spare.push(items);
    }

    fn write_users(
        &mut self,
        cutter: &mut Cutter,
        place: &EventPlace<'_>,
        items: &EventItems,
        rows: &mut BehaviourRows<'_>,
    ) -> Result<()> {
        let shard = self.shard;
        let users = items
            .combinations
            .iter()
            .filter(|item| item.number == 0)
            .map(|item| (0, item.ordinal));
        rows.set_all([
            (behaviour::Column::App, Cell::Text(place.app)),
            (behaviour::Column::Date, Cell::Int(i64::from(self.date))),
            (behaviour::Column::Event, Cell::Text(place.event)),
            (behaviour::Column::Dimension, Cell::Null),
            (behaviour::Column::Value, Cell::Null),
            (behaviour::Column::Combination, Cell::Null),
            (behaviour::Column::Overflow, Cell::Bool(false)),
            (behaviour::Column::Shard, Cell::Int(i64::from(shard))),
        ])?;
        cutter.cut_walking(1, items.combinations.len(), users, |_, ordinals| {
            Ok(rows.push(ordinals.len() as u64, |out| {
                write_sorted(shard, ordinals, out)
            })?)
        })
    }

    fn write_dimension(
        &mut self,
        cutter: &mut Cutter,
        place: &EventPlace<'_>,
        items: &EventItems,
        (name, slot): (&str, usize),
        rows: &mut BehaviourRows<'_>,
    ) -> Result<()> {
        let Self {
            events,
            orders,
            chooser,
            date,
            shard,
            ..
        } = self;
        let (date, shard) = (*date, *shard);
        let values = &events.dimensions[slot];
        let order = &orders[slot];
        let ranks = events.tuples.dimension(slot);
        let combinations = items
            .combinations
            .iter()
            .map(|item| ranks[item.tuple as usize]);
        let folded = chooser.choose(place, name, values.len(), combinations, |rank| {
            order.text(order.place(rank)).unwrap_or_default()
        });
        let numbers = items.most + 1;
        let place_of = |rank: u32| {
            order.place(if folded.contains(rank) {
                NULL_RANK
            } else {
                rank
            })
        };
        let place_in = |item: &Combination| {
            Some(ranks[item.tuple as usize])
                .filter(|rank| *rank != NULL_RANK)
                .map(place_of)
        };
        let dense = Dense::of(order.len(), numbers, || {
            items.combinations.iter().filter_map(place_in)
        });
        let keys = u64::from(dense.len()) * u64::from(numbers);
        if keys > u64::from(u32::MAX) {
            return Err(DataFusionError::Execution(format!(
                "dimension {name:?} of event {:?} of app {:?} has {} values in one shard, and \
                 users with {numbers} combinations: lower \
                 limits.values_per_dimension or limits.combinations_per_user",
                place.event,
                place.app,
                dense.len()
            )));
        }
        let first_key = |rank: u32| {
            if rank == NULL_RANK {
                NO_KEY
            } else {
                dense.number(place_of(rank)) * numbers
            }
        };
        let tuples = events
            .tuples
            .of_same_event(items.combinations.first().map_or(0, |item| item.tuple));
        // Of an event with few items not every tuple is looked at.
        let is_table = tuples.len() <= items.combinations.len();
        let table: Vec<u32> = if is_table {
            ranks[tuples.clone()]
                .iter()
                .map(|&rank| first_key(rank))
                .collect()
        } else {
            Vec::new()
        };
        let first_key_of = |tuple: u32| {
            table
                .get(tuple as usize - tuples.start)
                .copied()
                .unwrap_or_else(|| first_key(ranks[tuple as usize]))
        };
        let key_of = |item: &Combination| {
            Some(first_key_of(item.tuple))
                .filter(|key| *key != NO_KEY)
                .map(|key| (key + item.number, item.ordinal))
        };
        rows.set_all([
            (behaviour::Column::App, Cell::Text(place.app)),
            (behaviour::Column::Date, Cell::Int(i64::from(date))),
            (behaviour::Column::Event, Cell::Text(place.event)),
            (behaviour::Column::Dimension, Cell::Text(name)),
            (behaviour::Column::Shard, Cell::Int(i64::from(shard))),
        ])?;
        let mut last = None;
        cutter.cut_walking(
            keys,
            items.combinations.len(),
            items.combinations.iter().filter_map(key_of),
            |key, ordinals| {
                let (place_of_value, number) = (dense.place(key / numbers), key % numbers);
                let value = order.text(place_of_value);
                if last.replace(place_of_value) != Some(place_of_value) {
                    rows.set(
                        behaviour::Column::Value,
                        value.map_or(Cell::Null, Cell::Text),
                    )?;
                }
                let is_overflow = number == place.limits.combinations || value.is_none();
                rows.set_all([
                    (behaviour::Column::Combination, Cell::Int(i64::from(number))),
                    (behaviour::Column::Overflow, Cell::Bool(is_overflow)),
                ])?;
                Ok(rows.push(ordinals.len() as u64, |out| {
                    write_sorted(shard, ordinals, out)
                })?)
            },
        )
    }

    fn write_slices(
        &mut self,
        cutter: &mut Cutter,
        place: &EventPlace<'_>,
        (measure, scale): (&str, u8),
        most: u32,
        values: impl Iterator<Item = (u32, u32, i64)> + Clone,
        rows: &mut MeasureRows<'_>,
    ) -> Result<()> {
        let shard = self.shard;
        let offset = offset_for(values.clone().map(|(_, _, value)| value).min().unwrap_or(0));
        let grouped = values.map(|(ordinal, number, value)| (number, ordinal, value));
        rows.set_all([
            (behaviour_measures::Column::App, Cell::Text(place.app)),
            (
                behaviour_measures::Column::Date,
                Cell::Int(i64::from(self.date)),
            ),
            (behaviour_measures::Column::Event, Cell::Text(place.event)),
            (behaviour_measures::Column::Measure, Cell::Text(measure)),
            (
                behaviour_measures::Column::Scale,
                Cell::Int(i64::from(scale)),
            ),
            (behaviour_measures::Column::Offset, Cell::Int(offset)),
            (
                behaviour_measures::Column::Shard,
                Cell::Int(i64::from(shard)),
            ),
        ])?;
        cut_slices(
            cutter,
            most + 1,
            offset,
            grouped,
            |number, slice, ordinals| {
                let is_overflow = number == place.limits.combinations;
                rows.set_all([
                    (
                        behaviour_measures::Column::Combination,
                        Cell::Int(i64::from(number)),
                    ),
                    (
                        behaviour_measures::Column::Slice,
                        Cell::Int(i64::from(slice)),
                    ),
                    (
                        behaviour_measures::Column::Overflow,
                        Cell::Bool(is_overflow),
                    ),
                ])?;
                Ok(rows.push(ordinals.len() as u64, |out| {
                    write_sorted(shard, ordinals, out)
                })?)
            },
        )
    }
}

/// One event of one app.
pub struct EventPlace<'a> {
    /// The app.
    pub app: &'a str,
    /// The event.
    pub event: &'a str,
    /// The app's limits.
    pub limits: BehaviourLimits,
    /// The night, for the values that dimensions keep.
    pub spec: &'a NightSpec,
}

impl EventItems {
    /// Without items, with room for `most` combinations.
    fn emptied(mut self, slots: usize, most: usize) -> Self {
        self.combinations.clear();
        self.combinations.reserve(most);
        self.sums.iter_mut().for_each(Vec::clear);
        self.sums.resize(slots, Vec::new());
        (self.most, self.overflow) = (0, None);
        self
    }

    /// Rows of events.
    pub fn rows(&self) -> u64 {
        self.combinations
            .iter()
            .map(|item| u64::from(item.count))
            .sum()
    }

    /// Adds a combination; in the overflow the counts of one user are added up on the first.
    fn add(&mut self, item: Combination, limit: u32) {
        self.most = self.most.max(item.number);
        if item.number < limit {
            self.combinations.push(item);
            return;
        }
        let first = self
            .overflow
            .filter(|&at| self.combinations[at].ordinal == item.ordinal);
        match first {
            Some(at) => {
                self.combinations[at].count += item.count;
                self.combinations.push(Combination { count: 0, ..item });
            }
            None => {
                self.overflow = Some(self.combinations.len());
                self.combinations.push(item);
            }
        }
    }

    fn add_sum(&mut self, slot: usize, ordinal: u32, number: u32, more: i64) {
        match self.sums[slot].last_mut() {
            Some(last) if (last.0, last.1) == (ordinal, number) => last.2 = sum(last.2, more),
            _ => self.sums[slot].push((ordinal, number, more)),
        }
    }
}

/// Numbers for the places of a dimension's values: the places themselves, or, where keys of 32 bits
/// could not hold these, those of this event alone.
enum Dense {
    All(u32),
    Used(Vec<u32>),
}

impl Dense {
    fn of<I: Iterator<Item = u32>>(places: usize, numbers: u32, used: impl Fn() -> I) -> Self {
        if places as u64 * u64::from(numbers) <= u64::from(u32::MAX) {
            return Self::All(places as u32);
        }
        let mut used: Vec<u32> = used().collect();
        used.sort_unstable();
        used.dedup();
        Self::Used(used)
    }

    fn len(&self) -> u32 {
        match self {
            Self::All(places) => *places,
            Self::Used(used) => used.len() as u32,
        }
    }

    /// Only of places that are used.
    fn number(&self, place: u32) -> u32 {
        match self {
            Self::All(_) => place,
            Self::Used(used) => used.partition_point(|other| *other < place) as u32,
        }
    }

    fn place(&self, number: u32) -> u32 {
        match self {
            Self::All(_) => number,
            Self::Used(used) => used[number as usize],
        }
    }
}

/// The values of one dimension as texts, in the order in which the artifact is sorted. Users'
/// combinations are numbered in typed order, where 5 comes before 14; texts are sorted by their
/// bytes.
struct TextOrder {
    /// In order; the first is null.
    texts: Vec<Option<String>>,
    /// By position in typed order.
    places: Vec<u32>,
}

impl TextOrder {
    fn of(values: &Values) -> Self {
        let typed = values.sorted_codes();
        let mut texts: Vec<(Option<String>, u32)> = typed
            .iter()
            .enumerate()
            .map(|(rank, &code)| (values.value(code).map(|v| v.to_string()), rank as u32))
            .collect();
        texts.sort();
        let by_text: Vec<u32> = texts.iter().map(|(_, rank)| *rank).collect();
        Self {
            places: positions(&by_text),
            texts: texts.into_iter().map(|(text, _)| text).collect(),
        }
    }

    fn len(&self) -> usize {
        self.texts.len()
    }

    fn place(&self, rank: u32) -> u32 {
        self.places[rank as usize]
    }

    fn text(&self, place: u32) -> Option<&str> {
        self.texts[place as usize].as_deref()
    }
}
