//! Rows regrouped into chunks whose cuts depend on the rows alone: the encoder sees the same calls however rows arrive.

use arrow::array::{Array, BinaryArray, RecordBatch};
use arrow::compute::concat_batches;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;

/// Rows of a chunk without bitmaps. Batches of a multiple of this are passed on without copying.
pub const CHUNK_ROWS: usize = 8192;
/// A chunk of bitmaps ends after this many rows ...
const BITMAP_CHUNK_ROWS: usize = 2048;
/// ... or with the row that reaches this many bytes.
const BITMAP_CHUNK_BYTES: usize = 4 << 20;

pub(super) struct Chunks {
    schema: SchemaRef,
    bitmap: Option<usize>,
    rest: Vec<RecordBatch>,
    rows: usize,
    bytes: usize,
}

impl Chunks {
    /// `bitmap` is the column whose bytes end a chunk early.
    pub(super) fn new(schema: SchemaRef, bitmap: Option<usize>) -> Self {
        Self { schema, bitmap, rest: Vec::new(), rows: 0, bytes: 0 }
    }

    /// Takes rows in, gives back the chunks that are full.
    pub(super) fn push(&mut self, batch: &RecordBatch) -> Result<Vec<RecordBatch>, ArrowError> {
        let mut full = Vec::new();
        let mut start = 0;
        while start < batch.num_rows() {
            let (end, is_full) = self.advance(batch, start);
            self.rest.push(batch.slice(start, end - start));
            if is_full {
                full.extend(self.take()?);
            }
            start = end;
        }
        Ok(full)
    }

    /// The last chunk, `None` when nothing is left.
    pub(super) fn take(&mut self) -> Result<Option<RecordBatch>, ArrowError> {
        (self.rows, self.bytes) = (0, 0);
        let parts = std::mem::take(&mut self.rest);
        match parts.len() {
            0 => Ok(None),
            1 => Ok(parts.into_iter().next()),
            _ => concat_batches(&self.schema, &parts).map(Some),
        }
    }

    /// Counts rows of `batch` from `start` into the open chunk: where it ends, and whether that fills it.
    fn advance(&mut self, batch: &RecordBatch, start: usize) -> (usize, bool) {
        let cells = self.bitmap.and_then(|column| batch.column(column).as_any().downcast_ref::<BinaryArray>());
        let Some(cells) = cells else {
            let end = batch.num_rows().min(start + CHUNK_ROWS - self.rows);
            self.rows += end - start;
            return (end, self.rows == CHUNK_ROWS);
        };
        for row in start..batch.num_rows() {
            self.rows += 1;
            self.bytes += cells.value_length(row) as usize;
            if self.rows == BITMAP_CHUNK_ROWS || self.bytes >= BITMAP_CHUNK_BYTES {
                return (row + 1, true);
            }
        }
        (batch.num_rows(), false)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::sync::Arc;

    use arrow::array::UInt32Array;
    use arrow::datatypes::{DataType, Field, Schema};

    use super::*;

    fn lengths(batches: &[RecordBatch], bitmap: Option<usize>) -> Vec<usize> {
        let mut chunks = Chunks::new(batches[0].schema(), bitmap);
        let mut out: Vec<RecordBatch> = batches.iter().flat_map(|batch| chunks.push(batch).unwrap()).collect();
        out.extend(chunks.take().unwrap());
        assert_eq!(concat_batches(&batches[0].schema(), &out).unwrap(), concat_batches(&batches[0].schema(), batches).unwrap());
        out.iter().map(RecordBatch::num_rows).collect()
    }

    #[test]
    fn cuts_do_not_depend_on_how_rows_arrive() {
        let schema = Arc::new(Schema::new(vec![Field::new("n", DataType::UInt32, false), Field::new("bitmap", DataType::Binary, false)]));
        let cells: Vec<Vec<u8>> = (0..20_000usize).map(|row| vec![7; if row % 5_000 == 77 { 3 << 20 } else { row % 97 }]).collect();
        let cells: BinaryArray = cells.iter().map(|cell| Some(cell.as_slice())).collect();
        let all = RecordBatch::try_new(schema, vec![Arc::new(UInt32Array::from_iter_values(0..20_000)), Arc::new(cells)]).unwrap();
        for bitmap in [None, Some(1)] {
            let expected = lengths(std::slice::from_ref(&all), bitmap);
            for step in [1_000, 2_047, 8_193] {
                let parts: Vec<_> = (0..all.num_rows()).step_by(step).map(|at| all.slice(at, step.min(all.num_rows() - at))).collect();
                assert_eq!(lengths(&parts, bitmap), expected, "{step} {bitmap:?}");
            }
        }
    }
}
