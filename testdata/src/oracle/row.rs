//! Rows of Parquet files by column name, through arrow's own reader. Reads files, writes nothing.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{
    DataType, Date32Type, Float64Type, Int32Type, Int64Type, TimeUnit, TimestampMicrosecondType,
};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::Error;

/// One cell.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// No value.
    Null,
    /// Text.
    Text(String),
    /// Any whole number; days of a date; microseconds of an instant.
    Whole(i64),
    /// A float.
    Float(f64),
    /// true or false.
    Truth(bool),
    /// Text by text.
    Pairs(BTreeMap<String, Option<String>>),
}

impl Cell {
    /// The text, if it is one.
    pub fn text(self) -> Option<String> {
        if let Self::Text(text) = self {
            Some(text)
        } else {
            None
        }
    }

    /// The whole number, if it is one.
    pub fn whole(&self) -> Option<i64> {
        if let Self::Whole(number) = self {
            Some(*number)
        } else {
            None
        }
    }
}

/// One row of a batch.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    batch: &'a RecordBatch,
    index: usize,
}

impl Row<'_> {
    /// The cell of a column.
    ///
    /// # Errors
    /// When there is no such column, or of a type that generated data never has.
    pub fn cell(&self, name: &str) -> Result<Cell, Error> {
        let column = self
            .batch
            .column_by_name(name)
            .ok_or_else(|| Error::Data(name.to_owned(), "no such column".to_owned()))?;
        cell(column, self.index).ok_or_else(|| {
            Error::Data(
                name.to_owned(),
                format!("unexpected type {}", column.data_type()),
            )
        })
    }
}

/// Hands every row of every Parquet file below `folder` to `visit`; a folder that is not there has
/// none.
///
/// # Errors
/// When a file can not be read, or `visit` fails.
pub fn for_each_row(
    folder: &Path,
    mut visit: impl FnMut(Row<'_>) -> Result<(), Error>,
) -> Result<(), Error> {
    for path in parquet_files(folder)? {
        let file = File::open(&path).map_err(|e| Error::io(&path, e))?;
        for batch in ParquetRecordBatchReaderBuilder::try_new(file)?.build()? {
            let batch = batch?;
            (0..batch.num_rows()).try_for_each(|index| {
                visit(Row {
                    batch: &batch,
                    index,
                })
            })?;
        }
    }
    Ok(())
}

/// All Parquet files below a folder, sorted by path.
///
/// # Errors
/// When a folder can not be listed.
pub fn parquet_files(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut found = Vec::new();
    let mut open = if folder.is_dir() {
        vec![folder.to_path_buf()]
    } else {
        Vec::new()
    };
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).map_err(|e| Error::io(&folder, e))? {
            let path = entry.map_err(|e| Error::io(&folder, e))?.path();
            if path.is_dir() {
                open.push(path);
            } else if path
                .extension()
                .is_some_and(|extension| extension == "parquet")
            {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

fn cell(column: &dyn Array, index: usize) -> Option<Cell> {
    if column.is_null(index) {
        return Some(Cell::Null);
    }
    Some(match column.data_type() {
        DataType::Utf8 => Cell::Text(column.as_string::<i32>().value(index).to_owned()),
        DataType::Int32 => Cell::Whole(i64::from(column.as_primitive::<Int32Type>().value(index))),
        DataType::Int64 => Cell::Whole(column.as_primitive::<Int64Type>().value(index)),
        DataType::Date32 => {
            Cell::Whole(i64::from(column.as_primitive::<Date32Type>().value(index)))
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => Cell::Whole(
            column
                .as_primitive::<TimestampMicrosecondType>()
                .value(index),
        ),
        DataType::Float64 => Cell::Float(column.as_primitive::<Float64Type>().value(index)),
        DataType::Boolean => Cell::Truth(column.as_boolean().value(index)),
        DataType::Map(_, _) => {
            let entries = column.as_map().value(index);
            let (keys, values) = (
                entries.column(0).as_string::<i32>(),
                entries.column(1).as_string::<i32>(),
            );
            Cell::Pairs(
                keys.iter()
                    .flatten()
                    .map(str::to_owned)
                    .zip(values.iter().map(|v| v.map(str::to_owned)))
                    .collect(),
            )
        }
        _ => return None,
    })
}
