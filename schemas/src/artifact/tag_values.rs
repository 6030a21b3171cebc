//! `tag_values`: the distinct values of every tag, each with its append-only code.

use arrow::datatypes::DataType;

use super::columns::columns;
use crate::value::ValueType;

columns! {
    TagValues, sorted by [App, Tag, Type, ValueString, ValueInteger, ValueDouble, ValueDate, ValueBoolean];
    what "the distinct values of every tag, each with its append-only code.";
    note "";
    App "app": DataType::Utf8 => "the app";
    Tag "tag": DataType::Utf8 => "the tag's name";
    Type "type": DataType::Utf8 => "string, integer, double, date or boolean";
    ValueString "value_string": DataType::Utf8, null "unless it is the value's type" => "the value of a tag of type string";
    ValueInteger "value_integer": DataType::Int64, null "unless it is the value's type" => "the value of a tag of type integer";
    ValueDouble "value_double": DataType::Float64, null "unless it is the value's type" => "the value of a tag of type double";
    ValueDate "value_date": DataType::Date32, null "unless it is the value's type" => "the value of a tag of type date";
    ValueBoolean "value_boolean": DataType::Boolean, null "unless it is the value's type" => "the value of a tag of type boolean";
    Code "code": DataType::UInt32 => "dense per app and tag, in order of first publication, then of value; never reused";
}

impl Column {
    /// The five value columns, of which a row has one; in the order of [`ValueType::ALL`].
    pub const VALUES: [Self; 5] = [
        Self::ValueString,
        Self::ValueInteger,
        Self::ValueDouble,
        Self::ValueDate,
        Self::ValueBoolean,
    ];

    /// The column of values of this type.
    pub fn of_type(value_type: ValueType) -> Self {
        match value_type {
            ValueType::String => Self::ValueString,
            ValueType::Integer => Self::ValueInteger,
            ValueType::Double => Self::ValueDouble,
            ValueType::Date => Self::ValueDate,
            ValueType::Boolean => Self::ValueBoolean,
        }
    }
}
