//! `bitmap_contains`.

use super::documentation::document;
use super::input::{
    Bitmaps, Depth, as_result, bitmap_type, expect_arguments, number_type, row_count,
};
use super::whole::{ELEMENT, Elements, whole_type};
use arrow::array::{Array, ArrayRef, BooleanArray};
use arrow::datatypes::DataType;
use datafusion::common::exec_datafusion_err;
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use std::sync::{Arc, LazyLock};

const NAME: &str = "bitmap_contains";

static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
    document(
        "Whether a value is in a bitmap; NULL if either is NULL.",
        "bitmap_contains(bitmap, value)",
        &[
            ("bitmap", "Portable 64-bit Roaring bytes."),
            ("value", "An integer from 0 to 2^64 - 1."),
        ],
        (
            "SELECT bitmap_contains(bitmap_from_array([1, 3, 5]), 3)",
            "true",
        ),
    )
});

/// Whether a value is in a bitmap.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct BitmapContains {
    signature: Signature,
}

impl Default for BitmapContains {
    fn default() -> Self {
        Self {
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for BitmapContains {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        expect_arguments(NAME, types, 2, 2)?;
        Ok(vec![
            bitmap_type(NAME, 1, &types[0])?,
            number_type(NAME, 2, &types[1], whole_type, ELEMENT)?,
        ])
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let bitmaps = Bitmaps::of_value(NAME, 1, Depth::Everything, &args.args[0])?;
        let rows = row_count(&args.args, args.number_rows);
        let values = args.args[1].to_array(rows)?;
        let values = Elements::Checked.of_column(&values).map_err(|misfit| {
            exec_datafusion_err!(
                "{NAME}: argument 2, row {} of the batch: {misfit}",
                misfit.row
            )
        })?;
        let answers = (0..rows).map(|row| {
            let bitmap = bitmaps.get(row)?;
            Ok(bitmap
                .filter(|_| values.is_valid(row))
                .map(|bitmap| bitmap.contains(values.value(row))))
        });
        let column: ArrayRef = Arc::new(answers.collect::<Result<BooleanArray>>()?);
        as_result(column, &args.args)
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&DOCUMENTATION)
    }
}
