//! `tag_values`: the distinct values of every tag, each with its append-only code.
//!
//! | column | type | null | what |
//! |---|---|---|---|
//! | app | Utf8 | | the app |
//! | tag | Utf8 | | the tag's name |
//! | type | Utf8 | | a `ValueType` name |
//! | value_string, value_integer, value_double, value_date, value_boolean | Utf8, Int64, Float64, Date32, Boolean | all but one | the value |
//! | code | UInt32 | | dense per app and tag, in order of first publication, then of value; never reused |

use arrow::datatypes::{DataType, SchemaRef};

use super::columns::{column, schema_of, value_fields};

pub(super) const SORT_KEY: &[&str] = &[
    "app",
    "tag",
    "type",
    "value_string",
    "value_integer",
    "value_double",
    "value_date",
    "value_boolean",
];

pub(super) fn schema() -> SchemaRef {
    let key = [
        column("app", DataType::Utf8),
        column("tag", DataType::Utf8),
        column("type", DataType::Utf8),
    ];
    schema_of(
        key.into_iter()
            .chain(value_fields())
            .chain([column("code", DataType::UInt32)]),
    )
}
