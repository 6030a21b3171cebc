//! Seeded raw data for the nightly job, and the oracle that checks what the job makes of it.
//!
//! The generator computes every row from the seed, a user's index and a day: it holds one chunk of
//! rows per thread, whatever the number of users, and gives the same bytes whatever the number of
//! threads. It shares no code with the job.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test fails by panicking"))]

pub mod calendar;
pub mod columns;
pub mod conf;
pub mod custom;
pub mod defect;
pub mod draw;
pub mod event;
pub mod generate;
pub mod habit;
pub mod label;
pub mod openid;
pub mod oracle;
pub mod parquet_file;
pub mod population;
pub mod profile;
pub mod rule;
pub mod shuffle;
pub mod spec;
pub mod table;
pub mod vocabulary;
pub mod warehouse;

use std::path::{Path, PathBuf};

/// What went wrong while data was made or read.
#[derive(Debug)]
pub enum Error {
    /// A spec that means nothing.
    Spec(String),
    /// A file that can not be read or written.
    Io(PathBuf, std::io::Error),
    /// Columns that arrow refuses.
    Arrow(arrow::error::ArrowError),
    /// A file that Parquet refuses.
    Parquet(parquet::errors::ParquetError),
    /// Data the oracle does not understand: where, and what.
    Data(String, String),
}

impl Error {
    /// A failed access to `path`.
    pub fn io(path: &Path, error: std::io::Error) -> Self {
        Self::Io(path.to_path_buf(), error)
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Spec(what) => write!(f, "generate: {what}"),
            Self::Io(path, error) => write!(f, "{}: {error}", path.display()),
            Self::Arrow(error) => write!(f, "arrow: {error}"),
            Self::Parquet(error) => write!(f, "parquet: {error}"),
            Self::Data(place, what) => write!(f, "{place}: {what}"),
        }
    }
}

impl std::error::Error for Error {}

impl From<arrow::error::ArrowError> for Error {
    fn from(error: arrow::error::ArrowError) -> Self {
        Self::Arrow(error)
    }
}

impl From<parquet::errors::ParquetError> for Error {
    fn from(error: parquet::errors::ParquetError) -> Self {
        Self::Parquet(error)
    }
}

/// Totals of what was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Written {
    /// Parquet files.
    pub files: u64,
    /// Rows in them.
    pub rows: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl Written {
    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            files: self.files + other.files,
            rows: self.rows + other.rows,
            bytes: self.bytes + other.bytes,
        }
    }
}
