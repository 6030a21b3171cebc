//! `bitmap_to_array` and `bitmap_from_array`.

use super::documentation::document;
use super::input::{
    Bitmaps, Depth, as_result, bitmap_type, expect_arguments, number_type, row_count,
};
use super::output::BitmapColumn;
use super::whole::{ELEMENT, Elements, whole_type};
use arrow::array::{ArrayRef, AsArray, ListArray, UInt64Array};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field};
use datafusion::common::{exec_datafusion_err, plan_err};
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use std::sync::{Arc, LazyLock};
use tagmill_bitmap::write_sorted_u64;

const TO_ARRAY: &str = "bitmap_to_array";
const FROM_ARRAY: &str = "bitmap_from_array";

static TO_ARRAY_DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
    document(
        "The values of a bitmap as an array of UInt64, ascending; NULL for NULL, an empty array \
         for an empty bitmap.",
        "bitmap_to_array(bitmap)",
        &[("bitmap", "Portable 64-bit Roaring bytes.")],
        (
            "SELECT bitmap_to_array(bitmap_from_array([5, 1, 3]))",
            "[1, 3, 5]",
        ),
    )
});

static FROM_ARRAY_DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
    document(
        "The bitmap of an array's elements, in any order; NULL elements are skipped, NULL gives \
         NULL, an empty array an empty bitmap.",
        "bitmap_from_array(array)",
        &[("array", "An array of integers from 0 to 2^64 - 1.")],
        (
            "SELECT bitmap_cardinality(bitmap_from_array([5, 1, NULL, 5]))",
            "2",
        ),
    )
});

fn list_of(item: DataType) -> DataType {
    DataType::List(item_field(item))
}

fn item_field(item: DataType) -> Arc<Field> {
    Arc::new(Field::new_list_field(item, true))
}

/// The values of a bitmap as an array.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct BitmapToArray {
    signature: Signature,
}

impl Default for BitmapToArray {
    fn default() -> Self {
        Self {
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for BitmapToArray {
    fn name(&self) -> &str {
        TO_ARRAY
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        expect_arguments(TO_ARRAY, types, 1, 1)?;
        Ok(vec![bitmap_type(TO_ARRAY, 1, &types[0])?])
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(list_of(DataType::UInt64))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let bitmaps = Bitmaps::of_value(TO_ARRAY, 1, Depth::Everything, &args.args[0])?;
        let rows = row_count(&args.args, args.number_rows);
        let mut values = Vec::new();
        let mut ends = vec![0];
        let mut is_valid = Vec::with_capacity(rows);
        for row in 0..rows {
            let bitmap = bitmaps.get(row)?;
            is_valid.push(bitmap.is_some());
            let end = values.len() as u64 + bitmap.map_or(0, |bitmap| bitmap.cardinality());
            ends.push(i32::try_from(end).map_err(|_| too_many(row))?);
            if let Some(bitmap) = bitmap {
                bitmap.append_to(&mut values);
            }
        }
        let offsets = OffsetBuffer::new(ends.into());
        let values = Arc::new(UInt64Array::from(values));
        let list = ListArray::try_new(
            item_field(DataType::UInt64),
            offsets,
            values,
            Some(NullBuffer::from(is_valid)),
        )?;
        as_result(Arc::new(list), &args.args)
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&TO_ARRAY_DOCUMENTATION)
    }
}

#[cold]
fn too_many(row: usize) -> datafusion::error::DataFusionError {
    exec_datafusion_err!(
        "{TO_ARRAY}: row {row} of the batch: more than 2147483647 values up to here, expected \
         less; lower datafusion.execution.batch_size"
    )
}

/// The bitmap of an array's elements.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct BitmapFromArray {
    signature: Signature,
}

impl Default for BitmapFromArray {
    fn default() -> Self {
        Self {
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for BitmapFromArray {
    fn name(&self) -> &str {
        FROM_ARRAY
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        expect_arguments(FROM_ARRAY, types, 1, 1)?;
        let item = match &types[0] {
            DataType::List(item)
            | DataType::LargeList(item)
            | DataType::ListView(item)
            | DataType::LargeListView(item)
            | DataType::FixedSizeList(item, _) => {
                number_type(FROM_ARRAY, 1, item.data_type(), whole_type, ELEMENT)?
            }
            DataType::Null => DataType::UInt64,
            other => {
                return plan_err!(
                    "{FROM_ARRAY}: argument 1 is {other}, expected an array of integers"
                );
            }
        };
        Ok(vec![list_of(item)])
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(DataType::BinaryView)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let lists = args.args[0].to_array(row_count(&args.args, args.number_rows))?;
        as_result(from_lists(&lists)?, &args.args)
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&FROM_ARRAY_DOCUMENTATION)
    }
}

fn from_lists(lists: &ArrayRef) -> Result<ArrayRef> {
    let mut column = BitmapColumn::default();
    let mut values: Vec<u64> = Vec::new();
    for (row, list) in lists.as_list::<i32>().iter().enumerate() {
        column.push(|out| {
            let Some(list) = list else { return Ok(false) };
            let elements = Elements::Checked.of_column(&list).map_err(|misfit| {
                exec_datafusion_err!("{FROM_ARRAY}: argument 1, row {row} of the batch: {misfit}")
            })?;
            values.clear();
            values.extend(elements.iter().flatten());
            if !values.is_sorted_by(|a, b| a < b) {
                values.sort_unstable();
                values.dedup();
            }
            write_sorted_u64(&values, out);
            Ok(true)
        })?;
    }
    column.finish()
}
