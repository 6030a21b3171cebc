//! One column chunk in Parquet's layout: pages with their headers, and what the footer and the page index say of them.
//!
//! ```text
//! [dictionary page] data page, data page, ...      a page = header (Thrift, compact protocol), bytes
//! ```
//! Source: the Parquet format's `parquet.thrift`, version 1 data pages.

use std::io::{self, Read};

use bytes::{Buf, Bytes};
use parquet::basic::{Compression, Encoding, PageType};
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::{ColumnChunkMetaData, OffsetIndexBuilder, PageEncodingStats};
use parquet::file::page_index::column_index::ColumnIndexMetaData;
use parquet::file::reader::{ChunkReader, Length};
use parquet::file::statistics::Statistics;
use parquet::schema::types::ColumnDescPtr;

/// Collects the pages of one chunk.
pub(super) struct ChunkWriter {
    column: ColumnDescPtr,
    codec: Compression,
    pages: Pages,
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
            pages: Pages::default(),
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
        let header = Header { page_type: PageType::DICTIONARY_PAGE, encoding: Encoding::PLAIN, values: values as u32 };
        self.dictionary_bytes = self.append(&header, page.len(), page.into())?;
        Ok(())
    }

    /// A data page of `rows` rows, levels included; `plain_bytes` is what it has when it is not compressed.
    ///
    /// # Errors
    /// A page that Parquet can not hold.
    pub(super) fn data(&mut self, page: Bytes, plain_bytes: usize, rows: u32, encoding: Encoding) -> Result<()> {
        let offset = self.pages.bytes;
        let bytes = self.append(&Header { page_type: PageType::DATA_PAGE, encoding, values: rows }, plain_bytes, page)?;
        self.offsets.append_row_count(i64::from(rows));
        self.offsets.append_offset_and_size(offset as i64, bytes as i32);
        self.rows += rows;
        Ok(())
    }

    fn append(&mut self, header: &Header, plain_bytes: usize, page: Bytes) -> Result<u64> {
        let written = header.to_thrift(plain_bytes, page.len())?;
        let bytes = (written.len() + page.len()) as u64;
        self.plain_bytes += (written.len() + plain_bytes) as u64;
        self.pages.bytes += bytes;
        self.pages.parts.extend([Bytes::from(written), page]);
        match self.stats.last_mut() {
            Some(last) if last.page_type == header.page_type && last.encoding == header.encoding => last.count += 1,
            _ => self.stats.push(PageEncodingStats { page_type: header.page_type, encoding: header.encoding, count: 1 }),
        }
        Ok(bytes)
    }

    /// The chunk's bytes and what is to be said of them.
    ///
    /// # Errors
    /// None in practice: the metadata's builder is fallible.
    pub(super) fn finish(self, statistics: Option<Statistics>, column_index: Option<ColumnIndexMetaData>) -> Result<(Pages, ColumnCloseResult)> {
        let builder = ColumnChunkMetaData::builder(self.column)
            .set_compression(self.codec)
            .set_encodings(std::iter::once(Encoding::RLE).chain(self.stats.iter().map(|page| page.encoding)).collect())
            .set_page_encoding_stats(self.stats)
            .set_total_compressed_size(self.pages.bytes as i64)
            .set_total_uncompressed_size(self.plain_bytes as i64)
            .set_num_values(i64::from(self.rows))
            .set_data_page_offset(self.dictionary_bytes as i64)
            .set_dictionary_page_offset((self.dictionary_bytes > 0).then_some(0));
        let close = ColumnCloseResult {
            bytes_written: self.pages.bytes,
            rows_written: u64::from(self.rows),
            metadata: statistics.into_iter().fold(builder, |builder, statistics| builder.set_statistics(statistics)).build()?,
            bloom_filter: None,
            column_index,
            offset_index: Some(self.offsets.build()),
        };
        Ok((self.pages, close))
    }
}

/// What a page says of itself.
struct Header {
    page_type: PageType,
    encoding: Encoding,
    values: u32,
}

/// Types and ends of the compact protocol: a field's header is its distance from the field before, and its type.
const I32: u8 = 0x5;
const STRUCT: u8 = 0xc;
const STOP: u8 = 0;

impl Header {
    /// A `PageHeader`.
    fn to_thrift(&self, plain_bytes: usize, bytes: usize) -> Result<Vec<u8>> {
        let size =
            |bytes: usize| i32::try_from(bytes).map_err(|_| ParquetError::General(format!("a page of {bytes} bytes, at most {} can be written", i32::MAX)));
        let mut out = Vec::with_capacity(32);
        for number in [self.page_type as i32, size(plain_bytes)?, size(bytes)?] {
            field(number, &mut out);
        }
        if self.page_type == PageType::DICTIONARY_PAGE {
            // Field 7: values, encoding.
            out.push((7 - 3) << 4 | STRUCT);
            [self.values as i32, self.encoding as i32].into_iter().for_each(|number| field(number, &mut out));
        } else {
            // Field 5: values, encoding, and how definition and repetition levels are encoded.
            out.push((5 - 3) << 4 | STRUCT);
            [self.values as i32, self.encoding as i32, Encoding::RLE as i32, Encoding::RLE as i32].into_iter().for_each(|number| field(number, &mut out));
        }
        out.extend([STOP, STOP]);
        Ok(out)
    }
}

/// The next field of a struct, a number.
fn field(number: i32, out: &mut Vec<u8>) {
    out.push(1 << 4 | I32);
    let mut zigzag = (number << 1 ^ number >> 31) as u32;
    while zigzag >= 0x80 {
        out.push(zigzag as u8 | 0x80);
        zigzag >>= 7;
    }
    out.push(zigzag as u8);
}

/// The bytes of a chunk, without a copy of the pages.
#[derive(Default)]
pub(super) struct Pages {
    parts: Vec<Bytes>,
    bytes: u64,
}

impl Length for Pages {
    fn len(&self) -> u64 {
        self.bytes
    }
}

impl ChunkReader for Pages {
    type T = PagesReader;

    fn get_read(&self, start: u64) -> Result<PagesReader> {
        let mut reader = PagesReader { rest: self.parts.iter().rev().cloned().collect() };
        io::copy(&mut reader.by_ref().take(start), &mut io::sink())?;
        Ok(reader)
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        let mut bytes = vec![0; length];
        self.get_read(start)?.read_exact(&mut bytes)?;
        Ok(bytes.into())
    }
}

/// Reads the parts, the next one last.
pub(super) struct PagesReader {
    rest: Vec<Bytes>,
}

impl Read for PagesReader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while let Some(next) = self.rest.last_mut() {
            if next.is_empty() {
                self.rest.pop();
                continue;
            }
            let taken = next.len().min(out.len());
            next.copy_to_slice(&mut out[..taken]);
            return Ok(taken);
        }
        Ok(0)
    }
}
