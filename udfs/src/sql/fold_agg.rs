//! `bitmap_and_agg` and `bitmap_xor_agg`.

use super::documentation::document;
use super::fold_state::{Combine, FoldGroups, FoldSet};
use super::input::{bitmap_type, expect_arguments};
use super::set_aggregate::state_field;
use arrow::datatypes::{DataType, FieldRef};
use datafusion::error::Result;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDFImpl, Documentation, GroupsAccumulator, Signature, Volatility,
};
use std::sync::LazyLock;
use tagmill_bitmap::{and, xor};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Operation {
    And,
    Xor,
}

static AND: LazyLock<Documentation> = LazyLock::new(|| {
    document(
        "The values that are in every bitmap of a group. NULLs are skipped; without a bitmap that \
         is not NULL the result is NULL.",
        "bitmap_and_agg(bitmap)",
        &[("bitmap", "Portable 64-bit Roaring bytes.")],
        (
            "SELECT bitmap_to_array(bitmap_and_agg(bitmap_from_array(v))) FROM (VALUES ([1, 3]), \
             ([3, 7])) AS t(v)",
            "[3]",
        ),
    )
});

static XOR: LazyLock<Documentation> = LazyLock::new(|| {
    document(
        "The values that are in an odd number of a group's bitmaps. NULLs are skipped; without a \
         bitmap that is not NULL the result is NULL.",
        "bitmap_xor_agg(bitmap)",
        &[("bitmap", "Portable 64-bit Roaring bytes.")],
        (
            "SELECT bitmap_to_array(bitmap_xor_agg(bitmap_from_array(v))) FROM (VALUES ([1, 3]), \
             ([3, 7])) AS t(v)",
            "[1, 7]",
        ),
    )
});

/// The intersection, or the exclusive or, of the bitmaps of a group.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct BitmapFoldAgg {
    operation: Operation,
    signature: Signature,
}

impl BitmapFoldAgg {
    /// `bitmap_and_agg`.
    pub(super) fn and() -> Self {
        Self {
            operation: Operation::And,
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }

    /// `bitmap_xor_agg`.
    pub(super) fn xor() -> Self {
        Self {
            operation: Operation::Xor,
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }
}

impl Operation {
    fn name(self) -> &'static str {
        match self {
            Self::And => "bitmap_and_agg",
            Self::Xor => "bitmap_xor_agg",
        }
    }

    fn combine(self) -> Combine {
        match self {
            Self::And => and,
            Self::Xor => xor,
        }
    }
}

impl AggregateUDFImpl for BitmapFoldAgg {
    fn name(&self) -> &str {
        self.operation.name()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        expect_arguments(self.name(), types, 1, 1)?;
        Ok(vec![bitmap_type(self.name(), 1, &types[0])?])
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(DataType::BinaryView)
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        Ok(state_field(self.name(), &args))
    }

    fn accumulator(&self, _args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(FoldSet::new(
            self.operation.name(),
            self.operation.combine(),
        )))
    }

    fn groups_accumulator_supported(&self, _args: AccumulatorArgs<'_>) -> bool {
        true
    }

    fn create_groups_accumulator(
        &self,
        _args: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(FoldGroups::new(
            self.operation.name(),
            self.operation.combine(),
        )))
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(match self.operation {
            Operation::And => &AND,
            Operation::Xor => &XOR,
        })
    }
}
