//! Bitmaps of a row group, written where they stay: one after the other in Parquet's plain
//! encoding, cut into pages.

use bytes::Bytes;
use parquet::basic::{Compression, Encoding};
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::{ParquetError, Result};
use parquet::schema::types::ColumnDescPtr;
use snap::raw::{Encoder, max_compress_len};

use super::chunk::ChunkWriter;
use super::layout::{PAGE_BYTES, PAGE_ROWS};

/// Pages of the first row group that are looked at before it is decided whether bitmaps are
/// compressed, and what of each.
const SAMPLES: usize = 8;
const SAMPLE_BYTES: usize = 128 << 10;

/// The bitmaps of the open row group.
#[derive(Debug, Default)]
pub(super) struct BitmapCells {
    bytes: Vec<u8>,
    rows: u32,
    /// Rows and bytes before the open page.
    open: (u32, usize),
    /// Rows and bytes up to the end of each page that is full.
    ends: Vec<(u32, usize)>,
    /// Decided by the first row group.
    is_compressed: Option<bool>,
}

impl BitmapCells {
    /// Appends the bitmap whose bytes `write` appends. A page ends before a bitmap that would make
    /// it longer than [`PAGE_BYTES`]: a long one has a page of its own.
    #[inline]
    pub(super) fn push(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&[0; 4]);
        write(&mut self.bytes);
        let length = (self.bytes.len() - start - 4) as u32;
        self.bytes[start..start + 4].copy_from_slice(&length.to_le_bytes());
        if self.bytes.len() - self.open.1 > PAGE_BYTES && self.rows > self.open.0 {
            self.end_page(start);
        }
        self.rows += 1;
        if self.rows - self.open.0 == PAGE_ROWS || self.bytes.len() - self.open.1 >= PAGE_BYTES {
            self.end_page(self.bytes.len());
        }
    }

    fn end_page(&mut self, bytes: usize) {
        self.open = (self.rows, bytes);
        self.ends.push(self.open);
    }

    /// Bytes of all bitmaps.
    pub(super) fn size(&self) -> usize {
        self.bytes.len()
    }

    /// Takes the bytes out.
    pub(super) fn take(&mut self) -> Bytes {
        std::mem::take(&mut self.bytes).into()
    }

    /// No bitmaps, in this memory.
    pub(super) fn in_memory(bytes: Vec<u8>) -> Self {
        Self {
            bytes,
            ..Self::default()
        }
    }

    /// Gives the memory back.
    pub(super) fn into_memory(self) -> Vec<u8> {
        self.bytes
    }

    /// Begins a row group in the memory of the last one.
    pub(super) fn restart(&mut self, mut bytes: Bytes) {
        bytes.truncate(0);
        self.ends.clear();
        (self.bytes, self.rows, self.open) = (bytes.into(), 0, (0, 0));
    }

    /// Encodes all bitmaps, compressed where that saves a tenth. `bytes` are those of
    /// [`Self::take`].
    ///
    /// # Errors
    /// A page that Parquet can not hold.
    pub(super) fn encode(
        &mut self,
        bytes: &Bytes,
        descriptor: &ColumnDescPtr,
    ) -> Result<(Bytes, ColumnCloseResult)> {
        let mut ends = self.ends.clone();
        if self.open.0 < self.rows {
            ends.push((self.rows, bytes.len()));
        }
        let starts = std::iter::once((0, 0)).chain(ends.iter().copied());
        let pages: Vec<(u32, std::ops::Range<usize>)> = starts
            .zip(&ends)
            .map(|(start, end)| (end.0 - start.0, start.1..end.1))
            .collect();
        let mut compressor = Snappy::new();
        let is_compressed = match self.is_compressed {
            Some(is_compressed) => is_compressed,
            None => {
                *self
                    .is_compressed
                    .insert(is_worth_compressing(bytes, &pages, &mut compressor)?)
            }
        };
        let codec = if is_compressed {
            Compression::SNAPPY
        } else {
            Compression::UNCOMPRESSED
        };
        let mut chunk = ChunkWriter::new(descriptor, codec);
        for (rows, range) in pages {
            let plain = bytes.slice(range);
            let length = plain.len();
            let page = if is_compressed {
                Bytes::copy_from_slice(compressor.compress(&plain)?)
            } else {
                plain
            };
            chunk.data(page, length, rows, Encoding::PLAIN)?;
        }
        chunk.finish(None, None)
    }
}

/// Compresses page by page in the same room. Most of what there is to save are zeros and headers of
/// small bitmaps: zstd takes twice the time for a tenth less.
struct Snappy {
    encoder: Encoder,
    room: Vec<u8>,
}

impl Snappy {
    fn new() -> Self {
        Self {
            encoder: Encoder::new(),
            room: Vec::new(),
        }
    }

    fn compress(&mut self, page: &[u8]) -> Result<&[u8]> {
        self.room
            .resize(self.room.len().max(max_compress_len(page.len())), 0);
        let length = self
            .encoder
            .compress(page, &mut self.room)
            .map_err(|e| ParquetError::External(Box::new(e)))?;
        Ok(&self.room[..length])
    }
}

/// Whether compression takes at least a tenth off these pages, measured on some that are evenly
/// spread.
fn is_worth_compressing(
    bytes: &[u8],
    pages: &[(u32, std::ops::Range<usize>)],
    compressor: &mut Snappy,
) -> Result<bool> {
    let (mut plain, mut stored) = (0, 0);
    for (_, range) in pages.iter().step_by(pages.len().div_ceil(SAMPLES).max(1)) {
        let page = &bytes[range.start..range.end.min(range.start + SAMPLE_BYTES)];
        plain += page.len();
        stored += compressor.compress(page)?.len();
    }
    Ok(stored * 10 <= plain * 9)
}
