//! A rule's canonical text and hash: what stays the same when spacing, comments, keywords' case,
//! the order of AND, OR and IN, parentheses without effect, or the date change. It knows no names
//! and no types: `run_date()` stays itself.

use sql::{BinaryOperator, FunctionArg, FunctionArgExpr, FunctionArguments, UnaryOperator};
use sqlparser::ast as sql;
use xxhash_rust::xxh3::xxh3_128;

use super::display::{Name, Text};
use super::syntax::{flipped, function_name, inner, is_constant, operands};

/// XXH3-128 of a canonical text, in 32 hex digits.
pub fn rule_hash(canonical_text: &str) -> String {
    format!("{:032x}", xxh3_128(canonical_text.as_bytes()))
}

/// The canonical text of a rule that has been lowered, which bounds how deep it is.
pub(crate) fn text(expr: &sql::Expr) -> String {
    match expr {
        sql::Expr::Nested(inner) => text(inner),
        sql::Expr::BinaryOp {
            op: BinaryOperator::And | BinaryOperator::Or,
            ..
        } => form(expr).text,
        sql::Expr::UnaryOp {
            op: UnaryOperator::Not,
            expr,
        } => format!("NOT ({})", text(expr)),
        sql::Expr::UnaryOp {
            op: UnaryOperator::Plus,
            expr,
        } => text(expr),
        sql::Expr::UnaryOp { op, expr } => format!("{op}{}", text(expr)),
        sql::Expr::BinaryOp { left, op, right } => match flipped(op) {
            Some(flipped) if is_constant(left) => {
                format!("{} {flipped} {}", text(right), text(left))
            }
            _ => format!("{} {op} {}", text(left), text(right)),
        },
        sql::Expr::Between {
            expr,
            negated,
            low,
            high,
        } => {
            let (subject, low, high) = (text(expr), text(low), text(high));
            format!("{subject} {}BETWEEN {low} AND {high}", not(*negated))
        }
        sql::Expr::InList {
            expr,
            list,
            negated,
        } => {
            let list = sorted(list.iter().map(text).collect(), ", ");
            format!("{} {}IN ({list})", text(expr), not(*negated))
        }
        sql::Expr::Like {
            expr,
            negated,
            pattern,
            escape_char,
            ..
        } => like("LIKE", expr, *negated, pattern, escape_char),
        sql::Expr::ILike {
            expr,
            negated,
            pattern,
            escape_char,
            ..
        } => like("ILIKE", expr, *negated, pattern, escape_char),
        sql::Expr::Identifier(name) => Name(&name.value).to_string(),
        sql::Expr::Function(function) => call(function),
        sql::Expr::Value(value) => match &value.value {
            sql::Value::SingleQuotedString(string) => Text(string).to_string(),
            other => other.to_string(),
        },
        other => state(other).unwrap_or_else(|| other.to_string()),
    }
}

/// A test for null or a truth value.
fn state(expr: &sql::Expr) -> Option<String> {
    let (expr, words) = match expr {
        sql::Expr::IsNull(expr) => (expr, "IS NULL"),
        sql::Expr::IsNotNull(expr) => (expr, "IS NOT NULL"),
        sql::Expr::IsTrue(expr) => (expr, "IS TRUE"),
        sql::Expr::IsFalse(expr) => (expr, "IS FALSE"),
        sql::Expr::IsNotTrue(expr) => (expr, "IS NOT TRUE"),
        sql::Expr::IsNotFalse(expr) => (expr, "IS NOT FALSE"),
        _ => return None,
    };
    Some(format!("{} {words}", text(expr)))
}

/// Named arguments behind the others.
fn call(function: &sql::Function) -> String {
    let FunctionArguments::List(list) = &function.args else {
        return format!("{}()", function_name(function));
    };
    let (mut plain, mut named) = (Vec::new(), Vec::new());
    for argument in &list.args {
        match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => plain.push(text(expr)),
            FunctionArg::Named {
                name,
                arg: FunctionArgExpr::Expr(expr),
                ..
            } => named.push(format!("{} => {}", name.value, text(expr))),
            other => plain.push(other.to_string()),
        }
    }
    plain.append(&mut named);
    format!("{}({})", function_name(function), plain.join(", "))
}

/// A condition as text and, where it is a chain of AND or OR, its members: flat, sorted, without
/// repetition.
struct Form {
    text: String,
    op: Option<BinaryOperator>,
    members: Vec<Form>,
}

fn form(expr: &sql::Expr) -> Form {
    let expr = inner(expr);
    let sql::Expr::BinaryOp {
        op: op @ (BinaryOperator::And | BinaryOperator::Or),
        ..
    } = expr
    else {
        return Form {
            text: text(expr),
            op: None,
            members: Vec::new(),
        };
    };
    let flat = operands(expr, op)
        .into_iter()
        .map(form)
        .flat_map(|member| match &member.op {
            Some(found) if found == op => member.members,
            _ => vec![member],
        });
    let mut members: Vec<_> = flat.collect();
    members.sort_by(|a, b| a.text.cmp(&b.text));
    members.dedup_by(|a, b| a.text == b.text);
    if members.len() == 1 {
        return members.remove(0);
    }
    let texts: Vec<_> = members
        .iter()
        .map(|member| {
            if member.op.is_some() {
                format!("({})", member.text)
            } else {
                member.text.clone()
            }
        })
        .collect();
    Form {
        text: texts.join(&format!(" {op} ")),
        op: Some(op.clone()),
        members,
    }
}

fn like(
    word: &str,
    expr: &sql::Expr,
    negated: bool,
    pattern: &sql::Expr,
    escape: &Option<sql::ValueWithSpan>,
) -> String {
    let escape = escape
        .as_ref()
        .map_or_else(String::new, |escape| format!(" ESCAPE {}", escape.value));
    format!(
        "{} {}{word} {}{escape}",
        text(expr),
        not(negated),
        text(pattern)
    )
}

fn not(negated: bool) -> &'static str {
    if negated { "NOT " } else { "" }
}

fn sorted(mut members: Vec<String>, separator: &str) -> String {
    members.sort();
    members.dedup();
    members.join(separator)
}
