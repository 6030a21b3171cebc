//! Whole numbers as arguments: which types are read as one, and which number a row has.
//!
//! SQL makes decimals of UInt64 as soon as another number meets it, so decimals without a fraction
//! are whole numbers too. No cast stands between a column and its reader: what does not fit is an
//! error of the function, or what its system makes of it.

use arrow::array::{Array, AsArray, Int64Array, UInt64Array};
use arrow::buffer::ScalarBuffer;
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Decimal128Type, Decimal256Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, UInt64Type, i256,
};
use std::fmt;

/// Digits of the widest decimals of 128 and of 256 bits.
const DIGITS_128: u8 = 38;
const DIGITS_256: u8 = 76;

/// The type that whole numbers are read as: of their sign, and as wide or wider. `None` for a type
/// that is not of whole numbers.
pub(super) fn whole_type(found: &DataType) -> Option<DataType> {
    Some(match found {
        DataType::Decimal32(_, 0) | DataType::Decimal64(_, 0) | DataType::Decimal128(_, 0) => {
            DataType::Decimal128(DIGITS_128, 0)
        }
        DataType::Decimal256(_, 0) => DataType::Decimal256(DIGITS_256, 0),
        DataType::Dictionary(_, value) => whole_type(value)?,
        integer if integer.is_unsigned_integer() => DataType::UInt64,
        integer if integer.is_signed_integer() || integer.is_null() => DataType::Int64,
        _ => return None,
    })
}

/// As [`whole_type`], but signed integers keep their width.
pub(super) fn narrow_type(found: &DataType) -> Option<DataType> {
    match found {
        DataType::Int8 | DataType::Int16 | DataType::Int32 => Some(found.clone()),
        DataType::Dictionary(_, value) => narrow_type(value),
        other => whole_type(other),
    }
}

/// As [`whole_type`], and numbers with a fraction, which are cut off.
pub(super) fn cut_type(found: &DataType) -> Option<DataType> {
    match found {
        float if float.is_floating() => Some(DataType::Float64),
        DataType::Decimal32(_, scale)
        | DataType::Decimal64(_, scale)
        | DataType::Decimal128(_, scale)
            if *scale > 0 =>
        {
            Some(DataType::Decimal128(DIGITS_128, *scale))
        }
        DataType::Decimal256(_, scale) if *scale > 0 => {
            Some(DataType::Decimal256(DIGITS_256, *scale))
        }
        other => whole_type(other),
    }
}

/// As [`whole_type`], and text that is such a number, and booleans, which are 0 and 1.
pub(super) fn loose_type(found: &DataType) -> Option<DataType> {
    match found {
        DataType::Boolean => Some(DataType::Boolean),
        DataType::Dictionary(_, value) => loose_type(value),
        text if text.is_string() => Some(DataType::Utf8View),
        other => whole_type(other),
    }
}

/// A number that is not the whole number that was expected.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Misfit {
    pub(super) row: usize,
    found: String,
    expected: &'static str,
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, expected {}", self.found, self.expected)
    }
}

impl Misfit {
    fn new(row: usize, found: impl fmt::Display, expected: &'static str) -> Self {
        Self {
            row,
            found: found.to_string(),
            expected,
        }
    }
}

const ANY: &str = "a whole number of at most 38 digits";
/// What an element is.
pub(super) const ELEMENT: &str = "an integer from 0 to 18446744073709551615";

/// The whole number of a row that is not NULL, in a column of a type of this module.
///
/// # Errors
/// A number that 128 bits do not hold, NaN, an infinity, and text that is no whole number.
pub(super) fn whole(column: &dyn Array, row: usize) -> Result<i128, Misfit> {
    fn of<T: ArrowPrimitiveType>(column: &dyn Array, row: usize) -> Option<T::Native> {
        Some(column.as_primitive_opt::<T>()?.value(row))
    }
    let number = match column.data_type() {
        DataType::UInt64 => of::<UInt64Type>(column, row).map(i128::from),
        DataType::Int64 => of::<Int64Type>(column, row).map(i128::from),
        DataType::Int32 => of::<Int32Type>(column, row).map(i128::from),
        DataType::Int16 => of::<Int16Type>(column, row).map(i128::from),
        DataType::Int8 => of::<Int8Type>(column, row).map(i128::from),
        DataType::Boolean => column
            .as_boolean_opt()
            .map(|flags| i128::from(flags.value(row))),
        DataType::Decimal128(_, scale) => of::<Decimal128Type>(column, row)
            .map(|number| number / 10_i128.pow(u32::from(scale.unsigned_abs()))),
        DataType::Decimal256(_, scale) => return whole_256(column, row, *scale),
        DataType::Float64 => return whole_float(column, row),
        DataType::Utf8View => return whole_text(column.as_string_view().value(row), row),
        _ => None,
    };
    number.ok_or_else(|| Misfit::new(row, column.data_type(), ANY))
}

fn whole_256(column: &dyn Array, row: usize, scale: i8) -> Result<i128, Misfit> {
    let numbers = column.as_primitive::<Decimal256Type>();
    let number = numbers.value(row);
    i256::from_i128(10)
        .checked_pow(u32::from(scale.unsigned_abs()))
        .and_then(|unit| number.checked_div(unit))
        .and_then(i256::to_i128)
        .ok_or_else(|| Misfit::new(row, numbers.value_as_string(row), ANY))
}

fn whole_float(column: &dyn Array, row: usize) -> Result<i128, Misfit> {
    let number = column.as_primitive::<Float64Type>().value(row);
    if number.abs() < 1e38 {
        return Ok(number as i128);
    }
    Err(Misfit::new(row, number, ANY))
}

fn whole_text(text: &str, row: usize) -> Result<i128, Misfit> {
    let number = text.trim().parse();
    number.map_err(|_| Misfit::new(row, format_args!("{text:?}"), ANY))
}

/// The whole numbers of a column, of 64 bits; NULL where it is NULL.
///
/// # Errors
/// A number of more bits.
pub(super) fn integers(column: &dyn Array) -> Result<Int64Array, Misfit> {
    if let Some(integers) = column.as_primitive_opt::<Int64Type>() {
        return Ok(integers.clone());
    }
    let integers = (0..column.len()).map(|row| {
        if column.is_null(row) {
            return Ok(None);
        }
        let number = whole(column, row)?;
        i64::try_from(number)
            .map(Some)
            .map_err(|_| Misfit::new(row, number, "an integer of 64 bits and a sign"))
    });
    integers.collect()
}

/// How the whole numbers of a column become elements of a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Elements {
    /// As they are; a number that is no element is an error.
    Checked,
    /// Of this many bits, negative ones counted from 2^bits down; another is an error.
    Wrapped(u32),
    /// Of the bits of their type, negative ones counted from 2^bits down: 8, 16, 32, or else 64.
    Narrow,
    /// As they are; a number that is no element is left out.
    Fitting,
}

impl Elements {
    /// Bits of an element.
    fn bits(self, column: &DataType) -> u32 {
        match (self, column) {
            (Self::Wrapped(bits), _) => bits,
            (Self::Narrow, DataType::Int8) => 8,
            (Self::Narrow, DataType::Int16) => 16,
            (Self::Narrow, DataType::Int32) => 32,
            _ => 64,
        }
    }

    /// The element of a number, where values have so many bits; `None` if it is none.
    fn element(self, number: i128, bits: u32) -> Option<u64> {
        let is_wrapped = matches!(self, Self::Wrapped(_) | Self::Narrow) && number < 0;
        let element = if is_wrapped {
            number.checked_add(1 << bits)?
        } else {
            number
        };
        u64::try_from(element)
            .ok()
            .filter(|element| bits == 64 || *element >> bits == 0)
    }

    /// What is expected of a number.
    fn expected(self, bits: u32) -> &'static str {
        match (self, bits) {
            (Self::Checked | Self::Fitting, _) => ELEMENT,
            (_, 8) => "an integer of 8 bits",
            (_, 16) => "an integer of 16 bits",
            (_, 32) => "an integer of 32 bits",
            _ => "an integer of 64 bits",
        }
    }

    /// The element of a row that is not NULL; `None` if it is left out.
    ///
    /// # Errors
    /// A number that is no element, unless it is left out.
    pub(super) fn of_row(self, column: &dyn Array, row: usize) -> Result<Option<u64>, Misfit> {
        let bits = self.bits(column.data_type());
        let number = match whole(column, row) {
            Err(_) if self == Self::Fitting => return Ok(None),
            number => number?,
        };
        match self.element(number, bits) {
            None if self != Self::Fitting => Err(Misfit::new(row, number, self.expected(bits))),
            element => Ok(element),
        }
    }

    /// The elements of a column; NULL where it is NULL or left out.
    ///
    /// # Errors
    /// A number that is no element, unless it is left out.
    pub(super) fn of_column(self, column: &dyn Array) -> Result<UInt64Array, Misfit> {
        if let Some(elements) = self.as_they_are(column) {
            return Ok(elements);
        }
        (0..column.len())
            .map(|row| {
                if column.is_null(row) {
                    Ok(None)
                } else {
                    self.of_row(column, row)
                }
            })
            .collect()
    }

    /// The elements where none changes its bits: nothing is copied.
    fn as_they_are(self, column: &dyn Array) -> Option<UInt64Array> {
        if self.bits(column.data_type()) < 64 {
            return None;
        }
        if let Some(elements) = column.as_primitive_opt::<UInt64Type>() {
            return Some(elements.clone());
        }
        let signed = column.as_primitive_opt::<Int64Type>()?;
        let is_any = matches!(self, Self::Wrapped(_) | Self::Narrow);
        if !is_any && signed.values().iter().fold(0, |all, value| all | value) < 0 {
            return None;
        }
        let values = signed.values().inner().clone();
        let elements = ScalarBuffer::<u64>::new(values, 0, signed.len());
        Some(UInt64Array::new(elements, signed.nulls().cloned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Decimal128Array, Decimal256Array, Float64Array, Int8Array};

    fn elements(rule: Elements, column: &dyn Array) -> Vec<Option<u64>> {
        rule.of_column(column).unwrap().iter().collect()
    }

    #[test]
    fn signed_numbers_wrap_at_the_bits_that_are_asked_for() {
        let column = Int8Array::from(vec![Some(-2), None, Some(4)]);
        assert_eq!(
            elements(Elements::Narrow, &column),
            [Some(254), None, Some(4)]
        );
        let wide = Int64Array::from(vec![-2, 4]);
        let all = u64::MAX - 1;
        assert_eq!(elements(Elements::Narrow, &wide), [Some(all), Some(4)]);
        assert_eq!(elements(Elements::Wrapped(64), &wide), [Some(all), Some(4)]);
        let low = u64::from(u32::MAX) - 1;
        assert_eq!(elements(Elements::Wrapped(32), &wide), [Some(low), Some(4)]);
        assert_eq!(elements(Elements::Fitting, &wide), [None, Some(4)]);
        let error = Elements::Checked.of_column(&wide).unwrap_err();
        assert_eq!(error.row, 0);
        assert_eq!(error.to_string(), format!("-2, expected {ELEMENT}"));
    }

    #[test]
    fn what_is_null_is_not_looked_at() {
        let hidden = Int64Array::new(vec![-1, 1].into(), Some(vec![false, true].into()));
        assert_eq!(elements(Elements::Checked, &hidden), [None, Some(1)]);
    }

    #[test]
    fn a_slice_keeps_its_rows() {
        let column = Int64Array::from(vec![7, 8, 9]).slice(1, 2);
        assert_eq!(elements(Elements::Checked, &column), [Some(8), Some(9)]);
    }

    #[test]
    fn decimals_keep_their_digits() {
        let most = i128::from(u64::MAX);
        let column = Decimal128Array::from(vec![most, most + 1])
            .with_precision_and_scale(38, 0)
            .unwrap();
        assert_eq!(elements(Elements::Fitting, &column), [Some(u64::MAX), None]);
        let error = Elements::Checked.of_column(&column).unwrap_err();
        assert_eq!(error.row, 1);
        let wide = Decimal256Array::from(vec![i256::from_i128(most), i256::MAX])
            .with_precision_and_scale(76, 0)
            .unwrap();
        assert_eq!(whole(&wide, 0), Ok(most));
        assert!(whole(&wide, 1).is_err());
    }

    #[test]
    fn fractions_are_cut_off() {
        let column = Float64Array::from(vec![40000.5, -1.5, f64::NAN, f64::INFINITY]);
        assert_eq!(whole(&column, 0), Ok(40000));
        assert_eq!(whole(&column, 1), Ok(-1));
        assert!(whole(&column, 2).is_err() && whole(&column, 3).is_err());
        let column = Decimal128Array::from(vec![-157])
            .with_precision_and_scale(38, 2)
            .unwrap();
        assert_eq!(whole(&column, 0), Ok(-1));
    }
}
