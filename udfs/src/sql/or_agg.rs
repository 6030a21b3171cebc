//! `bitmap_or_agg`.

use super::documentation::document;
use super::input::{bitmap_type, expect_arguments};
use super::set_aggregate::state_field;
use super::union_state::{Input, UnionGroups, UnionSet};
use arrow::datatypes::{DataType, FieldRef};
use datafusion::error::Result;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDFImpl, Documentation, GroupsAccumulator, Signature, Volatility,
};
use std::sync::LazyLock;

const NAME: &str = "bitmap_or_agg";

static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
    document(
        "The values that are in any bitmap of a group. NULLs are skipped; without a bitmap that \
         is not NULL the result is NULL.",
        "bitmap_or_agg(bitmap)",
        &[("bitmap", "Portable 64-bit Roaring bytes.")],
        (
            "SELECT bitmap_to_array(bitmap_or_agg(bitmap_from_array(v))) FROM (VALUES ([1, 3]), \
             ([3, 7])) AS t(v)",
            "[1, 3, 7]",
        ),
    )
});

/// The values that are in any bitmap of a group.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct BitmapOrAgg {
    signature: Signature,
}

impl Default for BitmapOrAgg {
    fn default() -> Self {
        Self {
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }
}

impl AggregateUDFImpl for BitmapOrAgg {
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
        Ok(DataType::BinaryView)
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        Ok(state_field(NAME, &args))
    }

    fn accumulator(&self, _args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(UnionSet::new(NAME, Input::Bitmaps)))
    }

    fn groups_accumulator_supported(&self, _args: AccumulatorArgs<'_>) -> bool {
        true
    }

    fn create_groups_accumulator(
        &self,
        _args: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(UnionGroups::new(NAME, Input::Bitmaps)))
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&DOCUMENTATION)
    }
}
