//! How each artifact is laid out inside Parquet, and whether its bitmaps are worth compressing.
//!
//! | artifact | pages | encodings |
//! |---|---|---|
//! | with bitmaps | 1,024 rows or 64 KiB: one row costs one small page | keys: dictionary, page index; bitmap: plain, no statistics, zstd only where it saves a tenth |
//! | users | 1 MiB | user_id and id_hash plain and uncompressed: five million rows load at the speed of a copy |
//! | the rest | defaults | zstd |

use std::io;
use std::sync::Arc;

use arrow::array::{Array, BinaryArray, RecordBatch};
use arrow::datatypes::{Field, Schema};
use arrow::record_batch::RecordBatchOptions;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::Result;
use parquet::file::metadata::SortingColumn;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use parquet::schema::types::ColumnPath;
use tagmill_schemas::Artifact;

pub(super) const BITMAP: &str = "bitmap";

const BITMAP_PAGE_ROWS: usize = 1024;
const BITMAP_PAGE_BYTES: usize = 64 << 10;
/// Rows of a group: what a writer holds of a table without bitmaps.
const GROUP_ROWS: usize = 32 * super::CHUNK_ROWS;
/// The columns after the key that are numbers of their own: dictionaries would only grow.
const COUNTS: [&str; 3] = ["cardinality", "entered", "left"];

/// The column with bitmaps, if the artifact has one.
pub(super) fn bitmap_column(artifact: Artifact) -> Option<usize> {
    artifact.schema().index_of(BITMAP).ok()
}

/// `is_compressed` is about the bitmap column.
pub(super) fn properties(artifact: Artifact, is_compressed: bool) -> WriterProperties {
    let builder = WriterProperties::builder().set_max_row_group_row_count(Some(GROUP_ROWS)).set_sorting_columns(Some(sorting(artifact)));
    match artifact {
        Artifact::Users => users(builder),
        _ if bitmap_column(artifact).is_some() => bitmaps(builder, is_compressed),
        _ => builder.set_compression(zstd()),
    }
    .build()
}

fn sorting(artifact: Artifact) -> Vec<SortingColumn> {
    let schema = artifact.schema();
    let of = |name: &&str| schema.index_of(name).ok().map(|index| SortingColumn { column_idx: index as i32, descending: false, nulls_first: true });
    artifact.sort_key().iter().filter_map(of).collect()
}

fn bitmaps(builder: WriterPropertiesBuilder, is_compressed: bool) -> WriterPropertiesBuilder {
    let bitmap = ColumnPath::from(BITMAP);
    let builder = builder
        .set_data_page_row_count_limit(BITMAP_PAGE_ROWS)
        .set_write_batch_size(BITMAP_PAGE_ROWS)
        .set_data_page_size_limit(BITMAP_PAGE_BYTES)
        .set_column_dictionary_enabled(bitmap.clone(), false)
        .set_column_encoding(bitmap.clone(), Encoding::PLAIN)
        .set_column_statistics_enabled(bitmap.clone(), EnabledStatistics::None)
        .set_column_compression(bitmap, if is_compressed { zstd() } else { Compression::UNCOMPRESSED });
    COUNTS.into_iter().fold(builder, |builder, name| {
        let column = ColumnPath::from(name);
        builder
            .set_column_dictionary_enabled(column.clone(), false)
            .set_column_encoding(column.clone(), Encoding::DELTA_BINARY_PACKED)
            .set_column_statistics_enabled(column, EnabledStatistics::Chunk)
    })
}

fn users(builder: WriterPropertiesBuilder) -> WriterPropertiesBuilder {
    let builder = builder.set_write_batch_size(super::CHUNK_ROWS).set_data_page_row_count_limit(GROUP_ROWS);
    let plain = ["user_id", "id_hash"].into_iter().fold(builder, |builder, name| {
        let column = ColumnPath::from(name);
        builder
            .set_column_dictionary_enabled(column.clone(), false)
            .set_column_encoding(column.clone(), Encoding::PLAIN)
            .set_column_statistics_enabled(column, EnabledStatistics::None)
    });
    ["shard", "ordinal", "state"].into_iter().fold(plain, |builder, name| {
        let column = ColumnPath::from(name);
        builder.set_column_dictionary_enabled(column.clone(), false).set_column_encoding(column, Encoding::DELTA_BINARY_PACKED)
    })
}

fn zstd() -> Compression {
    Compression::ZSTD(ZstdLevel::try_new(1).unwrap_or_default())
}

/// Whether zstd takes at least a tenth off these bitmaps, measured on evenly spread chunks in pages as they will be written.
pub(super) fn is_worth_compressing(chunks: &[RecordBatch], bitmap: usize) -> Result<bool> {
    let schema = Arc::new(Schema::new(vec![Field::new(BITMAP, arrow::datatypes::DataType::Binary, false)]));
    let mut writer = ArrowWriter::try_new(io::sink(), Arc::clone(&schema), Some(bitmaps(WriterProperties::builder(), true).build()))?;
    let step = chunks.len().div_ceil(SAMPLES).max(1);
    for chunk in chunks.iter().step_by(step) {
        let cells = leading_cells(chunk, bitmap);
        let options = RecordBatchOptions::new().with_row_count(Some(cells.len()));
        writer.write(&RecordBatch::try_new_with_options(Arc::clone(&schema), vec![cells], &options)?)?;
    }
    let metadata = writer.finish()?;
    let (stored, plain) = metadata
        .row_groups()
        .iter()
        .flat_map(|group| group.columns())
        .fold((0, 0), |(stored, plain), column| (stored + column.compressed_size(), plain + column.uncompressed_size()));
    Ok(stored * 10 <= plain * 9)
}

const SAMPLES: usize = 8;
const SAMPLE_BYTES: usize = 128 << 10;

/// The first cells of a chunk up to about [`SAMPLE_BYTES`], at least one.
fn leading_cells(chunk: &RecordBatch, bitmap: usize) -> Arc<dyn Array> {
    let column = chunk.column(bitmap);
    let Some(cells) = column.as_any().downcast_ref::<BinaryArray>() else {
        return Arc::clone(column);
    };
    let first = cells.value_offsets().first().copied().unwrap_or_default();
    let inside = |end: &&i32| ((**end - first) as usize) <= SAMPLE_BYTES;
    let rows = cells.value_offsets().iter().skip(1).take_while(inside).count().max(1).min(cells.len());
    column.slice(0, rows)
}
