//! Numbers of raw columns as texts and doubles: each is written once, however many rows have it.
//!
//! One number is one text whatever type held it, see [`tagmill_schemas::number`].

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, StringViewArray};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Decimal32Type, Decimal64Type, Decimal128Type, Float32Type, Float64Type, Int64Type,
    UInt64Type,
};
use datafusion::error::Result;
use tagmill_schemas::number::{Number, canonical, double_of_float, text_of_double, text_of_float};

/// What the bits of a number are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NumberKind {
    /// An integer.
    Integer,
    /// The bits of a float of 32 bits.
    Float,
    /// The bits of a float of 64 bits.
    Double,
    /// A decimal of this scale.
    Decimal(i8),
}

/// What a number says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sense {
    /// It has a place on a number line.
    Finite,
    /// It is an infinity.
    Infinite,
    /// It is not-a-number.
    Nothing,
}

impl NumberKind {
    /// The kind of a column of this type; `None` for what is no number, and for decimals of 256
    /// bits.
    pub fn of(data_type: &DataType) -> Option<Self> {
        match data_type {
            DataType::Float16 | DataType::Float32 => Some(Self::Float),
            DataType::Float64 => Some(Self::Double),
            DataType::Decimal32(_, scale)
            | DataType::Decimal64(_, scale)
            | DataType::Decimal128(_, scale) => Some(Self::Decimal(*scale)),
            other => other.is_integer().then_some(Self::Integer),
        }
    }

    /// Whether these bits are a number, and one with a place on a number line.
    pub fn sense(self, bits: i128) -> Sense {
        let value = match self {
            Self::Integer | Self::Decimal(_) => return Sense::Finite,
            Self::Float => f64::from(f32::from_bits(bits as u32)),
            Self::Double => f64::from_bits(bits as u64),
        };
        match value {
            _ if value.is_nan() => Sense::Nothing,
            _ if value.is_infinite() => Sense::Infinite,
            _ => Sense::Finite,
        }
    }

    /// The canonical text.
    pub fn text(self, bits: i128) -> String {
        match self {
            Self::Integer => bits.to_string(),
            Self::Float => text_of_float(f32::from_bits(bits as u32)),
            Self::Double => text_of_double(f64::from_bits(bits as u64)),
            Self::Decimal(scale) => {
                let unscaled = bits.to_string();
                let number = Number::of_scaled(&unscaled, scale);
                number.map_or(unscaled, |number| number.to_string())
            }
        }
    }

    /// The nearest double.
    pub fn double(self, bits: i128) -> f64 {
        match self {
            Self::Integer => bits as f64,
            Self::Float => double_of_float(f32::from_bits(bits as u32)),
            Self::Double => f64::from_bits(bits as u64),
            Self::Decimal(_) => self.text(bits).parse().unwrap_or(f64::NAN),
        }
    }
}

/// Calls `each` with the bits of every row's number, `None` for null.
///
/// # Errors
/// Those of a cast to the widest type of the kind.
pub fn each_number(array: &ArrayRef, mut each: impl FnMut(Option<i128>)) -> Result<()> {
    match array.data_type() {
        DataType::Float16 => {
            let floats = cast(array, &DataType::Float32)?;
            primitive::<Float32Type>(&floats, |v| v.to_bits().into(), each);
        }
        DataType::Float32 => primitive::<Float32Type>(array, |v| v.to_bits().into(), each),
        DataType::Float64 => primitive::<Float64Type>(array, |v| v.to_bits().into(), each),
        DataType::Decimal32(..) => primitive::<Decimal32Type>(array, i128::from, each),
        DataType::Decimal64(..) => primitive::<Decimal64Type>(array, i128::from, each),
        DataType::Decimal128(..) => primitive::<Decimal128Type>(array, |v| v, each),
        DataType::UInt64 => primitive::<UInt64Type>(array, i128::from, each),
        DataType::Int64 => primitive::<Int64Type>(array, i128::from, each),
        _ => {
            let wide = cast(array, &DataType::Int64)?;
            primitive::<Int64Type>(&wide, i128::from, &mut each);
        }
    }
    Ok(())
}

fn primitive<T: ArrowPrimitiveType>(
    array: &ArrayRef,
    bits: impl Fn(T::Native) -> i128,
    each: impl FnMut(Option<i128>),
) {
    let values = array.as_primitive::<T>();
    values.iter().map(|value| value.map(&bits)).for_each(each);
}

/// An array as text: numbers canonical, not-a-number and infinities null, days as days.
///
/// # Errors
/// Those of a cast to text.
pub fn texts(array: &ArrayRef) -> Result<StringViewArray> {
    let as_views = |array: &ArrayRef| -> Result<StringViewArray> {
        Ok(cast(array, &DataType::Utf8View)?.as_string_view().clone())
    };
    match array.data_type() {
        DataType::Utf8View => Ok(array.as_string_view().clone()),
        DataType::Date64 => as_views(&cast(array, &DataType::Date32)?),
        DataType::Decimal256(..) => {
            let texts = as_views(array)?;
            Ok(texts.iter().map(|text| text.map(canonical)).collect())
        }
        other => match NumberKind::of(other) {
            None | Some(NumberKind::Integer) => as_views(array),
            Some(kind) => {
                let mut texts = Vec::with_capacity(array.len());
                let finite = |bits: &i128| kind.sense(*bits) == Sense::Finite;
                each_number(array, |bits| {
                    texts.push(bits.filter(finite).map(|bits| kind.text(bits)));
                })?;
                Ok(texts.into_iter().collect())
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Date64Array, Decimal256Array, Float32Array, Float64Array, Int64Array};
    use arrow::datatypes::i256;
    use std::sync::Arc;

    fn all(array: impl Array + 'static) -> Vec<Option<String>> {
        let array: ArrayRef = Arc::new(array);
        let texts = texts(&array).unwrap();
        texts.iter().map(|text| text.map(str::to_owned)).collect()
    }

    #[test]
    fn one_number_is_one_text_in_every_type() {
        let expected = [Some("94107".to_owned()), None];
        let whole = Int64Array::from(vec![Some(94_107), None]);
        let decimal =
            |precision, scale| cast(&whole, &DataType::Decimal128(precision, scale)).unwrap();
        assert_eq!(all(whole.clone()), expected);
        assert_eq!(
            all(Float64Array::from(vec![Some(94_107.0), None])),
            expected
        );
        assert_eq!(
            all(Float32Array::from(vec![Some(94_107.0), None])),
            expected
        );
        for array in [decimal(38, 0), decimal(38, 18), decimal(9, 2)] {
            assert_eq!(
                all(array.as_primitive::<Decimal128Type>().clone()),
                expected
            );
        }
        let wide = Decimal256Array::from(vec![Some(i256::from_i128(9_410_700)), None])
            .with_precision_and_scale(76, 2)
            .unwrap();
        assert_eq!(all(wide), expected);
    }

    #[test]
    fn what_is_no_number_has_no_text() {
        let floats = vec![f64::NAN, f64::INFINITY, -0.0, 0.1];
        assert_eq!(
            all(Float64Array::from(floats)),
            [None, None, Some("0".to_owned()), Some("0.1".to_owned())]
        );
        assert_eq!(
            all(Float32Array::from(vec![0.1, f32::NEG_INFINITY])),
            [Some("0.1".to_owned()), None]
        );
        assert_eq!(
            all(Date64Array::from(vec![86_400_000 + 1])),
            [Some("1970-01-02".to_owned())]
        );
    }
}
