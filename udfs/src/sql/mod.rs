//! The SQL functions: one file per family, each a thin adaptor between Arrow columns and
//! [`tagmill_bitmap`].
//!
//! A bitmap is a binary value; `Binary`, `LargeBinary` and `BinaryView` are read, `BinaryView` is
//! written, because its batches do not overflow at 2 GiB. Scalars give NULL for a NULL argument;
//! aggregates skip NULLs. Most scalar functions are data ([`function`]) behind one adaptor
//! ([`scalar`]); what other systems call them stands in one table ([`names`]).

mod answered;
mod array;
mod base64;
mod bsi_agg;
mod bsi_build_agg;
mod bsi_documentation;
mod bsi_numbers;
mod bsi_rows;
mod bsi_several;
mod bsi_state;
mod bucket_agg;
mod buckets;
mod builders;
mod cardinality;
mod clickhouse;
mod contains;
mod counts;
mod dialect;
mod differences;
mod documentation;
mod doris;
mod edits;
mod explode;
mod fold_agg;
mod fold_state;
mod function;
mod hologres;
mod hologres_rows;
mod index_aggs;
mod index_columns;
mod index_value;
mod input;
mod keyed_sets;
mod keyed_state;
mod likeness;
mod manual;
mod murmur;
mod names;
mod native;
mod null_as_empty;
mod numeric_indexed_vector;
mod or_agg;
mod output;
mod parts;
mod places;
mod postgres;
mod postgres_names;
mod postgres_rows;
mod postgres_widths;
mod questions;
mod registration;
mod row;
mod rule;
mod rule_agg;
mod scalar;
mod set_aggregate;
mod set_aggregates;
mod set_operation;
mod shared;
mod shared_names;
mod sliding;
mod starrocks;
mod texts;
mod uids;
mod union_state;
mod unnest;
mod whole;
mod wire;
mod wire_documentation;

pub use dialect::{Dialect, TagmillOptions};
pub use manual::{DialectName, dialect_names, manual};
pub use registration::{aggregate_functions, register_all, scalar_functions};
