//! A column of bitmaps while it is written: bytes go to large blocks, rows are views of them.

use arrow::array::{ArrayRef, BinaryViewArray, NullBufferBuilder, make_view};
use arrow::buffer::Buffer;
use datafusion::common::exec_datafusion_err;
use datafusion::error::Result;
use std::sync::Arc;

/// A block is closed at one byte per expected row, clamped to `LEAST_BLOCK..=BLOCK`, or at `BLOCK`
/// if the row count is unknown. Small blocks fit into memory that an aggregate has just freed, and
/// are freed early themselves; but cutting a column into batches asks every block for its size,
/// once per batch.
const LEAST_BLOCK: usize = 1 << 13;
const BLOCK: usize = 1 << 18;

/// Builder of a `BinaryView` column whose values are appended to a vector.
#[derive(Debug)]
pub(super) struct BitmapColumn {
    /// A block of so many bytes is closed.
    limit: usize,
    /// The block that is written.
    block: Vec<u8>,
    closed: Vec<Buffer>,
    /// A view of each row, of no bytes for NULL.
    views: Vec<u128>,
    nulls: NullBufferBuilder,
}

impl Default for BitmapColumn {
    fn default() -> Self {
        Self::new(0, BLOCK)
    }
}

impl BitmapColumn {
    /// A builder of about so many rows.
    pub(super) fn with_capacity(rows: usize) -> Self {
        Self::new(rows, rows.clamp(LEAST_BLOCK, BLOCK))
    }

    fn new(rows: usize, limit: usize) -> Self {
        Self {
            limit,
            block: Vec::new(),
            closed: Vec::new(),
            views: Vec::with_capacity(rows),
            nulls: NullBufferBuilder::new(rows),
        }
    }

    /// Adds a row: what `write` appends if it returns true, or else NULL.
    ///
    /// # Errors
    /// What `write` fails with, and a bitmap of 4 GiB or more.
    pub(super) fn push(&mut self, write: impl FnOnce(&mut Vec<u8>) -> Result<bool>) -> Result<()> {
        let start = self.block.len();
        if write(&mut self.block)? {
            self.views.push(make_view(
                &self.block[start..],
                self.closed.len() as u32,
                start as u32,
            ));
            self.nulls.append_non_null();
        } else {
            self.block.truncate(start);
            self.views.push(0);
            self.nulls.append_null();
        }
        if self.block.len() >= self.limit {
            self.close_block(self.limit + self.limit / 8)
        } else {
            Ok(())
        }
    }

    /// Closes the block; the next one has room for `room` bytes.
    fn close_block(&mut self, room: usize) -> Result<()> {
        let mut bytes = std::mem::replace(&mut self.block, Vec::with_capacity(room));
        if u32::try_from(bytes.len()).is_err() {
            return Err(exec_datafusion_err!(
                "a bitmap of {} bytes does not fit into a column, expected less than 4 GiB",
                bytes.len()
            ));
        }
        // What is sent on is copied if its memory seems to be used by half.
        bytes.shrink_to_fit();
        self.closed.push(Buffer::from_vec(bytes));
        Ok(())
    }

    /// The column.
    ///
    /// # Errors
    /// As [`BitmapColumn::push`].
    pub(super) fn finish(mut self) -> Result<ArrayRef> {
        self.close_block(0)?;
        // SAFETY: each view was made of the bytes at its place in its block, which is checked to be
        // addressed by 32 bits; those of NULLs are of no bytes. There are as many views as bits in
        // the null buffer.
        let column = unsafe {
            BinaryViewArray::new_unchecked(self.views.into(), self.closed, self.nulls.finish())
        };
        Ok(Arc::new(column))
    }
}
