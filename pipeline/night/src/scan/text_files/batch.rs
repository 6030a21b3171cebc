//! Records as rows of a batch: the needed columns, and why a row is none.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Int32Array, ListBuilder, RecordBatch, RecordBatchOptions, StringBuilder,
    StringViewBuilder, new_null_array,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, SchemaRef};
use datafusion::common::ScalarValue;
use datafusion::error::Result;

use super::ndjson::{elements_of, text_of, values_of};
use super::records::Records;
use super::table::TextFile;
use crate::plan::columns::{BROKEN_COLUMN, FOLDER_COLUMN, INVALID_TEXT, UNREADABLE_ROW};

/// Rows of a batch.
const MOST_ROWS: usize = 8_192;
/// Bytes of text after which a batch ends.
const MOST_BYTES: usize = 16 << 20;
/// What is shown of a line that is no row.
const SHOWN_BYTES: usize = 200;

/// A column that is read.
enum Values {
    Text(StringViewBuilder),
    List(ListBuilder<StringBuilder>),
}

/// What a column of the batch is.
enum Column {
    /// The values in this slot.
    Read(usize),
    /// Why a row is none.
    Broken,
    /// The same in every row.
    Same(ScalarValue),
}

/// Collects rows of one file.
pub struct Batch {
    schema: SchemaRef,
    columns: Vec<Column>,
    values: Vec<Values>,
    /// The slot of a column, by its name.
    slots: HashMap<String, usize>,
    /// Of CSV: the field of each slot.
    fields: Vec<Option<usize>>,
    broken: StringViewBuilder,
    rows: usize,
    bytes: usize,
}

impl Batch {
    /// An empty batch of these columns, for records of a file.
    pub fn new(schema: &SchemaRef, file: &TextFile) -> Self {
        let (mut columns, mut values) = (Vec::new(), Vec::new());
        let mut slots = HashMap::new();
        for field in schema.fields() {
            let name = field.name().as_str();
            let folder = || ScalarValue::Int32(Some(file.folder));
            columns.push(match file.partitions.iter().find(|(key, _)| key == name) {
                _ if name == BROKEN_COLUMN => Column::Broken,
                _ if name == FOLDER_COLUMN => Column::Same(folder()),
                Some((_, value)) => Column::Same(ScalarValue::Utf8(value.clone())),
                None => {
                    slots.insert(name.to_owned(), values.len());
                    values.push(match field.data_type() {
                        DataType::List(_) => Values::List(ListBuilder::new(StringBuilder::new())),
                        _ => Values::Text(StringViewBuilder::new()),
                    });
                    Column::Read(values.len() - 1)
                }
            });
        }
        let mut fields = vec![None; values.len()];
        for (name, &slot) in &slots {
            fields[slot] = file.names.iter().position(|of_file| of_file == name);
        }
        Self {
            schema: Arc::clone(schema),
            columns,
            values,
            slots,
            fields,
            broken: StringViewBuilder::new(),
            rows: 0,
            bytes: 0,
        }
    }

    /// Whether it should be given on.
    pub fn is_full(&self) -> bool {
        self.rows >= MOST_ROWS || self.bytes >= MOST_BYTES
    }

    /// Whether it has no row.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Adds the record of CSV that was found last; an empty field is null.
    pub fn push_fields(&mut self, records: &Records, line: &[u8]) {
        let mut texts = Vec::with_capacity(self.fields.len());
        for field in &self.fields {
            let bytes = field.map_or(&[][..], |at| records.field(at));
            match std::str::from_utf8(bytes) {
                Ok(text) => texts.push(Some(text).filter(|text| !text.is_empty())),
                Err(_) => return self.push_broken(INVALID_TEXT, line),
            }
        }
        for (values, text) in self.values.iter_mut().zip(texts) {
            self.bytes += text.map_or(0, str::len);
            match values {
                Values::Text(values) => values.append_option(text),
                Values::List(values) => match text {
                    Some(text) => values.append_value([Some(text)]),
                    None => values.append_null(),
                },
            }
        }
        self.end_row();
    }

    /// Adds a line of NDJSON.
    pub fn push_line(&mut self, line: &[u8]) {
        let Ok(text) = std::str::from_utf8(line) else {
            return self.push_broken(INVALID_TEXT, line);
        };
        match self.push_object(text) {
            Some(()) => self.end_row(),
            None => self.push_broken(UNREADABLE_ROW, line),
        }
    }

    fn push_object(&mut self, line: &str) -> Option<()> {
        let found = values_of(line, &self.slots)?;
        // Nothing is added before all of the row can be.
        let mut cells = Vec::with_capacity(found.len());
        for (values, value) in self.values.iter().zip(found) {
            let Some(value) = value else {
                cells.push((None, None));
                continue;
            };
            cells.push(match values {
                Values::Text(_) => (text_of(value).ok()?, None),
                Values::List(_) => (None, elements_of(value).ok()?),
            });
        }
        self.bytes += line.len();
        for (values, (text, elements)) in self.values.iter_mut().zip(cells) {
            match values {
                Values::Text(values) => values.append_option(text),
                Values::List(values) => values.append_option(elements),
            }
        }
        Some(())
    }

    fn end_row(&mut self) {
        self.broken.append_null();
        self.rows += 1;
    }

    /// Adds a line that is no row.
    pub fn push_broken(&mut self, reason: &str, line: &[u8]) {
        for values in &mut self.values {
            match values {
                Values::Text(values) => values.append_null(),
                Values::List(values) => values.append_null(),
            }
        }
        self.broken.append_value(broken(reason, line));
        self.rows += 1;
    }

    /// The rows so far; what follows begins a new batch.
    ///
    /// # Errors
    /// Those of casts to the types of the columns.
    pub fn take(&mut self) -> Result<RecordBatch> {
        let rows = std::mem::take(&mut self.rows);
        self.bytes = 0;
        let mut values: Vec<ArrayRef> = Vec::with_capacity(self.values.len());
        for own in &mut self.values {
            values.push(match own {
                Values::Text(values) => Arc::new(values.finish()),
                Values::List(values) => Arc::new(values.finish()),
            });
        }
        let broken: ArrayRef = Arc::new(self.broken.finish());
        let mut arrays = Vec::with_capacity(self.columns.len());
        for (column, field) in self.columns.iter().zip(self.schema.fields()) {
            let array = match column {
                Column::Read(slot) => Arc::clone(&values[*slot]),
                Column::Broken => Arc::clone(&broken),
                Column::Same(ScalarValue::Int32(Some(value))) => {
                    Arc::new(Int32Array::from(vec![*value; rows]))
                }
                Column::Same(value) => value.to_array_of_size(rows)?,
            };
            arrays.push(match field.data_type() {
                DataType::Null => new_null_array(&DataType::Null, rows),
                wanted if wanted == array.data_type() => array,
                wanted => cast(&array, wanted)?,
            });
        }
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let schema = Arc::clone(&self.schema);
        Ok(RecordBatch::try_new_with_options(schema, arrays, &options)?)
    }
}

/// The status of a line that is no row: a reason, a line feed and the line as it is shown.
fn broken(reason: &str, line: &[u8]) -> String {
    let text = String::from_utf8_lossy(&line[..line.len().min(SHOWN_BYTES)]);
    let text = match line.len() > SHOWN_BYTES {
        true => format!("{}...", text.trim_end_matches('\u{fffd}')),
        false => text.into_owned(),
    };
    format!("{reason}\n{}", serde_json::json!({ "line": text }))
}
