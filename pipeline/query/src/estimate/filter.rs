//! Filters on the value column of a tag's rows.

use std::ops::Bound;

use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, lit};
use tagmill_schemas::Value;

/// Longer lists of values get their least and greatest value as a filter of its own: pruning looks
/// at short lists only.
const LONG_LIST: usize = 20;

/// The column is within its lower bound.
pub(super) fn above(column: Expr, low: &Bound<Value>) -> Expr {
    match low {
        Bound::Included(value) => column.gt_eq(literal(value)),
        Bound::Excluded(value) => column.gt(literal(value)),
        Bound::Unbounded => lit(true),
    }
}

/// The column is within its upper bound.
pub(super) fn below(column: Expr, high: &Bound<Value>) -> Expr {
    match high {
        Bound::Included(value) => column.lt_eq(literal(value)),
        Bound::Excluded(value) => column.lt(literal(value)),
        Bound::Unbounded => lit(true),
    }
}

/// The column is one of the values, which are sorted.
pub(super) fn one_of(column: impl Fn() -> Expr, values: &[Value]) -> Expr {
    let list = column().in_list(values.iter().map(literal).collect(), false);
    match (values.first(), values.last()) {
        (Some(least), Some(greatest)) if values.len() > LONG_LIST => {
            list.and(column().between(literal(least), literal(greatest)))
        }
        (None, _) => lit(false),
        _ => list,
    }
}

/// A value as SQL has it.
fn literal(value: &Value) -> Expr {
    lit(match value {
        Value::String(text) => ScalarValue::Utf8View(Some(text.clone())),
        Value::Integer(number) => ScalarValue::Int64(Some(*number)),
        Value::Double(number) => ScalarValue::Float64(Some(*number)),
        Value::Date(days) => ScalarValue::Date32(Some(*days)),
        Value::Boolean(truth) => ScalarValue::Boolean(Some(*truth)),
    })
}
