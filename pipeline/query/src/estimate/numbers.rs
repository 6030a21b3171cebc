//! Ranges on a bit-sliced tag: which users' numbers lie between two bounds.
//!
//! A slice is the set of users whose `value - offset` has that binary digit; see
//! [`Bsi`](tagmill_bitmap::Bsi).

use std::ops::Bound;

use tagmill_bitmap::{BitmapRef, Bsi, Comparison, Defect, and_not};
use tagmill_schemas::Value;

/// The slices of one integer or date tag in one shard.
#[derive(Debug, Default)]
pub(super) struct Slices {
    /// Subtracted from every value.
    pub(super) offset: i64,
    /// Of what remains, which is 0 or more.
    pub(super) numbers: Bsi,
}

impl Slices {
    /// The bitmap of the users whose value lies in the range.
    ///
    /// # Errors
    /// A defect of the bytes.
    pub(super) fn inside(
        &self,
        low: &Bound<Value>,
        high: &Bound<Value>,
    ) -> Result<Vec<u8>, Defect> {
        match (self.bound(low, 1), self.bound(high, -1)) {
            (Some(low), Some(high)) => self.numbers.between(low, high),
            (Some(low), None) => self.numbers.compare(Comparison::GreaterOrEqual, low),
            (None, Some(high)) => self.numbers.compare(Comparison::LessOrEqual, high),
            (None, None) => Ok(self.numbers.members.clone()),
        }
    }

    /// The bitmap of the users that have a value, but not in the range.
    ///
    /// # Errors
    /// A defect of the bytes.
    pub(super) fn outside(
        &self,
        low: &Bound<Value>,
        high: &Bound<Value>,
    ) -> Result<Vec<u8>, Defect> {
        let (inside, members) = (self.inside(low, high)?, &self.numbers.members);
        let mut others = Vec::new();
        if !members.is_empty() {
            let members = BitmapRef::parse_layout(members)?;
            and_not(&members, &BitmapRef::parse_layout(&inside)?, &mut others);
        }
        Ok(others)
    }

    /// The last stored number that a bound admits, an excluded one moved by `step`; `None` without
    /// a bound. Constants have the type of the tag.
    fn bound(&self, bound: &Bound<Value>, step: i128) -> Option<i128> {
        let number = |value: &Value| match value {
            Value::Integer(number) => Some(i128::from(*number)),
            Value::Date(days) => Some(i128::from(*days)),
            Value::String(_) | Value::Double(_) | Value::Boolean(_) => None,
        };
        let found = match bound {
            Bound::Unbounded => None,
            Bound::Included(value) => number(value),
            Bound::Excluded(value) => number(value).map(|number| number + step),
        };
        found.map(|number| number - i128::from(self.offset))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::ops::RangeBounds;

    use tagmill_bitmap::write_sorted;

    use super::*;

    const NUMBERS: [i64; 9] = [-70, -3, -1, 0, 5, 29, 30, 31, 900];
    const OFFSET: i64 = -128;

    fn bitmap(is_in: impl Fn(i64) -> bool) -> Vec<u8> {
        let ordinals: Vec<u32> = (0..)
            .zip(NUMBERS)
            .filter_map(|(ordinal, number)| is_in(number).then_some(ordinal))
            .collect();
        let mut bytes = Vec::new();
        write_sorted(2, &ordinals, &mut bytes);
        bytes
    }

    #[test]
    fn ranges_equal_comparing_each_number() {
        let digits = (0..11).map(|bit| (bit, bitmap(|number| (number - OFFSET) >> bit & 1 == 1)));
        let slices = Slices {
            offset: OFFSET,
            numbers: Bsi {
                members: bitmap(|_| true),
                slices: digits.collect(),
            },
        };
        let bounds = |v: i64| [Bound::Unbounded, Bound::Included(v), Bound::Excluded(v)];
        for low in (-75..=35).flat_map(bounds) {
            for high in [-200, -71, -70, -1, 0, 29, 30, 899, 900, 5_000]
                .into_iter()
                .flat_map(bounds)
            {
                let is_in = |number: i64| (low, high).contains(&number);
                let (from, to) = (low.map(Value::Integer), high.map(Value::Integer));
                assert_eq!(
                    slices.inside(&from, &to).unwrap(),
                    bitmap(is_in),
                    "{from:?} {to:?}"
                );
                let others = slices.outside(&from, &to).unwrap();
                assert_eq!(others, bitmap(|number| !is_in(number)), "{from:?} {to:?}");
            }
        }
    }

    #[test]
    fn a_shard_without_the_tag_has_nobody_inside_or_outside() {
        let (slices, bound) = (Slices::default(), Bound::Included(Value::Integer(3)));
        let none = slices.outside(&bound, &Bound::Unbounded).unwrap();
        assert!(none.is_empty());
        let inside = slices.inside(&bound, &bound).unwrap();
        assert_eq!(BitmapRef::parse(&inside).unwrap().cardinality(), 0);
    }
}
