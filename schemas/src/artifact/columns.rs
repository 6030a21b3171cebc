//! Columns that several artifacts share.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use crate::value::ValueType;

/// The five typed value columns, in the order of [`ValueType::ALL`]; exactly one is set in a row.
pub const VALUE_COLUMNS: [&str; 5] = [
    "value_string",
    "value_integer",
    "value_double",
    "value_date",
    "value_boolean",
];

/// The value column of a type.
pub fn value_column(value_type: ValueType) -> &'static str {
    match value_type {
        ValueType::String => "value_string",
        ValueType::Integer => "value_integer",
        ValueType::Double => "value_double",
        ValueType::Date => "value_date",
        ValueType::Boolean => "value_boolean",
    }
}

/// The Arrow type of a value column.
fn arrow_type(value_type: ValueType) -> DataType {
    match value_type {
        ValueType::String => DataType::Utf8,
        ValueType::Integer => DataType::Int64,
        ValueType::Double => DataType::Float64,
        ValueType::Date => DataType::Date32,
        ValueType::Boolean => DataType::Boolean,
    }
}

/// A column that is never null.
pub(super) fn column(name: &str, data_type: DataType) -> Field {
    Field::new(name, data_type, false)
}

/// A column that can be null.
pub(super) fn nullable(name: &str, data_type: DataType) -> Field {
    Field::new(name, data_type, true)
}

/// The nullable typed columns of VALUE.
pub(super) fn value_fields() -> impl Iterator<Item = Field> {
    ValueType::ALL
        .into_iter()
        .map(|value_type| nullable(value_column(value_type), arrow_type(value_type)))
}

/// `shard`, `bitmap`, `cardinality`: a set of users of one shard.
pub(super) fn users_fields() -> [Field; 3] {
    [
        column("shard", DataType::UInt32),
        column("bitmap", DataType::Binary),
        column("cardinality", DataType::UInt64),
    ]
}

/// A schema without metadata: files say what they are by their path and the manifest.
pub(super) fn schema_of(fields: impl IntoIterator<Item = Field>) -> SchemaRef {
    Arc::new(Schema::new(fields.into_iter().collect::<Vec<_>>()))
}
