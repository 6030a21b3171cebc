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
    let (keys, rest) = batch.columns().split_at(rows.keys());
    let [bitmaps, counts @ ..] = rest else {
        return Ok(());
    };
    let bitmaps = bitmaps.as_binary::<i32>();
    for row in 0..batch.num_rows() {
        for (at, key) in keys.iter().enumerate() {
            rows.set(at, [cell(key, row)?])?;
        }
        let count = |column: &dyn Array| column.as_primitive::<UInt64Type>().value(row);
        let write = |out: &mut Vec<u8>| out.extend_from_slice(bitmaps.value(row));
        match counts {
            [one] => rows.push([count(one)], write)?,
            [one, two, three] => rows.push([count(one), count(two), count(three)], write)?,
            other => {
                return Err(ParquetError::General(format!(
                    "{} columns behind the bitmap",
                    other.len()
                )));
            }
        }
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
