//! `bsi_build_agg`: the slices of a bit-sliced index from rows of a member and a number.

use super::bsi_numbers::{NumberGroups, NumberSet};
use super::documentation::document;
use super::input::{expect_arguments, number_type};
use super::rule_agg::constant;
use super::whole::{ELEMENT, whole_type};
use arrow::datatypes::{DataType, Field, FieldRef, Fields};
use datafusion::common::plan_err;
use datafusion::error::Result;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::format_state_name;
use datafusion::logical_expr::{
    Accumulator, AggregateUDFImpl, Documentation, GroupsAccumulator, Signature, Volatility,
};
use datafusion::scalar::ScalarValue;
use std::sync::{Arc, LazyLock};

pub(super) const NAME: &str = "bsi_build_agg";

static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
    document(
        "The slices of a bit-sliced index, as an array of structs of slice and bitmap: what the \
         other bsi_ aggregates take. Slice -1 has the members; \
         slices without members are left out. Numbers below zero are in two's complement, see \
         bsi_sum_agg. Numbers of one member are added up. Rows with a NULL are skipped; an empty \
         array without rows. A number below an offset that is given is an error.",
        "bsi_build_agg(member, number[, offset])",
        &[
            ("member", "An integer, read as UInt64."),
            ("number", "An integer."),
            (
                "offset",
                "A constant that is subtracted from the numbers, so that none is below zero.",
            ),
        ],
        (
            "SELECT s['slice'] AS slice, bitmap_to_array(s['bitmap']) FROM (SELECT \
             unnest(bsi_build_agg(m, n)) AS s FROM (VALUES (1, 5), (2, 6)) AS t(m, n)) \
             ORDER BY slice",
            "-1 [1, 2]\n0 [1]\n1 [2]\n2 [1, 2]",
        ),
    )
});

/// What the result is a list of.
pub(super) fn slice_fields() -> Fields {
    Fields::from(vec![
        Field::new("slice", DataType::Int16, false),
        Field::new("bitmap", DataType::BinaryView, true),
    ])
}

fn list_of(item: DataType) -> DataType {
    DataType::List(Arc::new(Field::new_list_field(item, true)))
}

/// The slices of a bit-sliced index.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct BsiBuildAgg {
    signature: Signature,
}

impl Default for BsiBuildAgg {
    fn default() -> Self {
        Self {
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }
}

impl AggregateUDFImpl for BsiBuildAgg {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        expect_arguments(NAME, types, 2, 3)?;
        let numbers = types[1..]
            .iter()
            .enumerate()
            .map(|(at, found)| number_type(NAME, at + 2, found, whole_type, "an integer"));
        let member = number_type(NAME, 1, &types[0], whole_type, ELEMENT);
        std::iter::once(member).chain(numbers).collect()
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(list_of(DataType::Struct(slice_fields())))
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let field = |name, item| {
            Arc::new(Field::new(
                format_state_name(args.name, name),
                list_of(item),
                true,
            ))
        };
        Ok(vec![
            field("members", DataType::UInt64),
            field("numbers", DataType::Int64),
        ])
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(NumberSet::new(offset(&args)?)))
    }

    fn groups_accumulator_supported(&self, _args: AccumulatorArgs<'_>) -> bool {
        true
    }

    fn create_groups_accumulator(
        &self,
        args: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(NumberGroups::new(offset(&args)?)))
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&DOCUMENTATION)
    }
}

/// What is subtracted from the numbers, if anything is said of it.
fn offset(args: &AccumulatorArgs<'_>) -> Result<Option<i64>> {
    if args.exprs.len() == 2 {
        return Ok(None);
    }
    match constant(NAME, args, 2)? {
        ScalarValue::Int64(Some(offset)) => Ok(Some(offset)),
        other => plan_err!("{NAME}: argument 3 is {other}, expected an integer"),
    }
}
