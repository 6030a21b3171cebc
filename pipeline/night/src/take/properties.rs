//! Merchants' custom events: properties in a map or in JSON, read into slots as their registry
//! says.

use arrow::array::{Array, ArrayRef, AsArray, MapArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use datafusion::error::Result;
use hashbrown::HashMap;
use tagmill_schemas::Metric;
use tagmill_schemas::metric::Note;
use tagmill_schemas::value::{Value, ValueType};

use super::accounting::Accounting;
use super::batch::AcceptedRows;
use super::events::EventRows;
use super::measure::scaled_text;
use super::seating::Seating;
use super::values::{NULL_CODE, Values};
use crate::plan::columns::ExchangedColumn;
use crate::plan::spec::{CustomEvent, EventShapes, RowsSpec, Slot, SourceSpec};

/// Finds the declaration of an event by the codes of app and event.
#[derive(Default)]
pub struct PropertyReader {
    known: HashMap<(u32, u32), Option<CustomEvent>>,
}

/// What is kept of a batch.
#[derive(Default)]
struct Indexed {
    /// The rows that are indexed.
    rows: Vec<usize>,
    /// Codes of the event and of each dimension slot, one column each.
    codes: Vec<Vec<u32>>,
    keys: Vec<u128>,
    /// (number in `rows`, measure slot, value).
    measures: Vec<(usize, usize, i64)>,
}

impl PropertyReader {
    /// Takes accepted rows of events whose dimensions and measures are properties. Rows that can not
    /// be read are rejected.
    ///
    /// # Errors
    /// As [`Seating::seat`] and [`EventRows::push`], and those of encoding values.
    pub fn take(
        &mut self,
        state: &mut EventRows,
        source: &SourceSpec,
        rows: &AcceptedRows<'_>,
        seating: &mut Seating<'_>,
        account: &mut Accounting,
    ) -> Result<()> {
        let RowsSpec::Events {
            shapes:
                EventShapes::Properties {
                    events,
                    rejects_undeclared,
                    ..
                },
            ..
        } = &source.rows
        else {
            return Ok(());
        };
        let properties = Properties::of(rows.batch.column(ExchangedColumn::Properties)?)?;
        let keys = rows.batch.keys()?;
        let mut names = Vec::new();
        let events_of_rows = rows.batch.column(ExchangedColumn::Event)?;
        state.names.encode(events_of_rows, &mut names)?;
        let mut indexed = Indexed {
            codes: vec![Vec::new(); 1 + state.dimensions.len()],
            ..Indexed::default()
        };
        let first = state.len();
        let mut rejected = Vec::new();
        for (row, (&app, &name)) in rows.apps.iter().zip(&names).enumerate() {
            let declared = self.known.entry((app, name)).or_insert_with(|| {
                let (app, name) = (text_of(seating.apps, app), text_of(&state.names, name));
                events.get(&app)?.get(&name).cloned()
            });
            let read = match declared {
                Some(event) => {
                    read_row(&properties, row, event, &mut state.dimensions, account, app).map(Some)
                }
                None if *rejects_undeclared => Err("undeclared_event"),
                None => Ok(None),
            };
            match read {
                Ok(Some(read)) => indexed.push(row, name, read, keys.get(row).copied()),
                Ok(None) => account.note(app, &Metric::Noted(Note::UndeclaredEvent), 1),
                Err(reason) => {
                    account.reject_accepted(app, reason, || rows.batch.describe(row));
                    rejected.push(row);
                }
            }
        }
        let seats = seating.seat_others(rows, &rejected)?;
        let seats: Vec<u32> = indexed.rows.iter().map(|&row| seats[row]).collect();
        state.push(&seats, &indexed.codes, indexed.keys)?;
        for (row, slot, value) in indexed.measures {
            state.push_measure(slot, first + row, value);
        }
        Ok(())
    }
}

/// The text of a code, empty for null.
fn text_of(values: &Values, code: u32) -> String {
    let value = values.value(code);
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// What one row says: a code a dimension slot that it fills, and measures.
#[derive(Default)]
struct Read {
    dimensions: Vec<(usize, u32)>,
    measures: Vec<(usize, i64)>,
}

impl Read {
    /// A name that a map has twice counts once, with its last value, as in JSON.
    fn measure(&mut self, slot: usize, value: i64) {
        self.measures.retain(|(other, _)| *other != slot);
        self.measures.push((slot, value));
    }
}

impl Indexed {
    fn push(&mut self, row: usize, name: u32, read: Read, key: Option<u128>) {
        let at = self.rows.len();
        self.rows.push(row);
        self.codes[0].push(name);
        self.codes[1..]
            .iter_mut()
            .for_each(|codes| codes.push(NULL_CODE));
        read.dimensions
            .into_iter()
            .for_each(|(slot, code)| self.codes[1 + slot][at] = code);
        self.measures.extend(
            read.measures
                .into_iter()
                .map(|(slot, value)| (at, slot, value)),
        );
        self.keys.extend(key);
    }
}

fn read_row(
    properties: &Properties,
    row: usize,
    event: &CustomEvent,
    slots: &mut [Values],
    account: &mut Accounting,
    app: u32,
) -> std::result::Result<Read, &'static str> {
    let mut read = Read::default();
    let mut undeclared = 0;
    let mut failed = None;
    properties.each(row, |name, text| match event.properties.get(name) {
        None => undeclared += 1,
        Some(None) => {}
        Some(Some(Slot::Dimension(slot))) => match parse(text, slots[*slot].value_type()) {
            Some(value) => read.dimensions.push((*slot, slots[*slot].code_of(&value))),
            None => failed = Some("bad_property"),
        },
        Some(Some(Slot::Measure(slot, scale))) => match scaled_text(text, *scale) {
            Some(value) => read.measure(*slot, value),
            None => failed = Some("bad_property"),
        },
    })?;
    account.note(app, &Metric::Noted(Note::UndeclaredProperty), undeclared);
    failed.map_or(Ok(read), Err)
}

fn parse(text: &str, value_type: ValueType) -> Option<Value> {
    let text = if value_type == ValueType::String {
        text
    } else {
        text.trim()
    };
    Value::parse(text, value_type).ok()
}

/// The properties of a batch.
enum Properties {
    /// Keys and values are those of these rows alone, from offset `start` on: a batch may be a
    /// slice of a larger one.
    Map {
        map: Box<MapArray>,
        start: usize,
        keys: ArrayRef,
        values: ArrayRef,
    },
    Json(ArrayRef),
}

impl Properties {
    fn of(array: &ArrayRef) -> Result<Self> {
        match array.data_type() {
            DataType::Map(_, _) => {
                let map = array.as_map().clone();
                let start = map.value_offsets()[0] as usize;
                let entries = map.value_offsets()[map.len()] as usize - start;
                let own = |children: &ArrayRef| {
                    cast(&children.slice(start, entries), &DataType::Utf8View)
                };
                let (keys, values) = (own(map.keys())?, own(map.values())?);
                Ok(Self::Map {
                    map: Box::new(map),
                    start,
                    keys,
                    values,
                })
            }
            _ => Ok(Self::Json(cast(array, &DataType::Utf8View)?)),
        }
    }

    /// Calls `each(name, text)` for every property that is not null. A number keeps the digits it
    /// was written with.
    fn each(
        &self,
        row: usize,
        mut each: impl FnMut(&str, &str),
    ) -> std::result::Result<(), &'static str> {
        match self {
            Self::Map { map, .. } if map.is_null(row) => Ok(()),
            Self::Map {
                map,
                start,
                keys,
                values,
            } => {
                let range = map.value_offsets()[row] as usize - start
                    ..map.value_offsets()[row + 1] as usize - start;
                let (keys, values) = (keys.as_string_view(), values.as_string_view());
                range
                    .filter(|&at| values.is_valid(at))
                    .for_each(|at| each(keys.value(at), values.value(at)));
                Ok(())
            }
            Self::Json(texts) if texts.is_null(row) => Ok(()),
            Self::Json(texts) => {
                let object: serde_json::Map<String, serde_json::Value> =
                    serde_json::from_str(texts.as_string_view().value(row))
                        .map_err(|_| "bad_json")?;
                for (name, value) in &object {
                    match value {
                        serde_json::Value::Null => {}
                        serde_json::Value::String(text) => each(name, text),
                        other => each(name, &other.to_string()),
                    }
                }
                Ok(())
            }
        }
    }
}
