//! Rows that thousands of merchants write: their tags, events and groups, one JSON object each.
//!
//! Reads one object (the pipeline reads the files, and turns Parquet and CSV rows into objects); a
//! bad row is a [`RowError`] and disables that row only. A null is the same as an absent key. Keys
//! nobody knows are ignored, because exports carry more columns, unless they look like a mistyped
//! known one.

mod cell;
mod event;
mod field;
mod group;
mod tag;

use std::fmt;

pub use event::{EventRow, Role};
pub use group::GroupRow;
pub use tag::TagRow;

/// A row and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed<T> {
    /// The row.
    pub row: T,
    /// The file's path as configured or listed.
    pub file: String,
    /// The line, or the row number of a Parquet file, from 1.
    pub line: u64,
}

impl<T> Placed<T> {
    /// `file:line`.
    pub fn place(&self) -> String {
        format!("{}:{}", self.file, self.line)
    }
}

/// Why a registry row was not accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowError {
    /// The key of the row.
    pub field: String,
    /// What stands there, cut to a line's length.
    pub found: String,
    /// What should.
    pub expected: String,
}

impl fmt::Display for RowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: found {}, expected {}",
            self.field, self.found, self.expected
        )
    }
}

impl std::error::Error for RowError {}
