//! `tag_numbers`: bit-sliced numeric and date tags: ranges without enumerating values.
//!
//! | column | type | null | what |
//! |---|---|---|---|
//! | app | Utf8 | | the app |
//! | tag | Utf8 | | the tag's name |
//! | type | Utf8 | | integer, double or date |
//! | scale | Int8 | | decimal digits kept, 0 for integers and dates |
//! | offset | Int64 | | subtracted from the scaled value, so that slices are of a number from 0 |
//! | slice | Int16 | | -1: users that have a value; i: bit i of value * 10^scale - offset |
//! | shard | UInt32 | | which shard |
//! | bitmap | Binary | | portable 64-bit Roaring of uids, canonical |
//! | cardinality | UInt64 | | users in the bitmap |

use arrow::datatypes::{DataType, SchemaRef};

use super::columns::{column, schema_of, users_fields};

pub(super) const SORT_KEY: &[&str] = &["app", "tag", "type", "slice", "shard"];

pub(super) fn schema() -> SchemaRef {
    let key = [
        column("app", DataType::Utf8),
        column("tag", DataType::Utf8),
        column("type", DataType::Utf8),
        column("scale", DataType::Int8),
        column("offset", DataType::Int64),
        column("slice", DataType::Int16),
    ];
    schema_of(key.into_iter().chain(users_fields()))
}
