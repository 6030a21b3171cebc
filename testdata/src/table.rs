//! What every generated table gives: a schema, and one chunk of rows at a time. Reads a place,
//! writes a record batch.

use std::ops::Range;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use crate::Error;

/// Which rows: a day, an hour of it, and a range of positions in the order of that file.
#[derive(Debug, Clone)]
pub struct Place {
    /// Day number, from 0.
    pub day: u32,
    /// Local hour; 0 for tables without hours.
    pub hour: u32,
    /// Positions; each stands for one user.
    pub positions: Range<u64>,
    /// All positions of the day.
    pub count: u64,
}

/// A table that computes any chunk of itself.
pub trait Table: Sync {
    /// Columns, the same in every chunk.
    fn schema(&self) -> SchemaRef;

    /// The rows at a place.
    ///
    /// # Errors
    /// When arrow refuses the columns, which a bug alone can cause.
    fn batch(&self, place: &Place) -> Result<RecordBatch, Error>;
}
