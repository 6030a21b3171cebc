//! `behaviour`: what users did on a day: per event, per dimension value, per combination number.
//!
//! | column | type | null | what |
//! |---|---|---|---|
//! | app | Utf8 | | the app |
//! | date | Date32 | | the local day |
//! | event | Utf8 | | the event's name |
//! | dimension | Utf8 | for the event's user set | the dimension's name |
//! | value | Utf8 | with no dimension, or for values beyond the limit | canonical text |
//! | combination | UInt32 | for the event's user set | the number of the user's tuple of dimension values; means nothing outside (app, date, event, user) |
//! | overflow | Boolean | | whether the row stands for what is beyond a limit |
//! | shard | UInt32 | | which shard |
//! | bitmap | Binary | | portable 64-bit Roaring of uids, canonical |
//! | cardinality | UInt64 | | users in the bitmap |

use arrow::datatypes::{DataType, SchemaRef};

use super::columns::{column, nullable, schema_of, users_fields};

pub(super) const SORT_KEY: &[&str] = &[
    "app",
    "date",
    "event",
    "dimension",
    "value",
    "combination",
    "overflow",
    "shard",
];

pub(super) fn schema() -> SchemaRef {
    let key = [
        column("app", DataType::Utf8),
        column("date", DataType::Date32),
        column("event", DataType::Utf8),
        nullable("dimension", DataType::Utf8),
        nullable("value", DataType::Utf8),
        nullable("combination", DataType::UInt32),
        column("overflow", DataType::Boolean),
    ];
    schema_of(key.into_iter().chain(users_fields()))
}
