//! Ranges on a bit-sliced tag: which users' numbers lie between two bounds.
//!
//! A value is the sum of what the slices are worth that have the user, see [`Bsi`]. Older files
//! have slices of `value - offset`.

use std::ops::Bound;

use tagmill_bitmap::{BitmapRef, Bsi, Comparison, Defect, Slice, and_not};
use tagmill_schemas::Value;

/// The rows of one integer or date tag in one shard.
#[derive(Debug, Default)]
pub(super) struct SliceRows(Vec<(Slice, Vec<u8>)>);

impl SliceRows {
    /// Adds a row: who is in a slice, and what was subtracted from every value before it was sliced.
    pub(super) fn add(&mut self, slice: Slice, offset: i64, users: &BitmapRef<'_>) {
        let bytes = users.as_bytes();
        if slice == Slice::Exists {
            let everybody = Slice::of_offset(offset).map(|slice| (slice, bytes.to_vec()));
            self.0.extend(everybody);
        }
        self.0.push((slice, bytes.to_vec()));
    }

    /// The values.
    ///
    /// # Errors
    /// A defect of the bytes.
    pub(super) fn numbers(self) -> Result<Numbers, Defect> {
        Bsi::of(self.0).map(Numbers)
    }
}

/// The values of one integer or date tag in one shard.
#[derive(Debug)]
pub(super) struct Numbers(Bsi);

impl Numbers {
    /// The bitmap of the users whose value lies in the range.
    ///
    /// # Errors
    /// A defect of the bytes.
    pub(super) fn inside(
        &self,
        low: &Bound<Value>,
        high: &Bound<Value>,
    ) -> Result<Vec<u8>, Defect> {
        match (bound(low, 1), bound(high, -1)) {
            (Some(low), Some(high)) => self.0.between(low, high),
            (Some(low), None) => self.0.compare(Comparison::GreaterOrEqual, low),
            (None, Some(high)) => self.0.compare(Comparison::LessOrEqual, high),
            (None, None) => Ok(self.0.members().to_vec()),
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
        let (inside, members) = (self.inside(low, high)?, self.0.members());
        let mut others = Vec::new();
        if !members.is_empty() {
            let members = BitmapRef::parse_layout(members)?;
            and_not(&members, &BitmapRef::parse_layout(&inside)?, &mut others);
        }
        Ok(others)
    }
}

/// The last number that a bound admits, an excluded one moved by `step`; `None` without a bound.
/// Constants have the type of the tag.
fn bound(bound: &Bound<Value>, step: i128) -> Option<i128> {
    let number = |value: &Value| match value {
        Value::Integer(number) => Some(i128::from(*number)),
        Value::Date(days) => Some(i128::from(*days)),
        Value::String(_) | Value::Double(_) | Value::Boolean(_) => None,
    };
    match bound {
        Bound::Unbounded => None,
        Bound::Included(value) => number(value),
        Bound::Excluded(value) => number(value).map(|number| number + step),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::ops::RangeBounds;

    use tagmill_bitmap::write_sorted;

    use super::*;

    const NUMBERS: [i64; 9] = [-70, -3, -1, 0, 5, 29, 30, 31, 900];

    fn bitmap(is_in: impl Fn(i64) -> bool) -> Vec<u8> {
        let ordinals: Vec<u32> = (0..)
            .zip(NUMBERS)
            .filter_map(|(ordinal, number)| is_in(number).then_some(ordinal))
            .collect();
        let mut bytes = Vec::new();
        write_sorted(2, &ordinals, &mut bytes);
        bytes
    }

    /// Rows as this version writes them, and as older files have them.
    fn rows() -> [SliceRows; 2] {
        let mut own = SliceRows::default();
        let mut earlier = SliceRows::default();
        let add = |rows: &mut SliceRows, number, offset, users: Vec<u8>| {
            let slice = Slice::from_number(number).unwrap();
            rows.add(slice, offset, &BitmapRef::parse(&users).unwrap());
        };
        add(&mut own, -2 - 7, 0, bitmap(|number| number < 0));
        add(&mut own, -1, 0, bitmap(|_| true));
        add(&mut earlier, -1, -128, bitmap(|_| true));
        for bit in 0..11 {
            let below_zero = |number| if number < 0 { 128 } else { 0 };
            let digit = bitmap(|number| (number + below_zero(number)) >> bit & 1 == 1);
            add(&mut own, bit, 0, digit);
            let digit = bitmap(|number| (number + 128) >> bit & 1 == 1);
            add(&mut earlier, bit, -128, digit);
        }
        [own, earlier]
    }

    #[test]
    fn ranges_equal_comparing_each_number() {
        for rows in rows() {
            compares_each(&rows.numbers().unwrap());
        }
    }

    fn compares_each(numbers: &Numbers) {
        let bounds = |v: i64| [Bound::Unbounded, Bound::Included(v), Bound::Excluded(v)];
        for low in (-75..=35).flat_map(bounds) {
            for high in [-200, -71, -70, -1, 0, 29, 30, 899, 900, 5_000]
                .into_iter()
                .flat_map(bounds)
            {
                let is_in = |number: i64| (low, high).contains(&number);
                let (from, to) = (low.map(Value::Integer), high.map(Value::Integer));
                assert_eq!(
                    numbers.inside(&from, &to).unwrap(),
                    bitmap(is_in),
                    "{from:?} {to:?}"
                );
                let others = numbers.outside(&from, &to).unwrap();
                assert_eq!(others, bitmap(|number| !is_in(number)), "{from:?} {to:?}");
            }
        }
    }

    #[test]
    fn a_shard_without_the_tag_has_nobody_inside_or_outside() {
        let numbers = SliceRows::default().numbers().unwrap();
        let bound = Bound::Included(Value::Integer(3));
        let none = numbers.outside(&bound, &Bound::Unbounded).unwrap();
        assert!(none.is_empty());
        let inside = numbers.inside(&bound, &bound).unwrap();
        assert_eq!(BitmapRef::parse(&inside).unwrap().cardinality(), 0);
    }
}
