//! Reading the parser's syntax tree: what an expression is by its shape, before any name is looked
//! up.

use sql::{
    BinaryOperator, FunctionArg, FunctionArgExpr, FunctionArguments, Spanned, UnaryOperator,
};
use sqlparser::ast as sql;
use sqlparser::tokenizer::Location;

/// Without parentheses.
pub(crate) fn inner(mut expr: &sql::Expr) -> &sql::Expr {
    while let sql::Expr::Nested(nested) = expr {
        expr = nested;
    }
    expr
}

/// The members of a chain of ANDs or ORs, in order, parentheses without effect left out, so that
/// they change nothing: a loop, because a chain may be long where nesting may not be deep.
pub(crate) fn operands<'e>(expr: &'e sql::Expr, op: &BinaryOperator) -> Vec<&'e sql::Expr> {
    let (mut members, mut open) = (Vec::new(), vec![expr]);
    while let Some(next) = open.pop() {
        match inner(next) {
            sql::Expr::BinaryOp {
                left,
                op: found,
                right,
            } if found == op => open.extend([right.as_ref(), left.as_ref()]),
            _ => members.push(next),
        }
    }
    members
}

/// The start of an expression, for a message. Walks to the leftmost leaf in a loop: chains may be
/// long.
pub(crate) fn start(mut expr: &sql::Expr) -> Location {
    loop {
        expr = match expr {
            sql::Expr::Nested(inner) => inner,
            sql::Expr::BinaryOp { left: first, .. } => first,
            sql::Expr::UnaryOp { expr: first, .. }
            | sql::Expr::IsNull(first)
            | sql::Expr::IsNotNull(first)
            | sql::Expr::IsTrue(first)
            | sql::Expr::IsNotTrue(first)
            | sql::Expr::IsFalse(first)
            | sql::Expr::IsNotFalse(first)
            | sql::Expr::Between { expr: first, .. }
            | sql::Expr::InList { expr: first, .. }
            | sql::Expr::Like { expr: first, .. }
            | sql::Expr::ILike { expr: first, .. }
            | sql::Expr::Interval(sql::Interval { value: first, .. }) => first,
            sql::Expr::Tuple(members) if !members.is_empty() => &members[0],
            sql::Expr::Function(function) => return function.name.span().start,
            leaf => return leaf.span().start,
        };
    }
}

/// Whether an expression has no tag in it, by its shape.
pub(crate) fn is_constant(expr: &sql::Expr) -> bool {
    match left_end(expr) {
        sql::Expr::Value(_) | sql::Expr::TypedString(_) | sql::Expr::Interval(_) => true,
        sql::Expr::UnaryOp {
            op: UnaryOperator::Minus | UnaryOperator::Plus,
            expr,
        } => matches!(inner(expr), sql::Expr::Value(_)),
        sql::Expr::Function(function) => function_name(function) == "run_date",
        _ => false,
    }
}

/// The `run_date()` of `(run_date() - 7) + 1`.
fn left_end(mut expr: &sql::Expr) -> &sql::Expr {
    loop {
        expr = match inner(expr) {
            sql::Expr::BinaryOp {
                left,
                op: BinaryOperator::Plus | BinaryOperator::Minus,
                ..
            } => left,
            other => return other,
        };
    }
}

/// The text of a constant that must be text.
pub(crate) fn text_of(expr: &sql::Expr) -> Option<&str> {
    match inner(expr) {
        sql::Expr::Value(sql::ValueWithSpan {
            value: sql::Value::SingleQuotedString(text),
            ..
        }) => Some(text),
        _ => None,
    }
}

/// The operator with its sides exchanged; `None` if it is not a comparison.
pub(crate) fn flipped(op: &BinaryOperator) -> Option<BinaryOperator> {
    match op {
        BinaryOperator::Eq | BinaryOperator::NotEq => Some(op.clone()),
        BinaryOperator::Lt => Some(BinaryOperator::Gt),
        BinaryOperator::LtEq => Some(BinaryOperator::GtEq),
        BinaryOperator::Gt => Some(BinaryOperator::Lt),
        BinaryOperator::GtEq => Some(BinaryOperator::LtEq),
        _ => None,
    }
}

/// In lower case: functions are SQL's, not the app's.
pub(crate) fn function_name(function: &sql::Function) -> String {
    function.name.to_string().to_lowercase()
}

/// The plain arguments; `None` if there is anything else.
pub(crate) fn arguments(function: &sql::Function) -> Option<Vec<&sql::Expr>> {
    let FunctionArguments::List(list) = &function.args else {
        return None;
    };
    let plain = |argument| match argument {
        &FunctionArg::Unnamed(FunctionArgExpr::Expr(ref expr)) => Some(expr),
        _ => None,
    };
    list.args.iter().map(plain).collect()
}
