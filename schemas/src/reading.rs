//! What raw text says as a value of a type: the same for attributes, group tags and properties.
//!
//! | type | accepted text, blanks around it aside | no value |
//! |---|---|---|
//! | integer | a number that is whole and fits into 64 bits: `35`, `35.0`, `3e1` | `NaN` |
//! | double | a number, which becomes the nearest double | `NaN`; infinities are counted |
//! | date | `2026-11-19`, `2026-1-5`, `20261119`; a time behind it is cut off | |
//! | boolean | `true`, `t`, `yes`, `y`, `on`, 1, their opposites, letters in any case | `NaN` |
//!
//! String takes any text as it is.

use chrono::{NaiveDate, NaiveTime};

use crate::number::Number;
use crate::value::{Value, ValueType, days_of};

/// What a text says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// This value, exactly; a double is the nearest one.
    Value(Value),
    /// Nothing: not-a-number.
    Nothing,
    /// Nothing that has a place on a number line: an infinity for a double.
    Infinite,
    /// What is no value of the type.
    Bad,
}

impl Reading {
    /// Reads raw text as a value of this type.
    pub fn of(text: &str, value_type: ValueType) -> Self {
        if value_type == ValueType::String {
            return Self::Value(Value::String(text.to_owned()));
        }
        let text = text.trim();
        let value = match value_type {
            ValueType::String => None,
            ValueType::Integer => integer_of(text).map(Value::Integer),
            ValueType::Double => return double(text),
            ValueType::Date => day_of(text).map(Value::Date),
            ValueType::Boolean => boolean_of(text).map(Value::Boolean),
        };
        match value {
            Some(value) => Self::Value(value),
            None if value_type != ValueType::Date && is_not_a_number(text) => Self::Nothing,
            None => Self::Bad,
        }
    }
}

/// Whether a text is what tools write for a number that is none.
pub fn is_not_a_number(text: &str) -> bool {
    text.trim().eq_ignore_ascii_case("nan")
}

/// A whole number of 64 bits, however it is written.
pub fn integer_of(text: &str) -> Option<i64> {
    let plain = text.parse().ok();
    plain.or_else(|| Number::parse(text)?.to_integer())
}

fn double(text: &str) -> Reading {
    match text.parse::<f64>() {
        Ok(value) if value.is_nan() => Reading::Nothing,
        Ok(value) if value.is_infinite() => match Number::parse(text) {
            // A number that no double holds.
            Some(_) => Reading::Bad,
            None => Reading::Infinite,
        },
        Ok(value) => Value::double(value).map_or(Reading::Bad, Reading::Value),
        Err(_) => Reading::Bad,
    }
}

/// The day of a date, or of a date and a time, as days from 1970-01-01.
pub fn day_of(text: &str) -> Option<i32> {
    let (date, time) = match text.find(['T', ' ']) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let is_time = |time: &str| time.parse::<NaiveTime>().is_ok();
    let date = time.is_none_or(is_time).then(|| date_of_text(date))?;
    date.map(days_of)
}

/// `2026-11-19`, `2026-1-5` or `20261119`.
fn date_of_text(text: &str) -> Option<NaiveDate> {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if text.len() == 8 && digits(text) {
        let part = |range: std::ops::Range<usize>| text[range].parse().ok();
        return NaiveDate::from_ymd_opt(part(0..4)? as i32, part(4..6)?, part(6..8)?);
    }
    // Years of other lengths have a sign.
    let (year, rest) = match text.strip_prefix(['-', '+']) {
        Some(unsigned) => unsigned
            .split_once('-')
            .map(|(year, rest)| (&text[..=year.len()], rest))?,
        None => text.split_once('-').filter(|(year, _)| year.len() == 4)?,
    };
    let (month, day) = rest.split_once('-')?;
    let is_short = |text: &str| (1..=2).contains(&text.len()) && digits(text);
    if !digits(year.trim_start_matches(['-', '+'])) || !is_short(month) || !is_short(day) {
        return None;
    }
    NaiveDate::from_ymd_opt(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)
}

fn boolean_of(text: &str) -> Option<bool> {
    const TRUE: [&str; 5] = ["true", "t", "yes", "y", "on"];
    const FALSE: [&str; 5] = ["false", "f", "no", "n", "off"];
    let is_one_of = |words: &[&str]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    match integer_of(text) {
        Some(number) => boolean_of_integer(number),
        None if is_one_of(&TRUE) => Some(true),
        None if is_one_of(&FALSE) => Some(false),
        None => None,
    }
}

/// 0 and 1; no other number is true or false.
pub fn boolean_of_integer(number: i64) -> Option<bool> {
    match number {
        0 => Some(false),
        1 => Some(true),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_a_value_or_exactly_why_not() {
        use ValueType::{Boolean, Date, Double, Integer};
        let day = |date: &str| Value::parse(date, Date).map_or(Reading::Bad, Reading::Value);
        let integer = |value| Reading::Value(Value::Integer(value));
        let double = |value| Reading::Value(Value::Double(value));
        let truth = |value| Reading::Value(Value::Boolean(value));
        let cases = [
            ("35", Integer, integer(35)),
            (" 35.0 ", Integer, integer(35)),
            ("3e1", Integer, integer(30)),
            ("9223372036854775807.0", Integer, integer(i64::MAX)),
            ("9223372036854775808", Integer, Reading::Bad),
            ("35.5", Integer, Reading::Bad),
            ("", Integer, Reading::Bad),
            ("nan", Integer, Reading::Nothing),
            ("inf", Integer, Reading::Bad),
            ("2805.000000000000000000", Double, double(2805.0)),
            ("-0.0", Double, double(0.0)),
            ("NaN", Double, Reading::Nothing),
            ("-Infinity", Double, Reading::Infinite),
            ("1e400", Double, Reading::Bad),
            ("1,5", Double, Reading::Bad),
            ("2026-11-19", Date, day("2026-11-19")),
            ("2026-1-5", Date, day("2026-01-05")),
            ("20261119", Date, day("2026-11-19")),
            (" 2026-11-19", Date, day("2026-11-19")),
            ("2026-11-19T23:59:59.5", Date, day("2026-11-19")),
            ("2026-11-19 00:00:00", Date, day("2026-11-19")),
            ("2026-11-19 noon", Date, Reading::Bad),
            ("2026-02-30", Date, Reading::Bad),
            ("26-11-19", Date, Reading::Bad),
            ("19.11.2026", Date, Reading::Bad),
            ("NaN", Date, Reading::Bad),
            ("YES", Boolean, truth(true)),
            ("off", Boolean, truth(false)),
            ("1.0", Boolean, truth(true)),
            ("2", Boolean, Reading::Bad),
            ("-1", Boolean, Reading::Bad),
            ("NaN", Boolean, Reading::Nothing),
            ("北京", Boolean, Reading::Bad),
        ];
        for (text, value_type, expected) in cases {
            assert_eq!(
                Reading::of(text, value_type),
                expected,
                "{text:?} as {value_type}"
            );
        }
        assert_eq!(
            Reading::of(" NaN ", ValueType::String),
            Reading::Value(Value::String(" NaN ".to_owned()))
        );
    }
}
