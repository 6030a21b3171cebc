//! One Parquet file of a table: a row group per chunk, zstd level 1, no arrow schema inside. Reads
//! a table, writes a file.

use std::fs::{self, File};
use std::ops::Range;
use std::path::{Path, PathBuf};

use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use crate::table::{Place, Table};
use crate::{Error, Written};

/// Columns without a dictionary: nearly every value is its own.
const LONG_COLUMNS: [&str; 4] = ["openid", "uid", "event_id", "ts"];

/// A file to write: its chunks are positions of one day and hour.
pub struct FileTask<'a> {
    /// Where it goes.
    pub path: PathBuf,
    /// The table it is a part of.
    pub table: &'a dyn Table,
    /// Day number.
    pub day: u32,
    /// Local hour.
    pub hour: u32,
    /// All positions of the day.
    pub count: u64,
    /// Positions of each row group.
    pub chunks: Vec<Range<u64>>,
}

impl FileTask<'_> {
    /// Writes the file.
    ///
    /// # Errors
    /// When the file can not be created or written.
    pub fn write(&self) -> Result<Written, Error> {
        create_parent(&self.path)?;
        let file = File::create(&self.path).map_err(|e| Error::io(&self.path, e))?;
        let options = ArrowWriterOptions::new()
            .with_properties(properties()?)
            .with_skip_arrow_metadata(true);
        let mut writer = ArrowWriter::try_new_with_options(file, self.table.schema(), options)?;
        let mut rows = 0;
        for positions in &self.chunks {
            let place = Place {
                day: self.day,
                hour: self.hour,
                positions: positions.clone(),
                count: self.count,
            };
            let batch = self.table.batch(&place)?;
            rows += batch.num_rows() as u64;
            writer.write(&batch)?;
            writer.flush()?;
        }
        writer.close()?;
        let bytes = fs::metadata(&self.path)
            .map_err(|e| Error::io(&self.path, e))?
            .len();
        Ok(Written {
            files: 1,
            rows,
            bytes,
        })
    }
}

/// Makes the folder a file goes to.
///
/// # Errors
/// When it can not be made.
pub fn create_parent(path: &Path) -> Result<(), Error> {
    match path.parent() {
        Some(parent) => fs::create_dir_all(parent).map_err(|e| Error::io(parent, e)),
        None => Ok(()),
    }
}

fn properties() -> Result<WriterProperties, Error> {
    let builder = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
        .set_created_by("tagmill-testdata".to_owned());
    Ok(LONG_COLUMNS
        .iter()
        .fold(builder, |b, column| {
            b.set_column_dictionary_enabled((*column).into(), false)
        })
        .build())
}
