//! `kept_values`: of every dimension with more values than `limits.values_per_dimension`, the
//! values that keep rows of their own the night after. Shards are told them before they start, so
//! that all keep the same; the others share an overflow row.
//!
//! | column | type | null | what |
//! |---|---|---|---|
//! | app | Utf8 | | the app |
//! | event | Utf8 | | the event's name |
//! | dimension | Utf8 | | the dimension's name |
//! | value | Utf8 | | canonical text |
//! | combinations | UInt64 | | users' combinations that had it when the choice was made |

use arrow::datatypes::{DataType, SchemaRef};

use super::columns::{column, schema_of};

pub(super) const SORT_KEY: &[&str] = &["app", "event", "dimension", "value"];

pub(super) fn schema() -> SchemaRef {
    let texts = SORT_KEY.iter().map(|name| column(name, DataType::Utf8));
    schema_of(texts.chain([column("combinations", DataType::UInt64)]))
}
