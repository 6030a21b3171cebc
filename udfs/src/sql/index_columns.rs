//! Columns of what functions of a bit-sliced index give: numbers, pairs of a member and its number,
//! maps.

use super::index_value::Numbers;
use arrow::array::{
    Array, ArrayRef, Decimal128Array, Int64Array, ListArray, MapArray, StructArray, UInt64Array,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field, Fields};
use datafusion::error::Result;
use std::sync::Arc;

/// A sum of numbers.
pub(super) const DECIMAL: DataType = DataType::Decimal128(38, 0);
/// A member or a number.
pub(super) const PART: DataType = DataType::Decimal128(20, 0);

/// A list of a type.
pub(super) fn list_of(item: DataType) -> DataType {
    DataType::List(Arc::new(Field::new_list_field(item, true)))
}

/// A map from members to numbers.
pub(super) fn map_type() -> DataType {
    DataType::Map(Arc::new(entries()), false)
}

fn entry_fields() -> Fields {
    Fields::from(vec![
        Field::new("key", DataType::UInt64, false),
        Field::new("value", DataType::Int64, true),
    ])
}

fn entries() -> Field {
    Field::new("entries", DataType::Struct(entry_fields()), false)
}

/// Decimals of a type of this module.
///
/// # Errors
/// None; numbers have fewer digits.
pub(super) fn decimals(
    numbers: impl IntoIterator<Item = Option<i128>>,
    data_type: DataType,
) -> Result<ArrayRef> {
    let numbers: Decimal128Array = numbers.into_iter().collect();
    Ok(Arc::new(numbers.with_data_type(data_type)))
}

/// A list a row; NULL for none.
fn lists(values: ArrayRef, lengths: &[Option<usize>]) -> Result<ArrayRef> {
    let item = Arc::new(Field::new_list_field(values.data_type().clone(), true));
    let offsets = OffsetBuffer::from_lengths(lengths.iter().map(|length| length.unwrap_or(0)));
    let is_valid: NullBuffer = lengths.iter().map(Option::is_some).collect();
    Ok(Arc::new(ListArray::try_new(
        item,
        offsets,
        values,
        Some(is_valid),
    )?))
}

/// The numbers of each row as a list.
///
/// # Errors
/// None for fewer than 2^31 numbers.
pub(super) fn number_lists(rows: &[Option<Vec<i128>>]) -> Result<ArrayRef> {
    let lengths: Vec<Option<usize>> = rows.iter().map(|row| row.as_ref().map(Vec::len)).collect();
    let numbers = rows.iter().flatten().flatten().copied().map(Some);
    lists(decimals(numbers, DECIMAL)?, &lengths)
}

fn lengths(rows: &[Option<Numbers>]) -> Vec<Option<usize>> {
    let lengths = rows.iter().map(|row| row.as_ref().map(Numbers::len));
    lengths.collect()
}

/// The members and their numbers of each row as a list of lists of two.
///
/// # Errors
/// None for fewer than 2^30 members.
pub(super) fn pair_lists(rows: &[Option<Numbers>]) -> Result<ArrayRef> {
    let numbers = || rows.iter().flatten().flatten();
    let parts = numbers()
        .flat_map(|(member, number)| [i128::from(*member), i128::from(*number)])
        .map(Some);
    let pairs = vec![Some(2); numbers().count()];
    lists(lists(decimals(parts, PART)?, &pairs)?, &lengths(rows))
}

/// The members and their numbers of each row as a map.
///
/// # Errors
/// None for fewer than 2^31 members.
pub(super) fn maps(rows: &[Option<Numbers>]) -> Result<ArrayRef> {
    let numbers = || rows.iter().flatten().flatten();
    let columns: Vec<ArrayRef> = vec![
        Arc::new(UInt64Array::from_iter_values(
            numbers().map(|(member, _)| *member),
        )),
        Arc::new(Int64Array::from_iter_values(
            numbers().map(|(_, number)| *number),
        )),
    ];
    let lengths = lengths(rows);
    let offsets = OffsetBuffer::from_lengths(lengths.iter().map(|length| length.unwrap_or(0)));
    let is_valid: NullBuffer = lengths.iter().map(Option::is_some).collect();
    Ok(Arc::new(MapArray::try_new(
        Arc::new(entries()),
        offsets,
        StructArray::try_new(entry_fields(), columns, None)?,
        Some(is_valid),
        false,
    )?))
}
