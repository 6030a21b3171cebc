//! Record batches as rows with bitmaps: for whoever has them in columns.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{
    DataType, Date32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type,
    UInt16Type, UInt32Type, UInt64Type,
};
use parquet::errors::{ParquetError, Result};

use super::bitmap_rows::BitmapRows;
use super::cell::Cell;

/// Adds every row of `batch`, which has the artifact's columns.
///
/// # Errors
/// As [`BitmapRows::push`].
pub(super) fn push_batch(rows: &mut BitmapRows, batch: &RecordBatch) -> Result<()> {
    let (bitmap, cardinality) = (rows.keys(), rows.keys() + 1);
    if batch.num_columns() <= cardinality {
        return Ok(());
    }
    let bitmaps = batch.column(bitmap).as_binary::<i32>();
    let counts = batch.column(cardinality).as_primitive::<UInt64Type>();
    for row in 0..batch.num_rows() {
        for (place, column) in batch.columns().iter().enumerate() {
            if place != bitmap && place != cardinality {
                rows.set(place, cell(column, row)?)?;
            }
        }
        rows.push(counts.value(row), |out| {
            out.extend_from_slice(bitmaps.value(row))
        })?;
    }
    Ok(())
}

fn cell(array: &dyn Array, row: usize) -> Result<Cell<'_>> {
    if array.is_null(row) {
        return Ok(Cell::Null);
    }
    Ok(match array.data_type() {
        DataType::Utf8 => Cell::Text(array.as_string::<i32>().value(row)),
        DataType::Boolean => Cell::Bool(array.as_boolean().value(row)),
        DataType::Float64 => Cell::Double(array.as_primitive::<Float64Type>().value(row)),
        DataType::Date32 => Cell::Int(array.as_primitive::<Date32Type>().value(row).into()),
        DataType::Int8 => Cell::Int(array.as_primitive::<Int8Type>().value(row).into()),
        DataType::Int16 => Cell::Int(array.as_primitive::<Int16Type>().value(row).into()),
        DataType::Int32 => Cell::Int(array.as_primitive::<Int32Type>().value(row).into()),
        DataType::Int64 => Cell::Int(array.as_primitive::<Int64Type>().value(row)),
        DataType::UInt8 => Cell::Int(array.as_primitive::<UInt8Type>().value(row).into()),
        DataType::UInt16 => Cell::Int(array.as_primitive::<UInt16Type>().value(row).into()),
        DataType::UInt32 => Cell::Int(array.as_primitive::<UInt32Type>().value(row).into()),
        DataType::UInt64 => Cell::Int(array.as_primitive::<UInt64Type>().value(row) as i64),
        other => return Err(ParquetError::General(format!("a key of type {other}"))),
    })
}
