//! Rows of an artifact with bitmaps, their columns by name.

use std::marker::PhantomData;

use parquet::errors::Result;
use tagmill_schemas::artifact::Columns;

use super::bitmap_rows::BitmapRows;
use super::cell::Cell;

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
}
