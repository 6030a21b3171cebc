//! A test of one tag value.

use std::ops::{Bound, Range};

use serde::{Deserialize, Serialize};
use tagmill_schemas::Value;

use super::{like, range};

/// Which values of a tag count. Constants have the tag's type.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Test {
    /// One of these: sorted, distinct, not empty.
    In(Vec<Value>),
    /// Between the bounds; integers and dates have inclusive ones; at least one is bounded.
    Range {
        /// The least value.
        low: Bound<Value>,
        /// The greatest value.
        high: Bound<Value>,
    },
    /// Text that matches: `%` any characters, `_` one.
    Like {
        /// The pattern as written.
        pattern: String,
        /// ILIKE: by lower-case letters.
        case_insensitive: bool,
        /// Takes the meaning from the sign after it.
        escape: char,
    },
    /// A value for which the inner test is false.
    Not(Box<Test>),
}

impl Test {
    /// Whether a value passes; one of another type does not.
    pub fn matches(&self, value: &Value) -> bool {
        match self {
            Self::In(values) => values.binary_search(value).is_ok(),
            Self::Range { low, high } => range::contains(low, high, value),
            Self::Like {
                pattern,
                case_insensitive,
                escape,
            } => match value {
                Value::String(text) => like::matches(text, pattern, *escape, *case_insensitive),
                _ => false,
            },
            Self::Not(inner) => !inner.matches(value),
        }
    }

    /// Where those stand that pass, in ascending `values` of one type: ascending ranges that do not
    /// overlap. A search for each constant; only patterns look at every value.
    pub fn passing(&self, values: &[Value]) -> Vec<Range<usize>> {
        match self {
            Self::In(wanted) => wanted
                .iter()
                .filter_map(|value| values.binary_search(value).ok())
                .map(|at| at..at + 1)
                .collect(),
            Self::Range { low, high } => Vec::from_iter(range::passing(low, high, values)),
            Self::Like { .. } => (0..values.len())
                .filter(|&at| self.matches(&values[at]))
                .map(|at| at..at + 1)
                .collect(),
            Self::Not(inner) => gaps(&inner.passing(values), values.len()),
        }
    }

    /// The values between two bounds, at least one of which is a bound; `None` when no value can
    /// be between them.
    pub(crate) fn between(low: Bound<Value>, high: Bound<Value>) -> Option<Self> {
        match range::canonical(low, high)? {
            (Bound::Included(a), Bound::Included(b)) if a == b => Some(Self::In(vec![a])),
            (low, high) => Some(Self::Range { low, high }),
        }
    }

    /// The values that do not pass; of a boolean the other one, so that `b <> true` and
    /// `b = false` are one atom.
    pub(crate) fn negated(self) -> Self {
        match self {
            Self::In(values) if matches!(values[..], [Value::Boolean(_)]) => {
                let is_true = values == [Value::Boolean(true)];
                Self::In(vec![Value::Boolean(!is_true)])
            }
            test => Self::Not(Box::new(test)),
        }
    }
}

/// What ascending ranges leave of `0..len`.
fn gaps(ranges: &[Range<usize>], len: usize) -> Vec<Range<usize>> {
    let starts = std::iter::once(0).chain(ranges.iter().map(|range| range.end));
    let ends = ranges.iter().map(|range| range.start).chain([len]);
    starts
        .zip(ends)
        .map(|(start, end)| start..end)
        .filter(|gap| !gap.is_empty())
        .collect()
}
