//! `tags`: users per tag value.
//!
//! | column | type | null | what |
//! |---|---|---|---|
//! | app | Utf8 | | the app |
//! | tag | Utf8 | | the tag's name |
//! | type | Utf8 | | a `ValueType` name |
//! | value_string, value_integer, value_double, value_date, value_boolean | Utf8, Int64, Float64, Date32, Boolean | all but one | the value |
//! | shard | UInt32 | | which shard |
//! | bitmap | Binary | | portable 64-bit Roaring of uids, canonical |
//! | cardinality | UInt64 | | users in the bitmap |

use arrow::datatypes::{DataType, SchemaRef};

use super::columns::{column, schema_of, users_fields, value_fields};

pub(super) const SORT_KEY: &[&str] = &[
    "app",
    "tag",
    "type",
    "value_string",
    "value_integer",
    "value_double",
    "value_date",
    "value_boolean",
    "shard",
];

pub(super) fn schema() -> SchemaRef {
    let key = [
        column("app", DataType::Utf8),
        column("tag", DataType::Utf8),
        column("type", DataType::Utf8),
    ];
    schema_of(key.into_iter().chain(value_fields()).chain(users_fields()))
}
