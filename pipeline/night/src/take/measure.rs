//! Values of measures -> integers of a declared scale: rounded half to even, never out of range
//! without an error.

use std::cmp::Ordering;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Decimal128Type, Decimal256Type, Float64Type, Int64Type, i256};
use datafusion::error::{DataFusionError, Result};

use crate::plan::shape::LARGEST_SCALED;

/// Digits that 128 bits hold with room for rounding.
const MOST_DIGITS: usize = 36;

/// In place of a sum that does not fit into 64 bits.
pub const NO_SUM: i64 = i64::MAX;

/// The sum of two sums.
pub fn sum(a: i64, b: i64) -> i64 {
    if a == NO_SUM || b == NO_SUM {
        NO_SUM
    } else {
        a.checked_add(b).unwrap_or(NO_SUM)
    }
}

/// The rows whose value is too large for its scale, if there are any; most batches cost a look at
/// the extremes.
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
    if extremes
        .iter()
        .flatten()
        .all(|&value| !value.is_nan() && value.abs() < most)
    {
        return Ok(Vec::new());
    }
    Ok(doubles
        .iter()
        .enumerate()
        .filter(|(_, value)| value.is_some_and(is_beyond))
        .map(|(row, _)| row)
        .collect())
}

/// Calls `emit(row, value * 10^scale)` for every row that has a value, of those for which
/// `counts(row)`.
///
/// # Errors
/// A value that does not fit into 64 bits.
pub fn scaled(
    array: &ArrayRef,
    scale: u8,
    counts: impl Fn(usize) -> bool,
    mut emit: impl FnMut(usize, i64),
) -> Result<()> {
    let factor = 10i128.pow(u32::from(scale));
    match array.data_type() {
        DataType::Null => {}
        DataType::Float16 | DataType::Float32 | DataType::Float64 => {
            let array = cast(array, &DataType::Float64)?;
            for (row, value) in present(array.as_primitive::<Float64Type>().iter(), counts) {
                if let Some(value) = scaled_double(value, scale)? {
                    emit(row, value);
                }
            }
        }
        DataType::Decimal128(_, digits) => {
            let digits = *digits;
            for (row, value) in present(array.as_primitive::<Decimal128Type>().iter(), counts) {
                emit(row, fit(rescaled(value, digits, scale)?)?);
            }
        }
        DataType::Decimal32(_, digits) | DataType::Decimal64(_, digits) => {
            return scaled(
                &cast(array, &DataType::Decimal128(38, *digits))?,
                scale,
                counts,
                emit,
            );
        }
        DataType::Decimal256(_, digits) => {
            for (row, value) in present(array.as_primitive::<Decimal256Type>().iter(), counts) {
                emit(row, fit(rescaled_wide(value, *digits, scale)?)?);
            }
        }
        _ => {
            let array = cast(array, &DataType::Int64)?;
            for (row, value) in present(array.as_primitive::<Int64Type>().iter(), counts) {
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

/// The integer for a number written out; `None` when it is none, or too large. Decimals are exact,
/// not what a double makes of them.
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
    let is_plain = (1..=MOST_DIGITS).contains(&count)
        && whole
            .bytes()
            .chain(fraction.bytes())
            .all(|b| b.is_ascii_digit());
    let value = || {
        whole
            .bytes()
            .chain(fraction.bytes())
            .fold(0, |value, digit| value * 10 + i128::from(digit - b'0'))
    };
    is_plain.then(|| (sign * value(), fraction.len() as i8))
}

fn present<T>(
    values: impl Iterator<Item = Option<T>>,
    counts: impl Fn(usize) -> bool,
) -> impl Iterator<Item = (usize, T)> {
    values
        .enumerate()
        .filter_map(move |(row, value)| Some((row, value.filter(|_| counts(row))?)))
}

/// A decimal with `digits` decimals in units of `10^-scale`.
fn rescaled(value: i128, digits: i8, scale: u8) -> Result<i128> {
    let shift = i32::from(scale) - i32::from(digits);
    let power = 10i128
        .checked_pow(shift.unsigned_abs())
        .ok_or_else(|| does_not_fit(value))?;
    if shift >= 0 {
        return value.checked_mul(power).ok_or_else(|| does_not_fit(value));
    }
    let (quotient, rest) = (value.div_euclid(power), value.rem_euclid(power));
    Ok(quotient + i128::from(is_over_half(rest.cmp(&(power - rest)), quotient % 2 != 0)))
}

/// [`rescaled`] for decimals of 256 bits.
fn rescaled_wide(value: i256, digits: i8, scale: u8) -> Result<i128> {
    let shift = i32::from(scale) - i32::from(digits);
    let power = i256::from_i128(10)
        .checked_pow(shift.unsigned_abs())
        .ok_or_else(|| does_not_fit(value))?;
    let scaled = match shift >= 0 {
        true => value.checked_mul(power),
        false => {
            // Both towards zero.
            let (quotient, rest) = (value / power, (value % power).wrapping_abs());
            let is_odd = quotient % i256::from_i128(2) != i256::ZERO;
            let away = if is_over_half(rest.cmp(&(power - rest)), is_odd) {
                value.signum()
            } else {
                i256::ZERO
            };
            quotient.checked_add(away)
        }
    };
    scaled
        .and_then(i256::to_i128)
        .ok_or_else(|| does_not_fit(value))
}

/// Whether to round up, by how the rest compares with what is left to the next integer; halves go
/// to the even one.
fn is_over_half(rest_to_left: Ordering, is_odd: bool) -> bool {
    rest_to_left.is_gt() || rest_to_left.is_eq() && is_odd
}

fn fit(value: i128) -> Result<i64> {
    i64::try_from(value).map_err(|_| does_not_fit(value))
}

fn does_not_fit(value: impl std::fmt::Display) -> DataFusionError {
    DataFusionError::Execution(format!(
        "the value {value} of a measure does not fit into 64 bits; use a smaller scale"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Decimal128Array, Decimal256Array, Float64Array, Int32Array};
    use std::sync::Arc;

    fn all(array: ArrayRef, scale: u8) -> Vec<(usize, i64)> {
        let mut out = Vec::new();
        scaled(&array, scale, |_| true, |row, value| out.push((row, value))).unwrap();
        out
    }

    #[test]
    fn rounds_half_to_even() {
        let doubles: ArrayRef = Arc::new(Float64Array::from(vec![
            Some(0.125),
            Some(0.375),
            None,
            Some(-0.125),
            Some(f64::NAN),
        ]));
        assert_eq!(all(doubles, 2), [(0, 12), (1, 38), (3, -12)]);
        let decimals = Decimal128Array::from(vec![125, 375, -125, 126])
            .with_precision_and_scale(10, 3)
            .unwrap();
        assert_eq!(
            all(Arc::new(decimals), 2),
            [(0, 12), (1, 38), (2, -12), (3, 13)]
        );
        assert_eq!(all(Arc::new(Int32Array::from(vec![7])), 2), [(0, 700)]);
    }

    #[test]
    fn decimals_of_many_digits_round_as_others() {
        let power = 10i128.pow(38);
        let tenths = [9, 5, -9, -4].map(|tenths| power / 10 * tenths);
        let decimals = Decimal128Array::from(tenths.to_vec())
            .with_precision_and_scale(38, 38)
            .unwrap();
        assert_eq!(
            all(Arc::new(decimals), 0),
            [(0, 1), (1, 0), (2, -1), (3, 0)]
        );
        let wide = ["1234567890.125", "-1234567890.135", "0.125", "-0.375"]
            .map(|text| i256::from_string(&text.replace('.', "")).unwrap());
        let wide = wide.map(|value| value * i256::from_i128(10).checked_pow(47).unwrap());
        let wide = Decimal256Array::from(wide.to_vec())
            .with_precision_and_scale(76, 50)
            .unwrap();
        assert_eq!(
            all(Arc::new(wide), 2),
            [
                (0, 123_456_789_012),
                (1, -123_456_789_014),
                (2, 12),
                (3, -38)
            ]
        );
    }

    #[test]
    fn only_rows_that_count_have_to_fit() {
        let array: ArrayRef = Arc::new(Float64Array::from(vec![1e30, 2.0]));
        let mut out = Vec::new();
        scaled(
            &array,
            0,
            |row| row == 1,
            |row, value| out.push((row, value)),
        )
        .unwrap();
        assert_eq!(out, [(1, 2)]);
    }

    #[test]
    fn a_sum_that_does_not_fit_stays_none() {
        assert_eq!(
            (sum(1, -3), sum(NO_SUM, -3), sum(i64::MIN, -1)),
            (-2, NO_SUM, NO_SUM)
        );
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
        for text in [
            "",
            "-",
            ".",
            "1.2.3",
            "NaN",
            "inf",
            "9223372036854775808",
            &"9".repeat(60),
            "abc",
        ] {
            assert_eq!(scaled_text(text, 0), None, "{text}");
        }
    }

    #[test]
    fn refuses_what_does_not_fit() {
        let array: ArrayRef = Arc::new(Float64Array::from(vec![1e18]));
        assert!(
            scaled(&array, 2, |_| true, |_, _| {})
                .unwrap_err()
                .to_string()
                .contains("smaller scale")
        );
    }
}
