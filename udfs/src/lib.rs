//! Roaring bitmaps as SQL functions of DataFusion: thin adaptors over [`tagmill_bitmap`].
//!
//! [`register_all`] makes the SQL functions known to a session; they are listed by
//! [`scalar_functions`] and [`aggregate_functions`], with their documentation as data.

mod sql;

pub use sql::{
    Dialect, DialectName, TagmillOptions, aggregate_functions, dialect_names, manual, register_all,
    scalar_functions,
};
