//! Numbers as text: one number is one text, whatever type held it and however it was written.
//!
//! ```text
//! canonical   whole numbers `94107`, `-7`, `0`; others without zeros at the end `3.5`, `-0.25`
//!             from 10^77 up, and below 10^-77: `1e300`, `-2.5e-100`
//! read        `[+-] digits [. digits] [e [+-] digits]`; a side of the point may be empty
//! ```
//!
//! Every integer of 64 bits and every decimal of 256 bits is written plainly. A double is the
//! shortest decimal that reads back as the same double.

use std::fmt;

/// Numbers with more digits than this before the point, or zeros behind it, have an exponent.
const MOST_PLAIN: i64 = 77;

/// A decimal number of any length: its digits and what they are multiplied with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Number {
    is_negative: bool,
    /// Without zeros at either end; empty for zero.
    digits: String,
    /// The power of ten of the last digit.
    exponent: i64,
}

impl Number {
    /// The number that is written out; `None` when it is none. Text is taken as it is, without
    /// trimming.
    pub fn parse(text: &str) -> Option<Self> {
        let (is_negative, unsigned) = match text.as_bytes().first()? {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent_of(exponent)?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.len() + fraction.len() == 0 || !is_digits(whole) || !is_digits(fraction) {
            return None;
        }
        let exponent = exponent.checked_sub(fraction.len() as i64)?;
        Self::of_digits(is_negative, &format!("{whole}{fraction}"), exponent)
    }

    /// `unscaled` times 10^-`scale`, as decimals are stored; `None` when it is no integer.
    pub fn of_scaled(unscaled: &str, scale: i8) -> Option<Self> {
        let mut number = Self::parse(unscaled)?;
        if !number.digits.is_empty() {
            number.exponent = number.exponent.checked_sub(i64::from(scale))?;
        }
        Some(number)
    }

    fn of_digits(is_negative: bool, digits: &str, exponent: i64) -> Option<Self> {
        let digits = digits.trim_start_matches('0');
        let kept = digits.trim_end_matches('0');
        if kept.is_empty() {
            return Some(Self {
                is_negative: false,
                digits: String::new(),
                exponent: 0,
            });
        }
        Some(Self {
            is_negative,
            digits: kept.to_owned(),
            exponent: exponent.checked_add((digits.len() - kept.len()) as i64)?,
        })
    }

    /// The integer that it is; `None` for fractions, and for what 64 bits do not hold.
    pub fn to_integer(&self) -> Option<i64> {
        if self.digits.is_empty() {
            return Some(0);
        }
        let is_short = (0..=18).contains(&self.exponent) && self.point() <= 19;
        let whole = is_short.then(|| self.to_string())?;
        whole.parse().ok()
    }

    /// How many digits stand before the point; negative for zeros behind it.
    fn point(&self) -> i64 {
        self.exponent.saturating_add(self.digits.len() as i64)
    }
}

/// The canonical text.
impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (digits, point) = (self.digits.as_str(), self.point());
        if digits.is_empty() {
            return f.write_str("0");
        }
        if self.is_negative {
            f.write_str("-")?;
        }
        let zeros = |count: i64| "0".repeat(count.unsigned_abs() as usize);
        if self.exponent >= 0 && point <= MOST_PLAIN {
            write!(f, "{digits}{}", zeros(self.exponent))
        } else if self.exponent < 0 && point > 0 {
            let (whole, fraction) = digits.split_at(point as usize);
            write!(f, "{whole}.{fraction}")
        } else if self.exponent < 0 && point > -MOST_PLAIN {
            write!(f, "0.{}{digits}", zeros(point))
        } else {
            let (first, rest) = digits.split_at(1);
            let dot = if rest.is_empty() { "" } else { "." };
            write!(f, "{first}{dot}{rest}e{}", point.saturating_sub(1))
        }
    }
}

fn exponent_of(text: &str) -> Option<i64> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let is_plain = !unsigned.is_empty() && unsigned.bytes().all(|byte| byte.is_ascii_digit());
    is_plain.then(|| text.parse().ok()).flatten()
}

/// The canonical text of a double; of `NaN`, `inf` and `-inf` these names.
pub fn text_of_double(value: f64) -> String {
    canonical(&format!("{value:e}"))
}

/// The canonical text of a float of 32 bits: 0.1 is `0.1`, as it is in 64.
pub fn text_of_float(value: f32) -> String {
    canonical(&format!("{value:e}"))
}

/// The double that is nearest to what a float of 32 bits is written as.
pub fn double_of_float(value: f32) -> f64 {
    format!("{value:e}").parse().unwrap_or(f64::from(value))
}

/// The text of a number as every other writing of it; text that is no number stays as it is.
pub fn canonical(text: &str) -> String {
    Number::parse(text).map_or_else(|| text.to_owned(), |number| number.to_string())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn every_writing_of_a_number_is_one_text() {
        let cases: [(&str, &[&str]); 9] = [
            (
                "94107",
                &[
                    "94107",
                    "94107.0",
                    "+94107",
                    "9.4107e4",
                    "0094107.00",
                    "941070e-1",
                ],
            ),
            ("0", &["0", "-0", "-0.0", "0e99", ".0", "0.", "-0e-5"]),
            ("3.5", &["3.5", "3.50", "35e-1", "+3.500"]),
            ("-0.25", &["-0.25", "-.25", "-25E-2"]),
            (
                "20261119000000000001",
                &["20261119000000000001", "20261119000000000001.000"],
            ),
            (
                "100000000000000000000",
                &["1e20", "100000000000000000000.0"],
            ),
            ("0.000001", &["1e-6", "0.0000010"]),
            ("1e300", &["1e300", "10.0e299"]),
            ("-2.5e-100", &["-2.5e-100", "-25e-101"]),
        ];
        for (expected, texts) in cases {
            for text in texts {
                assert_eq!(canonical(text), expected, "{text}");
            }
        }
    }

    #[test]
    fn what_is_no_number_stays() {
        for text in [
            "",
            "-",
            ".",
            "1e",
            "1,5",
            "0x1F",
            "1_000",
            "NaN",
            "inf",
            " 1",
            "1e99999999999999999999",
        ] {
            assert_eq!(Number::parse(text), None, "{text}");
            assert_eq!(canonical(text), text);
        }
    }

    #[test]
    fn doubles_have_the_shortest_digits_that_read_back() {
        let cases = [
            (0.1, "0.1"),
            (-0.0, "0"),
            (3.0, "3"),
            (915156.9222427051, "915156.9222427051"),
            (1e20, "100000000000000000000"),
            (5e-324, "5e-324"),
            (f64::MAX, "1.7976931348623157e308"),
        ];
        for (double, expected) in cases {
            assert_eq!(text_of_double(double), expected);
            assert_eq!(expected.parse::<f64>().unwrap(), double);
        }
        assert_eq!(text_of_float(0.1), "0.1");
        assert_eq!(double_of_float(0.1), 0.1);
        assert_eq!(double_of_float(f32::INFINITY), f64::INFINITY);
    }

    #[test]
    fn decimals_keep_their_digits() {
        let cases = [
            ("2805000000000000000000", 18, "2805"),
            ("-350", 2, "-3.5"),
            ("0", 18, "0"),
            ("12", -3, "12000"),
            (
                "1",
                76,
                "0.0000000000000000000000000000000000000000000000000000000000000000000000000001",
            ),
        ];
        for (unscaled, scale, expected) in cases {
            assert_eq!(
                Number::of_scaled(unscaled, scale).unwrap().to_string(),
                expected
            );
        }
    }

    #[test]
    fn only_whole_numbers_of_64_bits_are_integers() {
        let integer = |text: &str| Number::parse(text).unwrap().to_integer();
        assert_eq!(integer("35.0"), Some(35));
        assert_eq!(integer("3e1"), Some(30));
        assert_eq!(integer("-9223372036854775808"), Some(i64::MIN));
        assert_eq!(integer("9223372036854775808"), None);
        assert_eq!(integer("9e18"), Some(9_000_000_000_000_000_000));
        assert_eq!(integer("1e19"), None);
        assert_eq!(integer("1e-1"), None);
        assert_eq!(integer("1e4000000000"), None);
    }
}
