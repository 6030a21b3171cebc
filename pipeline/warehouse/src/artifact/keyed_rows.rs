//! Rows of an artifact with bitmaps, their columns by name.

use std::marker::PhantomData;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::UInt64Type;
use parquet::errors::Result;
use tagmill_schemas::artifact::Columns;

use super::bitmap_rows::BitmapRows;
use super::cell::{Cell, cell_at};
use super::layout::bitmap_column;

/// Where rows of the artifact whose columns are `C` are added one by one, in the order of its sort
/// key.
pub struct KeyedRows<'w, C> {
    rows: &'w mut BitmapRows,
    columns: PhantomData<C>,
}

impl<'w, C: Columns> KeyedRows<'w, C> {
    pub(super) fn new(rows: &'w mut BitmapRows) -> Self {
        Self {
            rows,
            columns: PhantomData,
        }
    }

    /// From the next row on, a column has this cell; the others keep theirs.
    ///
    /// # Errors
    /// A cell of another type than the column's; the bitmap and its cardinality, which come with
    /// [`KeyedRows::push`].
    #[inline]
    pub fn set(&mut self, column: C, cell: Cell<'_>) -> Result<()> {
        self.rows.set(column.index(), cell)
    }

    /// [`KeyedRows::set`] of several columns.
    ///
    /// # Errors
    /// That of the first that fails.
    #[inline]
    pub fn set_all<const N: usize>(&mut self, cells: [(C, Cell<'_>); N]) -> Result<()> {
        cells
            .into_iter()
            .try_for_each(|(column, cell)| self.set(column, cell))
    }

    /// Adds a row with the cells that are set, the bitmap whose bytes `bitmap` appends, and its
    /// cardinality.
    ///
    /// # Errors
    /// When it fills a row group: a column that was never set, or null where there may be none.
    #[inline]
    pub fn push(&mut self, cardinality: u64, bitmap: impl FnOnce(&mut Vec<u8>)) -> Result<()> {
        self.rows.push(cardinality, bitmap)
    }

    /// Adds a row as another file of the artifact has it; `batch` has all columns of that file.
    ///
    /// # Errors
    /// A batch of another artifact; those of [`KeyedRows::push`].
    pub fn copy(&mut self, batch: &RecordBatch, row: usize) -> Result<()> {
        let bitmap = bitmap_column(C::ARTIFACT).unwrap_or(C::SPECS.len());
        for (place, column) in batch.columns().iter().enumerate() {
            // The cardinality comes with the bitmap.
            if place != bitmap && place != bitmap + 1 {
                self.rows.set(place, cell_at(column, row)?)?;
            }
        }
        let bytes = batch.column(bitmap).as_binary::<i32>().value(row);
        let counts = batch.column(bitmap + 1).as_primitive::<UInt64Type>();
        self.push(counts.value(row), |out| out.extend_from_slice(bytes))
    }
}
