//! `universe`: every user accepted for an app by an attribute, tag or event row and not erased:
//! what NOT is the complement in.
//!
//! | column | type | null | what |
//! |---|---|---|---|
//! | app | Utf8 | | the app |
//! | shard | UInt32 | | which shard |
//! | bitmap | Binary | | portable 64-bit Roaring of uids, canonical |
//! | cardinality | UInt64 | | users in the bitmap |

use arrow::datatypes::{DataType, SchemaRef};

use super::columns::{column, schema_of, users_fields};

pub(super) const SORT_KEY: &[&str] = &["app", "shard"];

pub(super) fn schema() -> SchemaRef {
    let key = [column("app", DataType::Utf8)];
    schema_of(key.into_iter().chain(users_fields()))
}
