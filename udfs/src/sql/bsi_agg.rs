//! `bsi_*_agg`: aggregates over the slices of a bit-sliced index, one row a slice, as `tag_numbers`
//! and `behaviour_measures` have them.

use super::bsi_documentation::documentation;
use super::bsi_rows::{KEYS, SliceRows, slice_of};
use super::bsi_several::Seen;
use super::bsi_state::{IndexGroups, IndexSet, index_state_fields};
use super::input::{bitmap_type, element_type, expect_arguments};
use super::keyed_state::{Keyed, state_error};
use super::rule_agg::constant;
use super::whole::whole_type;
use arrow::array::{Array, ArrayRef, AsArray, BooleanArray};
use arrow::datatypes::{DataType, FieldRef, Int64Type};
use datafusion::common::{exec_datafusion_err, exec_err, plan_datafusion_err, plan_err};
use datafusion::error::Result;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDFImpl, Documentation, GroupsAccumulator, Signature, Volatility,
};
use datafusion::scalar::ScalarValue;
use tagmill_bitmap::{BitmapRef, Bsi, Comparison, Slice};

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

    /// Where an offset may follow; after it, what the numbers are of.
    fn offset_argument(self) -> Option<usize> {
        (self != Self::Count).then_some(2 + self.constants().len())
    }
}

/// The type of a constant.
#[derive(Debug, Clone, Copy)]
enum Constant {
    Share,
    Element,
    Text,
    Number,
    Name,
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
    match whole_type(found) {
        Some(_) => Ok(DataType::Int64),
        None => plan_err!("{function}: argument {at} is {found}, expected an integer"),
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
            Self::Name if found.is_string() || found.is_null() => Ok(DataType::Utf8),
            Self::Name => plan_err!("{function}: argument {at} is {found}, expected a text"),
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
    fn computed(&self, args: &AccumulatorArgs<'_>) -> Result<Computed> {
        let function = self.computes.name();
        let constants = (2..2 + self.computes.constants().len())
            .map(|at| constant(function, args, at))
            .collect::<Result<Vec<_>>>()?;
        if let Some(at) = constants.iter().position(ScalarValue::is_null) {
            return plan_err!("{function}: argument {} is NULL, expected a value", at + 3);
        }
        let computed = Computed {
            computes: self.computes,
            constants,
            arguments: args.exprs.len(),
        };
        if self.computes == Computes::Compare && computed.comparison().is_none() {
            return plan_err!(
                "{function}: argument 3 is {}, expected '<', '<=', '=', '<>', '>=' or '>'",
                computed.constants[0]
            );
        }
        if self.computes == Computes::Quantile
            && !computed
                .share()
                .is_some_and(|share| (0.0..=1.0).contains(&share))
        {
            return Err(plan_datafusion_err!(
                "{function}: argument 3 is {}, expected a number from 0 to 1",
                computed.constants[0]
            ));
        }
        Ok(computed)
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
        let more = self.computes.offset_argument().map_or(0, |_| 2);
        expect_arguments(function, types, least, least + more)?;
        let first = [
            number_type(function, 1, &types[0]),
            bitmap_type(function, 2, &types[1]),
        ];
        let others = constants
            .iter()
            .chain([&Constant::Number, &Constant::Name])
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
        let several = Computed::of_argument_of(self.computes, args.input_fields.len());
        Ok(index_state_fields(&args, several.is_some()))
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(IndexSet::new(self.computed(&args)?)))
    }

    fn groups_accumulator_supported(&self, _args: AccumulatorArgs<'_>) -> bool {
        true
    }

    fn create_groups_accumulator(
        &self,
        args: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(IndexGroups::new(self.computed(&args)?)))
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.documentation)
    }
}

/// What is computed of the slices of a group.
#[derive(Debug, Clone)]
pub(super) struct Computed {
    computes: Computes,
    constants: Vec<ScalarValue>,
    /// How many there are.
    arguments: usize,
}

impl Computed {
    pub(super) fn name(&self) -> &'static str {
        self.computes.name()
    }

    pub(super) fn computes(&self) -> Computes {
        self.computes
    }

    /// Which argument says what the numbers are of, if there is one.
    pub(super) fn of_argument(&self) -> Option<usize> {
        Self::of_argument_of(self.computes, self.arguments)
    }

    fn of_argument_of(computes: Computes, arguments: usize) -> Option<usize> {
        let of = computes.offset_argument()? + 1;
        (of < arguments).then_some(of)
    }

    /// The rows of a batch.
    pub(super) fn rows<'a>(
        &self,
        values: &'a [ArrayRef],
        filter: Option<&'a BooleanArray>,
    ) -> SliceRows<'a> {
        let offset = self.computes.offset_argument().unwrap_or(self.arguments);
        SliceRows::of(self.name(), values, offset, filter)
    }

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

    /// The result of a group from its sets by key, and from what was seen of several indexes.
    ///
    /// # Errors
    /// An execution error for digits of nobody, for a number beyond 64 bits and, of several indexes,
    /// for a member with several numbers where one is asked.
    pub(super) fn result_of(
        &self,
        sets: &[(usize, &[u8])],
        seen: Option<&Seen>,
    ) -> Result<ScalarValue> {
        if let (Computes::Sum, Some(seen)) = (self.computes, seen) {
            return match seen.numbers {
                0 if seen.digits > 0 => self.nobody(),
                0 => sum_of(None),
                _ => sum_of(Some(seen.sum)),
            };
        }
        let index = self.index(sets)?;
        if seen.is_some_and(|seen| seen.numbers > 0) {
            let members = BitmapRef::parse_layout(index.members()).map_err(state_error)?;
            let numbers = seen.map_or(0, |seen| seen.numbers);
            self.check_one_number(members.cardinality(), numbers)?;
        }
        self.compute(&index)
    }

    /// That no member has several numbers.
    fn check_one_number(&self, members: u64, numbers: u64) -> Result<()> {
        if members == numbers {
            return Ok(());
        }
        exec_err!(
            "{}: {numbers} numbers of {members} members in one group, expected one number a member: \
             filter by what tells their numbers apart, such as combination, date, event or app, or \
             GROUP BY it",
            self.name()
        )
    }

    fn nobody<T>(&self) -> Result<T> {
        exec_err!(
            "{}: no row of slice -1, which holds who has a number",
            self.name()
        )
    }

    /// The index; one without members if there are no rows.
    fn index(&self, sets: &[(usize, &[u8])]) -> Result<Bsi> {
        let slices = || sets.iter().map(|(key, bytes)| (slice_of(*key), *bytes));
        if !sets.is_empty() && slices().all(|(slice, _)| slice != Slice::Exists) {
            return self.nobody();
        }
        Bsi::of(slices().map(|(slice, bytes)| (slice, bytes.to_vec()))).map_err(state_error)
    }

    fn value(&self, number: Option<i128>) -> Result<ScalarValue> {
        let value = number.map(i64::try_from).transpose();
        Ok(ScalarValue::Int64(value.map_err(|_| {
            exec_datafusion_err!("{}: a number beyond 64 bits", self.name())
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
            Computes::Sum if members == 0 => return sum_of(None),
            Computes::Sum => return sum_of(Some(bsi.sum().map_err(state_error)?)),
            Computes::Min => return self.value(nth(0)?),
            Computes::Max => return self.value(nth(members.saturating_sub(1))?),
            Computes::Quantile => return self.value(nth(self.place(members))?),
            Computes::Value => {
                return self.value(bsi.number(self.number(0) as u64).map_err(state_error)?);
            }
            Computes::Compare => {
                let comparison = self.comparison().unwrap_or(Comparison::Equal);
                bsi.compare(comparison, self.number(1))
            }
            Computes::Between => bsi.between(self.number(0), self.number(1)),
            Computes::Top => bsi.top(self.number(0) as u64),
        };
        Ok(ScalarValue::BinaryView(Some(bitmap.map_err(state_error)?)))
    }
}

/// A sum, as far as decimals go.
fn sum_of(sum: Option<i128>) -> Result<ScalarValue> {
    if sum.is_some_and(|sum| sum.unsigned_abs() >= 10u128.pow(38)) {
        return exec_err!("bsi_sum_agg: a sum of more than 38 digits");
    }
    Ok(ScalarValue::Decimal128(sum, 38, 0))
}

impl Keyed for Computed {
    const BITMAP: usize = 1;

    fn function(&self) -> &'static str {
        self.name()
    }

    fn keys(&self) -> usize {
        KEYS
    }

    fn key(&self, keys: &dyn Array, row: usize) -> Result<Option<usize>> {
        let keys = keys.as_primitive::<Int64Type>();
        Ok(keys.is_valid(row).then(|| keys.value(row) as usize))
    }

    fn data_type(&self) -> DataType {
        self.computes.data_type()
    }

    fn result(&self, sets: &[(usize, &[u8])]) -> Result<ScalarValue> {
        self.result_of(sets, None)
    }
}
