//! How each artifact is laid out inside Parquet.
//!
//! | artifact | pages | encodings |
//! |---|---|---|
//! | with bitmaps | 1,024 rows or 64 KiB: one row costs one small page | keys: dictionary, page index; bitmap: plain, no statistics, snappy only where it saves a tenth |
//! | users | 1 MiB | user_id plain, zstd: random text in half the bytes for 15 ns a user to read; numbers as deltas |
//! | user_index | 8,192 rows: one look-up reads one page of each column | deltas, page index |
//! | the rest | defaults | zstd |
//!
//! Files with bitmaps are encoded from runs ([`super::BitmapRows`]), the others by Arrow's writer.

use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::metadata::SortingColumn;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use parquet::schema::types::ColumnPath;
use tagmill_schemas::Artifact;
use tagmill_schemas::artifact::Columns;
use tagmill_schemas::artifact::users::Column;

const BITMAP: &str = "bitmap";

/// A page of a file with bitmaps ends after so many rows, or with the row that makes it so long.
pub(super) const PAGE_ROWS: u32 = 1024;
pub(super) const PAGE_BYTES: usize = 64 << 10;
/// Rows of a page of the look-up index.
const INDEX_PAGE_ROWS: usize = 8192;
/// Rows of a group: what a writer of a table without bitmaps holds.
pub(super) const GROUP_ROWS: u32 = 32 * super::CHUNK_ROWS as u32;

/// The column with bitmaps, if the artifact has one.
pub(super) fn bitmap_column(artifact: Artifact) -> Option<usize> {
    artifact.schema().index_of(BITMAP).ok()
}

/// What Parquet's writer is told; of a file with bitmaps only what concerns the file as a whole.
pub(super) fn properties(artifact: Artifact) -> WriterProperties {
    let builder = WriterProperties::builder()
        .set_max_row_group_row_count(Some(GROUP_ROWS as usize))
        .set_sorting_columns(Some(sorting(artifact)));
    match artifact {
        Artifact::Users => users(builder),
        Artifact::UserIndex => user_index(builder),
        _ if bitmap_column(artifact).is_some() => builder,
        _ => builder.set_compression(zstd()),
    }
    .build()
}

fn sorting(artifact: Artifact) -> Vec<SortingColumn> {
    let schema = artifact.schema();
    let of = |name: &&str| {
        schema.index_of(name).ok().map(|index| SortingColumn {
            column_idx: index as i32,
            descending: false,
            nulls_first: true,
        })
    };
    artifact.sort_key().iter().filter_map(of).collect()
}

fn users(builder: WriterPropertiesBuilder) -> WriterPropertiesBuilder {
    let builder = builder
        .set_write_batch_size(super::CHUNK_ROWS)
        .set_data_page_row_count_limit(GROUP_ROWS as usize);
    let ids = ColumnPath::from(Column::UserId.name());
    let plain = builder
        .set_column_dictionary_enabled(ids.clone(), false)
        .set_column_encoding(ids.clone(), Encoding::PLAIN)
        .set_column_compression(ids.clone(), zstd())
        .set_column_statistics_enabled(ids, EnabledStatistics::None);
    as_deltas(plain, &["shard", "ordinal", "state"])
}

fn user_index(builder: WriterPropertiesBuilder) -> WriterPropertiesBuilder {
    let builder = builder
        .set_write_batch_size(INDEX_PAGE_ROWS)
        .set_data_page_row_count_limit(INDEX_PAGE_ROWS);
    as_deltas(builder, &["shard", "hash", "ordinal"])
}

fn as_deltas(builder: WriterPropertiesBuilder, columns: &[&str]) -> WriterPropertiesBuilder {
    columns.iter().fold(builder, |builder, name| {
        let column = ColumnPath::from(*name);
        builder
            .set_column_dictionary_enabled(column.clone(), false)
            .set_column_encoding(column, Encoding::DELTA_BINARY_PACKED)
    })
}

fn zstd() -> Compression {
    Compression::ZSTD(ZstdLevel::try_new(1).unwrap_or_default())
}
