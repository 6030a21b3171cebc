//! Arrow columns from row values. Words of a small vocabulary become dictionaries: Parquet stores
//! them as plain strings. Reads rows, writes arrays.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, DictionaryArray, Int32Array, StringArray, StringBuilder, TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Field, Int32Type, TimeUnit};

use crate::Error;
use crate::defect::Defect;
use crate::openid::LENGTH;
use crate::population::Population;

/// A nullable column of words.
pub fn word_field(name: &str) -> Field {
    Field::new(
        name,
        DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)),
        true,
    )
}

/// A nullable column of free text.
pub fn text_field(name: &str) -> Field {
    Field::new(name, DataType::Utf8, true)
}

/// A nullable column of instants in UTC, in microseconds.
pub fn time_field(name: &str) -> Field {
    Field::new(
        name,
        DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        true,
    )
}

/// Words by index; `None` is null.
///
/// # Errors
/// When an index lies outside `words`.
pub fn words<S: AsRef<str>>(
    words: &[S],
    indices: impl Iterator<Item = Option<u32>>,
) -> Result<ArrayRef, Error> {
    let keys: Int32Array = indices.map(|index| index.map(|i| i as i32)).collect();
    let values = StringArray::from_iter_values(words);
    Ok(Arc::new(DictionaryArray::<Int32Type>::try_new(
        keys,
        Arc::new(values),
    )?))
}

/// Instants in microseconds since 1970 in UTC.
pub fn times(values: impl Iterator<Item = Option<i64>>) -> ArrayRef {
    Arc::new(
        values
            .collect::<TimestampMicrosecondArray>()
            .with_timezone("UTC"),
    )
}

/// Ids of users, spoiled where the row's defect is one of ids.
pub fn ids(
    population: &Population,
    rows: impl ExactSizeIterator<Item = (u64, Option<Defect>)>,
) -> ArrayRef {
    let mut builder = StringBuilder::with_capacity(rows.len(), rows.len() * LENGTH);
    let mut bytes = [0; LENGTH];
    for (user, defect) in rows {
        match defect {
            Some(Defect::NullUser) => builder.append_null(),
            Some(Defect::EmptyUser) => builder.append_value(""),
            Some(Defect::UnknownUser) => builder.append_value("unknown"),
            _ => {
                population.write_id(user, &mut bytes);
                builder.append_value(std::str::from_utf8(&bytes).unwrap_or_default());
            }
        }
    }
    Arc::new(builder.finish())
}
