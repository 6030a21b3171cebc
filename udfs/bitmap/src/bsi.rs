//! A bit-sliced index: one number per member, as one bitmap a binary digit.
//!
//! ```text
//! members   : everybody who has a number
//! plus i    : worth 2^i to its members      the number of a member is
//! minus i   : worth -2^i to its members     the sum of what its slices are worth
//! ```
//! A slice that is missing is empty. What is subtracted is subtracted once, digit by digit, when an
//! index is made; what remains are digits in two's complement: `digit i` is worth `2^i`, and who is
//! below zero has `-2^n` besides, `n` being the number of digits. Comparisons go from the highest
//! digit down and keep the members that are still equal (O'Neil and Quass, Improved Query
//! Performance with Variant Indexes, 1997).

use crate::format::defect::Defect;
use crate::format::view::BitmapRef;
use crate::sets::algebra::{and, and_not, or, xor};
use crate::sets::clip::page;
use crate::sets::count::{and_cardinality, and_not_cardinality};
use crate::slice::Slice;
use std::collections::BTreeMap;

/// How a number is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// Below the number.
    Less,
    /// Not above the number.
    LessOrEqual,
    /// The number.
    Equal,
    /// Another number.
    NotEqual,
    /// Not below the number.
    GreaterOrEqual,
    /// Above the number.
    Greater,
}

/// Bitmaps by bit.
type Bits = BTreeMap<u32, Vec<u8>>;

/// Members and the digits of their numbers.
#[derive(Debug, Clone, Default)]
pub struct Bsi {
    members: Vec<u8>,
    /// By bit, from 0.
    digits: Vec<Vec<u8>>,
    /// Whose number is below zero.
    below_zero: Vec<u8>,
}

/// Who is below a number, equal to it, above it.
struct Split {
    less: Vec<u8>,
    equal: Vec<u8>,
    greater: Vec<u8>,
}

fn view(bytes: &[u8]) -> Result<BitmapRef<'_>, Defect> {
    BitmapRef::parse_layout(bytes)
}

/// The combination of two bitmaps as bytes.
fn combined(
    combine: fn(&BitmapRef<'_>, &BitmapRef<'_>, &mut Vec<u8>),
    a: &[u8],
    b: &[u8],
) -> Result<Vec<u8>, Defect> {
    let mut out = Vec::new();
    combine(&view(a)?, &view(b)?, &mut out);
    Ok(out)
}

const EMPTY: [u8; 8] = [0; 8];

/// `plus - minus` of every value: digits in two's complement, and who is below zero.
fn subtracted(mut plus: Bits, minus: &Bits) -> Result<(Vec<Vec<u8>>, Vec<u8>), Defect> {
    let last = [plus.keys().next_back(), minus.keys().next_back()];
    let count = last
        .into_iter()
        .flatten()
        .max()
        .map_or(0, |last| *last as usize + 1);
    let (mut digits, mut borrow) = (Vec::with_capacity(count), EMPTY.to_vec());
    for bit in 0..count as u32 {
        let ones = plus.remove(&bit).unwrap_or_else(|| EMPTY.to_vec());
        let taken = minus.get(&bit).map_or(EMPTY.as_slice(), Vec::as_slice);
        if view(taken)?.is_empty() && view(&borrow)?.is_empty() {
            digits.push(ones);
            continue;
        }
        let both = combined(and, taken, &borrow)?;
        let missing = combined(and_not, &combined(or, taken, &borrow)?, &ones)?;
        digits.push(combined(xor, &ones, &combined(xor, taken, &borrow)?)?);
        borrow = combined(or, &missing, &both)?;
    }
    Ok((digits, borrow))
}

/// Adds what a digit is worth to the numbers of its members; both ascend.
fn add_worth(numbers: &mut [(u64, i128)], digit: &[u8], worth: i128) -> Result<(), Defect> {
    let mut left = numbers.iter_mut().peekable();
    for member in view(digit)?.iter() {
        while left.next_if(|(before, _)| *before < member).is_some() {}
        if let Some((_, number)) = left.next_if(|(found, _)| *found == member) {
            *number += worth;
        }
    }
    Ok(())
}

impl Bsi {
    /// An index of slices, as canonical bytes or any bytes that have been checked; one that is given
    /// again is united. Who is not in [`Slice::Exists`] is nobody, whatever slices they are in.
    ///
    /// # Errors
    /// A [`Defect`] of the bytes.
    pub fn of(slices: impl IntoIterator<Item = (Slice, Vec<u8>)>) -> Result<Self, Defect> {
        let (mut members, mut plus, mut minus) = (Vec::new(), Bits::new(), Bits::new());
        for (slice, bytes) in slices {
            let place = match slice {
                Slice::Exists => &mut members,
                Slice::Plus(bit) => plus.entry(bit).or_default(),
                Slice::Minus(bit) => minus.entry(bit).or_default(),
            };
            *place = match place.is_empty() {
                true => bytes,
                false => combined(or, place, &bytes)?,
            };
        }
        let (digits, below_zero) = subtracted(plus, &minus)?;
        Ok(Self {
            members,
            digits,
            below_zero,
        })
    }

    /// Everybody who has a number, as canonical bytes if they were; no bytes if nobody was given.
    pub fn members(&self) -> &[u8] {
        &self.members
    }

    /// Number of members.
    ///
    /// # Errors
    /// A [`Defect`] of the bytes, as for all that follow.
    pub fn count(&self) -> Result<u64, Defect> {
        Ok(if self.members.is_empty() {
            0
        } else {
            view(&self.members)?.cardinality()
        })
    }

    /// Keeps only the members that are in the filter.
    ///
    /// # Errors
    /// As [`Bsi::count`].
    pub fn keep(&mut self, filter: &BitmapRef<'_>) -> Result<(), Defect> {
        self.members = combined(and, self.owners(), filter.as_bytes())?;
        Ok(())
    }

    /// The members, as bytes in any case.
    fn owners(&self) -> &[u8] {
        if self.members.is_empty() {
            &EMPTY
        } else {
            &self.members
        }
    }

    fn below_zero(&self) -> &[u8] {
        if self.below_zero.is_empty() {
            &EMPTY
        } else {
            &self.below_zero
        }
    }

    /// What being below zero is worth, negated: above every number of digits.
    fn beyond(&self) -> i128 {
        1 << self.digits.len()
    }

    /// The members below zero and the others.
    fn by_sign(&self) -> Result<[Vec<u8>; 2], Defect> {
        Ok([
            combined(and, self.owners(), self.below_zero())?,
            combined(and_not, self.owners(), self.below_zero())?,
        ])
    }

    /// Bits from the highest digit down, with the bytes of the digit.
    fn descending(&self) -> impl Iterator<Item = (usize, &[u8])> {
        self.digits.iter().map(Vec::as_slice).enumerate().rev()
    }

    /// The sum of the members' numbers.
    ///
    /// # Errors
    /// As [`Bsi::count`].
    pub fn sum(&self) -> Result<i128, Defect> {
        let members = view(self.owners())?;
        let of = |bytes: &[u8]| Ok(i128::from(and_cardinality(&members, &view(bytes)?)));
        let below_zero = of(self.below_zero())?;
        self.descending()
            .try_fold(-below_zero * self.beyond(), |sum, (bit, digit)| {
                Ok(sum + (of(digit)? << bit))
            })
    }

    /// The number of one member; `None` for others.
    ///
    /// # Errors
    /// As [`Bsi::count`].
    pub fn number(&self, member: u64) -> Result<Option<i128>, Defect> {
        if !view(self.owners())?.contains(member) {
            return Ok(None);
        }
        let is_below = view(self.below_zero())?.contains(member);
        let number = self.descending().try_fold(
            -self.beyond() * i128::from(is_below),
            |number, (bit, digit)| Ok(number + (i128::from(view(digit)?.contains(member)) << bit)),
        );
        number.map(Some)
    }

    /// The members, ascending, with their numbers.
    ///
    /// # Errors
    /// As [`Bsi::count`].
    pub fn numbers(&self) -> Result<Vec<(u64, i128)>, Defect> {
        let members = view(self.owners())?;
        let mut numbers: Vec<(u64, i128)> = members.iter().map(|member| (member, 0)).collect();
        add_worth(&mut numbers, self.below_zero(), -self.beyond())?;
        for (bit, digit) in self.descending() {
            add_worth(&mut numbers, digit, 1 << bit)?;
        }
        Ok(numbers)
    }

    /// The number with `index` smaller or equal ones before it when all are put in order; `None`
    /// beyond the last.
    ///
    /// # Errors
    /// As [`Bsi::count`].
    pub fn nth(&self, index: u64) -> Result<Option<i128>, Defect> {
        if index >= self.count()? {
            return Ok(None);
        }
        let [below, others] = self.by_sign()?;
        let negatives = view(&below)?.cardinality();
        let (mut left, mut number, mut equal) = match index.checked_sub(negatives) {
            Some(left) => (left, 0, others),
            None => (index, -self.beyond(), below),
        };
        for (bit, digit) in self.descending() {
            let zeros = and_not_cardinality(&view(&equal)?, &view(digit)?);
            if left < zeros {
                equal = combined(and_not, &equal, digit)?;
            } else {
                left -= zeros;
                number += 1 << bit;
                equal = combined(and, &equal, digit)?;
            }
        }
        Ok(Some(number))
    }

    fn split(&self, number: i128) -> Result<Split, Defect> {
        let mut split = Split {
            less: EMPTY.to_vec(),
            equal: EMPTY.to_vec(),
            greater: EMPTY.to_vec(),
        };
        if number >= self.beyond() {
            split.less = self.owners().to_vec();
            return Ok(split);
        }
        if number < -self.beyond() {
            split.greater = self.owners().to_vec();
            return Ok(split);
        }
        let [below, others] = self.by_sign()?;
        if number < 0 {
            (split.equal, split.greater) = (below, others);
        } else {
            (split.less, split.equal) = (below, others);
        }
        for (bit, digit) in self.descending() {
            let ones = combined(and, &split.equal, digit)?;
            let zeros = combined(and_not, &split.equal, digit)?;
            if number >> bit & 1 == 1 {
                split.less = combined(or, &split.less, &zeros)?;
                split.equal = ones;
            } else {
                split.greater = combined(or, &split.greater, &ones)?;
                split.equal = zeros;
            }
        }
        Ok(split)
    }

    /// The canonical bitmap of the members whose number compares so.
    ///
    /// # Errors
    /// As [`Bsi::count`].
    pub fn compare(&self, comparison: Comparison, number: i128) -> Result<Vec<u8>, Defect> {
        let split = self.split(number)?;
        match comparison {
            Comparison::Less => Ok(split.less),
            Comparison::Equal => Ok(split.equal),
            Comparison::Greater => Ok(split.greater),
            Comparison::LessOrEqual => combined(or, &split.less, &split.equal),
            Comparison::GreaterOrEqual => combined(or, &split.greater, &split.equal),
            Comparison::NotEqual => combined(or, &split.less, &split.greater),
        }
    }

    /// The canonical bitmap of the members whose number is from `low` to `high`, both included.
    ///
    /// # Errors
    /// As [`Bsi::count`].
    pub fn between(&self, low: i128, high: i128) -> Result<Vec<u8>, Defect> {
        combined(
            and,
            &self.compare(Comparison::GreaterOrEqual, low)?,
            &self.compare(Comparison::LessOrEqual, high)?,
        )
    }

    /// The canonical bitmap of the `count` members with the largest numbers; of equal ones the
    /// smallest members.
    ///
    /// # Errors
    /// As [`Bsi::count`].
    pub fn top(&self, count: u64) -> Result<Vec<u8>, Defect> {
        let members = self.count()?;
        if count == 0 {
            return Ok(EMPTY.to_vec());
        }
        let Some(least) = self.nth(members.saturating_sub(count))? else {
            return Ok(EMPTY.to_vec());
        };
        let split = self.split(least)?;
        let wanted = count
            .min(members)
            .saturating_sub(view(&split.greater)?.cardinality());
        let mut equal = Vec::new();
        page(&view(&split.equal)?, 0, wanted, &mut equal);
        combined(or, &split.greater, &equal)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use crate::write_sorted;

    fn bitmap(members: impl IntoIterator<Item = u32>) -> Vec<u8> {
        let members: Vec<u32> = members.into_iter().collect();
        let mut bytes = Vec::new();
        write_sorted(0, &members, &mut bytes);
        bytes
    }

    #[test]
    fn compares_numbers_of_64_bits() {
        let numbers = [0, 1, 1 << 63, u64::MAX];
        let slice = |bit: u32| bitmap((0..4).filter(|i| numbers[*i as usize] >> bit & 1 == 1));
        let digits = (0..64).map(|bit| (Slice::Plus(bit), slice(bit)));
        let bsi = Bsi::of(digits.chain([(Slice::Exists, bitmap(0..4))])).unwrap();
        let between = |low: i128, high: i128| bsi.between(low, high).unwrap();
        assert_eq!(between(1, 1 << 63), bitmap([1, 2]));
        assert_eq!(between(1 << 63, u64::MAX.into()), bitmap([2, 3]));
        assert_eq!(between(-5, 1 << 70), bitmap(0..4));
    }

    #[test]
    fn a_number_is_what_its_slices_are_worth_whatever_they_are() {
        // Member 0: 5 - 8, 1: 1 - 1 - 2, 2: -2^63, 3: 2^63 - 1, 4: nothing, 5: of an offset of 100
        let plus = |bit: u32| {
            let ones = [(0, 5u128), (1, 1), (3, (1 << 63) - 1), (5, 1 << 64)];
            bitmap(
                ones.into_iter()
                    .filter(|(_, n)| n >> bit & 1 == 1)
                    .map(|(m, _)| m),
            )
        };
        let minus = |bit: u32| {
            let offset = Slice::of_offset(100).any(|slice| slice == Slice::Minus(bit));
            let ones = [(0, 8u128), (1, 3), (2, 1 << 63)];
            let ones = ones
                .into_iter()
                .filter(|(_, n)| n >> bit & 1 == 1)
                .map(|(m, _)| m);
            bitmap(ones.chain(offset.then_some(5)))
        };
        let slices = (0..65).flat_map(|bit| {
            [
                (Slice::Plus(bit), plus(bit)),
                (Slice::Minus(bit), minus(bit)),
            ]
        });
        let bsi = Bsi::of(slices.chain([(Slice::Exists, bitmap(0..6))])).unwrap();
        let expected = [-3, -2, i64::MIN.into(), i64::MAX.into(), 0, 100];
        for (member, number) in (0..).zip(expected) {
            assert_eq!(bsi.number(member).unwrap(), Some(number));
            assert_eq!(
                bsi.compare(Comparison::Equal, number).unwrap(),
                bitmap([member as u32])
            );
        }
        assert_eq!(bsi.sum().unwrap(), expected.iter().sum::<i128>());
        assert_eq!(bsi.nth(0).unwrap(), Some(i64::MIN.into()));
        assert_eq!(bsi.nth(5).unwrap(), Some(i64::MAX.into()));
        assert_eq!(bsi.top(2).unwrap(), bitmap([3, 5]));
    }
}
