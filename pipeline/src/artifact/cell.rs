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
