//! A column of runs -> a column chunk: work in proportion to the runs, not to the rows.
//!
//! A page ends after [`PAGE_ROWS`] rows; values are numbers into a dictionary, or plain where a
//! dictionary saves nothing.

use bytes::Bytes;
use parquet::basic::{Compression, Encoding};
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::{ParquetError, Result};
use parquet::schema::types::ColumnDescPtr;

use super::bounds::{Bounds, column_index, statistics};
use super::chunk::ChunkWriter;
use super::distinct::{Distinct, Kind};
use super::hybrid::{Hybrid, width_of};
use super::layout::{PAGE_BYTES, PAGE_ROWS};
use super::run_column::{NULL, RunColumn};

/// A larger dictionary costs more than it saves whoever wants one row.
const MOST_DICTIONARY_BYTES: usize = 1 << 20;

/// Encodes the first `rows` rows; `is_indexed` asks for the bounds of every page.
///
/// # Errors
/// A row without a cell, null where there may be none; a page that Parquet can not hold.
pub(super) fn encode(
    column: &RunColumn,
    rows: u32,
    descriptor: &ColumnDescPtr,
    is_indexed: bool,
) -> Result<(Bytes, ColumnCloseResult)> {
    if !column.is_set() {
        return Err(ParquetError::General(format!(
            "rows without {}",
            descriptor.name()
        )));
    }
    let mut chunk = ChunkWriter::new(descriptor, Compression::UNCOMPRESSED);
    let form = Form::of(column, rows);
    if form == Form::Numbers {
        chunk.dictionary(column.values.page(), column.values.len())?;
    }
    let mut page = PageRuns {
        values: &column.values,
        form,
        is_nullable: descriptor.max_def_level() > 0,
        runs: Vec::new(),
        rows: 0,
        bytes: 0,
    };
    if !page.is_nullable && column.runs(rows).any(|(number, _)| number == NULL) {
        return Err(ParquetError::General(format!(
            "null in {}, which is never null",
            descriptor.name()
        )));
    }
    let (mut bounds, mut at) = (Vec::new(), 0);
    for (number, end) in column.runs(rows) {
        while at < end {
            let taken = page.room(number).min(end - at);
            page.push(number, taken);
            at += taken;
            if page.is_full() || at == rows {
                page.write(&mut chunk)?;
                bounds.push(page.take_bounds());
            }
        }
    }
    let index = if is_indexed {
        column_index(&column.values, descriptor.physical_type(), &bounds)?
    } else {
        None
    };
    chunk.finish(Some(statistics(&column.values, &bounds)), index)
}

/// How values stand in data pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Numbers into the dictionary.
    Numbers,
    Plain,
    Bits,
}

impl Form {
    fn of(column: &RunColumn, rows: u32) -> Self {
        let values = &column.values;
        if matches!(values, Distinct::Numbers(Kind::Bool, _)) {
            return Self::Bits;
        }
        if values.len() <= 1 {
            return Self::Numbers;
        }
        let dictionary: usize = (0..values.len() as u32)
            .map(|number| values.plain_bytes(number))
            .sum();
        let (mut plain, mut at) = (0, 0);
        for (number, end) in column.runs(rows) {
            plain += if number == NULL {
                0
            } else {
                values.plain_bytes(number) * (end - at) as usize
            };
            at = end;
            // Most often a few rows are enough to know.
            if plain > dictionary + rows as usize * size_of::<u32>() {
                break;
            }
        }
        let numbers = rows as usize * width_of(values.len()) as usize / 8;
        if dictionary <= MOST_DICTIONARY_BYTES && dictionary + numbers < plain {
            Self::Numbers
        } else {
            Self::Plain
        }
    }
}

/// The runs of the open page.
struct PageRuns<'c> {
    values: &'c Distinct,
    form: Form,
    is_nullable: bool,
    runs: Vec<(u32, u32)>,
    rows: u32,
    /// Of plain values.
    bytes: usize,
}

impl PageRuns<'_> {
    /// How many rows with this value there is room for, at least one in an empty page.
    fn room(&self, number: u32) -> u32 {
        let rows = PAGE_ROWS - self.rows;
        if self.form != Form::Plain || number == NULL {
            return rows;
        }
        let fit = PAGE_BYTES
            .saturating_sub(self.bytes)
            .div_ceil(self.values.plain_bytes(number));
        rows.min(fit as u32)
    }

    fn push(&mut self, number: u32, rows: u32) {
        self.runs.push((number, rows));
        self.rows += rows;
        if self.form == Form::Plain && number != NULL {
            self.bytes += self.values.plain_bytes(number) * rows as usize;
        }
    }

    fn is_full(&self) -> bool {
        self.rows == PAGE_ROWS || self.bytes >= PAGE_BYTES
    }

    fn write(&self, chunk: &mut ChunkWriter) -> Result<()> {
        let mut page = Vec::with_capacity(PAGE_ROWS as usize / 4 + self.bytes);
        if self.is_nullable {
            page.extend_from_slice(&[0; 4]);
            let mut levels = Hybrid::new(&mut page, 1);
            for same in self.runs.chunk_by(|a, b| (a.0 == NULL) == (b.0 == NULL)) {
                levels.push(
                    u32::from(same[0].0 != NULL),
                    same.iter().map(|(_, rows)| *rows as usize).sum(),
                );
            }
            levels.finish();
            let bytes = page.len() as u32 - 4;
            page[..4].copy_from_slice(&bytes.to_le_bytes());
        }
        let set = self
            .runs
            .iter()
            .filter(|(number, _)| *number != NULL)
            .map(|&(number, rows)| (number, rows as usize));
        let encoding = match self.form {
            Form::Numbers => {
                let width = width_of(self.values.len());
                page.push(width as u8);
                let mut numbers = Hybrid::new(&mut page, width);
                set.for_each(|(number, rows)| numbers.push(number, rows));
                numbers.finish();
                Encoding::RLE_DICTIONARY
            }
            Form::Plain => {
                set.for_each(|(number, rows)| {
                    (0..rows).for_each(|_| self.values.append_plain(number, &mut page))
                });
                Encoding::PLAIN
            }
            Form::Bits => {
                append_bits(
                    set.flat_map(|(number, rows)| {
                        std::iter::repeat_n(self.values.is_true(number), rows)
                    }),
                    &mut page,
                );
                Encoding::PLAIN
            }
        };
        let bytes = page.len();
        chunk.data(page.into(), bytes, self.rows, encoding)
    }

    fn take_bounds(&mut self) -> Bounds {
        let mut bounds = Bounds::default();
        for (number, rows) in self.runs.drain(..) {
            match number {
                NULL => bounds.add_nulls(rows.into()),
                number => bounds.add(self.values, number, rows.into()),
            }
        }
        (self.rows, self.bytes) = (0, 0);
        bounds
    }
}

/// Booleans in plain encoding: a bit each, lowest first.
fn append_bits(bits: impl Iterator<Item = bool>, out: &mut Vec<u8>) {
    for (at, bit) in bits.enumerate() {
        if at % 8 == 0 {
            out.push(0);
        }
        if let Some(last) = out.last_mut() {
            *last |= u8::from(bit) << (at % 8);
        }
    }
}
