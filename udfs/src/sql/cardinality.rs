//! `bitmap_cardinality`.

use super::documentation::document;
use super::input::{Bitmaps, Depth, as_result, bitmap_type, expect_arguments, row_count};
use arrow::array::{ArrayRef, UInt64Array};
use arrow::datatypes::DataType;
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use std::sync::{Arc, LazyLock};

const NAME: &str = "bitmap_cardinality";

static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
    document(
        "Number of values in a bitmap, as UInt64; NULL for NULL. Read from the headers: what is \
         inside the containers is neither read nor checked.",
        "bitmap_cardinality(bitmap)",
        &[("bitmap", "Portable 64-bit Roaring bytes.")],
        (
            "SELECT bitmap_cardinality(bitmap_from_array([1, 3, 5]))",
            "3",
        ),
    )
});

/// Number of values in a bitmap.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct BitmapCardinality {
    signature: Signature,
}

impl Default for BitmapCardinality {
    fn default() -> Self {
        Self {
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for BitmapCardinality {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        expect_arguments(NAME, types, 1, 1)?;
        Ok(vec![bitmap_type(NAME, 1, &types[0])?])
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(DataType::UInt64)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let bitmaps = Bitmaps::of_value(NAME, 1, Depth::Headers, &args.args[0])?;
        let rows = 0..row_count(&args.args, args.number_rows);
        let counts = rows.map(|row| Ok(bitmaps.get(row)?.map(|bitmap| bitmap.cardinality())));
        let column: ArrayRef = Arc::new(counts.collect::<Result<UInt64Array>>()?);
        as_result(column, &args.args)
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&DOCUMENTATION)
    }
}
