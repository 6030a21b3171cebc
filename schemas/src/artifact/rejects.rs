//! `rejects`: a capped sample of the rows that were not accepted; exact counts are in quality.
//!
//! | column | type | null | what |
//! |---|---|---|---|
//! | date | Date32 | | the night |
//! | source | Utf8 | | the source's name |
//! | app | Utf8 | when the row has none | the app |
//! | reason | Utf8 | | a reject rule's name or a built-in reason |
//! | row | Utf8 | | the row as JSON |
//! | shard | UInt32 | | where it was routed |

use arrow::datatypes::{DataType, SchemaRef};

use super::columns::{column, nullable, schema_of};

pub(super) const SORT_KEY: &[&str] = &["date", "source", "app", "reason", "row"];

pub(super) fn schema() -> SchemaRef {
    schema_of([
        column("date", DataType::Date32),
        column("source", DataType::Utf8),
        nullable("app", DataType::Utf8),
        column("reason", DataType::Utf8),
        column("row", DataType::Utf8),
        column("shard", DataType::UInt32),
    ])
}
