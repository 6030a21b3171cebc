//! A whole number for each of many members, one bitset a binary digit: numbers are added, subtracted
//! and compared for 64 members at a time.
//!
//! ```text
//! number = sum of digit i * 2^i - sign * 2^digits        two's complement, as few digits as hold all
//! a + b  : digit by digit with a carry a word            a window gains a day, and loses one
//! a < c  : digit by digit from the greatest              a rule's comparison
//! ```

use std::cmp::Ordering;

use crate::slice::Slice;

/// A number a member; member `i` is bit `i % 64` of word `i / 64`. Who has none has 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlicedNumbers {
    /// From the lowest.
    digits: Vec<Vec<u64>>,
    /// Members whose number is below zero.
    sign: Vec<u64>,
}

/// Members by how their numbers compare with a constant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    /// Whose number is less.
    pub less: Vec<u64>,
    /// Whose number is the constant.
    pub equal: Vec<u64>,
}

impl SlicedNumbers {
    /// 0 for the members of so many words.
    pub fn zero(words: usize) -> Self {
        Self {
            digits: Vec::new(),
            sign: vec![0; words],
        }
    }

    /// The number `number` for these members, 0 for the others.
    pub fn constant(members: &[u64], number: i64) -> Self {
        let mut made = Self::zero(members.len());
        made.assign(members, number);
        made
    }

    /// Words of a bitset of members.
    pub fn words(&self) -> usize {
        self.sign.len()
    }

    /// Heap bytes held.
    pub fn size(&self) -> usize {
        (self.digits.len() + 1) * self.words() * size_of::<u64>()
    }

    /// Whether every number is 0.
    pub fn is_zero(&self) -> bool {
        self.digits.is_empty() && is_empty(&self.sign)
    }

    /// Members whose number is not 0.
    pub fn nonzero(&self) -> Vec<u64> {
        let mut any = self.sign.clone();
        self.digits
            .iter()
            .for_each(|digit| or_into(&mut any, digit));
        any
    }

    /// Members whose number does not fit into 64 bits.
    pub fn beyond_64_bits(&self) -> Vec<u64> {
        let mut beyond = vec![0; self.words()];
        for digit in self.digits.iter().skip(63) {
            let words = beyond.iter_mut().zip(digit).zip(&self.sign);
            words.for_each(|((beyond, digit), sign)| *beyond |= digit ^ sign);
        }
        beyond
    }

    /// The number of a member; 0 beyond the last.
    pub fn number(&self, member: usize) -> i128 {
        let is_in = |words: &[u64]| {
            words
                .get(member / 64)
                .is_some_and(|w| w >> (member % 64) & 1 == 1)
        };
        let digits = self.digits.iter().enumerate();
        let sum: i128 = digits
            .filter(|(_, digit)| is_in(digit))
            .map(|(at, _)| 1 << at)
            .sum();
        sum - i128::from(is_in(&self.sign)) * (1 << self.digits.len())
    }

    /// Adds what a slice is worth to each of `members`.
    pub fn add_slice(&mut self, slice: Slice, members: &[u64]) {
        match slice {
            Slice::Exists => {}
            Slice::Plus(bit) => self.add_power(bit as usize, members),
            Slice::Minus(bit) => self.add(&Self {
                digits: vec![vec![0; members.len()]; bit as usize],
                sign: members.to_vec(),
            }),
        }
    }

    /// Adds the numbers of `more`, member by member.
    pub fn add(&mut self, more: &Self) {
        self.combine(more, false);
    }

    /// Subtracts the numbers of `less`, member by member.
    pub fn subtract(&mut self, less: &Self) {
        self.combine(less, true);
    }

    /// Multiplies every number by ten.
    pub fn times_ten(&mut self) {
        let mut twice = self.clone();
        let zero = || vec![0; self.sign.len()];
        if !self.is_zero() {
            twice.digits.insert(0, zero());
            self.digits.splice(0..0, [zero(), zero(), zero()]);
        }
        self.add(&twice);
    }

    /// Gives `members` this number, whatever they had.
    pub fn assign(&mut self, members: &[u64], number: i64) {
        let digits = (u64::BITS - (number ^ (number >> 63)).leading_zeros()) as usize;
        self.extend(self.digits.len().max(digits));
        let put = |words: &mut [u64], is_set: bool| {
            for (word, members) in words.iter_mut().zip(members) {
                *word = if is_set {
                    *word | members
                } else {
                    *word & !members
                };
            }
        };
        for (at, digit) in self.digits.iter_mut().enumerate() {
            put(digit, number >> at.min(63) & 1 == 1);
        }
        put(&mut self.sign, number < 0);
        self.trim();
    }

    /// Gives the others 0.
    pub fn keep(&mut self, members: &[u64]) {
        for words in self.digits.iter_mut().chain([&mut self.sign]) {
            words
                .iter_mut()
                .zip(members)
                .for_each(|(word, members)| *word &= members);
        }
        self.trim();
    }

    /// How each number compares with a constant; bits of no member compare as 0.
    pub fn compare(&self, constant: i128) -> Compared {
        let (mut less, mut equal) = (vec![0; self.words()], vec![u64::MAX; self.words()]);
        let mut at_digit = |digit: &[u64], is_set: bool, flip: u64| {
            for ((less, equal), digit) in less.iter_mut().zip(&mut equal).zip(digit) {
                let digit = digit ^ flip;
                if is_set {
                    *less |= *equal & !digit;
                    *equal &= digit;
                } else {
                    *equal &= !digit;
                }
            }
        };
        // Who is above zero counts as greater than who is below: the sign flipped is a digit.
        at_digit(&self.sign, constant >= 0, u64::MAX);
        let digits = (i128::BITS - (constant ^ (constant >> 127)).leading_zeros()) as usize;
        for at in (0..self.digits.len().max(digits)).rev() {
            let digit = self.digits.get(at).unwrap_or(&self.sign);
            at_digit(digit, constant >> at & 1 == 1, 0);
        }
        Compared { less, equal }
    }

    /// The slices that numbers other than 0 are in, in order of their numbers, none of them empty:
    /// those that [`crate::Width`] cuts the same numbers into.
    pub fn slices(&self) -> Vec<(Slice, Vec<u64>)> {
        let mut slices = Vec::with_capacity(self.digits.len() + 2);
        let mut below = self.digits.len();
        let is_all_ones = |digit: &[u64]| self.sign.iter().zip(digit).all(|(s, d)| s & !d == 0);
        while below > 0 && is_all_ones(&self.digits[below - 1]) {
            below -= 1;
        }
        slices.push((Slice::Minus(below as u32), self.sign.clone()));
        slices.push((Slice::Exists, self.nonzero()));
        for (at, digit) in self.digits.iter().enumerate() {
            let mut digit = digit.clone();
            if at >= below {
                digit
                    .iter_mut()
                    .zip(&self.sign)
                    .for_each(|(d, sign)| *d &= !sign);
            }
            slices.push((Slice::Plus(at as u32), digit));
        }
        slices.retain(|(_, members)| !is_empty(members));
        slices
    }

    fn add_power(&mut self, bit: usize, members: &[u64]) {
        self.extend(self.digits.len().max(bit + 1) + 1);
        let mut carry = members.to_vec();
        for digit in &mut self.digits[bit..] {
            let mut left = 0;
            for (digit, carry) in digit.iter_mut().zip(&mut carry) {
                (*digit, *carry) = (*digit ^ *carry, *digit & *carry);
                left |= *carry;
            }
            if left == 0 {
                break;
            }
        }
        let words = self.sign.iter_mut().zip(&carry);
        words.for_each(|(sign, carry)| *sign ^= carry);
        self.trim();
    }

    fn combine(&mut self, other: &Self, is_minus: bool) {
        self.extend(self.digits.len().max(other.digits.len()) + 1);
        let flip = if is_minus { u64::MAX } else { 0 };
        let mut carry = vec![flip; self.words()];
        for (at, digit) in self.digits.iter_mut().enumerate() {
            let more = other.digits.get(at).unwrap_or(&other.sign);
            for ((a, b), carry) in digit.iter_mut().zip(more).zip(&mut carry) {
                let (was, b) = (*a, b ^ flip);
                *a = was ^ b ^ *carry;
                *carry = was & b | *carry & (was ^ b);
            }
        }
        let words = self.sign.iter_mut().zip(&other.sign).zip(&carry);
        words.for_each(|((a, b), carry)| *a ^= b ^ flip ^ carry);
        self.trim();
    }

    /// Writes the numbers with so many digits, if they have fewer.
    fn extend(&mut self, digits: usize) {
        let sign = &self.sign;
        if digits > self.digits.len() {
            self.digits.resize_with(digits, || sign.clone());
        }
    }

    /// Drops digits that say what the sign does.
    fn trim(&mut self) {
        while self.digits.last().is_some_and(|last| *last == self.sign) {
            self.digits.pop();
        }
    }
}

impl Compared {
    /// Members whose number compares so.
    pub fn members(&self, ordering: Ordering) -> Vec<u64> {
        match ordering {
            Ordering::Less => self.less.clone(),
            Ordering::Equal => self.equal.clone(),
            Ordering::Greater => {
                let words = self.less.iter().zip(&self.equal);
                words.map(|(less, equal)| !(less | equal)).collect()
            }
        }
    }
}

fn is_empty(members: &[u64]) -> bool {
    members.iter().all(|word| *word == 0)
}

fn or_into(all: &mut [u64], more: &[u64]) {
    all.iter_mut()
        .zip(more)
        .for_each(|(all, more)| *all |= more);
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use crate::Width;
    use proptest::prelude::*;

    fn words(members: usize) -> usize {
        members.div_ceil(64)
    }

    fn sliced(numbers: &[i64]) -> SlicedNumbers {
        let mut made = SlicedNumbers::zero(words(numbers.len()));
        let width = Width::of(numbers.iter().copied());
        for key in 0..width.keys() {
            let mut members = vec![0; words(numbers.len())];
            for (at, &number) in numbers.iter().enumerate() {
                if width.keys_of(number).any(|of| of == key) {
                    members[at / 64] |= 1 << (at % 64);
                }
            }
            made.add_slice(width.slice(key), &members);
        }
        made
    }

    fn numbers(sliced: &SlicedNumbers, members: usize) -> Vec<i128> {
        (0..members).map(|at| sliced.number(at)).collect()
    }

    /// Numbers of any size and sign.
    fn some() -> impl Strategy<Value = Vec<i64>> {
        let number = (any::<i64>(), 0u32..64).prop_map(|(number, bits)| number >> bits);
        prop::collection::vec(number, 130)
    }

    proptest! {
        #[test]
        fn slices_are_those_that_a_width_cuts(a in some(), far in 0u32..64) {
            let a: Vec<i64> = a.into_iter().map(|number| number >> far).collect();
            let made = sliced(&a);
            prop_assert_eq!(numbers(&made, a.len()), a.iter().copied().map(i128::from).collect::<Vec<_>>());
            let width = Width::of(a.iter().copied());
            let mut expected = Vec::new();
            for key in 0..width.keys() {
                let slice = width.slice(key);
                let is_in = |number: i64| number != 0 && width.keys_of(number).any(|of| of == key);
                let members: Vec<usize> = (0..a.len()).filter(|&at| is_in(a[at])).collect();
                if !members.is_empty() {
                    expected.push((slice, members));
                }
            }
            let is_set = |words: &[u64], at: usize| words[at / 64] >> (at % 64) & 1 == 1;
            let found: Vec<_> = made.slices().into_iter().map(|(slice, words)| {
                (slice, (0..a.len()).filter(|&at| is_set(&words, at)).collect::<Vec<_>>())
            }).collect();
            prop_assert_eq!(found, expected);
        }

        #[test]
        fn numbers_are_added_subtracted_and_taken_back(a in some(), b in some()) {
            let (first, second) = (sliced(&a), sliced(&b));
            let mut sum = first.clone();
            sum.add(&second);
            let plain = |op: fn(i128, i128) -> i128| -> Vec<i128> {
                a.iter().zip(&b).map(|(a, b)| op((*a).into(), (*b).into())).collect()
            };
            prop_assert_eq!(numbers(&sum, a.len()), plain(|a, b| a + b));
            let beyond = sum.beyond_64_bits();
            for (at, sum) in plain(|a, b| a + b).into_iter().enumerate() {
                prop_assert_eq!(beyond[at / 64] >> (at % 64) & 1 == 1, i64::try_from(sum).is_err());
            }
            sum.subtract(&second);
            prop_assert_eq!(&sum, &first);
            sum.subtract(&second);
            prop_assert_eq!(numbers(&sum, a.len()), plain(|a, b| a - b));
            let mut ten = first.clone();
            ten.times_ten();
            prop_assert_eq!(numbers(&ten, a.len()), plain(|a, _| a * 10));
        }

        #[test]
        fn numbers_compare_with_constants(a in some(), with in any::<i64>(), bits in 0u32..64, far in any::<bool>()) {
            let constant = match far {
                true => i128::from(with) * 3,
                false => i128::from(with >> bits),
            };
            let made = sliced(&a);
            let compared = made.compare(constant);
            for (at, number) in a.iter().enumerate() {
                let expected = i128::from(*number).cmp(&constant);
                for ordering in [Ordering::Less, Ordering::Equal, Ordering::Greater] {
                    let members = compared.members(ordering);
                    prop_assert_eq!(members[at / 64] >> (at % 64) & 1 == 1, ordering == expected);
                }
            }
        }

        #[test]
        fn members_are_given_a_number(a in some(), members in prop::collection::vec(any::<u64>(), 3), with in any::<i64>(), bits in 0u32..64) {
            let (mut made, with) = (sliced(&a), with >> bits);
            made.assign(&members, with);
            let is_in = |at: usize| members[at / 64] >> (at % 64) & 1 == 1;
            for (at, number) in a.iter().enumerate() {
                prop_assert_eq!(made.number(at), i128::from(if is_in(at) { with } else { *number }));
            }
            made.keep(&members);
            for at in 0..a.len() {
                prop_assert_eq!(made.number(at), i128::from(if is_in(at) { with } else { 0 }));
            }
        }
    }
}
