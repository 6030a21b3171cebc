//! A bit-sliced index: one number from 0 on per member, as one bitmap a binary digit.
//!
//! ```text
//! members   : everybody who has a number
//! slice i   : the members whose number has bit i set
//! ```
//! A slice that is missing is empty. Comparisons go from the highest slice down and keep the
//! members that are still equal (O'Neil and Quass, Improved Query Performance with Variant Indexes,
//! 1997).

use crate::format::defect::Defect;
use crate::format::view::BitmapRef;
use crate::sets::algebra::{and, and_not, or};
use crate::sets::clip::page;
use crate::sets::count::{and_cardinality, and_not_cardinality};
use std::collections::BTreeMap;

/// The most slices: 64-bit integers may be 2^64 - 1 apart.
pub const SLICES_MOST: u32 = 64;

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

/// Members and slices as canonical bytes, or any bytes that have been checked.
#[derive(Debug, Clone, Default)]
pub struct Bsi {
    /// Everybody who has a number.
    pub members: Vec<u8>,
    /// Slices by bit, below 64.
    pub slices: BTreeMap<u32, Vec<u8>>,
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

impl Bsi {
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
        self.members = combined(and, self.members(), filter.as_bytes())?;
        Ok(())
    }

    fn members(&self) -> &[u8] {
        if self.members.is_empty() {
            &EMPTY
        } else {
            &self.members
        }
    }

    /// Bits from the highest slice down, with the bytes of the slice.
    fn descending(&self) -> impl Iterator<Item = (u32, &[u8])> {
        let above = self.slices.last_key_value().map_or(0, |(bit, _)| bit + 1);
        (0..above).rev().map(|bit| {
            (
                bit,
                self.slices
                    .get(&bit)
                    .map_or(EMPTY.as_slice(), Vec::as_slice),
            )
        })
    }

    /// The sum of the members' numbers.
    ///
    /// # Errors
    /// As [`Bsi::count`].
    pub fn sum(&self) -> Result<u128, Defect> {
        let members = view(self.members())?;
        self.slices.iter().try_fold(0, |sum, (bit, slice)| {
            Ok(sum + (u128::from(and_cardinality(&members, &view(slice)?)) << bit))
        })
    }

    /// The number of one member; `None` for others.
    ///
    /// # Errors
    /// As [`Bsi::count`].
    pub fn number(&self, member: u64) -> Result<Option<u64>, Defect> {
        if !view(self.members())?.contains(member) {
            return Ok(None);
        }
        let number = self.slices.iter().try_fold(0, |number, (bit, slice)| {
            Ok(number | u64::from(view(slice)?.contains(member)) << bit)
        });
        number.map(Some)
    }

    /// The number with `index` smaller or equal ones before it when all are put in order; `None`
    /// beyond the last.
    ///
    /// # Errors
    /// As [`Bsi::count`].
    pub fn nth(&self, index: u64) -> Result<Option<u64>, Defect> {
        if index >= self.count()? {
            return Ok(None);
        }
        let (mut left, mut number) = (index, 0);
        let mut equal = self.members().to_vec();
        for (bit, slice) in self.descending() {
            let zeros = and_not_cardinality(&view(&equal)?, &view(slice)?);
            if left < zeros {
                equal = combined(and_not, &equal, slice)?;
            } else {
                left -= zeros;
                number |= 1 << bit;
                equal = combined(and, &equal, slice)?;
            }
        }
        Ok(Some(number))
    }

    fn split(&self, number: u64) -> Result<Split, Defect> {
        let above = self.slices.last_key_value().map_or(0, |(bit, _)| bit + 1);
        let mut split = Split {
            less: EMPTY.to_vec(),
            equal: self.members().to_vec(),
            greater: EMPTY.to_vec(),
        };
        if number.checked_shr(above).is_some_and(|beyond| beyond != 0) {
            std::mem::swap(&mut split.less, &mut split.equal);
            return Ok(split);
        }
        for (bit, slice) in self.descending() {
            let ones = combined(and, &split.equal, slice)?;
            let zeros = combined(and_not, &split.equal, slice)?;
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

    /// The canonical bitmap of the members whose number compares so; a negative number is below
    /// all.
    ///
    /// # Errors
    /// As [`Bsi::count`].
    pub fn compare(&self, comparison: Comparison, number: i128) -> Result<Vec<u8>, Defect> {
        let split = match u64::try_from(number) {
            Ok(number) => self.split(number)?,
            Err(_) if number < 0 => Split {
                less: EMPTY.to_vec(),
                equal: EMPTY.to_vec(),
                greater: self.members().to_vec(),
            },
            Err(_) => Split {
                less: self.members().to_vec(),
                equal: EMPTY.to_vec(),
                greater: EMPTY.to_vec(),
            },
        };
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

    #[test]
    fn compares_numbers_of_64_bits() {
        let numbers = [0, 1, 1 << 63, u64::MAX];
        let bitmap = |members: &[u32]| {
            let mut bytes = Vec::new();
            write_sorted(0, members, &mut bytes);
            bytes
        };
        let slice = |bit: u32| -> Vec<u32> {
            (0..4)
                .filter(|&i| numbers[i as usize] >> bit & 1 == 1)
                .collect()
        };
        let bsi = Bsi {
            members: bitmap(&[0, 1, 2, 3]),
            slices: (0..64).map(|bit| (bit, bitmap(&slice(bit)))).collect(),
        };
        let between = |low: i128, high: i128| bsi.between(low, high).unwrap();
        assert_eq!(between(1, 1 << 63), bitmap(&[1, 2]));
        assert_eq!(between(1 << 63, u64::MAX.into()), bitmap(&[2, 3]));
        assert_eq!(between(-5, 1 << 70), bitmap(&[0, 1, 2, 3]));
    }
}
