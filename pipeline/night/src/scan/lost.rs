//! Whether a conversion lost a value: what was there before and is null after it, unless it was
//! not-a-number. A list as a whole survives what its elements do not.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::DataType;
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use tagmill_schemas::ValueType;

use super::convert::{as_list, item_of, not_numbers};
use super::sql::value_type_of;

/// `tagmill_lost(value, converted)`: whether a value, or an element of a list, is there before and
/// not after; false for null. Not-a-number is no value of a number or a boolean.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct LostFunction {
    signature: Signature,
}

impl Default for LostFunction {
    fn default() -> Self {
        Self {
            signature: Signature::any(2, Volatility::Immutable),
        }
    }
}

impl LostFunction {
    /// The condition that `converted` lost something of `value`.
    pub fn call(value: Expr, converted: Expr) -> Expr {
        ScalarUDF::from(Self::default()).call(vec![value, converted])
    }
}

impl ScalarUDFImpl for LostFunction {
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
        let lost = lost(&arrays[0], &arrays[1])?;
        Ok(ColumnarValue::Array(Arc::new(lost)))
    }
}

/// The rows that lost something.
fn lost(before: &ArrayRef, after: &ArrayRef) -> Result<BooleanArray> {
    let none = |rows: usize| BooleanArray::from(vec![false; rows]);
    if item_of(before.data_type()).is_none() {
        return Ok(match lost_values(before, after)? {
            None => none(before.len()),
            Some(lost) => lost.into(),
        });
    }
    let (before, after) = (as_list(before)?, as_list(after)?);
    let start = |list: &arrow::array::ListArray| list.value_offsets()[0] as usize;
    let end = before.value_offsets()[before.len()] as usize;
    let elements = end - start(&before);
    let values = before.values().slice(start(&before), elements);
    let converted = after.values().slice(start(&after), elements);
    let Some(lost) = lost_values(&values, &converted)? else {
        return Ok(none(before.len()));
    };
    let first = start(&before);
    let of_row = |row: usize| {
        let offsets = before.value_offsets();
        let own = offsets[row] as usize - first..offsets[row + 1] as usize - first;
        before.is_valid(row) && lost[own].contains(&true)
    };
    Ok((0..before.len()).map(|row| Some(of_row(row))).collect())
}

/// Which values are lost; `None` when none is.
fn lost_values(before: &ArrayRef, after: &ArrayRef) -> Result<Option<Vec<bool>>> {
    let nulls = [before, after].map(|array| array.logical_nulls());
    let count = |nulls: &Option<NullBuffer>| nulls.as_ref().map_or(0, NullBuffer::null_count);
    if count(&nulls[1]) == count(&nulls[0]) {
        return Ok(None);
    }
    let is_null = |nulls: &Option<NullBuffer>, row: usize| {
        nulls.as_ref().is_some_and(|nulls| nulls.is_null(row))
    };
    let takes_none = matches!(
        value_type_of(after.data_type()),
        Some(ValueType::Integer | ValueType::Double | ValueType::Boolean)
    ) || before.data_type().is_floating();
    let nothing = match takes_none {
        true => not_numbers(before)?,
        false => None,
    };
    let is_lost = |row: usize| {
        is_null(&nulls[1], row)
            && !is_null(&nulls[0], row)
            && !nothing.as_ref().is_some_and(|nothing| nothing[row])
    };
    Ok(Some((0..before.len()).map(is_lost).collect()))
}
