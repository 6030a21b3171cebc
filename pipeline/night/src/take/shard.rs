//! The state of one shard while rows stream in: reads exchanged batches, keeps dictionary, seats,
//! tags and events.

use std::collections::BTreeMap;

use arrow::array::{Array, ArrayRef, AsArray, FixedSizeBinaryArray, RecordBatch};
use arrow::datatypes::Int64Type;
use datafusion::error::{DataFusionError, Result};
use tagmill_schemas::Metric;
use tagmill_schemas::metric::{Limited, Note};
use tagmill_schemas::value::ValueType;

use super::accounting::Accounting;
use super::attributes::{Attributes, TagColumn};
use super::batch::SourceBatch;
use super::events::EventRows;
use super::labels::{CARRIED, LabelOutcome, LabelRow, LabelRule, Labels};
use super::measure::{scaled, too_large};
use super::properties::PropertyReader;
use super::seating::{Seating, SeatingBuffers, without};
use super::seats::{Dictionary, Seats};
use super::values::{NULL_CODE, Values};
use crate::plan::spec::{EventShapes, NightSpec, RowsSpec, SourceSpec, TagSpec, Undeclared};

/// Counts rows of tags beyond the app's limit.
const OVER_LIMIT: &Metric = &Metric::OverLimit(Limited::TagRows);
/// Counts rows of tags whose registry row is wrong.
const DISABLED: &Metric = &Metric::Noted(Note::DisabledTag);
/// Counts rows of tags that no registry names.
const UNDECLARED: &Metric = &Metric::Noted(Note::UndeclaredTag);

/// One shard, filling up.
pub struct Shard<'a> {
    /// The night.
    pub spec: &'a NightSpec,
    /// Which shard.
    pub number: u32,
    /// Id bytes -> user number: the ordinal for known users, provisional for new ones.
    pub ids: Dictionary,
    /// Users of earlier runs.
    pub known: u32,
    /// Names of apps.
    pub apps: Values,
    /// (app, user) -> seat.
    pub seats: Seats,
    /// By source.
    pub states: Vec<SourceState>,
    /// By source: which state its rows go to. Sources of the same declared events share one, so
    /// that an event is one event.
    pub state_of: Vec<usize>,
    /// By source.
    pub accounts: Vec<Accounting>,
    apps_of_rows: Vec<u32>,
    buffers: SeatingBuffers,
}

/// What is kept of one source.
pub enum SourceState {
    /// Attributes.
    Attributes(Attributes),
    /// Group tags.
    Labels(Labels),
    /// Events, and for those with properties what finds them.
    Events(EventRows, Option<PropertyReader>),
}

impl<'a> Shard<'a> {
    /// An empty shard.
    pub fn new(spec: &'a NightSpec, number: u32) -> Self {
        Self {
            spec,
            number,
            ids: Dictionary::default(),
            known: 0,
            apps: Values::new(ValueType::String),
            seats: Seats::default(),
            states: spec.sources.iter().map(SourceState::new).collect(),
            state_of: (0..spec.sources.len())
                .map(|source| shared_state(&spec.sources, source))
                .collect(),
            accounts: spec.sources.iter().map(|_| Accounting::default()).collect(),
            apps_of_rows: Vec::new(),
            buffers: SeatingBuffers::default(),
        }
    }

    /// Makes room for what the sources will bring.
    pub fn reserve(&mut self) {
        let mut users = 0;
        for (spec, &state) in self.spec.sources.iter().zip(&self.state_of) {
            let rows = self.spec.expected_rows(spec);
            match &mut self.states[state] {
                SourceState::Attributes(state) => {
                    users = users.max(rows);
                    state.reserve(rows);
                }
                SourceState::Events(state, _) => state.reserve(rows),
                SourceState::Labels(_) => {}
            }
        }
        self.seats.reserve(users);
        if self.ids.len() == 0 {
            self.ids = Dictionary::with_capacity(users);
        }
    }

    /// Heap bytes held, without what the first batches already had.
    pub fn size(&self) -> usize {
        self.ids.size()
            + self.seats.size()
            + self.states.iter().map(SourceState::size).sum::<usize>()
    }

    /// Takes a batch of source number `source`.
    pub fn take(&mut self, source: usize, batch: RecordBatch) -> Result<()> {
        let spec = &self.spec.sources[source];
        let batch = SourceBatch::new(batch, spec.app.is_none());
        self.check_place(&batch)?;
        self.refuse_rows(source, &batch)?;
        let batch = batch.accepted()?;
        if batch.len() == 0 {
            return Ok(());
        }
        self.encode_apps(spec, &batch)?;
        self.accounts[source].accept(&self.apps_of_rows);
        let rows = Rows {
            apps: &self.apps_of_rows,
            batch: &batch,
        };
        let (ids, seats, buffers) = (&mut self.ids, &mut self.seats, &mut self.buffers);
        let mut seating = Seating {
            spec: self.spec,
            shard: self.number,
            ids,
            seats,
            apps: &self.apps,
            buffers,
        };
        let account = &mut self.accounts[source];
        match &mut self.states[self.state_of[source]] {
            SourceState::Attributes(state) => take_attributes(state, spec, &rows, &mut seating),
            SourceState::Labels(state) => take_labels(state, spec, &rows, &mut seating, account),
            SourceState::Events(state, None) => {
                take_events(state, spec, &rows, &mut seating, account)
            }
            SourceState::Events(state, Some(reader)) => {
                reader.take(state, spec, &rows, &mut seating, account)
            }
        }
    }

    /// Rows of another shard would get ids that break every promise: better no release.
    fn check_place(&self, batch: &SourceBatch) -> Result<()> {
        let shards = self.spec.shards;
        let hashes = batch.hashes()?.values().iter();
        // Without a way out of the loop it is a few instructions a row.
        let elsewhere =
            hashes
                .map(|&hash| shards.of_hash(hash))
                .fold(self.number, |found, shard| {
                    if shard == self.number { found } else { shard }
                });
        if elsewhere == self.number {
            return Ok(());
        }
        Err(DataFusionError::Internal(format!(
            "a row of shard {elsewhere} came to shard {}: the exchange does not follow the \
             routing table",
            self.number
        )))
    }

    fn refuse_rows(&mut self, source: usize, batch: &SourceBatch) -> Result<()> {
        let statuses = batch.statuses()?;
        if statuses.null_count() == statuses.len() {
            return Ok(());
        }
        let constant = self.spec.sources[source]
            .app
            .as_deref()
            .map(|app| self.apps.string_code(app.as_bytes()));
        let mut apps = Vec::new();
        match (constant, batch.apps()) {
            (Some(app), _) => apps.resize(batch.len(), app),
            (None, Some(column)) => self.apps.encode(column, &mut apps)?,
            (None, None) => apps.resize(batch.len(), NULL_CODE),
        }
        for (row, status) in statuses.iter().enumerate() {
            if let Some(status) = status {
                self.accounts[source].refuse(apps[row], status);
            }
        }
        Ok(())
    }

    fn encode_apps(&mut self, spec: &SourceSpec, batch: &SourceBatch) -> Result<()> {
        self.apps_of_rows.clear();
        match (&spec.app, batch.apps()) {
            (Some(app), _) => {
                let code = self.apps.string_code(app.as_bytes());
                self.apps_of_rows.resize(batch.len(), code);
                Ok(())
            }
            (None, Some(column)) => self.apps.encode(column, &mut self.apps_of_rows),
            (None, None) => Err(DataFusionError::Internal(format!(
                "source {} has no app",
                spec.name
            ))),
        }
    }
}

/// Rows that the scan accepted, with their apps.
pub struct Rows<'a> {
    /// Code of each row's app.
    pub apps: &'a [u32],
    /// The batch.
    pub batch: &'a SourceBatch,
}

impl SourceState {
    fn new(spec: &SourceSpec) -> Self {
        match &spec.rows {
            RowsSpec::Attributes { tags, .. } => {
                Self::Attributes(Attributes::new(tags.iter().map(column_of).collect()))
            }
            RowsSpec::GroupTags { .. } => Self::Labels(Labels::default()),
            RowsSpec::Events {
                dimensions,
                measures,
                shapes,
                ..
            } => {
                let rows = EventRows::new(
                    Values::new(ValueType::String),
                    dimensions.iter().map(|&t| Values::new(t)).collect(),
                    *measures,
                );
                let reader =
                    matches!(shapes, EventShapes::Properties { .. }).then(PropertyReader::default);
                Self::Events(rows, reader)
            }
        }
    }

    fn size(&self) -> usize {
        match self {
            Self::Attributes(state) => state.size(),
            Self::Labels(state) => state.size(),
            Self::Events(state, _) => state.size(),
        }
    }
}

/// The first source that says the same things of the same events; a dedupe key belongs to one
/// source.
fn shared_state(sources: &[SourceSpec], source: usize) -> usize {
    let Some(own) = what_events_say(&sources[source]) else {
        return source;
    };
    sources[..source]
        .iter()
        .position(|other| what_events_say(other) == Some(own))
        .unwrap_or(source)
}

fn what_events_say(source: &SourceSpec) -> Option<(&[ValueType], &EventShapes)> {
    match &source.rows {
        RowsSpec::Events {
            is_keyed: false,
            shapes,
            dimensions,
            ..
        } => Some((dimensions, shapes)),
        _ => None,
    }
}

fn column_of(tag: &TagSpec) -> TagColumn {
    TagColumn::new(tag.name.clone(), tag.value_type, tag.multi, tag.scale)
}

/// Splits off the column that orders duplicates.
fn ordered(is_ordered: bool, columns: &[ArrayRef]) -> (Option<&[i64]>, &[ArrayRef]) {
    match columns.split_first() {
        Some((order, rest)) if is_ordered => (
            order.as_primitive_opt::<Int64Type>().map(|o| &**o.values()),
            rest,
        ),
        _ => (None, columns),
    }
}

fn take_attributes(
    state: &mut Attributes,
    spec: &SourceSpec,
    rows: &Rows<'_>,
    seating: &mut Seating<'_>,
) -> Result<()> {
    let is_ordered = matches!(
        spec.rows,
        RowsSpec::Attributes {
            is_ordered: true,
            ..
        }
    );
    let (orders, columns) = ordered(is_ordered, rows.batch.rest());
    state.push(seating.seat(rows.batch, rows.apps)?, orders, columns)
}

fn take_labels(
    state: &mut Labels,
    spec: &SourceSpec,
    rows: &Rows<'_>,
    seating: &mut Seating<'_>,
    account: &mut Accounting,
) -> Result<()> {
    let RowsSpec::GroupTags {
        undeclared,
        is_ordered,
    } = &spec.rows
    else {
        return Ok(());
    };
    let (orders, columns) = ordered(*is_ordered, rows.batch.rest());
    let [tags, values] = columns else {
        return Err(DataFusionError::Internal(format!(
            "source {} needs a tag and a value",
            spec.name
        )));
    };
    let (mut tag_codes, mut texts) = (Vec::new(), Vec::new());
    state.names.encode(tags, &mut tag_codes)?;
    state.encode_texts(values, &mut texts)?;
    let (mut kept, mut rejected) = (Vec::with_capacity(rows.apps.len()), Vec::new());
    for (row, &app) in rows.apps.iter().enumerate() {
        let label = state.label(app, tag_codes[row], |tag| {
            label_rule(
                seating.spec,
                &spec.name,
                *undeclared,
                seating.apps,
                app,
                tag,
            )
        });
        let mut reject = |why| {
            account.reject_accepted(app, why, || describe(rows, row));
            rejected.push(row);
        };
        match state.judge(label, texts[row]) {
            (LabelOutcome::Kept, code) => kept.push((row, label, code)),
            (LabelOutcome::Ignored(why), _) => account.note(app, why, 1),
            (LabelOutcome::UndeclaredTag, _) => reject("undeclared_tag"),
            (LabelOutcome::BadValue, _) => reject("bad_value"),
        }
    }
    let seats = seating.seat_others(rows.batch, rows.apps, &rejected)?;
    let order = |row: usize| orders.map_or(0, |orders| orders[row].max(CARRIED + 1));
    kept.into_iter().for_each(|(row, label, code)| {
        state.push(LabelRow {
            label,
            seat: seats[row],
            code,
            order: order(row),
        })
    });
    Ok(())
}

fn label_rule(
    night: &NightSpec,
    source: &str,
    undeclared: Undeclared,
    apps: &Values,
    app: u32,
    tag: &str,
) -> LabelRule {
    let name = apps.value(app).map(|v| v.to_string()).unwrap_or_default();
    let declared = night.label(&name, tag);
    let unused = night
        .unused_labels
        .get(&name)
        .and_then(|tags| tags.get(tag));
    match (declared, undeclared) {
        (Some(label), _) if label.source == source => {
            LabelRule::Typed(label.value_type, label.multi)
        }
        // Another source owns this name in this app.
        (Some(_), _) => LabelRule::Rejected,
        _ if night.is_platform_tag(tag) => LabelRule::Rejected,
        (None, _) if unused.is_some_and(|unused| unused.is_over_limit) => {
            LabelRule::Ignored(OVER_LIMIT)
        }
        (None, _) if unused.is_some() => LabelRule::Ignored(DISABLED),
        (None, Undeclared::String) if night.full_apps.contains(&name) => {
            LabelRule::Ignored(OVER_LIMIT)
        }
        (None, Undeclared::String) => LabelRule::Typed(ValueType::String, false),
        (None, Undeclared::Ignore) => LabelRule::Ignored(UNDECLARED),
        (None, Undeclared::Reject) => LabelRule::Rejected,
    }
}

fn take_events(
    state: &mut EventRows,
    spec: &SourceSpec,
    rows: &Rows<'_>,
    seating: &mut Seating<'_>,
    account: &mut Accounting,
) -> Result<()> {
    let RowsSpec::Events {
        dimensions,
        measures,
        is_keyed,
        shapes,
        ..
    } = &spec.rows
    else {
        return Ok(());
    };
    let too_large = rows_with_large_measures(state, spec, rows)?;
    if !too_large.is_empty() {
        too_large.iter().for_each(|(&row, reason)| {
            account.reject_accepted(rows.apps[row], reason, || describe(rows, row))
        });
        let (batch, apps) = without(
            rows.batch,
            rows.apps,
            &too_large.into_keys().collect::<Vec<_>>(),
        )?;
        return take_events(
            state,
            spec,
            &Rows {
                apps: &apps,
                batch: &batch,
            },
            seating,
            account,
        );
    }
    let (keys, columns) = keyed(*is_keyed, rows.batch.rest());
    let first = state.len();
    let mut codes = vec![Vec::new(); 1 + dimensions.len()];
    state.names.encode(&columns[0], &mut codes[0])?;
    for (slot, values) in state.dimensions.iter_mut().enumerate() {
        values.encode(&columns[1 + slot], &mut codes[1 + slot])?;
    }
    state.push(seating.seat(rows.batch, rows.apps)?, &codes, keys)?;
    let EventShapes::Columns {
        measures: shapes, ..
    } = shapes
    else {
        return Ok(());
    };
    let values = &columns[1 + dimensions.len()..];
    for ((measure, events), array) in shapes
        .iter()
        .filter_map(|shape| Some((shape, values.get(shape.0.slot)?)))
    {
        let having = state.name_codes(events);
        let has_it = |row: usize| having.is_empty() || having.contains(&codes[0][row]);
        scaled(array, measure.scale, has_it, |row, value| {
            state.push_measure(measure.slot, first + row, value)
        })?;
    }
    debug_assert_eq!(shapes.len(), *measures);
    Ok(())
}

/// Rows of an event with a measure that does not fit into 64 bits, and the reason against each: one
/// such row must not stop the night.
fn rows_with_large_measures(
    state: &mut EventRows,
    spec: &SourceSpec,
    rows: &Rows<'_>,
) -> Result<BTreeMap<usize, String>> {
    let RowsSpec::Events {
        dimensions,
        is_keyed,
        shapes: EventShapes::Columns { measures, .. },
        ..
    } = &spec.rows
    else {
        return Ok(BTreeMap::new());
    };
    let (names, values) =
        rows.batch.rest()[usize::from(*is_keyed)..].split_at(1 + dimensions.len());
    let mut found = BTreeMap::new();
    for ((measure, events), array) in measures
        .iter()
        .filter_map(|shape| Some((shape, values.get(shape.0.slot)?)))
    {
        let beyond = too_large(array, measure.scale)?;
        if beyond.is_empty() {
            continue;
        }
        let mut codes = Vec::new();
        state.names.encode(&names[0], &mut codes)?;
        let having = state.name_codes(events);
        let has_it = |row: &usize| having.is_empty() || having.contains(&codes[*row]);
        for row in beyond.into_iter().filter(has_it) {
            found
                .entry(row)
                .or_insert_with(|| format!("bad_{}", measure.name));
        }
    }
    Ok(found)
}

/// Splits off the column of 128-bit hashes of the dedupe key.
pub fn keyed(is_keyed: bool, columns: &[ArrayRef]) -> (Vec<u128>, &[ArrayRef]) {
    match columns.split_first() {
        Some((keys, rest)) if is_keyed => {
            let keys = keys.as_any().downcast_ref::<FixedSizeBinaryArray>();
            let read = |bytes: &[u8]| bytes.try_into().map_or(0, u128::from_be_bytes);
            (
                keys.map(|k| (0..k.len()).map(|row| read(k.value(row))).collect())
                    .unwrap_or_default(),
                rest,
            )
        }
        _ => (Vec::new(), columns),
    }
}

/// A row as JSON, for the rejects.
pub fn describe(rows: &Rows<'_>, row: usize) -> String {
    let schema = rows.batch.batch.schema();
    let fields = schema
        .fields()
        .iter()
        .zip(rows.batch.batch.columns())
        .skip(2);
    let cell = |array: &ArrayRef| match array.is_null(row) {
        true => serde_json::Value::Null,
        false => arrow::util::display::array_value_to_string(array, row)
            .map_or(serde_json::Value::Null, serde_json::Value::String),
    };
    let object: serde_json::Map<_, _> = fields
        .map(|(field, array)| (field.name().clone(), cell(array)))
        .collect();
    serde_json::Value::Object(object).to_string()
}
