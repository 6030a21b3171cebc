//! Raw files of text: CSV with a line of names, and NDJSON.
//!
//! A file of text has no footer: its records are counted, and the columns of NDJSON found, before
//! anything is planned. What is no record costs itself alone: it is a row whose column
//! [`BROKEN_COLUMN`](crate::plan::columns::BROKEN_COLUMN) says why, which the night rejects.
//!
//! ```text
//! chunks (unpacked) ─► records (csv, ndjson) ─► contents   rows and columns, as a footer says them
//!                                            └► batch      needed columns, as text ─► table
//! ```

mod batch;
mod chunks;
mod contents;
mod csv;
mod ndjson;
mod records;
mod table;

pub(super) use contents::{Contents, contents, same_shapes};
pub(super) use table::TextTable;
