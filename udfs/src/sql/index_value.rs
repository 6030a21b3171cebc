//! A bit-sliced index as one value: the list of slices that `bsi_build_agg` gives, read from a row
//! and written from the numbers of its members.

use super::bsi_build_agg::slice_fields;
use super::bsi_numbers::SliceLists;
use super::input::{ReadAs, bitmap_type, number_type};
use super::row::Row;
use super::whole::{Elements, whole, whole_type};
use arrow::array::{Array, ArrayRef, AsArray, ListArray, StructArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Field, Int16Type};
use datafusion::common::plan_err;
use datafusion::error::Result;
use std::collections::BTreeMap;
use std::sync::Arc;
use tagmill_bitmap::{BitmapRef, Bsi, Slice, Width};

/// The members of an index and their numbers.
pub(super) type Numbers = BTreeMap<u64, i64>;

/// The type of an index.
pub(super) fn index_type() -> DataType {
    let item = DataType::Struct(slice_fields());
    DataType::List(Arc::new(Field::new_list_field(item, true)))
}

/// The type an argument that is an index is read as. Slices of a file may be nullable.
///
/// # Errors
/// A plan error for a type that is no list of slices and bitmaps.
pub(super) fn read_index_type(function: &str, at: usize, found: &DataType) -> Result<DataType> {
    let item = match found {
        DataType::Null => return Ok(index_type()),
        DataType::List(item) | DataType::LargeList(item) => Some(item.data_type()),
        _ => None,
    };
    if let Some(DataType::Struct(fields)) = item
        && let [slice, bitmap] = fields.as_ref()
        && whole_type(slice.data_type()).is_some()
        && bitmap_type(function, at, bitmap.data_type()).is_ok()
    {
        let field = |field: &Field, data_type| {
            Arc::new(field.clone().with_data_type(data_type).with_nullable(true))
        };
        let slices = DataType::Struct(
            vec![
                field(slice, DataType::Int16),
                field(bitmap, DataType::BinaryView),
            ]
            .into(),
        );
        return Ok(DataType::List(Arc::new(Field::new_list_field(
            slices, true,
        ))));
    }
    plan_err!(
        "{function}: argument {at} is {found}, expected a bit-sliced index: the list of slices \
         and bitmaps that bsi_build and bsi_build_agg give"
    )
}

/// The type an argument that is a map from members to numbers is read as.
///
/// # Errors
/// A plan error for another type.
pub(super) fn read_map_type(function: &str, at: usize, found: &DataType) -> Result<DataType> {
    let read: ReadAs = whole_type;
    if let DataType::Map(entries, is_sorted) = found
        && let DataType::Struct(fields) = entries.data_type()
        && let [key, value] = fields.as_ref()
    {
        let of = |field: &Arc<Field>| {
            let data_type = number_type(function, at, field.data_type(), read, "a map of integers");
            Ok::<_, datafusion::error::DataFusionError>(Arc::new(
                field.as_ref().clone().with_data_type(data_type?),
            ))
        };
        let fields = DataType::Struct(vec![of(key)?, of(value)?].into());
        let entries = Arc::new(entries.as_ref().clone().with_data_type(fields));
        return Ok(DataType::Map(entries, *is_sorted));
    }
    plan_err!("{function}: argument {at} is {found}, expected a map from integers to integers")
}

/// The index of a list of slices.
///
/// # Errors
/// What is wrong with it.
pub(super) fn index_of(slices: &ArrayRef) -> Result<Bsi, String> {
    let slices = slices
        .as_struct_opt()
        .ok_or_else(|| format!("{}, expected slices", slices.data_type()))?;
    let (numbers, bitmaps) = columns(slices).ok_or("no list of slices and bitmaps")?;
    let mut found = Vec::new();
    for (number, bytes) in numbers.iter().zip(bitmaps.iter()) {
        let (Some(number), Some(bytes)) = (number, bytes) else {
            continue;
        };
        let slice = Slice::from_number(number.into()).ok_or_else(|| {
            format!(
                "slice {number}, expected {} to {}",
                Slice::LEAST,
                Slice::MOST
            )
        })?;
        BitmapRef::parse(bytes).map_err(|defect| format!("slice {number}: {defect}"))?;
        found.push((slice, bytes.to_vec()));
    }
    Bsi::of(found).map_err(|defect| defect.to_string())
}

type Columns<'s> = (
    &'s arrow::array::PrimitiveArray<Int16Type>,
    &'s arrow::array::BinaryViewArray,
);

fn columns(slices: &StructArray) -> Option<Columns<'_>> {
    Some((
        slices.columns().first()?.as_primitive_opt()?,
        slices.columns().get(1)?.as_binary_view_opt()?,
    ))
}

/// The numbers of the members of an index.
///
/// # Errors
/// A number of more than 64 bits.
pub(super) fn numbers_of(index: &Bsi) -> Result<Numbers, String> {
    let numbers = index.numbers().map_err(|defect| defect.to_string())?;
    let checked = numbers.into_iter().map(|(member, number)| {
        i64::try_from(number)
            .map(|number| (member, number))
            .map_err(|_| format!("member {member} has {number}, expected a number of 64 bits"))
    });
    checked.collect()
}

/// The column of indices of numbers; NULL for none.
///
/// # Errors
/// Indices that are too large for a column.
pub(super) fn index_column(rows: &[Option<Numbers>]) -> Result<ArrayRef> {
    let (mut members, mut lists) = (Vec::new(), SliceLists::default());
    for numbers in rows {
        let numbers = numbers.iter().flatten();
        let width = Width::of(numbers.clone().map(|(_, number)| *number));
        members.resize(members.len().max(width.keys() as usize), Vec::new());
        for (member, number) in numbers {
            let keys = width.keys_of(*number);
            keys.for_each(|key| members[key as usize].push(*member));
        }
        lists.push(width, &mut members)?;
    }
    let lists = lists.finish()?;
    let lists = lists.as_list::<i32>();
    let is_valid: NullBuffer = rows.iter().map(Option::is_some).collect();
    let DataType::List(item) = index_type() else {
        return plan_err!("an index is a list");
    };
    Ok(Arc::new(ListArray::try_new(
        item,
        lists.offsets().clone(),
        Arc::clone(lists.values()),
        Some(is_valid),
    )?))
}

impl Row<'_> {
    /// The index.
    pub(super) fn index(&self, at: usize) -> Result<Bsi> {
        let (array, row) = self.values(at)?;
        let slices = array.as_list_opt::<i32>().map(|lists| lists.value(row));
        let slices = slices.ok_or_else(|| self.unexpected(at))?;
        index_of(&slices).map_err(|what| self.error(format_args!("argument {}: {what}", at + 1)))
    }

    /// The members of the index and their numbers.
    pub(super) fn numbers(&self, at: usize) -> Result<Numbers> {
        numbers_of(&self.index(at)?)
            .map_err(|what| self.error(format_args!("argument {}: {what}", at + 1)))
    }

    /// Whether the argument is an index.
    pub(super) fn is_index(&self, at: usize) -> bool {
        matches!(self.values(at), Ok((array, _)) if matches!(array.data_type(), DataType::List(_)))
    }

    /// The numbers of an array, in its order; NULL is refused.
    pub(super) fn number_list(&self, at: usize) -> Result<Vec<i64>> {
        let (array, row) = self.values(at)?;
        let list = array.as_list_opt::<i32>().map(|lists| lists.value(row));
        let list = list.ok_or_else(|| self.unexpected(at))?;
        (0..list.len())
            .map(|item| self.number_of(at, &list, item))
            .collect()
    }

    /// The members and numbers of a map; numbers of one member are added up.
    pub(super) fn number_map(&self, at: usize) -> Result<Numbers> {
        let (array, row) = self.values(at)?;
        let entries = array.as_map_opt().map(|maps| maps.value(row));
        let entries = entries.ok_or_else(|| self.unexpected(at))?;
        let [keys, values] = entries.columns() else {
            return Err(self.unexpected(at));
        };
        let mut numbers = Numbers::new();
        for item in 0..keys.len() {
            let member = Elements::Checked
                .of_row(keys, item)
                .map_err(|misfit| self.misfit(at, &misfit))?
                .ok_or_else(|| self.unexpected(at))?;
            let number = self.number_of(at, values, item)?;
            let sum = numbers.entry(member).or_default();
            *sum = sum.checked_add(number).ok_or_else(|| {
                self.error(format_args!(
                    "argument {}: the numbers of member {member} add up to more than 64 bits",
                    at + 1
                ))
            })?;
        }
        Ok(numbers)
    }

    /// The number at a place of a list of an argument.
    fn number_of(&self, at: usize, list: &ArrayRef, item: usize) -> Result<i64> {
        if list.is_null(item) {
            return Err(self.error(format_args!(
                "argument {} has a NULL element, expected none",
                at + 1
            )));
        }
        let number = whole(list, item).map_err(|misfit| self.misfit(at, &misfit))?;
        i64::try_from(number).map_err(|_| {
            self.error(format_args!(
                "argument {}: {number}, expected a number of 64 bits",
                at + 1
            ))
        })
    }
}
