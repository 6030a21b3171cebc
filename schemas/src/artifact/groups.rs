//! `groups`: the members of every published group.
//!
//! | column | type | null | what |
//! |---|---|---|---|
//! | app | Utf8 | | the app |
//! | group | Utf8 | | the group's name |
//! | shard | UInt32 | | which shard |
//! | bitmap | Binary | | portable 64-bit Roaring of uids, canonical |
//! | cardinality | UInt64 | | users in the bitmap |
//! | entered | UInt64 | | members who were not in it at the newest release of an earlier date |
//! | left | UInt64 | | members then who are not now |
//!
//! An empty set has no row, unless somebody left it: then its bitmap is that of no value.

use arrow::datatypes::{DataType, SchemaRef};

use super::columns::{column, schema_of, users_fields};

pub(super) const SORT_KEY: &[&str] = &["app", "group", "shard"];

pub(super) fn schema() -> SchemaRef {
    let key = [
        column("app", DataType::Utf8),
        column("group", DataType::Utf8),
    ];
    schema_of(key.into_iter().chain(users_fields()).chain([
        column("entered", DataType::UInt64),
        column("left", DataType::UInt64),
    ]))
}
