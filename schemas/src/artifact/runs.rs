//! `runs`: the attempts that made the release.
//!
//! | column | type | null | what |
//! |---|---|---|---|
//! | run | Utf8 | | the run's name |
//! | attempt | UInt32 | | from 1 |
//! | date | Date32 | | the date it ran for |
//! | outcome | Utf8 | | how it ended |
//! | release | UInt64 | when nothing was published | the release it made |

use arrow::datatypes::{DataType, SchemaRef};

use super::columns::{column, nullable, schema_of};

pub(super) const SORT_KEY: &[&str] = &["run", "attempt"];

pub(super) fn schema() -> SchemaRef {
    schema_of([
        column("run", DataType::Utf8),
        column("attempt", DataType::UInt32),
        column("date", DataType::Date32),
        column("outcome", DataType::Utf8),
        nullable("release", DataType::UInt64),
    ])
}
