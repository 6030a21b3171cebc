//! Ranges of values: their canonical bounds, their intersection, membership.

use std::ops::{Bound, Range};

use tagmill_schemas::Value;

pub(crate) fn contains(low: &Bound<Value>, high: &Bound<Value>, value: &Value) -> bool {
    is_above(low, value)
        && is_below(high, value)
        && is_of_type(low, value)
        && is_of_type(high, value)
}

/// Where the values in the range stand in ascending `values` of one type.
pub(crate) fn passing(
    low: &Bound<Value>,
    high: &Bound<Value>,
    values: &[Value],
) -> Option<Range<usize>> {
    let first = values.first()?;
    let start = values.partition_point(|value| !is_above(low, value));
    let end = values.partition_point(|value| is_below(high, value));
    (start < end && is_of_type(low, first) && is_of_type(high, first)).then_some(start..end)
}

fn is_above(low: &Bound<Value>, value: &Value) -> bool {
    match low {
        Bound::Included(low) => value >= low,
        Bound::Excluded(low) => value > low,
        Bound::Unbounded => true,
    }
}

fn is_below(high: &Bound<Value>, value: &Value) -> bool {
    match high {
        Bound::Included(high) => value <= high,
        Bound::Excluded(high) => value < high,
        Bound::Unbounded => true,
    }
}

fn is_of_type(bound: &Bound<Value>, value: &Value) -> bool {
    match bound {
        Bound::Included(limit) | Bound::Excluded(limit) => limit.value_type() == value.value_type(),
        Bound::Unbounded => true,
    }
}

/// The bounds with whole numbers and days inclusive; `None` when no value can be between them.
pub(crate) fn canonical(
    low: Bound<Value>,
    high: Bound<Value>,
) -> Option<(Bound<Value>, Bound<Value>)> {
    let low = inclusive(low, 1)?;
    let high = inclusive(high, -1)?;
    let is_empty = match (&low, &high) {
        (Bound::Unbounded, _) | (_, Bound::Unbounded) => false,
        (Bound::Included(a), Bound::Included(b)) => a > b,
        (Bound::Included(a) | Bound::Excluded(a), Bound::Included(b) | Bound::Excluded(b)) => {
            a >= b
        }
    };
    (!is_empty).then_some((low, high))
}

/// Whole numbers and days have a next one: `> 18` is `>= 19`. `None` past the last.
fn inclusive(bound: Bound<Value>, step: i8) -> Option<Bound<Value>> {
    match bound {
        Bound::Excluded(Value::Integer(number)) => Some(Bound::Included(Value::Integer(
            number.checked_add(step.into())?,
        ))),
        Bound::Excluded(Value::Date(days)) => {
            Some(Bound::Included(Value::Date(days.checked_add(step.into())?)))
        }
        other => Some(other),
    }
}

/// The bounds of what lies in both ranges.
pub(crate) fn intersect(
    a: (Bound<Value>, Bound<Value>),
    b: (Bound<Value>, Bound<Value>),
) -> (Bound<Value>, Bound<Value>) {
    (
        tighter(a.0, b.0, |a, b| a > b),
        tighter(a.1, b.1, |a, b| a < b),
    )
}

fn tighter(
    a: Bound<Value>,
    b: Bound<Value>,
    is_tighter: fn(&Value, &Value) -> bool,
) -> Bound<Value> {
    match (&a, &b) {
        (Bound::Unbounded, _) => b,
        (_, Bound::Unbounded) => a,
        (Bound::Included(x) | Bound::Excluded(x), Bound::Included(y) | Bound::Excluded(y)) => {
            match x == y {
                true if matches!(a, Bound::Excluded(_)) => a,
                true => b,
                false if is_tighter(x, y) => a,
                false => b,
            }
        }
    }
}
