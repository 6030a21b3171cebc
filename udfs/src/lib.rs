//! Roaring bitmaps for DataFusion: kernels on serialized bytes, and the SQL functions over them.
//!
//! [`bitmap`] knows nothing of SQL or Arrow: it reads and writes byte slices in the portable 64-bit
//! Roaring format. [`wire`] reads and writes sets as other systems do, still without SQL or Arrow.
//! [`register_all`] makes the SQL functions known to a session; they are listed by
//! [`scalar_functions`] and [`aggregate_functions`], with their documentation as data.

pub mod bitmap;
mod sql;
pub mod wire;

pub use sql::{
    Dialect, DialectName, TagmillOptions, aggregate_functions, dialect_names, manual, register_all,
    scalar_functions,
};
