//! An exchanged batch of one source: its columns by name, typed where every source has one type.

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Int64Array, RecordBatch, StringArray, StringViewArray,
    UInt64Array,
};
use arrow::compute::{cast, filter_record_batch};
use arrow::datatypes::{DataType, Int64Type, UInt64Type};
use datafusion::error::{DataFusionError, Result};

use crate::plan::columns::{ExchangedColumn, Layout};
use crate::scan::sample;

/// A batch of one source.
pub struct SourceBatch<'a> {
    batch: RecordBatch,
    layout: &'a Layout,
}

impl<'a> SourceBatch<'a> {
    /// A batch whose columns are those of `layout`; the operator checked the plan that it comes
    /// from.
    pub fn new(batch: RecordBatch, layout: &'a Layout) -> Self {
        Self { batch, layout }
    }

    /// Rows.
    pub fn len(&self) -> usize {
        self.batch.num_rows()
    }

    /// One column.
    ///
    /// # Errors
    /// A column that the rows of the source do not have.
    pub fn column(&self, column: ExchangedColumn) -> Result<&ArrayRef> {
        self.layout
            .position(column)
            .and_then(|at| self.batch.columns().get(at))
            .ok_or_else(|| {
                DataFusionError::Internal(format!("a batch has no exchanged column {column}"))
            })
    }

    /// A column that only some sources have.
    fn optional(&self, column: ExchangedColumn) -> Result<Option<&ArrayRef>> {
        let has_it = self.layout.has(column);
        has_it.then(|| self.column(column)).transpose()
    }

    /// XXH3-64 of each row's id.
    ///
    /// # Errors
    /// A column of another type.
    pub fn hashes(&self) -> Result<&UInt64Array> {
        let column = self.column(ExchangedColumn::Hash)?;
        column
            .as_primitive_opt::<UInt64Type>()
            .ok_or_else(|| wrong(ExchangedColumn::Hash, column))
    }

    /// Null for accepted rows, else why not.
    ///
    /// # Errors
    /// A column of another type.
    pub fn statuses(&self) -> Result<&StringArray> {
        let column = self.column(ExchangedColumn::Status)?;
        column
            .as_string_opt::<i32>()
            .ok_or_else(|| wrong(ExchangedColumn::Status, column))
    }

    /// The app of each row, where it is a column.
    ///
    /// # Errors
    /// A batch with fewer columns than its layout.
    pub fn apps(&self) -> Result<Option<&ArrayRef>> {
        self.optional(ExchangedColumn::App)
    }

    /// The user id of each row.
    ///
    /// # Errors
    /// A column that is no text.
    pub fn ids(&self) -> Result<StringViewArray> {
        let column = self.column(ExchangedColumn::User)?;
        if let Some(views) = column.as_string_view_opt() {
            return Ok(views.clone());
        }
        Ok(cast(column, &DataType::Utf8View)?.as_string_view().clone())
    }

    /// What decides between duplicates, if the source says it: the greatest wins.
    ///
    /// # Errors
    /// A column of another type.
    pub fn orders(&self) -> Result<Option<&[i64]>> {
        let Some(column) = self.optional(ExchangedColumn::Order)? else {
            return Ok(None);
        };
        let orders = column.as_primitive_opt::<Int64Type>();
        let orders = orders.ok_or_else(|| wrong(ExchangedColumn::Order, column))?;
        Ok(Some(orders.values()))
    }

    /// The 128-bit hash of each row's dedupe key; none where the source has no key.
    ///
    /// # Errors
    /// A column of another type.
    pub fn keys(&self) -> Result<Vec<u128>> {
        let Some(column) = self.optional(ExchangedColumn::Key)? else {
            return Ok(Vec::new());
        };
        let keys = column
            .as_fixed_size_binary_opt()
            .ok_or_else(|| wrong(ExchangedColumn::Key, column))?;
        (0..keys.len())
            .map(|row| keys.value(row).try_into().map(u128::from_be_bytes))
            .collect::<std::result::Result<_, _>>()
            .map_err(|_| wrong(ExchangedColumn::Key, column))
    }

    /// When each row's event was, where funnels ask; null where nobody knows.
    ///
    /// # Errors
    /// A column of another type.
    pub fn times(&self) -> Result<Option<&Int64Array>> {
        let Some(column) = self.optional(ExchangedColumn::Time)? else {
            return Ok(None);
        };
        let times = column.as_primitive_opt::<Int64Type>();
        times
            .map(Some)
            .ok_or_else(|| wrong(ExchangedColumn::Time, column))
    }

    /// The rows that the scan accepted.
    ///
    /// # Errors
    /// Those of Arrow's filter.
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
    pub(super) fn kept(&self, keep: &BooleanArray) -> Result<Self> {
        Ok(Self {
            batch: filter_record_batch(&self.batch, keep)?,
            layout: self.layout,
        })
    }

    /// A row as JSON without its hash and status, for the rejects.
    pub fn describe(&self, row: usize) -> String {
        let columns = self.layout.iter().zip(self.batch.columns());
        let shown = columns.filter(|((column, _), _)| {
            !matches!(column, ExchangedColumn::Hash | ExchangedColumn::Status)
        });
        sample(shown.map(|((_, name), array)| (name, array)), row)
    }
}

/// Rows that the scan accepted, with their apps.
pub struct AcceptedRows<'a> {
    /// Code of each row's app.
    pub apps: &'a [u32],
    /// The batch.
    pub batch: &'a SourceBatch<'a>,
}

impl<'a> AcceptedRows<'a> {
    /// The batch and the apps of its rows without the rows `rejected`, which ascend.
    ///
    /// # Errors
    /// Those of Arrow's filter.
    pub fn without(&self, rejected: &[usize]) -> Result<(SourceBatch<'a>, Vec<u32>)> {
        let stays: Vec<bool> = (0..self.apps.len())
            .map(|row| rejected.binary_search(&row).is_err())
            .collect();
        let apps = self
            .apps
            .iter()
            .zip(&stays)
            .filter(|(_, stays)| **stays)
            .map(|(app, _)| *app)
            .collect();
        Ok((self.batch.kept(&stays.into())?, apps))
    }
}

fn wrong(column: ExchangedColumn, array: &ArrayRef) -> DataFusionError {
    DataFusionError::Internal(format!(
        "the exchanged column {column} is {}",
        array.data_type()
    ))
}
