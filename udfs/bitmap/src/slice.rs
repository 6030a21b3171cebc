//! The slices of a bit-sliced index, each with one weight, whatever shard, day or index it is of.
//!
//! ```text
//! slice -1      everybody who has a number      worth 0
//! slice  i      i from 0 to 63                  worth 2^i
//! slice -2 - i  i from 0 to 63                  worth -2^i
//! ```
//! The number of a member is the sum of what the slices are worth that have the member; so
//! `sum(weight * cardinality)` over any rows is the sum of their members' numbers.

/// A slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Slice {
    /// Everybody who has a number.
    Exists,
    /// Worth `2^i`.
    Plus(u32),
    /// Worth `-2^i`.
    Minus(u32),
}

impl Slice {
    /// The smallest number of a slice.
    pub const LEAST: i16 = -65;
    /// The largest number of a slice.
    pub const MOST: i16 = 63;

    /// The slice with this number; `None` beyond [`Self::LEAST`] and [`Self::MOST`].
    pub fn from_number(number: i64) -> Option<Self> {
        match number {
            -1 => Some(Self::Exists),
            0..=63 => u32::try_from(number).ok().map(Self::Plus),
            -65..=-2 => u32::try_from(-2 - number).ok().map(Self::Minus),
            _ => None,
        }
    }

    /// Its number.
    pub fn number(self) -> i16 {
        match self {
            Self::Exists => -1,
            Self::Plus(bit) => bit as i16,
            Self::Minus(bit) => -2 - bit as i16,
        }
    }

    /// What it adds to the number of each of its members.
    pub fn weight(self) -> i128 {
        match self {
            Self::Exists => 0,
            Self::Plus(bit) => 1 << bit,
            Self::Minus(bit) => -(1 << bit),
        }
    }

    /// The slices that everybody who has a number is in as well, where the others were made of
    /// `number - offset`.
    ///
    /// Digits of a positive offset could meet those of the numbers; it is taken from `2^64` instead,
    /// of which numbers have no digit.
    pub fn of_offset(offset: i64) -> impl Iterator<Item = Self> {
        let above = (offset > 0).then_some(Self::Plus(u64::BITS));
        // Of a negative offset what it is below zero, of a positive one what it is below 2^64.
        let below = (offset as u64).wrapping_neg();
        let digits = (0..u64::BITS).filter(move |bit| below >> bit & 1 == 1);
        above.into_iter().chain(digits.map(Self::Minus))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_is_its_number() {
        for number in Slice::LEAST..=Slice::MOST {
            let slice = Slice::from_number(number.into());
            assert_eq!(slice.map(Slice::number), Some(number));
        }
        assert_eq!(Slice::from_number(-2), Some(Slice::Minus(0)));
        assert_eq!(Slice::from_number(64), None);
        assert_eq!(Slice::from_number(-66), None);
    }

    #[test]
    fn an_offset_is_what_its_slices_are_worth() {
        for offset in [0, 1, -1, 100, -500, -4096, i64::MIN, i64::MAX] {
            let worth: i128 = Slice::of_offset(offset).map(Slice::weight).sum();
            assert_eq!(worth, i128::from(offset));
        }
        let power: Vec<Slice> = Slice::of_offset(-4096).collect();
        assert_eq!(power, [Slice::Minus(12)]);
    }
}
