//! The events of one source and one shard while rows stream in: fixed-width columns, which are
//! sorted once and counted per (seat, tuple) when all are there.
//!
//! ```text
//! row      = (provisional seat, tuple)         6 bytes; a tuple is (event, dimension codes)
//! measure  = (row, value)                      only where there is a value
//! sorted   = seat << tuple bits | tuple rank   one u64, radix sorted
//!                                              equal keys are one item with a count: what bitmaps are cut from
//! ```

use std::collections::{BTreeMap, BTreeSet};

use datafusion::error::{DataFusionError, Result};

use super::accounting::Accounting;
use super::batch::AcceptedRows;
use super::measure::{Beyond, beyond, scaled};
use super::narrow::NarrowColumn;
use super::seating::Seating;
use super::tuples::Tuples;
use super::values::Values;
use crate::plan::columns::ExchangedColumn;
use crate::plan::shape::MeasureShape;
use crate::plan::spec::{EventShapes, RowsSpec, SourceSpec};

/// A measure, and the events that have it; none named: all.
type MeasureOfEvents = (MeasureShape, Vec<String>);

/// Events as they stream in.
pub struct EventRows {
    /// Event names.
    pub names: Values,
    /// One encoder a dimension slot.
    pub dimensions: Vec<Values>,
    pub(super) tuples: Tuples,
    pub(super) seats: NarrowColumn,
    pub(super) tuple_of: NarrowColumn,
    /// Tuples of the batch at hand.
    batch: Vec<u32>,
    pub(super) measures: Vec<MeasureRows>,
    /// When events were that are steps of funnels, microseconds since 1970.
    pub(super) times: MeasureRows,
    /// 128-bit hashes of the dedupe key; empty when the source has none.
    pub(super) keys: Vec<u128>,
}

/// The values of one measure slot, rows ascending.
#[derive(Default)]
pub(super) struct MeasureRows {
    pub rows: Vec<u32>,
    pub values: Vec<i64>,
}

impl EventRows {
    /// No events yet; one encoder for each dimension slot, and a number of measure slots.
    pub fn new(names: Values, dimensions: Vec<Values>, measures: usize) -> Self {
        let tuples = Tuples::new(1 + dimensions.len());
        let measures = (0..measures).map(|_| MeasureRows::default()).collect();
        Self {
            names,
            dimensions,
            tuples,
            seats: NarrowColumn::default(),
            tuple_of: NarrowColumn::default(),
            batch: Vec::new(),
            measures,
            times: MeasureRows::default(),
            keys: Vec::new(),
        }
    }

    /// Makes room for so many events. Room that is not used is not touched.
    pub fn reserve(&mut self, events: usize) {
        self.seats.reserve(events);
        self.tuple_of.reserve(events);
    }

    /// How many events there are.
    pub fn len(&self) -> usize {
        self.seats.len()
    }

    /// Calls `each` with the provisional seat of every event, copies included.
    pub fn for_each_seat(&self, mut each: impl FnMut(u32)) {
        self.seats.for_each(|_, seat| each(seat));
    }

    /// The codes of these events.
    pub fn name_codes(&mut self, events: &[String]) -> Vec<u32> {
        events
            .iter()
            .map(|event| self.names.string_code(event.as_bytes()))
            .collect()
    }

    /// Names of events that rows have, up to `most` of them; those that only measures name are none.
    pub fn names_in_rows(&self, most: usize) -> BTreeSet<String> {
        let columns = self.tuples.columns();
        let codes: BTreeSet<u32> = columns.first().into_iter().flatten().copied().collect();
        let names = codes.into_iter().take(most);
        names
            .filter_map(|code| self.names.value(code))
            .map(|name| name.to_string())
            .collect()
    }

    /// Heap bytes held.
    pub fn size(&self) -> usize {
        let measures: usize = self
            .measures
            .iter()
            .chain([&self.times])
            .map(|m| m.rows.capacity() * 4 + m.values.capacity() * 8)
            .sum();
        let values: usize = self.dimensions.iter().map(Values::size).sum();
        self.seats.size()
            + self.tuple_of.size()
            + self.keys.capacity() * 16
            + measures
            + values
            + self.names.size()
            + self.tuples.size()
    }

    /// Takes accepted rows of events whose dimensions and measures are columns. A row with a measure
    /// that does not fit into 64 bits is rejected: it must not stop the night.
    ///
    /// # Errors
    /// As [`Seating::seat`] and [`Self::push`], and those of encoding values.
    pub fn take(
        &mut self,
        source: &SourceSpec,
        rows: &AcceptedRows<'_>,
        seating: &mut Seating<'_>,
        account: &mut Accounting,
    ) -> Result<()> {
        let RowsSpec::Events {
            shapes: EventShapes::Columns { measures, .. },
            ..
        } = &source.rows
        else {
            return Ok(());
        };
        let too_large = self.rows_with_large_measures(measures, rows, account)?;
        if too_large.is_empty() {
            return self.take_fitting(measures, rows, seating, account);
        }
        for (&row, reason) in &too_large {
            account.reject_accepted(rows.apps[row], reason, || rows.batch.describe(row));
        }
        let rejected: Vec<usize> = too_large.into_keys().collect();
        let (batch, apps) = rows.without(&rejected)?;
        let fitting = AcceptedRows {
            apps: &apps,
            batch: &batch,
        };
        self.take_fitting(measures, &fitting, seating, account)
    }

    fn take_fitting(
        &mut self,
        measures: &[MeasureOfEvents],
        rows: &AcceptedRows<'_>,
        seating: &mut Seating<'_>,
        account: &mut Accounting,
    ) -> Result<()> {
        let first = self.len();
        let mut names = Vec::new();
        let events = rows.batch.column(ExchangedColumn::Event)?;
        self.names.encode(events, &mut names)?;
        let mut codes = vec![names];
        for (slot, values) in self.dimensions.iter_mut().enumerate() {
            let mut of_slot = Vec::new();
            let column = rows.batch.column(ExchangedColumn::Dimension(slot))?;
            values.encode(column, &mut of_slot)?;
            codes.push(of_slot);
            account.note_infinite(rows.apps, values.take_infinite());
        }
        self.push(seating.seat(rows)?, &codes, rows.batch.keys()?)?;
        let names = &codes[0];
        let kept = (first..).zip(0..names.len());
        self.take_times(kept, names, rows, seating.spec, account)?;
        for (measure, events) in measures {
            let having = self.name_codes(events);
            let has_it = |row: usize| having.is_empty() || having.contains(&names[row]);
            let values = rows.batch.column(ExchangedColumn::Measure(measure.slot))?;
            scaled(values, measure.scale, has_it, |row, value| {
                self.push_measure(measure.slot, first + row, value)
            })?;
        }
        Ok(())
    }

    /// Rows of an event with a measure that does not fit into 64 bits, and the reason against each;
    /// counts infinities.
    fn rows_with_large_measures(
        &mut self,
        measures: &[MeasureOfEvents],
        rows: &AcceptedRows<'_>,
        account: &mut Accounting,
    ) -> Result<BTreeMap<usize, String>> {
        let mut found = BTreeMap::new();
        for (measure, events) in measures {
            let values = rows.batch.column(ExchangedColumn::Measure(measure.slot))?;
            let beyond = beyond(values, measure.scale)?;
            if beyond == Beyond::default() {
                continue;
            }
            let mut names = Vec::new();
            let events_of_rows = rows.batch.column(ExchangedColumn::Event)?;
            self.names.encode(events_of_rows, &mut names)?;
            let having = self.name_codes(events);
            let has_it = |row: &usize| having.is_empty() || having.contains(&names[*row]);
            let infinite = beyond.infinite.into_iter().filter(has_it).collect();
            account.note_infinite(rows.apps, infinite);
            for row in beyond.too_large.into_iter().filter(has_it) {
                found
                    .entry(row)
                    .or_insert_with(|| format!("bad_{}", measure.name));
            }
        }
        Ok(found)
    }

    /// Appends events. `codes` are the event and dimension codes (see [`EventRows::names`]), one
    /// column each.
    ///
    /// # Errors
    /// More than 2^32 events, which rows and counts of 32 bits can not number.
    pub fn push(
        &mut self,
        seats: &[u32],
        codes: &[Vec<u32>],
        keys: impl IntoIterator<Item = u128>,
    ) -> Result<()> {
        if self.len() + seats.len() > u32::MAX as usize {
            return Err(DataFusionError::ResourcesExhausted(format!(
                "{} events of one source in one shard; a warehouse with more shards is needed",
                self.len() + seats.len()
            )));
        }
        self.seats.extend(seats);
        let sizes: Vec<usize> = std::iter::once(&self.names)
            .chain(&self.dimensions)
            .map(Values::len)
            .collect();
        self.batch.clear();
        self.tuples.intern_batch(codes, &sizes, &mut self.batch);
        self.tuple_of.extend(&self.batch);
        self.keys.extend(keys);
        Ok(())
    }

    /// Appends the value of one measure slot for the event with number `row`.
    pub fn push_measure(&mut self, slot: usize, row: usize, value: i64) {
        self.measures[slot].rows.push(row as u32);
        self.measures[slot].values.push(value);
    }
}
