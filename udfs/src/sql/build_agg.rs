//! `bitmap_build_agg`.

use super::documentation::document;
use super::input::{element_type, expect_arguments};
use super::union_state::{Input, UnionGroups, UnionSet};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::error::Result;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::format_state_name;
use datafusion::logical_expr::{
    Accumulator, AggregateUDFImpl, Documentation, GroupsAccumulator, Signature, Volatility,
};
use std::sync::{Arc, LazyLock};

const NAME: &str = "bitmap_build_agg";

static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
    document(
        "The set of the values of a group. NULLs are skipped; without a value that is not NULL \
         the result is NULL, as for sum.",
        "bitmap_build_agg(value)",
        &[("value", "An integer, read as UInt64.")],
        (
            "SELECT bitmap_to_array(bitmap_build_agg(v)) FROM (VALUES (5), (1), (5), (NULL)) AS \
             t(v)",
            "[1, 5]",
        ),
    )
});

/// The set of the values of a group.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct BitmapBuildAgg {
    signature: Signature,
}

impl Default for BitmapBuildAgg {
    fn default() -> Self {
        Self {
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }
}

/// The state of every bitmap aggregate: a bitmap.
pub(super) fn state_field(function: &str, args: &StateFieldsArgs<'_>) -> Vec<FieldRef> {
    vec![Arc::new(Field::new(
        format_state_name(args.name, function),
        DataType::BinaryView,
        true,
    ))]
}

impl AggregateUDFImpl for BitmapBuildAgg {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        expect_arguments(NAME, types, 1, 1)?;
        Ok(vec![element_type(NAME, 1, &types[0])?])
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(DataType::BinaryView)
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        Ok(state_field(NAME, &args))
    }

    fn accumulator(&self, _args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(UnionSet::new(NAME, Input::Values)))
    }

    fn groups_accumulator_supported(&self, _args: AccumulatorArgs<'_>) -> bool {
        true
    }

    fn create_groups_accumulator(
        &self,
        _args: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(UnionGroups::new(NAME, Input::Values)))
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&DOCUMENTATION)
    }
}
