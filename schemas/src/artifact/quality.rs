//! `quality`: exact counts per source and app; read = accepted + filtered + rejected.
//!
//! | column | type | null | what |
//! |---|---|---|---|
//! | source | Utf8 | | the source's name |
//! | app | Utf8 | when the row has none | the app |
//! | metric | Utf8 | | read, accepted, filtered, `rejected:<reason>`, undeclared, late, duplicates |
//! | value | UInt64 | | rows |

use arrow::datatypes::{DataType, SchemaRef};

use super::columns::{column, nullable, schema_of};

pub(super) const SORT_KEY: &[&str] = &["source", "app", "metric"];

pub(super) fn schema() -> SchemaRef {
    schema_of([column("source", DataType::Utf8), nullable("app", DataType::Utf8), column("metric", DataType::Utf8), column("value", DataType::UInt64)])
}
