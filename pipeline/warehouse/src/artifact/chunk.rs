//! One column chunk in Parquet's layout: pages with their headers, and what the footer and the page
//! index say of them.
//!
//! ```text
//! [dictionary page] data page, data page, ...      a page = header (Thrift, compact protocol), bytes
//! ```
//! Source: the Parquet format's `parquet.thrift`, version 1 data pages.

use bytes::Bytes;
use parquet::basic::{Compression, Encoding};
use parquet::column::page::{CompressedPage, Page, PageWriteSpec, PageWriter};
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::{ColumnChunkMetaData, OffsetIndexBuilder, PageEncodingStats};
use parquet::file::page_index::column_index::ColumnIndexMetaData;
use parquet::file::statistics::Statistics;
use parquet::file::writer::{SerializedPageWriter, TrackedWrite};
use parquet::schema::types::ColumnDescPtr;

/// Collects the pages of one chunk.
pub(super) struct ChunkWriter {
    column: ColumnDescPtr,
    codec: Compression,
    sink: TrackedWrite<Vec<u8>>,
    plain_bytes: u64,
    dictionary_bytes: u64,
    rows: u32,
    offsets: OffsetIndexBuilder,
    stats: Vec<PageEncodingStats>,
}

impl ChunkWriter {
    pub(super) fn new(column: &ColumnDescPtr, codec: Compression) -> Self {
        Self {
            column: column.clone(),
            codec,
            sink: TrackedWrite::new(Vec::new()),
            plain_bytes: 0,
            dictionary_bytes: 0,
            rows: 0,
            offsets: OffsetIndexBuilder::new(),
            stats: Vec::new(),
        }
    }

    /// The dictionary, before any data page: `values` values in plain encoding.
    ///
    /// # Errors
    /// A page that Parquet can not hold.
    pub(super) fn dictionary(&mut self, page: Vec<u8>, values: usize) -> Result<()> {
        let (plain_bytes, num_values) = (page.len(), values as u32);
        let page = Page::DictionaryPage {
            buf: page.into(),
            num_values,
            encoding: Encoding::PLAIN,
            is_sorted: false,
        };
        self.dictionary_bytes = self.append(page, plain_bytes)?.bytes_written;
        Ok(())
    }

    /// A data page of `rows` rows, levels included; `plain_bytes` is what it has when it is not
    /// compressed.
    ///
    /// # Errors
    /// A page that Parquet can not hold.
    pub(super) fn data(
        &mut self,
        page: Bytes,
        plain_bytes: usize,
        rows: u32,
        encoding: Encoding,
    ) -> Result<()> {
        let levels = Encoding::RLE;
        let page = Page::DataPage {
            buf: page,
            num_values: rows,
            encoding,
            def_level_encoding: levels,
            rep_level_encoding: levels,
            statistics: None,
        };
        let written = self.append(page, plain_bytes)?;
        self.offsets.append_row_count(i64::from(rows));
        self.offsets
            .append_offset_and_size(written.offset as i64, written.compressed_size as i32);
        self.rows += rows;
        Ok(())
    }

    fn append(&mut self, page: Page, plain_bytes: usize) -> Result<PageWriteSpec> {
        let (page_type, encoding) = (page.page_type(), page.encoding());
        if i32::try_from(plain_bytes.max(page.buffer().len())).is_err() {
            return Err(ParquetError::General(format!(
                "a page of {plain_bytes} bytes, at most {} can be written",
                i32::MAX
            )));
        }
        let written = SerializedPageWriter::new(&mut self.sink)
            .write_page(CompressedPage::new(page, plain_bytes))?;
        self.plain_bytes += written.uncompressed_size as u64;
        match self.stats.last_mut() {
            Some(last) if last.page_type == page_type && last.encoding == encoding => {
                last.count += 1
            }
            _ => self.stats.push(PageEncodingStats {
                page_type,
                encoding,
                count: 1,
            }),
        }
        Ok(written)
    }

    /// The chunk's bytes and what is to be said of them.
    ///
    /// # Errors
    /// None in practice: the metadata's builder is fallible.
    pub(super) fn finish(
        self,
        statistics: Option<Statistics>,
        column_index: Option<ColumnIndexMetaData>,
    ) -> Result<(Bytes, ColumnCloseResult)> {
        let bytes_written = self.sink.bytes_written() as u64;
        let builder = ColumnChunkMetaData::builder(self.column)
            .set_compression(self.codec)
            .set_encodings(
                std::iter::once(Encoding::RLE)
                    .chain(self.stats.iter().map(|page| page.encoding))
                    .collect(),
            )
            .set_page_encoding_stats(self.stats)
            .set_total_compressed_size(bytes_written as i64)
            .set_total_uncompressed_size(self.plain_bytes as i64)
            .set_num_values(i64::from(self.rows))
            .set_data_page_offset(self.dictionary_bytes as i64)
            .set_dictionary_page_offset((self.dictionary_bytes > 0).then_some(0));
        let close = ColumnCloseResult {
            bytes_written,
            rows_written: u64::from(self.rows),
            metadata: statistics
                .into_iter()
                .fold(builder, |builder, statistics| {
                    builder.set_statistics(statistics)
                })
                .build()?,
            bloom_filter: None,
            column_index,
            offset_index: Some(self.offsets.build()),
        };
        Ok((self.sink.into_inner()?.into(), close))
    }
}
