//! `tagmill_value`: raw values as values of a type, exactly, or null where they have none.
//!
//! Only for conversions that can fail ([`tagmill_schemas::conversion`]); the others are left to the
//! shard, which does them once a distinct value. Null is also what not-a-number becomes; [`super::lost`]
//! tells the two apart.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, Float64Array, Int64Array, ListArray,
    StringViewArray,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Float32Type, Float64Type, Int64Type, UInt64Type};
use datafusion::common::{ScalarValue, plan_err};
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility, lit,
};
use tagmill_schemas::conversion::Origin;
use tagmill_schemas::number::{canonical, double_of_float};
use tagmill_schemas::reading::{Reading, boolean_of_integer, day_of, integer_of};
use tagmill_schemas::{Value, ValueType};

use super::numbers::{NumberKind, Sense, each_number, texts};
use super::sql::arrow_type;

/// Whole numbers up to here are certain in a float of 64, 32 and 16 bits.
fn most_certain(data_type: &DataType) -> f64 {
    let digits = match data_type {
        DataType::Float64 => f64::MANTISSA_DIGITS,
        DataType::Float32 => f32::MANTISSA_DIGITS,
        _ => 11,
    };
    (1u64 << digits) as f64
}

/// `tagmill_value(type, value)`: the value, or the elements of a list, as of this type; see
/// [`converted`].
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct ValueFunction {
    signature: Signature,
}

impl Default for ValueFunction {
    fn default() -> Self {
        Self {
            signature: Signature::any(2, Volatility::Immutable),
        }
    }
}

impl ValueFunction {
    /// The call that makes `value` one of this type.
    pub fn call(wanted: ValueType, value: Expr) -> Expr {
        ScalarUDF::from(Self::default()).call(vec![lit(wanted.name()), value])
    }
}

impl ScalarUDFImpl for ValueFunction {
    fn name(&self) -> &'static str {
        "tagmill_value"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        plan_err!("tagmill_value: its type follows from its first argument")
    }

    fn return_field_from_args(
        &self,
        args: datafusion::logical_expr::ReturnFieldArgs<'_>,
    ) -> Result<Arc<Field>> {
        let wanted = wanted(args.scalar_arguments.first().copied().flatten())?;
        let found = args.arg_fields.get(1).map(|field| field.data_type());
        let data_type = match found.and_then(item_of) {
            Some(_) => DataType::new_list(arrow_type(wanted), true),
            None => arrow_type(wanted),
        };
        Ok(Arc::new(Field::new(self.name(), data_type, true)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let wanted = match args.args.first() {
            Some(ColumnarValue::Scalar(name)) => wanted(Some(name))?,
            _ => wanted(None)?,
        };
        let Some(value) = args.args.get(1) else {
            return plan_err!("tagmill_value: 1 argument, expected 2");
        };
        let array = value.clone().into_array(args.number_rows)?;
        if item_of(array.data_type()).is_none() {
            return Ok(ColumnarValue::Array(converted(&array, wanted)?));
        }
        let list = as_list(&array)?;
        let item = Arc::new(Field::new_list_field(arrow_type(wanted), true));
        let (_, offsets, values, nulls) = list.into_parts();
        let values = converted(&values, wanted)?;
        let list = ListArray::try_new(item, offsets, values, nulls)?;
        Ok(ColumnarValue::Array(Arc::new(list)))
    }
}

fn wanted(name: Option<&ScalarValue>) -> Result<ValueType> {
    let name = name.and_then(|name| name.try_as_str().flatten());
    match name.and_then(ValueType::from_name) {
        Some(wanted) => Ok(wanted),
        None => plan_err!("tagmill_value: argument 1 is the name of a type"),
    }
}

/// The type of a list's elements; `None` for what is no list.
pub fn item_of(data_type: &DataType) -> Option<&DataType> {
    match data_type {
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item)
        | DataType::FixedSizeList(item, _) => Some(item.data_type()),
        _ => None,
    }
}

/// A list of any kind as one of 32-bit offsets, its elements as they are.
///
/// # Errors
/// Those of a cast between lists.
pub fn as_list(array: &ArrayRef) -> Result<ListArray> {
    let item = match array.data_type() {
        DataType::LargeList(item)
        | DataType::List(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item)
        | DataType::FixedSizeList(item, _) => Arc::clone(item),
        other => return plan_err!("found {other}, expected a list"),
    };
    Ok(cast(array, &DataType::List(item))?.as_list::<i32>().clone())
}

/// Values of another type; null for what has none.
///
/// # Errors
/// Those of Arrow's casts between types that are the same values.
pub fn converted(array: &ArrayRef, wanted: ValueType) -> Result<ArrayRef> {
    if let DataType::Dictionary(_, value) = array.data_type() {
        return converted(&cast(array, value)?, wanted);
    }
    match Origin::of(array.data_type()) {
        Some(Origin::Text) => of_texts(&texts(array)?, wanted),
        Some(Origin::Bytes) => of_texts(&text_of_bytes(array)?, wanted),
        Some(Origin::Boolean) => of_booleans(array, wanted),
        Some(Origin::Date) if wanted == ValueType::Date => Ok(cast(array, &DataType::Date32)?),
        Some(Origin::Date) | None => Ok(Arc::new(texts(array)?)),
        Some(_) => of_numbers(array, wanted),
    }
}

/// Bytes that are UTF-8; null for others.
fn text_of_bytes(array: &ArrayRef) -> Result<StringViewArray> {
    let views = cast(array, &DataType::BinaryView)?;
    let bytes = views.as_binary_view();
    Ok(bytes
        .iter()
        .map(|bytes| bytes.and_then(|bytes| std::str::from_utf8(bytes).ok()))
        .collect())
}

fn of_texts(texts: &StringViewArray, wanted: ValueType) -> Result<ArrayRef> {
    Ok(match wanted {
        ValueType::String => Arc::new(texts.clone()),
        ValueType::Integer => {
            let read = |text: &str| integer_of(text.trim());
            Arc::new(
                texts
                    .iter()
                    .map(|t| t.and_then(read))
                    .collect::<Int64Array>(),
            )
        }
        ValueType::Double => {
            let read = |text: &str| match Reading::of(text, ValueType::Double) {
                Reading::Value(Value::Double(value)) => Some(value),
                Reading::Infinite => Some(f64::INFINITY),
                _ => None,
            };
            Arc::new(
                texts
                    .iter()
                    .map(|t| t.and_then(read))
                    .collect::<Float64Array>(),
            )
        }
        ValueType::Date => {
            let read = |text: &str| day_of(text.trim());
            Arc::new(
                texts
                    .iter()
                    .map(|t| t.and_then(read))
                    .collect::<Date32Array>(),
            )
        }
        ValueType::Boolean => {
            let read = |text: &str| match Reading::of(text, ValueType::Boolean) {
                Reading::Value(Value::Boolean(value)) => Some(value),
                _ => None,
            };
            Arc::new(
                texts
                    .iter()
                    .map(|t| t.and_then(read))
                    .collect::<BooleanArray>(),
            )
        }
    })
}

fn of_booleans(array: &ArrayRef, wanted: ValueType) -> Result<ArrayRef> {
    match wanted {
        ValueType::Boolean => Ok(Arc::clone(array)),
        ValueType::String => Ok(Arc::new(texts(array)?)),
        other => Ok(cast(array, &arrow_type(other))?),
    }
}

fn of_numbers(array: &ArrayRef, wanted: ValueType) -> Result<ArrayRef> {
    match wanted {
        ValueType::Integer => Ok(Arc::new(integers(array)?)),
        ValueType::Boolean => {
            let truths = |value: Option<i64>| value.and_then(boolean_of_integer);
            let truths: BooleanArray = integers(array)?.iter().map(truths).collect();
            Ok(Arc::new(truths))
        }
        ValueType::String => Ok(Arc::new(digits(array)?)),
        ValueType::Double => {
            let mut doubles = Vec::with_capacity(array.len());
            let kind = NumberKind::of(array.data_type());
            match kind {
                Some(kind) => each_number(array, |bits| {
                    doubles.push(bits.map(|bits| kind.double(bits)));
                })?,
                None => doubles = parsed(&texts(array)?),
            }
            Ok(Arc::new(Float64Array::from(doubles)))
        }
        ValueType::Date => plan_err!("found {}, expected a date", array.data_type()),
    }
}

fn parsed(texts: &StringViewArray) -> Vec<Option<f64>> {
    let parse = |text: Option<&str>| text.and_then(|text| text.parse().ok());
    texts.iter().map(parse).collect()
}

/// Whole numbers of 64 bits; null for others.
fn integers(array: &ArrayRef) -> Result<Int64Array> {
    Ok(match array.data_type() {
        DataType::Float64 => {
            let doubles = array.as_primitive::<Float64Type>();
            doubles.iter().map(|value| value.and_then(whole)).collect()
        }
        DataType::Float16 | DataType::Float32 => {
            let floats = cast(array, &DataType::Float32)?;
            let floats = floats.as_primitive::<Float32Type>();
            let whole = |value: f32| whole(double_of_float(value));
            floats.iter().map(|value| value.and_then(whole)).collect()
        }
        DataType::UInt64 => {
            let values = array.as_primitive::<UInt64Type>();
            let fit = |value: Option<u64>| value.and_then(|value| i64::try_from(value).ok());
            values.iter().map(fit).collect()
        }
        DataType::Decimal256(..) => {
            let read = |text: Option<&str>| text.and_then(integer_of);
            texts(array)?.iter().map(read).collect()
        }
        data_type => match NumberKind::of(data_type) {
            Some(NumberKind::Decimal(scale)) => {
                let mut integers = Vec::with_capacity(array.len());
                each_number(array, |bits| {
                    integers.push(bits.and_then(|bits| whole_decimal(bits, scale)));
                })?;
                integers.into()
            }
            _ => cast(array, &DataType::Int64)?
                .as_primitive::<Int64Type>()
                .clone(),
        },
    })
}

/// The integer that a double is.
fn whole(value: f64) -> Option<i64> {
    // 2^63 is a double, and the first that does not fit.
    let fits = value >= i64::MIN as f64 && value < -(i64::MIN as f64);
    (fits && value.trunc() == value).then_some(value as i64)
}

/// The integer that a decimal is.
fn whole_decimal(unscaled: i128, scale: i8) -> Option<i64> {
    let power = 10i128.checked_pow(u32::from(scale.unsigned_abs()));
    let whole = match (scale > 0, power) {
        (_, None) => (unscaled == 0).then_some(0),
        (false, Some(power)) => unscaled.checked_mul(power),
        (true, Some(power)) => (unscaled % power == 0).then(|| unscaled / power),
    };
    i64::try_from(whole?).ok()
}

/// The digits of numbers that are ids: those of floats where they are certain.
fn digits(array: &ArrayRef) -> Result<StringViewArray> {
    if !array.data_type().is_floating() {
        return texts(array);
    }
    let doubles = cast(array, &DataType::Float64)?;
    let doubles = doubles.as_primitive::<Float64Type>();
    let most = most_certain(array.data_type());
    let certain = |value: f64| value.trunc() == value && value.abs() <= most;
    let text = |value: f64| certain(value).then(|| canonical(&format!("{value}")));
    Ok(doubles.iter().map(|value| value.and_then(text)).collect())
}

/// Whether each row has no number by design, rather than one that can not be taken; `None` where no
/// row has.
///
/// # Errors
/// Those of a cast to text.
pub fn not_numbers(array: &ArrayRef) -> Result<Option<Vec<bool>>> {
    if let DataType::Dictionary(_, value) = array.data_type() {
        return not_numbers(&cast(array, value)?);
    }
    let mut found = Vec::with_capacity(array.len());
    match (
        Origin::of(array.data_type()),
        NumberKind::of(array.data_type()),
    ) {
        (Some(Origin::Float), Some(kind)) => each_number(array, |bits| {
            found.push(bits.is_some_and(|bits| kind.sense(bits) == Sense::Nothing));
        })?,
        (Some(Origin::Text), _) => found.extend(are_not_numbers(&texts(array)?)),
        (Some(Origin::Bytes), _) => found.extend(are_not_numbers(&text_of_bytes(array)?)),
        _ => return Ok(None),
    }
    Ok(found.contains(&true).then_some(found))
}

fn are_not_numbers(texts: &StringViewArray) -> impl Iterator<Item = bool> + '_ {
    let is_one = tagmill_schemas::reading::is_not_a_number;
    texts.iter().map(move |text| text.is_some_and(is_one))
}
