//! `bsi_build_agg`: the slices of a bit-sliced index from rows of a member and a number.

use super::documentation::document;
use super::input::{element_type, expect_arguments};
use super::output::BitmapColumn;
use super::rule_agg::constant;
use crate::bitmap::{SLICES_MOST, write_sorted_u64};
use arrow::array::{ArrayRef, AsArray, Int16Array, Int64Array, ListArray, StructArray, UInt64Array};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Int64Type, UInt64Type};
use datafusion::common::{exec_datafusion_err, plan_err};
use datafusion::error::Result;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::format_state_name;
use datafusion::logical_expr::{Accumulator, AggregateUDFImpl, Documentation, Signature, Volatility};
use datafusion::scalar::ScalarValue;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

const NAME: &str = "bsi_build_agg";

static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
    document(
        "The slices of a bit-sliced index, as an array of structs of slice and bitmap: what the other bsi_ aggregates take. Slice -1 has the members; \
         slices without members are left out. Numbers of one member are added up. Rows with a NULL are skipped; an empty array without rows. A number below the \
         offset is an error.",
        "bsi_build_agg(member, number[, offset])",
        &[
            ("member", "An integer, read as UInt64."),
            ("number", "An integer."),
            ("offset", "A constant that is subtracted from the numbers; 0 if it is missing."),
        ],
        (
            "SELECT s['slice'] AS slice, bitmap_to_array(s['bitmap']) FROM (SELECT unnest(bsi_build_agg(m, n)) AS s FROM (VALUES (1, 5), (2, 6)) AS t(m, n)) \
             ORDER BY slice",
            "-1 [1, 2]\n0 [1]\n1 [2]\n2 [1, 2]",
        ),
    )
});

fn fields() -> Fields {
    Fields::from(vec![Field::new("slice", DataType::Int16, false), Field::new("bitmap", DataType::BinaryView, true)])
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
        Self { signature: Signature::user_defined(Volatility::Immutable) }
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
        let numbers = types[1..].iter().enumerate().map(|(at, found)| match found {
            found if found.is_integer() || *found == DataType::Null => Ok(DataType::Int64),
            found => plan_err!("{NAME}: argument {} is {found}, expected an integer", at + 2),
        });
        std::iter::once(element_type(NAME, 1, &types[0])).chain(numbers).collect()
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(list_of(DataType::Struct(fields())))
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let field = |name, item| Arc::new(Field::new(format_state_name(args.name, name), list_of(item), true));
        Ok(vec![field("members", DataType::UInt64), field("numbers", DataType::Int64)])
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let offset = match args.exprs.len() {
            2 => 0,
            _ => match constant(NAME, &args, 2)? {
                ScalarValue::Int64(Some(offset)) => offset,
                other => return plan_err!("{NAME}: argument 3 is {other}, expected an integer"),
            },
        };
        Ok(Box::new(Numbers { offset, numbers: BTreeMap::new() }))
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&DOCUMENTATION)
    }
}

/// The number of each member so far.
#[derive(Debug)]
struct Numbers {
    offset: i64,
    numbers: BTreeMap<u64, i64>,
}

impl Numbers {
    fn add(&mut self, members: &UInt64Array, numbers: &Int64Array) -> Result<()> {
        for (member, number) in members.iter().zip(numbers.iter()) {
            let (Some(member), Some(number)) = (member, number) else { continue };
            let sum = self.numbers.entry(member).or_insert(0);
            *sum = sum.checked_add(number).ok_or_else(|| exec_datafusion_err!("{NAME}: the numbers of member {member} add up to more than 64 bits"))?;
        }
        Ok(())
    }

    /// The number that is sliced.
    fn sliced(&self, number: i64) -> Result<u64> {
        let above = i128::from(number) - i128::from(self.offset);
        u64::try_from(above)
            .ok()
            .filter(|above| above >> SLICES_MOST == 0)
            .ok_or_else(|| exec_datafusion_err!("{NAME}: number {number}, expected from {} on, and less than 2^63 above it", self.offset))
    }
}

fn one_list(values: ArrayRef) -> Result<ScalarValue> {
    let item = Arc::new(Field::new_list_field(values.data_type().clone(), true));
    Ok(ScalarValue::List(Arc::new(ListArray::try_new(item, OffsetBuffer::from_lengths([values.len()]), values, None)?)))
}

impl Accumulator for Numbers {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.add(values[0].as_primitive::<UInt64Type>(), values[1].as_primitive::<Int64Type>())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        for (members, numbers) in states[0].as_list::<i32>().iter().zip(states[1].as_list::<i32>().iter()) {
            if let (Some(members), Some(numbers)) = (members, numbers) {
                self.add(members.as_primitive::<UInt64Type>(), numbers.as_primitive::<Int64Type>())?;
            }
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let mut slices = vec![(-1i16, self.numbers.keys().copied().collect::<Vec<u64>>())];
        slices.extend((0..SLICES_MOST as i16).map(|bit| (bit, Vec::new())));
        for (member, number) in &self.numbers {
            let mut left = self.sliced(*number)?;
            while left != 0 {
                slices[left.trailing_zeros() as usize + 1].1.push(*member);
                left &= left - 1;
            }
        }
        slices.retain(|(_, members)| !members.is_empty());
        let mut bitmaps = BitmapColumn::default();
        for (_, members) in &slices {
            bitmaps.push(|out| {
                write_sorted_u64(members, out);
                Ok(true)
            })?;
        }
        let numbers: ArrayRef = Arc::new(Int16Array::from_iter_values(slices.iter().map(|(slice, _)| *slice)));
        one_list(Arc::new(StructArray::try_new(fields(), vec![numbers, bitmaps.finish()?], None)?))
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let members: ArrayRef = Arc::new(UInt64Array::from_iter_values(self.numbers.keys().copied()));
        let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(self.numbers.values().copied()));
        Ok(vec![one_list(members)?, one_list(numbers)?])
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.numbers.len() * 2 * size_of::<(u64, i64)>()
    }
}
