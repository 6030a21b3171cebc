//! Rows of an artifact without bitmaps: cells in, by name, record batches out; and a typed value on
//! its way back.

use std::marker::PhantomData;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayBuilder, ArrayRef, AsArray, BooleanBuilder, Date32Builder, Float64Builder,
    Int64Builder, RecordBatch, StringBuilder, UInt8Builder, UInt32Builder, UInt64Builder,
};
use arrow::datatypes::{DataType, Date32Type, Float64Type, Int64Type};
use arrow::error::ArrowError;
use tagmill_schemas::artifact::Columns;
use tagmill_schemas::value::Value;

use super::cell::Cell;

type Result<T> = std::result::Result<T, ArrowError>;

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

/// Builds the batches of the artifact whose columns are `C`.
pub struct TableRows<C> {
    columns: Vec<ColumnBuilder>,
    /// In the batch that is being built.
    rows: usize,
    full: Vec<RecordBatch>,
    of: PhantomData<C>,
}

impl<C> Default for TableRows<C> {
    fn default() -> Self {
        Self {
            columns: Vec::new(),
            rows: 0,
            full: Vec::new(),
            of: PhantomData,
        }
    }
}

impl<C: Columns> TableRows<C> {
    /// Appends one row. A column without a cell is null.
    ///
    /// # Errors
    /// A cell of another type than its column's; null where there may be none is found when the
    /// batch is closed.
    pub fn push<'a>(&mut self, cells: impl IntoIterator<Item = (C, Cell<'a>)>) -> Result<()> {
        if self.columns.is_empty() {
            let builders = C::SPECS
                .iter()
                .map(|spec| ColumnBuilder::new(&spec.data_type));
            self.columns = builders.collect::<Result<_>>()?;
        }
        for (column, cell) in cells {
            self.columns[column.index()].append(cell)?;
        }
        self.rows += 1;
        for column in &mut self.columns {
            match (self.rows).checked_sub(column.len()) {
                Some(0) => {}
                Some(1) => column.append(Cell::Null)?,
                _ => return Err(unfit("two cells for one column".to_owned())),
            }
        }
        if self.rows >= BATCH_ROWS {
            self.close()?;
        }
        Ok(())
    }

    /// All batches so far, the last one included.
    ///
    /// # Errors
    /// Null in a column that has none.
    pub fn take_all(&mut self) -> Result<Vec<RecordBatch>> {
        if self.rows > 0 {
            self.close()?;
        }
        Ok(std::mem::take(&mut self.full))
    }

    fn close(&mut self) -> Result<()> {
        let arrays = std::mem::take(&mut self.columns)
            .into_iter()
            .map(ColumnBuilder::finish)
            .collect();
        self.full
            .push(RecordBatch::try_new(C::ARTIFACT.schema(), arrays)?);
        self.rows = 0;
        Ok(())
    }
}

fn unfit(what: String) -> ArrowError {
    ArrowError::InvalidArgumentError(what)
}

enum ColumnBuilder {
    Text(StringBuilder),
    Bool(BooleanBuilder),
    Double(Float64Builder),
    Date(Date32Builder),
    Int64(Int64Builder),
    UInt8(UInt8Builder),
    UInt32(UInt32Builder),
    UInt64(UInt64Builder),
}

impl ColumnBuilder {
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
                return Err(unfit(format!("rows with a column of {other}")));
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
                return Err(unfit(format!("cell {cell:?} does not fit its column")));
            }
        }
        Ok(())
    }

    fn len(&self) -> usize {
        match self {
            Self::Text(column) => column.len(),
            Self::Bool(column) => column.len(),
            Self::Double(column) => column.len(),
            Self::Date(column) => column.len(),
            Self::Int64(column) => column.len(),
            Self::UInt8(column) => column.len(),
            Self::UInt32(column) => column.len(),
            Self::UInt64(column) => column.len(),
        }
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
