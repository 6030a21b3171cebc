//! One cell of a row on its way into an artifact.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{
    DataType, Date32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type,
    UInt32Type, UInt64Type,
};
use arrow::error::ArrowError;
use tagmill_schemas::value::Value;

/// One cell of a row; a bitmap is none, its bytes are written where they stay.
#[derive(Debug, Clone, Copy)]
pub enum Cell<'a> {
    /// Null in a column of any type.
    Null,
    /// Utf8.
    Text(&'a str),
    /// Boolean.
    Bool(bool),
    /// Any integer column, and Date32 as days.
    Int(i64),
    /// Float64.
    Double(f64),
}

/// A typed value, in the column of its type.
pub fn value_cell(value: &Value) -> Cell<'_> {
    match value {
        Value::String(v) => Cell::Text(v),
        Value::Integer(v) => Cell::Int(*v),
        Value::Double(v) => Cell::Double(*v),
        Value::Date(v) => Cell::Int(i64::from(*v)),
        Value::Boolean(v) => Cell::Bool(*v),
    }
}

/// A cell of a file that was read.
///
/// # Errors
/// A column of a type that no key has.
pub(super) fn cell_at(column: &ArrayRef, row: usize) -> Result<Cell<'_>, ArrowError> {
    if column.is_null(row) {
        return Ok(Cell::Null);
    }
    Ok(match column.data_type() {
        DataType::Utf8 => Cell::Text(column.as_string::<i32>().value(row)),
        DataType::Boolean => Cell::Bool(column.as_boolean().value(row)),
        DataType::Float64 => Cell::Double(column.as_primitive::<Float64Type>().value(row)),
        DataType::Date32 => Cell::Int(column.as_primitive::<Date32Type>().value(row).into()),
        DataType::Int8 => Cell::Int(column.as_primitive::<Int8Type>().value(row).into()),
        DataType::Int16 => Cell::Int(column.as_primitive::<Int16Type>().value(row).into()),
        DataType::Int32 => Cell::Int(column.as_primitive::<Int32Type>().value(row).into()),
        DataType::Int64 => Cell::Int(column.as_primitive::<Int64Type>().value(row)),
        DataType::UInt8 => Cell::Int(column.as_primitive::<UInt8Type>().value(row).into()),
        DataType::UInt32 => Cell::Int(column.as_primitive::<UInt32Type>().value(row).into()),
        DataType::UInt64 => Cell::Int(column.as_primitive::<UInt64Type>().value(row) as i64),
        other => {
            let what = format!("found a key of type {other}, expected text or a number");
            return Err(ArrowError::SchemaError(what));
        }
    })
}
