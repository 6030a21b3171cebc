//! Rows regrouped into chunks whose cuts depend on the rows alone: the encoder sees the same calls
//! however rows arrive.

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;

/// Rows of a chunk. Batches of a multiple of this are passed on without copying.
pub const CHUNK_ROWS: usize = 8192;

pub(super) struct Chunks {
    schema: SchemaRef,
    rest: Vec<RecordBatch>,
    rows: usize,
}

impl Chunks {
    pub(super) fn new(schema: SchemaRef) -> Self {
        Self {
            schema,
            rest: Vec::new(),
            rows: 0,
        }
    }

    /// Takes rows in, gives back the chunks that are full.
    pub(super) fn push(&mut self, batch: &RecordBatch) -> Result<Vec<RecordBatch>, ArrowError> {
        let mut full = Vec::new();
        let mut start = 0;
        while start < batch.num_rows() {
            let end = batch.num_rows().min(start + CHUNK_ROWS - self.rows);
            self.rest.push(batch.slice(start, end - start));
            self.rows += end - start;
            if self.rows == CHUNK_ROWS {
                full.extend(self.take()?);
            }
            start = end;
        }
        Ok(full)
    }

    /// The last chunk, `None` when nothing is left.
    pub(super) fn take(&mut self) -> Result<Option<RecordBatch>, ArrowError> {
        self.rows = 0;
        let parts = std::mem::take(&mut self.rest);
        match parts.len() {
            0 => Ok(None),
            1 => Ok(parts.into_iter().next()),
            _ => concat_batches(&self.schema, &parts).map(Some),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::sync::Arc;

    use arrow::array::UInt32Array;
    use arrow::datatypes::{DataType, Field, Schema};

    use super::*;

    fn lengths(batches: &[RecordBatch]) -> Vec<usize> {
        let mut chunks = Chunks::new(batches[0].schema());
        let mut out: Vec<RecordBatch> = batches
            .iter()
            .flat_map(|batch| chunks.push(batch).unwrap())
            .collect();
        out.extend(chunks.take().unwrap());
        assert_eq!(
            concat_batches(&batches[0].schema(), &out).unwrap(),
            concat_batches(&batches[0].schema(), batches).unwrap()
        );
        out.iter().map(RecordBatch::num_rows).collect()
    }

    #[test]
    fn cuts_do_not_depend_on_how_rows_arrive() {
        let schema = Arc::new(Schema::new(vec![Field::new("n", DataType::UInt32, false)]));
        let all = RecordBatch::try_new(
            schema,
            vec![Arc::new(UInt32Array::from_iter_values(0..20_000))],
        )
        .unwrap();
        let expected = lengths(std::slice::from_ref(&all));
        assert_eq!(expected, [8_192, 8_192, 3_616]);
        for step in [1_000, 2_047, 8_193] {
            let parts: Vec<_> = (0..all.num_rows())
                .step_by(step)
                .map(|at| all.slice(at, step.min(all.num_rows() - at)))
                .collect();
            assert_eq!(lengths(&parts), expected, "{step}");
        }
    }
}
