//! Whether a cast lost elements of a list: a list as a whole survives what its elements do not.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, ListArray};
use arrow::buffer::NullBuffer;
use arrow::compute::cast;
use arrow::datatypes::DataType;
use datafusion::common::exec_datafusion_err;
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};

/// `tagmill_lost(list, cast)`: whether more elements are null in the cast than in the list; false
/// for a null list.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct LostElements {
    signature: Signature,
}

impl Default for LostElements {
    fn default() -> Self {
        Self {
            signature: Signature::any(2, Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for LostElements {
    fn name(&self) -> &'static str {
        "tagmill_lost"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let (before, after) = (as_list(&arrays[0])?, as_list(&arrays[1])?);
        let nulls = [&before, &after].map(|list| list.values().logical_nulls());
        let count = |list: &ListArray, nulls: &Option<NullBuffer>, row: usize| {
            let start = list.value_offsets()[row] as usize;
            nulls.as_ref().map_or(0, |nulls| {
                nulls
                    .slice(start, list.value_length(row) as usize)
                    .null_count()
            })
        };
        let lost = |row: usize| {
            before.is_valid(row) && count(&after, &nulls[1], row) > count(&before, &nulls[0], row)
        };
        let any = nulls[1].is_some();
        Ok(ColumnarValue::Array(Arc::new(
            (0..before.len())
                .map(|row| Some(any && lost(row)))
                .collect::<BooleanArray>(),
        )))
    }
}

/// A list of any kind as one of 32-bit offsets, its elements as they are.
fn as_list(array: &ArrayRef) -> Result<ListArray> {
    let item = match array.data_type() {
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item)
        | DataType::FixedSizeList(item, _) => item,
        other => {
            return Err(exec_datafusion_err!(
                "tagmill_lost: found {other}, expected a list"
            ));
        }
    };
    Ok(cast(array, &DataType::List(Arc::clone(item)))?
        .as_list::<i32>()
        .clone())
}
