//! A test of one tag value.

use std::ops::Bound;

use tagmill_schemas::Value;

use super::{Atom, Expr, like, range};

/// Which values of a tag count. Constants have the tag's type.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
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
            Self::Like { pattern, case_insensitive, escape } => match value {
                Value::String(text) => like::matches(text, pattern, *escape, *case_insensitive),
                _ => false,
            },
            Self::Not(inner) => !inner.matches(value),
        }
    }

    /// The users that have a value passing this test or, negated, a value not passing it.
    pub(super) fn atom(self, tag: &str, negated: bool) -> Expr {
        let test = match (negated, self) {
            (false, test) => test,
            (true, Self::In(values)) if matches!(values[..], [Value::Boolean(_)]) => Self::In(other_truth(&values)),
            (true, test) => Self::Not(Box::new(test)),
        };
        Expr::Atom(Atom::Tag { tag: tag.to_owned(), test })
    }
}

/// `b <> true` and `b = false` are one atom.
fn other_truth(values: &[Value]) -> Vec<Value> {
    vec![Value::Boolean(values != [Value::Boolean(true)])]
}
