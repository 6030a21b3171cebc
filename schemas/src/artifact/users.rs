//! `users`: the dictionary: which uid a user id has. One file per run and shard, holding the users
//! that run added or changed.
//!
//! | column | type | null | what |
//! |---|---|---|---|
//! | shard | UInt32 | | the high word of the uid |
//! | ordinal | UInt32 | | the low word: dense per shard, appended, never reused |
//! | app | Utf8 | with id_scope global | the app the id belongs to |
//! | user_id | Utf8 | | the source's string, any UTF-8 |
//! | id_hash | FixedSizeBinary(16) | | XXH3-128 of the id bytes, big-endian |
//! | first_run | Utf8 | | the run that saw the user first |
//! | state | UInt8 | | 0 live, 1 erased |
//! | merged_into | UInt64 | unless merged | the uid that took over |

use arrow::datatypes::{DataType, SchemaRef};

use super::columns::{column, nullable, schema_of};

pub(super) const SORT_KEY: &[&str] = &["shard", "ordinal"];

pub(super) fn schema() -> SchemaRef {
    schema_of([
        column("shard", DataType::UInt32),
        column("ordinal", DataType::UInt32),
        nullable("app", DataType::Utf8),
        column("user_id", DataType::Utf8),
        column("id_hash", DataType::FixedSizeBinary(16)),
        column("first_run", DataType::Utf8),
        column("state", DataType::UInt8),
        nullable("merged_into", DataType::UInt64),
    ])
}
