//! `bsi_*_agg`: aggregates over the slices of a bit-sliced index, one row a slice, as `tag_numbers` and `behaviour_measures` have them.

use super::bsi_documentation::documentation;
use super::input::{Bitmaps, bitmap_type, element_type, expect_arguments};
use super::keyed_state::{KeyedSets, state_error, state_fields};
use super::rule_agg::constant;
use crate::bitmap::{Bsi, Comparison, SLICES_MOST};
use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::{DataType, FieldRef, Int64Type};
use datafusion::common::{exec_datafusion_err, exec_err, plan_datafusion_err, plan_err};
use datafusion::error::Result;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDFImpl, Documentation, Signature, Volatility};
use datafusion::scalar::ScalarValue;

/// What is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Computes {
    Count,
    Sum,
    Min,
    Max,
    Quantile,
    Value,
    Compare,
    Between,
    Top,
}

impl Computes {
    const ALL: [Self; 9] = [Self::Count, Self::Sum, Self::Min, Self::Max, Self::Quantile, Self::Value, Self::Compare, Self::Between, Self::Top];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Count => "bsi_count_agg",
            Self::Sum => "bsi_sum_agg",
            Self::Min => "bsi_min_agg",
            Self::Max => "bsi_max_agg",
            Self::Quantile => "bsi_quantile_agg",
            Self::Value => "bsi_value_agg",
            Self::Compare => "bsi_compare_agg",
            Self::Between => "bsi_between_agg",
            Self::Top => "bsi_top_agg",
        }
    }

    /// Constants between the bitmap and the offset.
    fn constants(self) -> &'static [Constant] {
        match self {
            Self::Count | Self::Sum | Self::Min | Self::Max => &[],
            Self::Quantile => &[Constant::Share],
            Self::Value | Self::Top => &[Constant::Element],
            Self::Compare => &[Constant::Text, Constant::Number],
            Self::Between => &[Constant::Number, Constant::Number],
        }
    }

    /// Whether an offset may follow.
    fn has_offset(self) -> bool {
        !matches!(self, Self::Count | Self::Top)
    }
}

/// The type of a constant.
#[derive(Debug, Clone, Copy)]
enum Constant {
    Share,
    Element,
    Text,
    Number,
}

/// One of the aggregates.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct BsiAggregate {
    computes: Computes,
    signature: Signature,
    documentation: Documentation,
}

/// All of them.
pub(super) fn all() -> impl Iterator<Item = BsiAggregate> {
    let signature = || Signature::user_defined(Volatility::Immutable);
    Computes::ALL.into_iter().map(move |computes| BsiAggregate { computes, signature: signature(), documentation: documentation(computes) })
}

fn number_type(function: &str, at: usize, found: &DataType) -> Result<DataType> {
    match found {
        found if found.is_integer() || matches!(found, DataType::Null | DataType::Decimal128(_, 0)) => Ok(DataType::Int64),
        _ => plan_err!("{function}: argument {at} is {found}, expected an integer"),
    }
}

impl Constant {
    fn coerce(self, function: &str, at: usize, found: &DataType) -> Result<DataType> {
        match self {
            Self::Share if found.is_numeric() => Ok(DataType::Float64),
            Self::Share => plan_err!("{function}: argument {at} is {found}, expected a number from 0 to 1"),
            Self::Element => element_type(function, at, found),
            Self::Text if found.is_string() => Ok(DataType::Utf8),
            Self::Text => plan_err!("{function}: argument {at} is {found}, expected '<', '<=', '=', '<>', '>=' or '>'"),
            Self::Number => number_type(function, at, found),
        }
    }
}

fn comparison(text: &str) -> Option<Comparison> {
    Some(match text {
        "<" => Comparison::Less,
        "<=" => Comparison::LessOrEqual,
        "=" => Comparison::Equal,
        "<>" | "!=" => Comparison::NotEqual,
        ">=" => Comparison::GreaterOrEqual,
        ">" => Comparison::Greater,
        _ => return None,
    })
}

impl AggregateUDFImpl for BsiAggregate {
    fn name(&self) -> &str {
        self.computes.name()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let (function, constants) = (self.computes.name(), self.computes.constants());
        let least = 2 + constants.len();
        expect_arguments(function, types, least, least + usize::from(self.computes.has_offset()))?;
        let first = [number_type(function, 1, &types[0]), bitmap_type(function, 2, &types[1])];
        let others = constants.iter().chain([&Constant::Number]).zip(&types[2..]).enumerate();
        first.into_iter().chain(others.map(|(at, (constant, found))| constant.coerce(function, at + 3, found))).collect()
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(match self.computes {
            Computes::Count => DataType::UInt64,
            Computes::Sum => DataType::Decimal128(38, 0),
            Computes::Min | Computes::Max | Computes::Quantile | Computes::Value => DataType::Int64,
            Computes::Compare | Computes::Between | Computes::Top => DataType::BinaryView,
        })
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        Ok(state_fields(&args))
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let function = self.computes.name();
        let constants = (2..args.exprs.len()).map(|at| constant(function, &args, at)).collect::<Result<Vec<_>>>()?;
        if let Some(at) = constants.iter().position(ScalarValue::is_null) {
            return plan_err!("{function}: argument {} is NULL, expected a value", at + 3);
        }
        let slices = Slices { computes: self.computes, constants, sets: KeyedSets::default() };
        if self.computes == Computes::Compare && slices.comparison().is_none() {
            return plan_err!("{function}: argument 3 is {}, expected '<', '<=', '=', '<>', '>=' or '>'", slices.constants[0]);
        }
        if self.computes == Computes::Quantile && !slices.share().is_some_and(|share| (0.0..=1.0).contains(&share)) {
            return Err(plan_datafusion_err!("{function}: argument 3 is {}, expected a number from 0 to 1", slices.constants[0]));
        }
        Ok(Box::new(slices))
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.documentation)
    }
}

/// The slices of one group.
#[derive(Debug)]
struct Slices {
    computes: Computes,
    constants: Vec<ScalarValue>,
    sets: KeyedSets,
}

impl Slices {
    fn number(&self, at: usize) -> i128 {
        match self.constants.get(at) {
            Some(ScalarValue::Int64(Some(value))) => i128::from(*value),
            Some(ScalarValue::UInt64(Some(value))) => i128::from(*value),
            _ => 0,
        }
    }

    fn comparison(&self) -> Option<Comparison> {
        self.constants.first().and_then(|text| text.try_as_str().flatten()).and_then(comparison)
    }

    fn share(&self) -> Option<f64> {
        if let Some(ScalarValue::Float64(share)) = self.constants.first() { *share } else { None }
    }

    /// What was subtracted from the numbers before they were sliced.
    fn offset(&self) -> i128 {
        self.number(self.computes.constants().len())
    }

    /// The index, or `None` without rows.
    fn take(&mut self) -> Result<Option<Bsi>> {
        let mut sets = self.sets.take()?;
        let Some(members) = sets.remove(&-1) else {
            if sets.is_empty() {
                return Ok(None);
            }
            return exec_err!("{}: no row of slice -1, which holds who has a number", self.computes.name());
        };
        Ok(Some(Bsi { members, slices: sets.into_iter().map(|(bit, bytes)| (bit as u32, bytes)).collect() }))
    }

    fn value(&self, number: Option<u64>) -> Result<ScalarValue> {
        let value = number.map(|number| i64::try_from(i128::from(number) + self.offset())).transpose();
        Ok(ScalarValue::Int64(value.map_err(|_| exec_datafusion_err!("{}: a number beyond 64 bits", self.computes.name()))?))
    }

    /// The place of a share of the members: the smallest number that at least so many do not exceed.
    fn place(&self, members: u64) -> u64 {
        ((self.share().unwrap_or(0.0) * members as f64).ceil() as u64).clamp(1, members.max(1)) - 1
    }

    fn result(&self, bsi: &Bsi) -> Result<ScalarValue> {
        let members = bsi.count().map_err(state_error)?;
        let nth = |place: u64| bsi.nth(place).map_err(state_error);
        let bitmap = match self.computes {
            Computes::Count => return Ok(ScalarValue::UInt64(Some(members))),
            Computes::Sum if members == 0 => return Ok(ScalarValue::Decimal128(None, 38, 0)),
            Computes::Sum => {
                let sum = i128::try_from(bsi.sum().map_err(state_error)?).unwrap_or(i128::MAX);
                let sum = self.offset().checked_mul(i128::from(members)).and_then(|more| sum.checked_add(more));
                let sum = sum.filter(|sum| sum.unsigned_abs() < 10u128.pow(38));
                return Ok(ScalarValue::Decimal128(Some(sum.ok_or_else(|| exec_datafusion_err!("bsi_sum_agg: a sum of more than 38 digits"))?), 38, 0));
            }
            Computes::Min => return self.value(nth(0)?),
            Computes::Max => return self.value(nth(members.saturating_sub(1))?),
            Computes::Quantile => return self.value(nth(self.place(members))?),
            Computes::Value => return self.value(bsi.number(self.number(0) as u64).map_err(state_error)?),
            Computes::Compare => bsi.compare(self.comparison().unwrap_or(Comparison::Equal), self.number(1) - self.offset()),
            Computes::Between => bsi.between(self.number(0) - self.offset(), self.number(1) - self.offset()),
            Computes::Top => bsi.top(self.number(0) as u64),
        };
        Ok(ScalarValue::BinaryView(Some(bitmap.map_err(state_error)?)))
    }
}

impl Accumulator for Slices {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let function = self.computes.name();
        let bitmaps = Bitmaps::of_array(function, 2, &values[1])?;
        for (row, slice) in values[0].as_primitive::<Int64Type>().iter().enumerate() {
            let (Some(slice), Some(bitmap)) = (slice, bitmaps.get(row)?) else { continue };
            if !(-1..i64::from(SLICES_MOST)).contains(&slice) {
                return exec_err!("{function}: argument 1, row {row} of the batch: slice {slice}, expected -1 to {}", SLICES_MOST - 1);
            }
            self.sets.add(slice, &bitmap)?;
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.sets.merge(states)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        match self.take()? {
            Some(bsi) => self.result(&bsi),
            None => self.result(&Bsi::default()),
        }
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.sets.state()
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.sets.size()
    }
}
