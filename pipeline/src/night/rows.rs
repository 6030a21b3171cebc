//! Rows of an artifact on their way to a file: cells in, record batches out.

use arrow::array::{
    Array, ArrayBuilder, AsArray, BinaryBuilder, BooleanBuilder, Date32Builder, FixedSizeBinaryBuilder, Float64Builder, Int8Builder, Int16Builder,
    Int64Builder, RecordBatch, StringBuilder, UInt8Builder, UInt32Builder, UInt64Builder, make_builder,
};
use arrow::datatypes::{Date32Type, Float64Type, Int64Type, SchemaRef};
use datafusion::error::{DataFusionError, Result};
use tagmill_schemas::value::Value;

/// A batch is closed at so many rows or bytes of bitmaps.
const BATCH_ROWS: usize = 8192;
const BATCH_BYTES: usize = 8 << 20;

/// One cell of a row.
#[derive(Debug, Clone, Copy)]
pub enum Cell<'a> {
    /// Null in a column of any type.
    Null,
    /// Utf8.
    Text(&'a str),
    /// Binary or FixedSizeBinary.
    Bytes(&'a [u8]),
    /// Boolean.
    Bool(bool),
    /// Any integer column, and Date32 as days.
    Int(i64),
    /// Float64.
    Double(f64),
}

/// The five value columns of a typed value, in the order of the artifacts.
pub fn value_cells(value: &Value) -> [Cell<'_>; 5] {
    let mut cells = [Cell::Null; 5];
    match value {
        Value::String(v) => cells[0] = Cell::Text(v),
        Value::Integer(v) => cells[1] = Cell::Int(*v),
        Value::Double(v) => cells[2] = Cell::Double(*v),
        Value::Date(v) => cells[3] = Cell::Int(i64::from(*v)),
        Value::Boolean(v) => cells[4] = Cell::Bool(*v),
    }
    cells
}

/// The one typed value of a row.
pub fn typed_value(batch: &RecordBatch, row: usize) -> Option<Value> {
    let column = |name: &str| batch.column_by_name(name).filter(|array| array.is_valid(row));
    None.or_else(|| column("value_string").map(|a| Value::String(a.as_string::<i32>().value(row).to_owned())))
        .or_else(|| column("value_integer").map(|a| Value::Integer(a.as_primitive::<Int64Type>().value(row))))
        .or_else(|| column("value_double").map(|a| Value::Double(a.as_primitive::<Float64Type>().value(row))))
        .or_else(|| column("value_date").map(|a| Value::Date(a.as_primitive::<Date32Type>().value(row))))
        .or_else(|| column("value_boolean").map(|a| Value::Boolean(a.as_boolean().value(row))))
}

/// Builds the batches of one artifact.
pub struct Rows {
    schema: SchemaRef,
    columns: Vec<Box<dyn ArrayBuilder>>,
    bytes: usize,
    full: Vec<RecordBatch>,
}

impl Rows {
    /// No rows yet, of this schema.
    pub fn new(schema: SchemaRef) -> Self {
        let columns = schema.fields().iter().map(|f| make_builder(f.data_type(), 0)).collect();
        Self { schema, columns, bytes: 0, full: Vec::new() }
    }

    /// Appends one row: a cell a column, in the schema's order.
    pub fn push<'a>(&mut self, cells: impl IntoIterator<Item = Cell<'a>>) -> Result<()> {
        let mut given = 0;
        for (column, cell) in self.columns.iter_mut().zip(cells) {
            if let Cell::Bytes(bytes) = cell {
                self.bytes += bytes.len();
            }
            append(column.as_mut(), cell)?;
            given += 1;
        }
        if given != self.columns.len() {
            return Err(DataFusionError::Internal(format!("a row of {given} cells for {} columns", self.columns.len())));
        }
        if self.columns[0].len() >= BATCH_ROWS || self.bytes >= BATCH_BYTES {
            self.close()?;
        }
        Ok(())
    }

    /// The full batches so far.
    pub fn take_full(&mut self) -> Vec<RecordBatch> {
        std::mem::take(&mut self.full)
    }

    /// All batches so far, the last one included.
    pub fn take_all(&mut self) -> Result<Vec<RecordBatch>> {
        if !self.columns[0].is_empty() {
            self.close()?;
        }
        Ok(self.take_full())
    }

    fn close(&mut self) -> Result<()> {
        let arrays = self.columns.iter_mut().map(|c| c.finish()).collect();
        self.full.push(RecordBatch::try_new(self.schema.clone(), arrays)?);
        self.bytes = 0;
        Ok(())
    }
}

fn append(column: &mut dyn ArrayBuilder, cell: Cell<'_>) -> Result<()> {
    macro_rules! to {
        ($builder:ty, $value:expr) => {
            if let Some(builder) = column.as_any_mut().downcast_mut::<$builder>() {
                builder.append_option($value);
                return Ok(());
            }
        };
    }
    match cell {
        Cell::Text(v) => to!(StringBuilder, Some(v)),
        Cell::Bytes(v) => {
            to!(BinaryBuilder, Some(v));
            if let Some(builder) = column.as_any_mut().downcast_mut::<FixedSizeBinaryBuilder>() {
                return builder.append_value(v).map_err(DataFusionError::from);
            }
        }
        Cell::Bool(v) => to!(BooleanBuilder, Some(v)),
        Cell::Double(v) => to!(Float64Builder, Some(v)),
        Cell::Int(v) => {
            to!(UInt32Builder, Some(v as u32));
            to!(UInt64Builder, Some(v as u64));
            to!(Int64Builder, Some(v));
            to!(Int16Builder, Some(v as i16));
            to!(Int8Builder, Some(v as i8));
            to!(UInt8Builder, Some(v as u8));
            to!(Date32Builder, Some(v as i32));
        }
        Cell::Null => {
            to!(StringBuilder, None::<&str>);
            to!(UInt32Builder, None);
            to!(UInt64Builder, None);
            to!(Int64Builder, None);
            to!(Float64Builder, None);
            to!(Date32Builder, None);
            to!(BooleanBuilder, None);
        }
    }
    Err(DataFusionError::Internal(format!("cell {cell:?} does not fit its column")))
}
