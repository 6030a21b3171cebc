//! What a cell of a registry is, whatever its writer made of it: integers that became floats, dates
//! that became times, booleans that became text. What is not exactly the value is none.

use chrono::NaiveDate;
use serde_json::{Number, Value as Json};

use crate::value::{Value, ValueType, date_of};

/// From here on a double may stand for several integers.
const BEYOND_DOUBLE: f64 = 9_007_199_254_740_992.0;

/// A name: text, or a whole number in its digits.
pub(super) fn text(cell: &Json) -> Option<String> {
    match cell {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => whole(number),
        Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_) => None,
    }
}

/// An integer, also as `2.0` or as text.
pub(super) fn integer(cell: &Json) -> Option<u64> {
    match cell {
        Json::Number(number) => whole(number)?.parse().ok(),
        Json::String(text) => without_zeros(text).parse().ok(),
        Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_) => None,
    }
}

/// True or false, also as `True`, 1, `1.0`.
pub(super) fn boolean(cell: &Json) -> Option<bool> {
    let text = match cell {
        Json::Bool(truth) => return Some(*truth),
        Json::Number(number) => whole(number)?,
        Json::String(text) => without_zeros(text).to_owned(),
        Json::Null | Json::Array(_) | Json::Object(_) => return None,
    };
    match Value::parse(&text, ValueType::Boolean) {
        Ok(Value::Boolean(truth)) => Some(truth),
        _ => None,
    }
}

/// A date, also as the time of its midnight: `2026-11-19 00:00:00`.
pub(super) fn date(cell: &Json) -> Option<NaiveDate> {
    let text = cell.as_str()?;
    let day = match text.split_once(['T', ' ']) {
        Some((day, time)) => is_midnight(time).then_some(day)?,
        None => text,
    };
    match Value::parse(day, ValueType::Date) {
        Ok(Value::Date(days)) => date_of(days),
        _ => None,
    }
}

/// The digits of a number that is whole.
fn whole(number: &Number) -> Option<String> {
    if number.is_i64() || number.is_u64() {
        return Some(number.to_string());
    }
    let float = number.as_f64()?;
    let is_exact = float.fract() == 0.0 && float.abs() < BEYOND_DOUBLE;
    // Adding 0.0 takes the sign of -0.0.
    is_exact.then(|| format!("{:.0}", float + 0.0))
}

/// `2.00` is 2.
fn without_zeros(text: &str) -> &str {
    match text.split_once('.') {
        Some((whole, zeros)) if !zeros.is_empty() && zeros.bytes().all(|byte| byte == b'0') => {
            whole
        }
        _ => text,
    }
}

/// A time of day that only a date has become, with an offset or without.
fn is_midnight(time: &str) -> bool {
    let clock = match time.find(['Z', '+', '-']) {
        Some(zone) => time.get(..zone).unwrap_or_default(),
        None => time,
    };
    let digits = clock.bytes().filter(|byte| !matches!(byte, b':' | b'.'));
    clock.len() >= "00:00".len() && digits.clone().count() >= 4 && digits.clone().all(|d| d == b'0')
}
