//! Values of measures -> integers of a declared scale: rounded half to even, never out of range without an error.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Decimal128Type, Float64Type, Int64Type};
use datafusion::error::{DataFusionError, Result};

/// Digits that 128 bits hold with room for rounding.
const MOST_DIGITS: usize = 36;

/// Scaled doubles from here on do not fit into 64 bits.
pub const LARGEST_SCALED: f64 = 9.2e18;

/// The rows whose value is too large for its scale, if there are any; most batches cost a look at the extremes.
///
/// # Errors
/// Those of casting to doubles.
pub fn too_large(array: &ArrayRef, scale: u8) -> Result<Vec<usize>> {
    if array.data_type().is_signed_integer() && scale == 0 {
        return Ok(Vec::new());
    }
    let most = LARGEST_SCALED / 10f64.powi(i32::from(scale));
    let doubles = cast(array, &DataType::Float64)?;
    let doubles = doubles.as_primitive::<Float64Type>();
    let is_beyond = |value: f64| value.is_finite() && value.abs() >= most;
    let extremes = [arrow::compute::min(doubles), arrow::compute::max(doubles)];
    // Not-a-number is the greatest of all.
    if extremes.iter().flatten().all(|&value| !value.is_nan() && value.abs() < most) {
        return Ok(Vec::new());
    }
    Ok(doubles.iter().enumerate().filter(|(_, value)| value.is_some_and(is_beyond)).map(|(row, _)| row).collect())
}

/// Calls `emit(row, value * 10^scale)` for every row that has a value.
pub fn scaled(array: &ArrayRef, scale: u8, mut emit: impl FnMut(usize, i64)) -> Result<()> {
    let factor = 10i128.pow(u32::from(scale));
    match array.data_type() {
        DataType::Null => {}
        DataType::Float16 | DataType::Float32 | DataType::Float64 => {
            let array = cast(array, &DataType::Float64)?;
            for (row, value) in present(array.as_primitive::<Float64Type>().iter()) {
                if let Some(value) = scaled_double(value, scale)? {
                    emit(row, value);
                }
            }
        }
        DataType::Decimal128(_, digits) => {
            let digits = *digits;
            for (row, value) in present(array.as_primitive::<Decimal128Type>().iter()) {
                emit(row, fit(rescaled(value, digits, scale)?)?);
            }
        }
        DataType::Decimal32(..) | DataType::Decimal64(..) | DataType::Decimal256(..) => {
            let digits = match array.data_type() {
                DataType::Decimal32(_, s) | DataType::Decimal64(_, s) | DataType::Decimal256(_, s) => *s,
                _ => 0,
            };
            return scaled(&cast(array, &DataType::Decimal128(38, digits))?, scale, emit);
        }
        _ => {
            let array = cast(array, &DataType::Int64)?;
            for (row, value) in present(array.as_primitive::<Int64Type>().iter()) {
                emit(row, fit(i128::from(value) * factor)?);
            }
        }
    }
    Ok(())
}

/// The integer for one double; not-a-number and infinities are no value.
pub fn scaled_double(value: f64, scale: u8) -> Result<Option<i64>> {
    if !value.is_finite() {
        return Ok(None);
    }
    let scaled = (value * 10f64.powi(i32::from(scale))).round_ties_even();
    if scaled.abs() >= LARGEST_SCALED {
        return Err(does_not_fit(scaled));
    }
    Ok(Some(scaled as i64))
}

/// The integer for a number written out; `None` when it is none, or too large. Decimals are exact, not what a double makes of them.
pub fn scaled_text(text: &str, scale: u8) -> Option<i64> {
    let text = text.trim();
    match decimal(text) {
        Some((value, digits)) => rescaled(value, digits, scale).and_then(fit).ok(),
        None => scaled_double(text.parse().ok()?, scale).ok()?,
    }
}

/// The digits of a plain decimal as an integer, and how many of them are behind the point.
fn decimal(text: &str) -> Option<(i128, i8)> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let count = whole.len() + fraction.len();
    let is_plain = (1..=MOST_DIGITS).contains(&count) && whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit());
    let value = || whole.bytes().chain(fraction.bytes()).fold(0, |value, digit| value * 10 + i128::from(digit - b'0'));
    is_plain.then(|| (sign * value(), fraction.len() as i8))
}

fn present<T>(values: impl Iterator<Item = Option<T>>) -> impl Iterator<Item = (usize, T)> {
    values.enumerate().filter_map(|(row, value)| Some((row, value?)))
}

/// A decimal with `digits` decimals in units of `10^-scale`.
fn rescaled(value: i128, digits: i8, scale: u8) -> Result<i128> {
    let shift = i32::from(scale) - i32::from(digits);
    let power = 10i128.checked_pow(shift.unsigned_abs()).ok_or_else(|| does_not_fit(value))?;
    if shift >= 0 {
        return value.checked_mul(power).ok_or_else(|| does_not_fit(value));
    }
    let (quotient, rest) = (value.div_euclid(power), value.rem_euclid(power));
    let rounds_up = rest * 2 > power || (rest * 2 == power && quotient % 2 != 0);
    Ok(quotient + i128::from(rounds_up))
}

fn fit(value: i128) -> Result<i64> {
    i64::try_from(value).map_err(|_| does_not_fit(value))
}

fn does_not_fit(value: impl std::fmt::Display) -> DataFusionError {
    DataFusionError::Execution(format!("the value {value} of a measure does not fit into 64 bits; use a smaller scale"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Decimal128Array, Float64Array, Int32Array};
    use std::sync::Arc;

    fn all(array: ArrayRef, scale: u8) -> Vec<(usize, i64)> {
        let mut out = Vec::new();
        scaled(&array, scale, |row, value| out.push((row, value))).unwrap();
        out
    }

    #[test]
    fn rounds_half_to_even() {
        let doubles: ArrayRef = Arc::new(Float64Array::from(vec![Some(0.125), Some(0.375), None, Some(-0.125), Some(f64::NAN)]));
        assert_eq!(all(doubles, 2), [(0, 12), (1, 38), (3, -12)]);
        let decimals = Decimal128Array::from(vec![125, 375, -125, 126]).with_precision_and_scale(10, 3).unwrap();
        assert_eq!(all(Arc::new(decimals), 2), [(0, 12), (1, 38), (2, -12), (3, 13)]);
        assert_eq!(all(Arc::new(Int32Array::from(vec![7])), 2), [(0, 700)]);
    }

    #[test]
    fn written_decimals_are_exact() {
        let cases = [
            ("12.345", 2, 1234),
            ("12.355", 2, 1236),
            ("-0.5", 0, 0),
            ("-1.5", 0, -2),
            (" 7 ", 3, 7000),
            ("0.2500001", 1, 3),
            ("1e3", 1, 10_000),
            (".5", 1, 5),
        ];
        for (text, scale, expected) in cases {
            assert_eq!(scaled_text(text, scale), Some(expected), "{text}");
        }
        for text in ["", "-", ".", "1.2.3", "NaN", "inf", "9223372036854775808", &"9".repeat(60), "abc"] {
            assert_eq!(scaled_text(text, 0), None, "{text}");
        }
    }

    #[test]
    fn refuses_what_does_not_fit() {
        let array: ArrayRef = Arc::new(Float64Array::from(vec![1e18]));
        assert!(scaled(&array, 2, |_, _| {}).unwrap_err().to_string().contains("smaller scale"));
    }
}
