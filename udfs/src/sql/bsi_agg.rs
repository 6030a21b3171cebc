//! `bsi_*_agg`: aggregates over the slices of a bit-sliced index, one row a slice, as `tag_numbers`
//! and `behaviour_measures` have them.

use super::bsi_documentation::documentation;
use super::input::{bitmap_type, element_type, expect_arguments};
use super::keyed_state::{Keyed, KeyedGroups, KeyedSet, state_error, state_fields};
use super::rule_agg::constant;
use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, FieldRef, Int64Type};
use datafusion::common::{exec_datafusion_err, exec_err, plan_datafusion_err, plan_err};
use datafusion::error::Result;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDFImpl, Documentation, GroupsAccumulator, Signature, Volatility,
};
use datafusion::scalar::ScalarValue;
use tagmill_bitmap::{Bsi, Comparison, SLICES_MOST};

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
    const ALL: [Self; 9] = [
        Self::Count,
        Self::Sum,
        Self::Min,
        Self::Max,
        Self::Quantile,
        Self::Value,
        Self::Compare,
        Self::Between,
        Self::Top,
    ];

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

    fn data_type(self) -> DataType {
        match self {
            Self::Count => DataType::UInt64,
            Self::Sum => DataType::Decimal128(38, 0),
            Self::Min | Self::Max | Self::Quantile | Self::Value => DataType::Int64,
            Self::Compare | Self::Between | Self::Top => DataType::BinaryView,
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
    Computes::ALL.into_iter().map(move |computes| BsiAggregate {
        computes,
        signature: signature(),
        documentation: documentation(computes),
    })
}

fn number_type(function: &str, at: usize, found: &DataType) -> Result<DataType> {
    match found {
        found
            if found.is_integer()
                || matches!(found, DataType::Null | DataType::Decimal128(_, 0)) =>
        {
            Ok(DataType::Int64)
        }
        _ => plan_err!("{function}: argument {at} is {found}, expected an integer"),
    }
}

impl Constant {
    fn coerce(self, function: &str, at: usize, found: &DataType) -> Result<DataType> {
        match self {
            Self::Share if found.is_numeric() => Ok(DataType::Float64),
            Self::Share => {
                plan_err!("{function}: argument {at} is {found}, expected a number from 0 to 1")
            }
            Self::Element => element_type(function, at, found),
            Self::Text if found.is_string() => Ok(DataType::Utf8),
            Self::Text => plan_err!(
                "{function}: argument {at} is {found}, expected '<', '<=', '=', '<>', '>=' or '>'"
            ),
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

impl BsiAggregate {
    /// What is computed, with its constants.
    fn slices(&self, args: &AccumulatorArgs<'_>) -> Result<Slices> {
        let function = self.computes.name();
        let constants = (2..args.exprs.len())
            .map(|at| constant(function, args, at))
            .collect::<Result<Vec<_>>>()?;
        if let Some(at) = constants.iter().position(ScalarValue::is_null) {
            return plan_err!("{function}: argument {} is NULL, expected a value", at + 3);
        }
        let slices = Slices {
            computes: self.computes,
            constants,
        };
        if self.computes == Computes::Compare && slices.comparison().is_none() {
            return plan_err!(
                "{function}: argument 3 is {}, expected '<', '<=', '=', '<>', '>=' or '>'",
                slices.constants[0]
            );
        }
        if self.computes == Computes::Quantile
            && !slices
                .share()
                .is_some_and(|share| (0.0..=1.0).contains(&share))
        {
            return Err(plan_datafusion_err!(
                "{function}: argument 3 is {}, expected a number from 0 to 1",
                slices.constants[0]
            ));
        }
        Ok(slices)
    }
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
        expect_arguments(
            function,
            types,
            least,
            least + usize::from(self.computes.has_offset()),
        )?;
        let first = [
            number_type(function, 1, &types[0]),
            bitmap_type(function, 2, &types[1]),
        ];
        let others = constants
            .iter()
            .chain([&Constant::Number])
            .zip(&types[2..])
            .enumerate();
        first
            .into_iter()
            .chain(others.map(|(at, (constant, found))| constant.coerce(function, at + 3, found)))
            .collect()
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(self.computes.data_type())
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        Ok(state_fields(&args))
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(KeyedSet::new(self.slices(&args)?)))
    }

    fn groups_accumulator_supported(&self, _args: AccumulatorArgs<'_>) -> bool {
        true
    }

    fn create_groups_accumulator(
        &self,
        args: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(KeyedGroups::new(self.slices(&args)?)))
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.documentation)
    }
}

/// What is computed of the slices of a group; key 0 is slice -1, the members.
#[derive(Debug)]
struct Slices {
    computes: Computes,
    constants: Vec<ScalarValue>,
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
        self.constants
            .first()
            .and_then(|text| text.try_as_str().flatten())
            .and_then(comparison)
    }

    fn share(&self) -> Option<f64> {
        if let Some(ScalarValue::Float64(share)) = self.constants.first() {
            *share
        } else {
            None
        }
    }

    /// What was subtracted from the numbers before they were sliced.
    fn offset(&self) -> i128 {
        self.number(self.computes.constants().len())
    }

    /// The index; one without members if there are no rows.
    fn index(&self, sets: &[(usize, &[u8])]) -> Result<Bsi> {
        match sets {
            [] => Ok(Bsi::default()),
            [(0, members), slices @ ..] => {
                let slices = slices
                    .iter()
                    .map(|(key, bytes)| (*key as u32 - 1, bytes.to_vec()));
                Ok(Bsi {
                    members: members.to_vec(),
                    slices: slices.collect(),
                })
            }
            _ => exec_err!(
                "{}: no row of slice -1, which holds who has a number",
                self.computes.name()
            ),
        }
    }

    fn value(&self, number: Option<u64>) -> Result<ScalarValue> {
        let value = number
            .map(|number| i64::try_from(i128::from(number) + self.offset()))
            .transpose();
        Ok(ScalarValue::Int64(value.map_err(|_| {
            exec_datafusion_err!("{}: a number beyond 64 bits", self.computes.name())
        })?))
    }

    /// The place of a share of the members: the smallest number that at least so many do not
    /// exceed.
    fn place(&self, members: u64) -> u64 {
        ((self.share().unwrap_or(0.0) * members as f64).ceil() as u64).clamp(1, members.max(1)) - 1
    }

    fn compute(&self, bsi: &Bsi) -> Result<ScalarValue> {
        let members = bsi.count().map_err(state_error)?;
        let nth = |place: u64| bsi.nth(place).map_err(state_error);
        let bitmap = match self.computes {
            Computes::Count => return Ok(ScalarValue::UInt64(Some(members))),
            Computes::Sum if members == 0 => return Ok(ScalarValue::Decimal128(None, 38, 0)),
            Computes::Sum => {
                let sum = i128::try_from(bsi.sum().map_err(state_error)?).unwrap_or(i128::MAX);
                let sum = self
                    .offset()
                    .checked_mul(i128::from(members))
                    .and_then(|more| sum.checked_add(more));
                let sum = sum.filter(|sum| sum.unsigned_abs() < 10u128.pow(38));
                return Ok(ScalarValue::Decimal128(
                    Some(sum.ok_or_else(|| {
                        exec_datafusion_err!("bsi_sum_agg: a sum of more than 38 digits")
                    })?),
                    38,
                    0,
                ));
            }
            Computes::Min => return self.value(nth(0)?),
            Computes::Max => return self.value(nth(members.saturating_sub(1))?),
            Computes::Quantile => return self.value(nth(self.place(members))?),
            Computes::Value => {
                return self.value(bsi.number(self.number(0) as u64).map_err(state_error)?);
            }
            Computes::Compare => bsi.compare(
                self.comparison().unwrap_or(Comparison::Equal),
                self.number(1) - self.offset(),
            ),
            Computes::Between => bsi.between(
                self.number(0) - self.offset(),
                self.number(1) - self.offset(),
            ),
            Computes::Top => bsi.top(self.number(0) as u64),
        };
        Ok(ScalarValue::BinaryView(Some(bitmap.map_err(state_error)?)))
    }
}

impl Keyed for Slices {
    const BITMAP: usize = 1;

    fn function(&self) -> &'static str {
        self.computes.name()
    }

    fn keys(&self) -> usize {
        SLICES_MOST as usize + 1
    }

    fn key(&self, keys: &dyn Array, row: usize) -> Result<Option<usize>> {
        let slices = keys.as_primitive::<Int64Type>();
        if slices.is_null(row) {
            return Ok(None);
        }
        match slices.value(row) {
            slice if (-1..i64::from(SLICES_MOST)).contains(&slice) => {
                Ok(Some((slice + 1) as usize))
            }
            slice => {
                exec_err!(
                    "{}: argument 1, row {row} of the batch: slice {slice}, expected -1 to {}",
                    self.function(),
                    SLICES_MOST - 1
                )
            }
        }
    }

    fn data_type(&self) -> DataType {
        self.computes.data_type()
    }

    fn result(&self, sets: &[(usize, &[u8])]) -> Result<ScalarValue> {
        self.compute(&self.index(sets)?)
    }
}
