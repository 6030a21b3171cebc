//! Ranges on a bit-sliced tag: which users' numbers lie between two bounds, one pass over the
//! slices per bound.
//!
//! A slice is the set of users whose `value * 10^scale - offset` has that binary digit (O'Neil and
//! Quass, "Improved query performance with variant indexes", 1997).

use std::ops::Bound;

use tagmill_schemas::Value;

use super::set::Set;

/// The slices of one tag in one shard.
#[derive(Debug, Default)]
pub(super) struct Slices {
    /// Decimal digits kept.
    pub(super) scale: i8,
    /// Subtracted from every scaled value.
    pub(super) offset: i64,
    /// The users that have a value.
    pub(super) exist: Set,
    /// By digit; a digit that nobody has is empty.
    pub(super) digits: Vec<Set>,
}

impl Slices {
    /// The users whose value lies in the range; none for a bound that is no number.
    pub(super) fn range(&self, low: &Bound<Value>, high: &Bound<Value>) -> Set {
        let mut found = match self.first_in(low) {
            Some(first) => self.at_least(first),
            None => self.exist.clone(),
        };
        if let Some(beyond) = self.first_beyond(high) {
            found.subtract(&self.at_least(beyond));
        }
        found
    }

    /// The least stored number that `low` admits; `None` when it admits all.
    fn first_in(&self, low: &Bound<Value>) -> Option<i128> {
        match low {
            Bound::Unbounded => None,
            Bound::Included(value) => self.stored(value).map(|bound| bound.ceiling()),
            Bound::Excluded(value) => self.stored(value).map(|bound| bound.floor + 1),
        }
    }

    /// The least stored number above `high`; `None` when there is none.
    fn first_beyond(&self, high: &Bound<Value>) -> Option<i128> {
        match high {
            Bound::Unbounded => None,
            Bound::Included(value) => self.stored(value).map(|bound| bound.floor + 1),
            Bound::Excluded(value) => self.stored(value).map(|bound| bound.ceiling()),
        }
    }

    fn stored(&self, value: &Value) -> Option<Scaled> {
        let scaled = Scaled::of(value, self.scale)?;
        Some(Scaled {
            floor: scaled.floor - i128::from(self.offset),
            ..scaled
        })
    }

    /// The users whose stored number is `bound` or more.
    fn at_least(&self, bound: i128) -> Set {
        if bound <= 0 {
            return self.exist.clone();
        }
        if bound >> self.digits.len() != 0 {
            return Set::default();
        }
        let mut above = Set::default();
        let mut equal = self.exist.clone();
        for (digit, users) in self.digits.iter().enumerate().rev() {
            if bound >> digit & 1 == 1 {
                equal.intersect(users);
            } else {
                let mut more = equal.clone();
                more.intersect(users);
                above = above.union(more);
                equal.subtract(users);
            }
        }
        above.union(equal)
    }
}

/// A bound on the scaled number line: its floor, and whether it lies exactly there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Scaled {
    floor: i128,
    is_exact: bool,
}

impl Scaled {
    fn of(value: &Value, scale: i8) -> Option<Self> {
        match value {
            Value::Integer(number) => Self::shift(i128::from(*number), scale),
            Value::Date(days) => Self::shift(i128::from(*days), scale),
            Value::Double(number) => Self::decimal(&number.to_string(), scale),
            Value::String(_) | Value::Boolean(_) => None,
        }
    }

    fn shift(number: i128, scale: i8) -> Option<Self> {
        let factor = 10_i128.checked_pow(u32::try_from(scale).ok()?)?;
        Some(Self {
            floor: number.checked_mul(factor)?,
            is_exact: true,
        })
    }

    /// From plain decimal digits, so that 0.29 with two digits is 29 and not 28.999.
    fn decimal(text: &str, scale: i8) -> Option<Self> {
        let (is_negative, text) = text
            .strip_prefix('-')
            .map_or((false, text), |rest| (true, rest));
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let scale = usize::try_from(scale).ok()?;
        let (kept, cut) = fraction.split_at(fraction.len().min(scale));
        let digits = format!("{whole}{kept:0<scale$}");
        let magnitude: i128 = digits.parse().ok()?;
        let is_exact = cut.bytes().all(|digit| digit == b'0');
        let floor = match (is_negative, is_exact) {
            (false, _) => magnitude,
            (true, true) => -magnitude,
            (true, false) => -magnitude - 1,
        };
        Some(Self { floor, is_exact })
    }

    fn ceiling(self) -> i128 {
        if self.is_exact {
            self.floor
        } else {
            self.floor + 1
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NUMBERS: [i64; 9] = [-70, -3, -1, 0, 5, 29, 30, 31, 900];

    fn slices(scale: i8) -> Slices {
        let offset = -70;
        let mut slices = Slices {
            scale,
            offset,
            exist: Set::default(),
            digits: vec![Set::default(); 10],
        };
        for (ordinal, number) in (0..).zip(NUMBERS) {
            slices.exist.insert(ordinal);
            let stored = number - offset;
            (0..10)
                .filter(|digit| stored >> digit & 1 == 1)
                .for_each(|digit| slices.digits[digit as usize].insert(ordinal));
        }
        slices
    }

    fn members(set: &Set) -> Vec<usize> {
        (0..NUMBERS.len())
            .filter(|i| set.words().first().is_some_and(|word| word >> i & 1 == 1))
            .collect()
    }

    #[test]
    fn ranges_equal_comparing_each_number() {
        let slices = slices(0);
        let bounds = |v: i64| {
            [
                Bound::Unbounded,
                Bound::Included(Value::Integer(v)),
                Bound::Excluded(Value::Integer(v)),
            ]
        };
        for low in (-75..=35).flat_map(bounds) {
            for high in [-71, -70, -1, 0, 29, 30, 899, 900, 5_000]
                .into_iter()
                .flat_map(bounds)
            {
                let number = |bound: &Bound<Value>| {
                    bound
                        .as_ref()
                        .map(|v| if let Value::Integer(v) = v { *v } else { 0 })
                };
                let range = (number(&low), number(&high));
                let expected: Vec<_> = (0..NUMBERS.len())
                    .filter(|i| std::ops::RangeBounds::contains(&range, &NUMBERS[*i]))
                    .collect();
                assert_eq!(members(&slices.range(&low, &high)), expected, "{range:?}");
            }
        }
    }

    #[test]
    fn bounds_between_two_kept_decimals_round_towards_the_range() {
        let slices = slices(2);
        let at_most =
            |v| members(&slices.range(&Bound::Unbounded, &Bound::Included(Value::Double(v))));
        let below =
            |v| members(&slices.range(&Bound::Unbounded, &Bound::Excluded(Value::Double(v))));
        assert_eq!(at_most(0.29), [0, 1, 2, 3, 4, 5]);
        assert_eq!(below(0.29), [0, 1, 2, 3, 4]);
        assert_eq!(below(0.291), [0, 1, 2, 3, 4, 5]);
        assert_eq!(at_most(-0.015), [0, 1]);
        assert_eq!(at_most(1e30), (0..NUMBERS.len()).collect::<Vec<_>>());
    }

    #[test]
    fn negative_decimals_floor_downwards() {
        assert_eq!(
            Scaled::decimal("-0.015", 2),
            Some(Scaled {
                floor: -2,
                is_exact: false
            })
        );
        assert_eq!(
            Scaled::decimal("-12", 1),
            Some(Scaled {
                floor: -120,
                is_exact: true
            })
        );
        assert_eq!(
            Scaled::decimal("7.5", 0),
            Some(Scaled {
                floor: 7,
                is_exact: false
            })
        );
    }
}
