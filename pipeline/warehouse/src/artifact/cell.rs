//! One cell of a row on its way into an artifact.

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
