//! Rows of an artifact without bitmaps on their way to a file: cells in, record batches out.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanBuilder, Date32Builder, Float64Builder, Int64Builder,
    RecordBatch, StringBuilder, UInt8Builder, UInt32Builder, UInt64Builder,
};
use arrow::datatypes::{DataType, Date32Type, Float64Type, Int64Type, SchemaRef};
use datafusion::error::{DataFusionError, Result};
use tagmill_schemas::value::Value;

use crate::artifact::Cell;

/// A batch is closed at so many rows.
const BATCH_ROWS: usize = 8192;

/// The one typed value of a row.
pub fn typed_value(batch: &RecordBatch, row: usize) -> Option<Value> {
    let column = |name: &str| {
        batch
            .column_by_name(name)
            .filter(|array| array.is_valid(row))
    };
    None.or_else(|| {
        column("value_string").map(|a| Value::String(a.as_string::<i32>().value(row).to_owned()))
    })
    .or_else(|| {
        column("value_integer").map(|a| Value::Integer(a.as_primitive::<Int64Type>().value(row)))
    })
    .or_else(|| {
        column("value_double").map(|a| Value::Double(a.as_primitive::<Float64Type>().value(row)))
    })
    .or_else(|| {
        column("value_date").map(|a| Value::Date(a.as_primitive::<Date32Type>().value(row)))
    })
    .or_else(|| column("value_boolean").map(|a| Value::Boolean(a.as_boolean().value(row))))
}

/// Builds the batches of one artifact.
pub struct Rows {
    schema: SchemaRef,
    columns: Vec<Column>,
    /// In the batch that is being built.
    rows: usize,
    full: Vec<RecordBatch>,
}

impl Rows {
    /// No rows yet, of this schema.
    pub fn new(schema: SchemaRef) -> Self {
        Self {
            schema,
            columns: Vec::new(),
            rows: 0,
            full: Vec::new(),
        }
    }

    /// Appends one row: a cell a column, in the schema's order.
    pub fn push<'a>(&mut self, cells: impl IntoIterator<Item = Cell<'a>>) -> Result<()> {
        if self.columns.is_empty() {
            self.columns = self
                .schema
                .fields()
                .iter()
                .map(|field| Column::new(field.data_type()))
                .collect::<Result<_>>()?;
        }
        let mut given = 0;
        for (column, cell) in self.columns.iter_mut().zip(cells) {
            column.append(cell)?;
            given += 1;
        }
        if given != self.columns.len() {
            return Err(DataFusionError::Internal(format!(
                "a row of {given} cells for {} columns",
                self.columns.len()
            )));
        }
        self.rows += 1;
        if self.rows >= BATCH_ROWS {
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
        if self.rows > 0 {
            self.close()?;
        }
        Ok(self.take_full())
    }

    fn close(&mut self) -> Result<()> {
        let arrays = std::mem::take(&mut self.columns)
            .into_iter()
            .map(Column::finish)
            .collect();
        self.full
            .push(RecordBatch::try_new(self.schema.clone(), arrays)?);
        self.rows = 0;
        Ok(())
    }
}

/// The builder of one column, of the types that artifacts have.
enum Column {
    Text(StringBuilder),
    Bool(BooleanBuilder),
    Double(Float64Builder),
    Date(Date32Builder),
    Int64(Int64Builder),
    UInt8(UInt8Builder),
    UInt32(UInt32Builder),
    UInt64(UInt64Builder),
}

impl Column {
    fn new(data_type: &DataType) -> Result<Self> {
        Ok(match data_type {
            DataType::Utf8 => Self::Text(StringBuilder::with_capacity(BATCH_ROWS, 0)),
            DataType::Boolean => Self::Bool(BooleanBuilder::with_capacity(BATCH_ROWS)),
            DataType::Float64 => Self::Double(Float64Builder::with_capacity(BATCH_ROWS)),
            DataType::Date32 => Self::Date(Date32Builder::with_capacity(BATCH_ROWS)),
            DataType::Int64 => Self::Int64(Int64Builder::with_capacity(BATCH_ROWS)),
            DataType::UInt8 => Self::UInt8(UInt8Builder::with_capacity(BATCH_ROWS)),
            DataType::UInt32 => Self::UInt32(UInt32Builder::with_capacity(BATCH_ROWS)),
            DataType::UInt64 => Self::UInt64(UInt64Builder::with_capacity(BATCH_ROWS)),
            other => {
                return Err(DataFusionError::Internal(format!(
                    "rows with a column of {other}"
                )));
            }
        })
    }

    #[inline]
    fn append(&mut self, cell: Cell<'_>) -> Result<()> {
        match (self, cell) {
            (Self::Text(column), Cell::Text(v)) => column.append_value(v),
            (Self::Text(column), Cell::Null) => column.append_null(),
            (Self::Bool(column), Cell::Bool(v)) => column.append_value(v),
            (Self::Bool(column), Cell::Null) => column.append_null(),
            (Self::Double(column), Cell::Double(v)) => column.append_value(v),
            (Self::Double(column), Cell::Null) => column.append_null(),
            (Self::Date(column), Cell::Int(v)) => column.append_value(v as i32),
            (Self::Date(column), Cell::Null) => column.append_null(),
            (Self::Int64(column), Cell::Int(v)) => column.append_value(v),
            (Self::Int64(column), Cell::Null) => column.append_null(),
            (Self::UInt8(column), Cell::Int(v)) => column.append_value(v as u8),
            (Self::UInt32(column), Cell::Int(v)) => column.append_value(v as u32),
            (Self::UInt32(column), Cell::Null) => column.append_null(),
            (Self::UInt64(column), Cell::Int(v)) => column.append_value(v as u64),
            (Self::UInt64(column), Cell::Null) => column.append_null(),
            (_, cell) => {
                return Err(DataFusionError::Internal(format!(
                    "cell {cell:?} does not fit its column"
                )));
            }
        }
        Ok(())
    }

    fn finish(self) -> ArrayRef {
        match self {
            Self::Text(mut column) => Arc::new(column.finish()),
            Self::Bool(mut column) => Arc::new(column.finish()),
            Self::Double(mut column) => Arc::new(column.finish()),
            Self::Date(mut column) => Arc::new(column.finish()),
            Self::Int64(mut column) => Arc::new(column.finish()),
            Self::UInt8(mut column) => Arc::new(column.finish()),
            Self::UInt32(mut column) => Arc::new(column.finish()),
            Self::UInt64(mut column) => Arc::new(column.finish()),
        }
    }
}
