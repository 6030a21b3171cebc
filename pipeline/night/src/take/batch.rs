//! The columns of an exchanged batch, in the order the scan gives them.
//!
//! ```text
//! hash:u64  status:utf8?  [app]  id  ...of the kind
//! ```

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, RecordBatch, StringArray, StringViewArray, UInt64Array,
};
use arrow::compute::{cast, filter_record_batch};
use arrow::datatypes::{DataType, UInt64Type};
use datafusion::error::{DataFusionError, Result};

/// Columns before those of the kind, without the app's.
pub const HASH: usize = 0;
/// Null for accepted rows.
pub const STATUS: usize = 1;

/// A batch of one source.
pub struct SourceBatch {
    /// The batch.
    pub batch: RecordBatch,
    has_app: bool,
}

impl SourceBatch {
    /// A batch with or without a column for the app.
    pub fn new(batch: RecordBatch, has_app: bool) -> Self {
        Self { batch, has_app }
    }

    /// Rows.
    pub fn len(&self) -> usize {
        self.batch.num_rows()
    }

    /// XXH3-64 of each row's id.
    pub fn hashes(&self) -> Result<&UInt64Array> {
        self.batch
            .column(HASH)
            .as_primitive_opt::<UInt64Type>()
            .ok_or_else(|| wrong("hash", self.batch.column(HASH)))
    }

    /// Null for accepted rows, else why not.
    pub fn statuses(&self) -> Result<&StringArray> {
        self.batch
            .column(STATUS)
            .as_string_opt::<i32>()
            .ok_or_else(|| wrong("status", self.batch.column(STATUS)))
    }

    /// The app of each row.
    pub fn apps(&self) -> Option<&ArrayRef> {
        self.has_app.then(|| self.batch.column(STATUS + 1))
    }

    /// The user id of each row.
    pub fn ids(&self) -> Result<StringViewArray> {
        let column = self.batch.column(STATUS + 1 + usize::from(self.has_app));
        if let Some(views) = column.as_string_view_opt() {
            return Ok(views.clone());
        }
        Ok(cast(column, &DataType::Utf8View)?.as_string_view().clone())
    }

    /// The columns of the source's kind.
    pub fn rest(&self) -> &[ArrayRef] {
        &self.batch.columns()[STATUS + 2 + usize::from(self.has_app)..]
    }

    /// The rows that the scan accepted.
    pub fn accepted(self) -> Result<Self> {
        let statuses = self.statuses()?;
        if statuses.null_count() == statuses.len() {
            return Ok(self);
        }
        let keep: BooleanArray = (0..statuses.len())
            .map(|row| Some(statuses.is_null(row)))
            .collect();
        self.kept(&keep)
    }

    /// The rows for which `keep` is true.
    pub fn kept(&self, keep: &BooleanArray) -> Result<Self> {
        Ok(Self {
            batch: filter_record_batch(&self.batch, keep)?,
            has_app: self.has_app,
        })
    }
}

fn wrong(column: &str, array: &ArrayRef) -> DataFusionError {
    DataFusionError::Internal(format!(
        "the exchanged column {column} is {}",
        array.data_type()
    ))
}
