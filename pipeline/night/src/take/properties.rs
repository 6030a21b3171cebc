//! Merchants' custom events: properties in a map or in JSON, read into slots as their registry
//! says.

use std::borrow::Cow;
use std::collections::BTreeMap;

use arrow::array::{Array, ArrayRef, AsArray, MapArray, StringViewArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};
use datafusion::error::Result;
use hashbrown::HashMap;
use serde_json::value::RawValue;
use tagmill_schemas::Metric;
use tagmill_schemas::metric::Note;
use tagmill_schemas::number::canonical;
use tagmill_schemas::reading::Reading;

use super::accounting::Accounting;
use super::batch::AcceptedRows;
use super::events::EventRows;
use super::measure::{Scaled, scaled_text};
use super::seating::Seating;
use super::values::{NULL_CODE, Values};
use crate::plan::columns::ExchangedColumn;
use crate::plan::spec::{CustomEvent, EventShapes, RowsSpec, Slot, SourceSpec};
use crate::scan::texts;

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
        let properties = rows.batch.column(ExchangedColumn::Properties)?;
        let properties = Properties::of(properties, &source.nulls)?;
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
        let kept = (first..).zip(indexed.rows.iter().copied());
        state.take_times(kept, &names, rows, seating.spec, account)?;
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
    properties: &Properties<'_>,
    row: usize,
    event: &CustomEvent,
    slots: &mut [Values],
    account: &mut Accounting,
    app: u32,
) -> std::result::Result<Read, &'static str> {
    let mut read = Read::default();
    let (mut undeclared, mut infinite) = (0, 0);
    let mut failed = None;
    properties.each(row, |name, text| match (event.properties.get(name), text) {
        (None, _) => undeclared += 1,
        (Some(None), _) => {}
        (Some(Some(_)), None) => infinite += 1,
        (Some(Some(Slot::Dimension(slot))), Some(text)) => {
            let values = &mut slots[*slot];
            match Reading::of(text, values.value_type()) {
                Reading::Value(value) => read.dimensions.push((*slot, values.code_of(&value))),
                Reading::Nothing => {}
                Reading::Infinite => infinite += 1,
                Reading::Bad => failed = Some("bad_property"),
            }
        }
        (Some(Some(Slot::Measure(slot, scale))), Some(text)) => match scaled_text(text, *scale) {
            Scaled::Value(value) => read.measure(*slot, value),
            Scaled::Nothing => {}
            Scaled::Infinite => infinite += 1,
            Scaled::Bad => failed = Some("bad_property"),
        },
    })?;
    if let Some(reason) = failed {
        return Err(reason);
    }
    account.note(app, &Metric::Noted(Note::UndeclaredProperty), undeclared);
    account.note(app, &Metric::Noted(Note::Infinite), infinite);
    Ok(read)
}

/// The properties of a batch.
enum Properties<'s> {
    /// Keys and values are those of these rows alone, from offset `start` on: a batch may be a
    /// slice of a larger one.
    Map {
        map: Box<MapArray>,
        start: usize,
        keys: StringViewArray,
        values: StringViewArray,
        /// The values as they came.
        raw: ArrayRef,
    },
    /// JSON, and the texts that mean null.
    Json(StringViewArray, &'s [String]),
}

impl<'s> Properties<'s> {
    fn of(array: &ArrayRef, nulls: &'s [String]) -> Result<Self> {
        match array.data_type() {
            DataType::Map(_, _) => {
                let map = array.as_map().clone();
                let start = map.value_offsets()[0] as usize;
                let entries = map.value_offsets()[map.len()] as usize - start;
                let raw = map.values().slice(start, entries);
                Ok(Self::Map {
                    keys: texts(&map.keys().slice(start, entries))?,
                    values: texts(&raw)?,
                    map: Box::new(map),
                    start,
                    raw,
                })
            }
            _ => Ok(Self::Json(texts(array)?, nulls)),
        }
    }

    /// Calls `each(name, text)` for every property that is not null. A number keeps the digits that
    /// it was written with, in canonical form; an infinity has no text.
    fn each(
        &self,
        row: usize,
        mut each: impl FnMut(&str, Option<&str>),
    ) -> std::result::Result<(), &'static str> {
        match self {
            Self::Map { map, .. } if map.is_null(row) => Ok(()),
            Self::Map {
                map,
                start,
                keys,
                values,
                raw,
            } => {
                let range = map.value_offsets()[row] as usize - start
                    ..map.value_offsets()[row + 1] as usize - start;
                for at in range {
                    if values.is_valid(at) {
                        each(keys.value(at), Some(values.value(at)));
                    } else if is_infinite(raw, at) {
                        each(keys.value(at), None);
                    } else if raw.is_valid(at) && !raw.data_type().is_floating() {
                        // Bytes that are no text.
                        return Err("bad_property");
                    }
                }
                Ok(())
            }
            Self::Json(texts, _) if texts.is_null(row) => Ok(()),
            Self::Json(texts, nulls) => {
                each_of_json(texts.value(row), nulls, |name, text| each(name, Some(text)))
            }
        }
    }
}

fn is_infinite(array: &ArrayRef, at: usize) -> bool {
    if array.is_null(at) || !array.data_type().is_floating() {
        return false;
    }
    let double = cast(&array.slice(at, 1), &DataType::Float64);
    double.is_ok_and(|double| double.as_primitive::<Float64Type>().value(0).is_infinite())
}

/// The members of a JSON object. What tools write for no object at all has none.
fn each_of_json(
    json: &str,
    nulls: &[String],
    mut each: impl FnMut(&str, &str),
) -> std::result::Result<(), &'static str> {
    if matches!(json.trim(), "" | "null") {
        return Ok(());
    }
    let members: BTreeMap<String, &RawValue> =
        serde_json::from_str(json).map_err(|_| "bad_json")?;
    for (name, value) in &members {
        let raw = value.get();
        match raw.as_bytes().first() {
            Some(b'n') | None => {}
            Some(b'"') => {
                let text = string_of(raw).ok_or("bad_json")?;
                if !nulls.iter().any(|token| *token == text) {
                    each(name, &text);
                }
            }
            Some(b'{' | b'[') => each(name, &without_blanks(raw)),
            Some(b't' | b'f') => each(name, raw),
            Some(_) => each(name, &canonical(raw)),
        }
    }
    Ok(())
}

/// The text of a JSON string.
fn string_of(raw: &str) -> Option<Cow<'_, str>> {
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    if !inner.contains('\\') {
        return Some(Cow::Borrowed(inner));
    }
    serde_json::from_str(raw).ok().map(Cow::Owned)
}

/// A nested value in one line: blanks that are not inside of strings mean nothing.
fn without_blanks(raw: &str) -> String {
    let (mut is_string, mut is_escaped) = (false, false);
    let mut keeps = |c: char| {
        let is_blank = !is_string && c.is_ascii_whitespace();
        if c == '"' && !is_escaped {
            is_string = !is_string;
        }
        is_escaped = is_string && c == '\\' && !is_escaped;
        !is_blank
    };
    raw.chars().filter(|&c| keeps(c)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(json: &str) -> std::result::Result<Vec<(String, String)>, &'static str> {
        let mut found = Vec::new();
        let nulls = ["NULL".to_owned(), String::new()];
        each_of_json(json, &nulls, |name, text| {
            found.push((name.to_owned(), text.to_owned()));
        })?;
        Ok(found)
    }

    #[test]
    fn numbers_keep_their_digits_and_nulls_are_none() {
        let json = r#" {"id": 20261119000000000001, "price": 1.50, "rate": 915156.9222427051, "n": -0,
            "big": 9.007199254740993e15, "no": null, "token": "NULL", "empty": "", "yes": true,
            "text": "1.50", "quoted": "a\"\u5317 b", "list": [1, "x \" y" , {"a" : 2.0}],
            "twice": 1, "twice": 2}"#;
        let expected = [
            ("big", "9007199254740993"),
            ("id", "20261119000000000001"),
            ("list", r#"[1,"x \" y",{"a":2.0}]"#),
            ("n", "0"),
            ("price", "1.5"),
            ("quoted", "a\"北 b"),
            ("rate", "915156.9222427051"),
            ("text", "1.50"),
            ("twice", "2"),
            ("yes", "true"),
        ];
        let expected = expected.map(|(name, text)| (name.to_owned(), text.to_owned()));
        assert_eq!(members(json).as_deref(), Ok(&expected[..]));
    }

    #[test]
    fn what_is_no_object_is_bad_json_unless_it_is_nothing() {
        for nothing in ["", " ", "null", "{}"] {
            assert_eq!(members(nothing), Ok(Vec::new()), "{nothing:?}");
        }
        for bad in ["[]", "1", "\"a\"", "{", "{\"a\": 01}", "{\"a\": NaN}"] {
            assert_eq!(members(bad), Err("bad_json"), "{bad:?}");
        }
        let deep = format!("{{\"a\": {}{}}}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(members(&deep).map(|found| found.len()), Ok(1));
    }
}
