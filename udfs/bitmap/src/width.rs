//! Which slices some numbers need: what a number is cut into.
//!
//! Numbers from 0 on are in the slices of their binary digits. Numbers below zero are in two's
//! complement: in the slice worth `-2^n`, and in those of the digits of `number + 2^n`, with the
//! least `n` that holds them all. So one slice more holds any sign, and it is empty but for numbers
//! below zero.

use crate::slice::Slice;

/// Keys before those of digits: below zero, and existence.
const BEFORE_DIGITS: u32 = 2;

/// The slices that some numbers need, with a key for each, in order of the slices' numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Width {
    /// Binary digits.
    digits: u32,
    /// Numbers below zero are `2^below` more in digits; `None` without such numbers.
    below: Option<u32>,
}

impl Width {
    /// That of numbers from 0 to `2^64 - 1`.
    pub const UNSIGNED: Self = Self {
        digits: u64::BITS,
        below: None,
    };

    /// The least that holds these numbers.
    pub fn of(numbers: impl Iterator<Item = i64>) -> Self {
        let bits = |number: i64| u64::BITS - number.leading_zeros();
        let (least, most) = numbers.fold((0, 0), |(least, most): (i64, i64), number| {
            (least.min(number), most.max(number))
        });
        let below = (least < 0).then(|| bits(!least));
        Self {
            digits: bits(most).max(below.unwrap_or(0)),
            below,
        }
    }

    /// How many keys there are: all are below it.
    pub fn keys(self) -> u32 {
        BEFORE_DIGITS + self.digits
    }

    /// The slice of a key.
    pub fn slice(self, key: u32) -> Slice {
        match key.checked_sub(BEFORE_DIGITS) {
            Some(bit) => Slice::Plus(bit),
            None if key == 0 => Slice::Minus(self.below.unwrap_or(0)),
            None => Slice::Exists,
        }
    }

    /// The keys of the slices that have a number, which is not outside this width.
    #[inline]
    pub fn keys_of(self, number: i64) -> impl Iterator<Item = u32> + Clone {
        let is_below = number < 0;
        let more = self.below.filter(|_| is_below).map_or(0, |bit| 1 << bit);
        let below = is_below.then_some(0).into_iter();
        below.chain(self.keys_of_digits((number as u64).wrapping_add(more)))
    }

    /// [`Self::keys_of`] for a number from 0 to `2^64 - 1`.
    #[inline]
    pub fn keys_of_digits(self, number: u64) -> impl Iterator<Item = u32> + Clone {
        let digits = Ones(number).map(|digit| BEFORE_DIGITS + digit);
        std::iter::once(BEFORE_DIGITS - 1).chain(digits)
    }
}

/// The binary digits of a number that are 1, lowest first.
#[derive(Clone)]
struct Ones(u64);

impl Iterator for Ones {
    type Item = u32;

    #[inline]
    fn next(&mut self) -> Option<u32> {
        let digit = (self.0 != 0).then(|| self.0.trailing_zeros())?;
        self.0 &= self.0 - 1;
        Some(digit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn width(numbers: &[i64]) -> (u32, Option<u32>) {
        let width = Width::of(numbers.iter().copied());
        (width.digits, width.below)
    }

    #[test]
    fn a_width_is_the_least_that_holds_all_numbers() {
        assert_eq!(width(&[]), (0, None));
        assert_eq!(width(&[0, 1, 5]), (3, None));
        assert_eq!(width(&[-1]), (0, Some(0)));
        assert_eq!(width(&[-1, 900]), (10, Some(0)));
        assert_eq!(width(&[-2, 1]), (1, Some(1)));
        assert_eq!(width(&[-3, 1]), (2, Some(2)));
        assert_eq!(width(&[-128, 127]), (7, Some(7)));
        assert_eq!(width(&[i64::MIN, i64::MAX]), (63, Some(63)));
    }

    proptest! {
        #[test]
        fn a_number_is_what_its_slices_are_worth(mut numbers in prop::collection::vec(any::<i64>(), 1..20), bits in 0u32..64) {
            numbers.iter_mut().for_each(|number| *number >>= bits);
            let width = Width::of(numbers.iter().copied());
            for number in numbers {
                let slices: Vec<Slice> = width.keys_of(number).map(|key| width.slice(key)).collect();
                prop_assert!(slices.is_sorted_by_key(|slice| slice.number()));
                prop_assert!(width.keys_of(number).all(|key| key < width.keys()));
                prop_assert!(slices.contains(&Slice::Exists));
                prop_assert_eq!(slices.into_iter().map(Slice::weight).sum::<i128>(), i128::from(number));
            }
        }
    }
}
