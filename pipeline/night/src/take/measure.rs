//! Values of measures -> integers of a declared scale: rounded half to even, never out of range
//! without an error.

use std::cmp::Ordering;

use arrow::array::{Array, ArrayRef, AsArray, StringViewArray};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Decimal128Type, Decimal256Type, Float32Type, Float64Type, Int64Type, i256,
};
use datafusion::error::{DataFusionError, Result};
use tagmill_schemas::ValueType;
use tagmill_schemas::number::{canonical, text_of_float};
use tagmill_schemas::reading::Reading;

use crate::plan::shape::LARGEST_SCALED;

/// Digits that 128 bits hold with room for rounding.
const MOST_DIGITS: usize = 36;
/// Digits that 256 bits hold with room for rounding.
const MOST_WIDE_DIGITS: usize = 75;

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

/// Rows whose value has no place among the sums.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Beyond {
    /// Those that are too large for the scale, or no number.
    pub too_large: Vec<usize>,
    /// Those that are infinities, which are no value.
    pub infinite: Vec<usize>,
}

/// The rows whose value is too large for its scale, or infinite, if there are any; most batches cost
/// a look at the extremes.
///
/// # Errors
/// Those of casting to doubles.
pub fn beyond(array: &ArrayRef, scale: u8) -> Result<Beyond> {
    if array.data_type().is_signed_integer() && scale == 0 {
        return Ok(Beyond::default());
    }
    if let Some(texts) = texts_of(array)? {
        return Ok(beyond_in_texts(&texts, scale));
    }
    let most = LARGEST_SCALED / 10f64.powi(i32::from(scale));
    let doubles = cast(array, &DataType::Float64)?;
    let doubles = doubles.as_primitive::<Float64Type>();
    let extremes = [arrow::compute::min(doubles), arrow::compute::max(doubles)];
    // Not-a-number is the greatest of all.
    if extremes
        .iter()
        .flatten()
        .all(|&value| !value.is_nan() && value.abs() < most)
    {
        return Ok(Beyond::default());
    }
    let mut beyond = Beyond::default();
    for (row, value) in doubles.iter().enumerate() {
        match value {
            Some(value) if value.is_infinite() => beyond.infinite.push(row),
            Some(value) if value.abs() >= most => beyond.too_large.push(row),
            _ => {}
        }
    }
    Ok(beyond)
}

/// The array, if it is text.
fn texts_of(array: &ArrayRef) -> Result<Option<StringViewArray>> {
    let is_text = match array.data_type() {
        DataType::Dictionary(_, value) => value.is_string(),
        other => other.is_string(),
    };
    match is_text {
        true => Ok(Some(
            cast(array, &DataType::Utf8View)?.as_string_view().clone(),
        )),
        false => Ok(None),
    }
}

fn beyond_in_texts(texts: &StringViewArray, scale: u8) -> Beyond {
    let mut beyond = Beyond::default();
    for (row, text) in texts.iter().enumerate() {
        match text.map(|text| scaled_text(text, scale)) {
            Some(Scaled::Bad) => beyond.too_large.push(row),
            Some(Scaled::Infinite) => beyond.infinite.push(row),
            Some(Scaled::Value(_) | Scaled::Nothing) | None => {}
        }
    }
    beyond
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
    if let Some(texts) = texts_of(array)? {
        for (row, text) in present(texts.iter(), counts) {
            match scaled_text(text, scale) {
                Scaled::Value(value) => emit(row, value),
                Scaled::Nothing | Scaled::Infinite => {}
                Scaled::Bad => return Err(does_not_fit(text)),
            }
        }
        return Ok(());
    }
    match array.data_type() {
        DataType::Null => {}
        DataType::Float16 | DataType::Float32 => {
            let array = cast(array, &DataType::Float32)?;
            for (row, value) in present(array.as_primitive::<Float32Type>().iter(), counts) {
                if let Some(value) = scaled_float(value, scale)? {
                    emit(row, value);
                }
            }
        }
        DataType::Float64 => {
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

/// The integer for a float of 32 bits as it is written: 0.1 is 0.1, not the double beside it.
fn scaled_float(value: f32, scale: u8) -> Result<Option<i64>> {
    let wide = f64::from(value) * 10f64.powi(i32::from(scale));
    // What is written is within half a unit of the last bit: where that can not change the result,
    // nothing has to be written.
    let error = wide.abs() * f64::from(f32::EPSILON);
    let to_half = ((wide - wide.floor()) - 0.5).abs();
    if !value.is_finite() || to_half > error && error < 0.5 {
        return scaled_double(f64::from(value), scale);
    }
    match scaled_text(&text_of_float(value), scale) {
        Scaled::Value(value) => Ok(Some(value)),
        _ => Err(does_not_fit(wide)),
    }
}

/// What a number written out is in units of a scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scaled {
    /// This integer.
    Value(i64),
    /// No value: not-a-number.
    Nothing,
    /// No value: an infinity.
    Infinite,
    /// No number, or one that does not fit.
    Bad,
}

/// The integer for a number written out. It is rounded from its decimal digits, not from what a
/// double makes of them.
pub fn scaled_text(text: &str, scale: u8) -> Scaled {
    let text = canonical(text.trim());
    if let Some((value, digits)) = decimal(&text) {
        let scaled = rescaled(value, digits, scale).and_then(fit);
        return scaled.map_or(Scaled::Bad, Scaled::Value);
    }
    if let Some((value, digits)) = wide_decimal(&text) {
        let scaled = rescaled_wide(value, digits, scale).and_then(fit);
        return scaled.map_or(Scaled::Bad, Scaled::Value);
    }
    match Reading::of(&text, ValueType::Double) {
        Reading::Nothing => Scaled::Nothing,
        Reading::Infinite => Scaled::Infinite,
        _ => Scaled::Bad,
    }
}

/// The digits of a plain decimal as an integer, and how many of them are behind the point.
fn decimal(text: &str) -> Option<(i128, i8)> {
    let (digits, behind) = plain_digits(text, MOST_DIGITS)?;
    Some((digits.parse().ok()?, behind))
}

/// [`decimal`] for numbers of more digits.
fn wide_decimal(text: &str) -> Option<(i256, i8)> {
    let (digits, behind) = plain_digits(text, MOST_WIDE_DIGITS)?;
    Some((i256::from_string(&digits)?, behind))
}

/// The digits of a plain decimal with its sign and without its point.
fn plain_digits(text: &str, most: usize) -> Option<(String, i8)> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let is_plain = (1..=most).contains(&(whole.len() + fraction.len()))
        && whole
            .bytes()
            .chain(fraction.bytes())
            .all(|b| b.is_ascii_digit());
    let sign = &text[..text.len() - digits.len()];
    is_plain.then(|| (format!("{sign}{whole}{fraction}"), fraction.len() as i8))
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
            ("90071992547409.93", 2, 9_007_199_254_740_993),
            ("9.00719925474099325e13", 3, 90_071_992_547_409_932),
            (
                "0.12345678901234567890123456789012345678901234567890",
                3,
                123,
            ),
            ("0.00500000000000000000000000000000000000000000000001", 2, 1),
            ("1e-70", 2, 0),
        ];
        for (text, scale, expected) in cases {
            assert_eq!(scaled_text(text, scale), Scaled::Value(expected), "{text}");
        }
        for text in [
            "",
            "-",
            ".",
            "1.2.3",
            "9223372036854775808",
            &"9".repeat(60),
            &"9".repeat(100),
            "1e400",
            "abc",
        ] {
            assert_eq!(scaled_text(text, 0), Scaled::Bad, "{text}");
        }
        assert_eq!(scaled_text("NaN", 0), Scaled::Nothing);
        assert_eq!(scaled_text("-inf", 0), Scaled::Infinite);
    }

    #[test]
    fn floats_of_32_bits_are_what_they_are_written_as() {
        let floats = [0.1, 2.675, 16_777_216.0, 1.234_567_8, -0.125, 0.015, 1e9];
        for (scale, expected) in [
            (2, [10, 268, 1_677_721_600, 123, -12, 2, 100_000_000_000]),
            (
                9,
                [
                    100_000_000,
                    2_675_000_000,
                    16_777_216_000_000_000,
                    1_234_567_800,
                    -125_000_000,
                    15_000_000,
                    1_000_000_000_000_000_000,
                ],
            ),
        ] {
            let array: ArrayRef = Arc::new(arrow::array::Float32Array::from(floats.to_vec()));
            let found: Vec<i64> = all(array, scale)
                .into_iter()
                .map(|(_, value)| value)
                .collect();
            assert_eq!(found, expected, "scale {scale}");
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
