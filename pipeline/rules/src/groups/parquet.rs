//! Rows of a Parquet file as JSON objects. Columns of nested types are left out: no registry has
//! one.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::{can_cast_types, cast};
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use arrow::error::ArrowError;
use bytes::Bytes;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Map, Value as Json};
use tagmill_schemas::{Error, Result};

use super::Take;

pub(super) fn read(file: &str, bytes: &[u8], take: &mut Take<'_>) -> Result<()> {
    let refuse = |cause: Box<dyn std::error::Error + Send + Sync>| {
        Error::refused("registry", "can not read the Parquet file")
            .at(file)
            .because(cause)
    };
    let reader = ParquetRecordBatchReaderBuilder::try_new(Bytes::copy_from_slice(bytes))
        .map_err(|error| refuse(error.into()))?;
    let mut line = 0;
    for batch in reader.build().map_err(|error| refuse(error.into()))? {
        let rows = objects(&batch.map_err(|error| refuse(error.into()))?)
            .map_err(|error| refuse(error.into()))?;
        for row in rows {
            line += 1;
            take(line, Ok(row));
        }
    }
    Ok(())
}

fn objects(batch: &RecordBatch) -> std::result::Result<Vec<Map<String, Json>>, ArrowError> {
    let mut rows = vec![Map::new(); batch.num_rows()];
    let schema = batch.schema();
    for (field, column) in schema.fields().iter().zip(batch.columns()) {
        let Some(column) = simple(column)? else {
            continue;
        };
        for (index, row) in rows
            .iter_mut()
            .enumerate()
            .filter(|(index, _)| column.is_valid(*index))
        {
            row.insert(field.name().clone(), cell(&column, index));
        }
    }
    Ok(rows)
}

/// The column as booleans, numbers of 64 bits or text; dates and times are text already. A number
/// that is none is an absent key, as pandas writes it.
fn simple(column: &ArrayRef) -> std::result::Result<Option<ArrayRef>, ArrowError> {
    match column.data_type() {
        DataType::Boolean => Ok(Some(column.clone())),
        DataType::UInt64 => cast(column, &DataType::Utf8).map(Some),
        integer if integer.is_integer() => cast(column, &DataType::Int64).map(Some),
        float if float.is_floating() => cast(column, &DataType::Float64).map(Some),
        nested if nested.is_nested() => Ok(None),
        other if can_cast_types(other, &DataType::Utf8) => cast(column, &DataType::Utf8).map(Some),
        _ => Ok(None),
    }
}

fn cell(column: &ArrayRef, index: usize) -> Json {
    match column.data_type() {
        DataType::Boolean => Json::Bool(column.as_boolean().value(index)),
        DataType::Int64 => Json::from(column.as_primitive::<Int64Type>().value(index)),
        DataType::Float64 => match column.as_primitive::<Float64Type>().value(index) {
            infinite if infinite.is_infinite() => Json::from(infinite.to_string()),
            number => Json::from(number),
        },
        _ => Json::from(column.as_string::<i32>().value(index)),
    }
}
