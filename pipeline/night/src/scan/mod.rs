//! From raw files to exchanged rows: which files there are, whether they keep their contract, and
//! the plan that reads them.
//!
//! ```text
//! pattern ─► files (listed, footers read) ─► physical, columns (types agreed on) ─► table ─► project (clean, status, hash; by value, one dictionary) ─► exchange
//! ```

mod as_bytes;
mod by_row;
mod by_value;
mod clean;
mod clocks;
mod column_checks;
mod columns;
mod context;
mod convert;
mod dictionary;
mod file;
mod files;
mod functions;
mod letters;
mod lost;
mod mistakes;
mod named;
mod null_tokens;
mod numbers;
mod oddities;
mod one_dictionary;
mod physical;
mod placeholder;
mod project;
mod readiness;
mod sample;
mod select;
mod sql;
mod table;
mod tag_names;
mod text_files;
mod times;
mod trial;
mod type_names;
mod wanted;

pub use as_bytes::decode_bytes;
pub use by_row::{ByRow, ROW_FAILS, VALUE_OF_ROW};
pub use by_value::{BY_VALUE, ByValue};
pub use context::ScanContext;
pub(crate) use dictionary::is_same;
pub use files::{RawFile, RawFiles, find_files};
pub(crate) use functions::date_with_offset;
pub use functions::{HashFunction, KeyFunction, StatusFunction, register_functions};
pub use mistakes::mistakes_of;
pub(crate) use numbers::{NumberKind, Sense, each_number, texts};
pub use one_dictionary::{ONE_DICTIONARY, OneDictionary};
pub use project::{Scan, plan_source};
pub use readiness::missing_marker;
pub(crate) use sample::sample;
pub use select::rows_of;
pub use sql::check_syntax;
pub use table::{RawTable, register_store};
pub use tag_names::tag_names;
pub use trial::{Trial, try_rows};
