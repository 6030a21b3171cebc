//! Decimal numbers of a few digits, compared and scaled without rounding.

use std::str::FromStr;

/// Digits behind the point at most: with them, a number of 64 bits fits in 128.
const MOST_DIGITS: usize = 18;

/// `unscaled / 10^scale`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Decimal {
    pub(super) unscaled: i128,
    pub(super) scale: u8,
}

impl FromStr for Decimal {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let fraction = fraction.trim_end_matches('0');
        let digits = whole.strip_prefix('-').unwrap_or(whole);
        let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let is_short = fraction.len() <= MOST_DIGITS && digits.len() <= MOST_DIGITS;
        if digits.is_empty() || !is_short || !is_number(digits) || !is_number(fraction) {
            return Err(());
        }
        Ok(Self {
            unscaled: format!("{whole}{fraction}").parse().map_err(drop)?,
            scale: fraction.len() as u8,
        })
    }
}

impl Decimal {
    /// With so many digits behind the point, which are not fewer; `None` beyond 128 bits.
    pub(super) fn at(self, scale: u8) -> Option<i128> {
        let more = 10_i128.checked_pow(scale.checked_sub(self.scale)?.into())?;
        self.unscaled.checked_mul(more)
    }

    /// The nearest double.
    pub(super) fn to_f64(self) -> f64 {
        self.unscaled as f64 / 10_f64.powi(self.scale.into())
    }

    /// Of `count` things the place, from 1, of the one that this part of them reaches: the smallest
    /// whole number that is not below the part, and 1 for none.
    pub(super) fn place_of(self, count: u64) -> u64 {
        let unit = 10_i128.pow(self.scale.into());
        let part = self.unscaled * i128::from(count);
        let place = part.div_euclid(unit) + i128::from(part.rem_euclid(unit) > 0);
        u64::try_from(place).unwrap_or(0).clamp(1, count.max(1))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_is_its_digits() {
        let decimal = |text: &str| text.parse::<Decimal>();
        let is = |unscaled, scale| Ok(Decimal { unscaled, scale });
        assert_eq!(decimal("-0.50"), is(-5, 1));
        assert_eq!(decimal("12"), is(12, 0));
        assert_eq!(decimal("100"), is(100, 0));
        for wrong in [
            "",
            "-",
            "1e3",
            "1.2.3",
            "NaN",
            ".5",
            "1.0000000000000000001",
        ] {
            assert_eq!(decimal(wrong), Err(()), "{wrong}");
        }
        assert_eq!(decimal("1.5").unwrap().at(3), Some(1500));
        assert_eq!(decimal("1.5").unwrap().at(0), None);
    }

    #[test]
    fn a_part_of_numbers_has_a_place() {
        let place = |part: &str, count| part.parse::<Decimal>().unwrap().place_of(count);
        assert_eq!([place("0", 30), place("1", 30)], [1, 30]);
        assert_eq!([place("0.1", 30), place("0.11", 30)], [3, 4]);
        assert_eq!([place("0.5", 5), place("0.5", 4)], [3, 2]);
    }
}
