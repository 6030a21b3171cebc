//! `behaviour_measures`: counts and sums of a day's events per user and combination, bit-sliced.
//!
//! | column | type | null | what |
//! |---|---|---|---|
//! | app | Utf8 | | the app |
//! | date | Date32 | | the local day |
//! | event | Utf8 | | the event's name |
//! | measure | Utf8 | | the measure's name; `*` is the number of events |
//! | combination | UInt32 | | as in behaviour |
//! | scale | Int8 | | decimal digits kept |
//! | offset | Int64 | | subtracted from the scaled sum |
//! | slice | Int16 | | -1: users that have a value; i: bit i of sum * 10^scale - offset |
//! | overflow | Boolean | | as in behaviour |
//! | shard | UInt32 | | which shard |
//! | bitmap | Binary | | portable 64-bit Roaring of uids, canonical |
//! | cardinality | UInt64 | | users in the bitmap |

use arrow::datatypes::{DataType, SchemaRef};

use super::columns::{column, schema_of, users_fields};

pub(super) const SORT_KEY: &[&str] = &[
    "app",
    "date",
    "event",
    "measure",
    "combination",
    "overflow",
    "slice",
    "shard",
];

pub(super) fn schema() -> SchemaRef {
    let key = [
        column("app", DataType::Utf8),
        column("date", DataType::Date32),
        column("event", DataType::Utf8),
        column("measure", DataType::Utf8),
        column("combination", DataType::UInt32),
        column("scale", DataType::Int8),
        column("offset", DataType::Int64),
        column("slice", DataType::Int16),
        column("overflow", DataType::Boolean),
    ];
    schema_of(key.into_iter().chain(users_fields()))
}
