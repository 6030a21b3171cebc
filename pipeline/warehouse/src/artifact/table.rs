//! A table that is all there -> a file: row groups are encoded side by side, on all threads.

use arrow::array::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::{ArrowColumnChunk, ArrowRowGroupWriterFactory, compute_leaves};
use parquet::errors::Result;
use rayon::iter::{IndexedParallelIterator, ParallelIterator};
use rayon::slice::ParallelSlice;

use super::chunks::{CHUNK_ROWS, Chunks};
use super::layout::GROUP_ROWS;
use super::tap::Tap;

/// Encodes all rows into the file that `writer` has begun, cut by `chunks`, and ends it.
///
/// # Errors
/// A page that Parquet can not hold.
pub(super) fn encode(
    writer: ArrowWriter<Tap>,
    mut chunks: Chunks,
    batches: &[RecordBatch],
) -> Result<Tap> {
    let mut all = Vec::new();
    for batch in batches {
        all.extend(chunks.push(batch)?);
    }
    all.extend(chunks.take()?);
    let (mut file, factory) = writer.into_serialized_writer()?;
    let groups = all.par_chunks(GROUP_ROWS as usize / CHUNK_ROWS).enumerate();
    let encoded: Vec<_> = groups
        .map(|(number, chunks)| encode_group(&factory, number, chunks))
        .collect::<Result<_>>()?;
    for columns in encoded {
        let mut group = file.next_row_group()?;
        columns
            .into_iter()
            .try_for_each(|column| column.append_to_row_group(&mut group))?;
        group.close()?;
    }
    file.finish()?;
    Ok(std::mem::take(file.inner_mut()))
}

fn encode_group(
    factory: &ArrowRowGroupWriterFactory,
    number: usize,
    chunks: &[RecordBatch],
) -> Result<Vec<ArrowColumnChunk>> {
    let mut writers = factory.create_column_writers(number)?;
    for chunk in chunks {
        let columns = chunk.schema_ref().fields().iter().zip(chunk.columns());
        let leaves = columns
            .map(|(field, column)| compute_leaves(field, column))
            .collect::<Result<Vec<_>>>()?;
        writers
            .iter_mut()
            .zip(leaves.iter().flatten())
            .try_for_each(|(writer, leaf)| writer.write(leaf))?;
    }
    writers.into_iter().map(|writer| writer.close()).collect()
}
