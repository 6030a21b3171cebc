//! `group_status`: how every group's night went: one row per group, published or not.
//!
//! | column | type | null | what |
//! |---|---|---|---|
//! | app | Utf8 | | the app |
//! | group | Utf8 | | the group's name |
//! | status | Utf8 | | ok, stale, incomplete, invalid, expired, disabled or over_limit |
//! | rule_hash | Utf8 | without a rule that parses | of the rule's canonical form |
//! | as_of | Date32 | when not published | the date its members are of |
//! | cardinality | UInt64 | when not published | members in all shards; 0 is ok |
//! | reason | Utf8 | with ok | why not ok |
//! | line | UInt32 | without a position | line in the rule, from 1 |
//! | column | UInt32 | without a position | column in the rule, from 1 |
//! | place | Utf8 | when not known | `file:line` of the row |

use arrow::datatypes::{DataType, SchemaRef};

use super::columns::{column, nullable, schema_of};

pub(super) const SORT_KEY: &[&str] = &["app", "group"];

pub(super) fn schema() -> SchemaRef {
    schema_of([
        column("app", DataType::Utf8),
        column("group", DataType::Utf8),
        column("status", DataType::Utf8),
        nullable("rule_hash", DataType::Utf8),
        nullable("as_of", DataType::Date32),
        nullable("cardinality", DataType::UInt64),
        nullable("reason", DataType::Utf8),
        nullable("line", DataType::UInt32),
        nullable("column", DataType::UInt32),
        nullable("place", DataType::Utf8),
    ])
}
