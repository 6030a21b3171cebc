//! A column of bitmaps while it is written: bytes go to large blocks, rows are views of them.

use arrow::array::{ArrayRef, BinaryViewArray, BinaryViewBuilder};
use arrow::buffer::Buffer;
use datafusion::common::exec_datafusion_err;
use datafusion::error::Result;
use std::sync::Arc;

/// A block is closed when it has this many bytes.
const BLOCK: usize = 64 << 20;

/// Builder of a `BinaryView` column whose values are appended to a vector.
#[derive(Debug, Default)]
pub(super) struct BitmapColumn {
    block: Vec<u8>,
    /// Start and length of each row in the block; `None` for NULL.
    rows: Vec<Option<(usize, usize)>>,
    closed: BinaryViewBuilder,
}

impl BitmapColumn {
    /// Adds a row: what `write` appends if it returns true, or else NULL.
    ///
    /// # Errors
    /// What `write` fails with, and a bitmap of 4 GiB or more.
    pub(super) fn push(&mut self, write: impl FnOnce(&mut Vec<u8>) -> Result<bool>) -> Result<()> {
        let start = self.block.len();
        let is_value = write(&mut self.block)?;
        self.rows.push(is_value.then(|| (start, self.block.len() - start)));
        if self.block.len() >= BLOCK { self.close_block() } else { Ok(()) }
    }

    fn close_block(&mut self) -> Result<()> {
        let bytes = std::mem::take(&mut self.block);
        if u32::try_from(bytes.len()).is_err() {
            return Err(exec_datafusion_err!("a bitmap of {} bytes does not fit into a column, expected less than 4 GiB", bytes.len()));
        }
        let block = self.closed.append_block(Buffer::from_vec(bytes));
        for row in self.rows.drain(..) {
            match row {
                Some((start, len)) => self.closed.try_append_view(block, start as u32, len as u32)?,
                None => self.closed.append_null(),
            }
        }
        Ok(())
    }

    /// The column.
    ///
    /// # Errors
    /// As [`BitmapColumn::push`].
    pub(super) fn finish(mut self) -> Result<ArrayRef> {
        self.close_block()?;
        let column: BinaryViewArray = self.closed.finish();
        Ok(Arc::new(column))
    }
}
