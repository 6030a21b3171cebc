//! A number of behaviour for every seat of an app, while days come in and go out.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::ops::Bound;

use tagmill_bitmap::{Slice, SlicedNumbers};
use tagmill_rules::{Test, What};
use tagmill_schemas::Value;
use tagmill_schemas::number::text_of_double;

use super::day::DayNumbers;
use super::window::{AppWindow, Step};

/// Larger than every number of 64 bits at every scale.
const BEYOND: i128 = 1 << 100;

/// One number of one app.
pub struct WindowNumbers<'a> {
    /// Which.
    pub window: &'a AppWindow,
    /// Decimal digits of `value`.
    scale: u8,
    value: SlicedNumbers,
    /// On how many days of the window something was kept out.
    uncertain: SlicedNumbers,
}

impl<'a> WindowNumbers<'a> {
    /// 0 for everybody.
    pub fn new(window: &'a AppWindow, words: usize) -> Self {
        Self {
            window,
            scale: 0,
            value: SlicedNumbers::zero(words),
            uncertain: SlicedNumbers::zero(words),
        }
    }

    /// Heap bytes held.
    pub fn size(&self) -> usize {
        self.value.size() + self.uncertain.size()
    }

    /// Decimal digits of the number.
    pub fn scale(&self) -> u8 {
        self.scale
    }

    /// Takes a row of the night before.
    pub fn add_row(&mut self, is_uncertain: bool, scale: u8, slice: Slice, users: &[u64]) {
        if is_uncertain {
            self.uncertain.add_slice(slice, users);
        } else {
            self.scale = scale;
            self.value.add_slice(slice, users);
        }
    }

    /// Lets a day come in or go out; days come in ascending.
    pub fn apply(&mut self, day: &DayNumbers, date: i32, step: Step) {
        let DayNumbers {
            value,
            scale,
            uncertain,
        } = day;
        let uncertain = SlicedNumbers::constant(uncertain, 1);
        match step {
            Step::Add => self.uncertain.add(&uncertain),
            Step::Subtract => self.uncertain.subtract(&uncertain),
        }
        match (&self.window.state.what, step) {
            (What::Count | What::Sum(_) | What::Days, _) => self.add(value, *scale, step),
            (What::First, _) => {
                let mut new = value.nonzero();
                let had = self.value.nonzero();
                new.iter_mut().zip(had).for_each(|(new, had)| *new &= !had);
                self.value.assign(&new, date.into());
            }
            (What::Last, _) => self.value.assign(&value.nonzero(), date.into()),
        }
    }

    fn add(&mut self, more: &SlicedNumbers, scale: u8, step: Step) {
        if more.is_zero() {
            return;
        }
        if self.value.is_zero() {
            self.scale = scale;
        }
        let mut scaled = Cow::Borrowed(more);
        for _ in scale..self.scale {
            scaled.to_mut().times_ten();
        }
        for _ in self.scale..scale {
            self.value.times_ten();
        }
        self.scale = self.scale.max(scale);
        match step {
            Step::Add => self.value.add(&scaled),
            Step::Subtract => self.value.subtract(&scaled),
        }
    }

    /// Users whose number passes; without a test those who have one. Seats beyond the last may be
    /// among them.
    pub fn passing(&self, test: Option<&Test>) -> Vec<u64> {
        let mut users = match test {
            Some(test) => self.of_test(test),
            None => self.value.nonzero(),
        };
        if self.window.state.may_be_absent() {
            let present = self.value.nonzero();
            users
                .iter_mut()
                .zip(present)
                .for_each(|(users, present)| *users &= present);
        }
        users
    }

    /// Users of whom a limit kept something out.
    pub fn uncertain(&self) -> Vec<u64> {
        self.uncertain.nonzero()
    }

    /// How many users' numbers do not fit into 64 bits.
    pub fn beyond(&self) -> u64 {
        self.value
            .beyond_64_bits()
            .iter()
            .map(|word| u64::from(word.count_ones()))
            .sum()
    }

    /// The slices of its rows: whether they are of what is uncertain, the slice, its users.
    pub fn slices(&self) -> impl Iterator<Item = (bool, Slice, Vec<u64>)> {
        let value = self
            .value
            .slices()
            .into_iter()
            .map(|(slice, users)| (false, slice, users));
        let uncertain = self.uncertain.slices().into_iter();
        value.chain(uncertain.map(|(slice, users)| (true, slice, users)))
    }

    fn of_test(&self, test: &Test) -> Vec<u64> {
        let none = || vec![0; self.value.words()];
        match test {
            Test::In(values) => values.iter().fold(none(), |mut all, value| {
                let equal = self.compare(value, &[Ordering::Equal]);
                all.iter_mut()
                    .zip(equal)
                    .for_each(|(all, equal)| *all |= equal);
                all
            }),
            Test::Range { low, high } => {
                let low = self.within(low, Ordering::Greater);
                let high = self.within(high, Ordering::Less);
                low.into_iter()
                    .zip(high)
                    .map(|(low, high)| low & high)
                    .collect()
            }
            Test::Like { .. } => none(),
            Test::Not(inner) => self.of_test(inner).into_iter().map(|word| !word).collect(),
        }
    }

    fn within(&self, bound: &Bound<Value>, side: Ordering) -> Vec<u64> {
        match bound {
            Bound::Included(value) => self.compare(value, &[side, Ordering::Equal]),
            Bound::Excluded(value) => self.compare(value, &[side]),
            Bound::Unbounded => vec![u64::MAX; self.value.words()],
        }
    }

    /// Users whose number compares so with a constant.
    fn compare(&self, value: &Value, orderings: &[Ordering]) -> Vec<u64> {
        let (floor, is_whole) = scaled(value, self.scale);
        let compared = self.value.compare(floor);
        let mut users = vec![0; self.value.words()];
        for ordering in [Ordering::Less, Ordering::Equal, Ordering::Greater] {
            // A number that is the whole part of the constant is less than it.
            let of_constant = match ordering {
                Ordering::Equal if !is_whole => Ordering::Less,
                other => other,
            };
            if orderings.contains(&of_constant) {
                let more = compared.members(ordering);
                users
                    .iter_mut()
                    .zip(more)
                    .for_each(|(users, more)| *users |= more);
            }
        }
        users
    }
}

/// A constant times `10^scale`, rounded down, and whether it is whole; beyond every number where it
/// is.
fn scaled(value: &Value, scale: u8) -> (i128, bool) {
    match value {
        Value::Integer(number) => (i128::from(*number), true),
        Value::Date(days) => (i128::from(*days), true),
        Value::Double(number) => scaled_decimal(&text_of_double(*number), scale),
        Value::String(_) | Value::Boolean(_) => (BEYOND, false),
    }
}

/// The same of decimal text with an optional exponent.
fn scaled_decimal(text: &str, scale: u8) -> (i128, bool) {
    let (digits, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let beyond = match digits.starts_with('-') {
        true => (-BEYOND, true),
        false => (BEYOND, true),
    };
    let Ok(exponent) = exponent.parse::<i64>() else {
        return beyond;
    };
    let Ok(number) = format!("{whole}{fraction}").parse::<i128>() else {
        return beyond;
    };
    let shift = exponent - fraction.len() as i64 + i64::from(scale);
    let power = |by: u64| {
        u32::try_from(by)
            .ok()
            .and_then(|by| 10_i128.checked_pow(by))
    };
    if shift >= 0 {
        let product = power(shift.unsigned_abs()).and_then(|power| number.checked_mul(power));
        let product = product.filter(|product| product.abs() < BEYOND);
        return product.map_or(if number == 0 { (0, true) } else { beyond }, |product| {
            (product, true)
        });
    }
    match power(shift.unsigned_abs()) {
        Some(power) => (number.div_euclid(power), number.rem_euclid(power) == 0),
        None => (if number < 0 { -1 } else { 0 }, number == 0),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use chrono::NaiveDate;
    use tagmill_rules::{Window, WindowState};

    #[test]
    fn constants_are_scaled_exactly() {
        for (text, scale, expected) in [
            ("100.5", 2, (10_050, true)),
            ("100.5", 0, (100, false)),
            ("-0.5", 0, (-1, false)),
            ("-2", 1, (-20, true)),
            ("1e3", 0, (1000, true)),
            ("1e-3", 2, (0, false)),
            ("1e300", 0, (BEYOND, true)),
            ("-1e300", 0, (-BEYOND, true)),
            ("1e-300", 4, (0, false)),
        ] {
            assert_eq!(scaled_decimal(text, scale), expected, "{text}");
        }
    }

    fn window(what: What) -> AppWindow {
        AppWindow {
            state: WindowState {
                event: "pay".to_owned(),
                what,
                window: Some(Window { days: 3, back: 0 }),
                condition: None,
            },
            since: NaiveDate::default(),
            is_rolled: false,
        }
    }

    fn day(scale: u8, numbers: &[i64]) -> DayNumbers {
        let mut value = SlicedNumbers::zero(1);
        for (seat, number) in numbers.iter().enumerate() {
            value.add(&SlicedNumbers::constant(&[1 << seat], *number));
        }
        DayNumbers {
            value,
            scale,
            uncertain: vec![0],
        }
    }

    #[test]
    fn sums_of_other_scales_are_added_by_their_worth() {
        let window = window(What::Sum("amount".to_owned()));
        let mut numbers = WindowNumbers::new(&window, 1);
        numbers.apply(&day(0, &[5, -3, 0]), 1, Step::Add);
        numbers.apply(&day(2, &[25, 300, 0]), 2, Step::Add);
        let over = |low: f64| Test::Range {
            low: Bound::Excluded(Value::Double(low)),
            high: Bound::Unbounded,
        };
        assert_eq!(numbers.scale(), 2);
        assert_eq!(numbers.passing(Some(&over(5.2)))[0] & 7, 0b001);
        assert_eq!(numbers.passing(Some(&over(5.25)))[0] & 7, 0b000);
        let zero = Test::In(vec![Value::Double(0.0)]);
        assert_eq!(numbers.passing(Some(&zero))[0] & 7, 0b110);
        let not = Test::Not(Box::new(zero));
        assert_eq!(numbers.passing(Some(&not))[0] & 7, 0b001);
        numbers.apply(&day(0, &[5, -3, 0]), 1, Step::Subtract);
        assert_eq!(numbers.passing(Some(&over(0.2)))[0] & 7, 0b011);
    }

    #[test]
    fn first_and_last_are_days_and_absent_without_one() {
        let (first, last) = (window(What::First), window(What::Last));
        let [mut first, mut last] = [&first, &last].map(|window| WindowNumbers::new(window, 1));
        for (date, numbers) in [
            (20_000, [1, 0, 0]),
            (20_001, [1, 1, 0]),
            (20_002, [0, 1, 0]),
        ] {
            first.apply(&day(0, &numbers), date, Step::Add);
            last.apply(&day(0, &numbers), date, Step::Add);
        }
        let on = |date: i32| Test::In(vec![Value::Date(date)]);
        assert_eq!(first.passing(Some(&on(20_000))), [0b01]);
        assert_eq!(first.passing(Some(&on(20_001))), [0b10]);
        assert_eq!(last.passing(Some(&on(20_001))), [0b01]);
        assert_eq!(last.passing(Some(&on(20_002))), [0b10]);
        assert_eq!(last.passing(None), [0b11]);
        let not = Test::Not(Box::new(on(20_002)));
        assert_eq!(last.passing(Some(&not)), [0b01]);
    }
}
