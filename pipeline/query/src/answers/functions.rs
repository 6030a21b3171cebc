//! Functions that the views are made of, and no statement names.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Decimal128Array};
use arrow::datatypes::{DataType, Int16Type, Int64Type};
use datafusion::common::exec_datafusion_err;
use datafusion::error::Result;
use datafusion::logical_expr::{
    AggregateUDF, ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};
use datafusion::prelude::SessionContext;

use super::totals::UserTotals;

/// Registers them in the session of a release.
pub(super) fn register(ctx: &SessionContext) {
    ctx.register_udf(ScalarUDF::from(SliceWeight {
        signature: Signature::exact(
            vec![DataType::Int16, DataType::Int64],
            Volatility::Immutable,
        ),
    }));
    ctx.register_udaf(AggregateUDF::from(UserTotals::default()));
}

/// The slice of the users that have a value.
const EXISTS: i16 = -1;
/// Of weights: the greatest is 2^63, and sums of many users have room.
pub(super) const WEIGHT: DataType = DataType::Decimal128(38, 0);

/// What a user in a slice has more of the scaled number: `2^i` in slice i, `-2^i` in slice -2 - i,
/// the offset of files that have one in slice -1.
#[derive(Debug, PartialEq, Eq, Hash)]
struct SliceWeight {
    signature: Signature,
}

impl ScalarUDFImpl for SliceWeight {
    fn name(&self) -> &'static str {
        "slice_weight"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(WEIGHT)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let read = || exec_datafusion_err!("slice_weight: expected a slice and an offset");
        let [slices, offsets] = arrays.as_slice() else {
            return Err(read());
        };
        let slices = slices.as_primitive_opt::<Int16Type>().ok_or_else(read)?;
        let offsets = offsets.as_primitive_opt::<Int64Type>().ok_or_else(read)?;
        let weights = slices.iter().zip(offsets).map(|(slice, offset)| {
            let slice = slice?;
            Some(weight(slice, offset.unwrap_or_default()))
        });
        let weights: Decimal128Array = weights.collect();
        let weights: ArrayRef = Arc::new(weights.with_data_type(WEIGHT));
        Ok(ColumnarValue::Array(weights))
    }
}

fn weight(slice: i16, offset: i64) -> i128 {
    match slice {
        EXISTS => i128::from(offset),
        0.. => 1_i128 << slice.min(100),
        _ => -(1_i128 << (-2 - slice).min(100)),
    }
}
