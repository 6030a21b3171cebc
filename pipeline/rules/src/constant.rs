//! Constants: read with the type of the tag they stand beside.

use chrono::{Days, NaiveDate};
use sql::{BinaryOperator, DataType, DateTimeField, Spanned, UnaryOperator};
use sqlparser::ast as sql;
use tagmill_schemas::{Value, ValueType};

use super::RuleError;
use super::display::{Literal, Text};
use super::names::{cut, quoted};
use super::refusal::{refused_clock, refused_function};
use super::syntax::{arguments, function_name, inner, start, text_of};

/// A constant before it has a tag's type.
enum Constant {
    Null,
    Text(String),
    /// Digits with a sign.
    Number(String),
    Boolean(bool),
    Date(NaiveDate),
}

/// The value of a constant for a tag of this type.
pub(crate) fn value(
    expr: &sql::Expr,
    tag: &str,
    value_type: ValueType,
    run_date: NaiveDate,
) -> Result<Value, RuleError> {
    let constant = constant(expr, run_date)?;
    typed(&constant, value_type).ok_or_else(|| {
        let expected = match constant {
            Constant::Null => "a value; for users without one write IS NULL",
            _ => expected(value_type),
        };
        let found = constant.describe();
        RuleError::at(
            start(expr),
            format!(
                "tag {} is {}: expected {expected}, found {found}",
                quoted(tag),
                article(value_type)
            ),
        )
    })
}

pub(crate) fn article(value_type: ValueType) -> &'static str {
    match value_type {
        ValueType::String => "a string",
        ValueType::Integer => "an integer",
        ValueType::Double => "a double",
        ValueType::Date => "a date",
        ValueType::Boolean => "a boolean",
    }
}

fn expected(value_type: ValueType) -> &'static str {
    match value_type {
        ValueType::String => "text in single quotes",
        ValueType::Integer => "a whole number of 64 bits",
        ValueType::Double => "a finite number",
        ValueType::Date => "a date like DATE '2026-11-19' or run_date() - 30",
        ValueType::Boolean => "true or false",
    }
}

fn typed(constant: &Constant, value_type: ValueType) -> Option<Value> {
    match (value_type, constant) {
        (ValueType::String, Constant::Text(text)) => Some(Value::String(text.clone())),
        (ValueType::Integer, Constant::Number(digits)) => integer(digits).map(Value::Integer),
        (ValueType::Double, Constant::Number(digits)) => Value::double(digits.parse().ok()?).ok(),
        (ValueType::Date, Constant::Date(date)) => Some(Value::date(*date)),
        (ValueType::Date, Constant::Text(text)) => Value::parse(text, ValueType::Date).ok(),
        (ValueType::Boolean, Constant::Boolean(truth)) => Some(Value::Boolean(*truth)),
        _ => None,
    }
}

/// `18`, and `18.0` or `1e3` as long as a double has every whole number of that size.
fn integer(digits: &str) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    digits.parse().ok().or_else(|| {
        let number: f64 = digits.parse().ok()?;
        let is_whole =
            number.fract() == 0.0 && number.abs() < EXACT && digits.contains(['.', 'e', 'E']);
        is_whole.then_some(number as i64)
    })
}

impl Constant {
    fn describe(&self) -> String {
        match self {
            Self::Null => "NULL".to_owned(),
            Self::Text(text) => Text(&cut(text)).to_string(),
            Self::Number(digits) => cut(digits),
            Self::Boolean(truth) => truth.to_string(),
            Self::Date(date) => Literal(&Value::date(*date)).to_string(),
        }
    }
}

fn constant(expr: &sql::Expr, run_date: NaiveDate) -> Result<Constant, RuleError> {
    let refuse = |message: String| Err(RuleError::at(start(expr), message));
    match inner(expr) {
        sql::Expr::Value(value) => match &value.value {
            sql::Value::Null => Ok(Constant::Null),
            sql::Value::Boolean(truth) => Ok(Constant::Boolean(*truth)),
            sql::Value::Number(digits, _) => Ok(Constant::Number(digits.clone())),
            sql::Value::SingleQuotedString(text) => Ok(Constant::Text(text.clone())),
            other => refuse(format!(
                "expected a value, found {}",
                cut(&other.to_string())
            )),
        },
        sql::Expr::UnaryOp { op, expr: number } => match (op, inner(number)) {
            (
                UnaryOperator::Plus,
                sql::Expr::Value(sql::ValueWithSpan {
                    value: sql::Value::Number(digits, _),
                    ..
                }),
            ) => Ok(Constant::Number(digits.clone())),
            (
                UnaryOperator::Minus,
                sql::Expr::Value(sql::ValueWithSpan {
                    value: sql::Value::Number(digits, _),
                    ..
                }),
            ) => Ok(Constant::Number(format!("-{digits}"))),
            _ => refuse("expected a number after the sign".to_owned()),
        },
        sql::Expr::TypedString(typed) => typed_date(typed).map(Constant::Date),
        sql::Expr::Function(function) => run_date_call(function, run_date).map(Constant::Date),
        sql::Expr::BinaryOp {
            op: BinaryOperator::Plus | BinaryOperator::Minus,
            ..
        } => moved_date(expr, run_date).map(Constant::Date),
        sql::Expr::Interval(_) => refuse(
            "expected a date before the interval, as in run_date() - INTERVAL '30' DAY".to_owned(),
        ),
        sql::Expr::Identifier(name) => refuse(match name.quote_style {
            None if refused_clock(&name.value).is_some() => {
                refused_clock(&name.value).unwrap_or_default()
            }
            None => format!(
                "expected a value, found {}; text needs single quotes",
                cut(&name.value)
            ),
            Some(_) => format!(
                "expected a value, found the name {}; text needs single quotes",
                quoted(&name.value)
            ),
        }),
        _ => refuse("expected a value".to_owned()),
    }
}

fn typed_date(typed: &sql::TypedString) -> Result<NaiveDate, RuleError> {
    let refuse = |found: &str| {
        RuleError::at(
            typed.value.span.start,
            format!("expected a date like '2026-11-19', found {found}"),
        )
    };
    match (&typed.data_type, &typed.value.value) {
        (DataType::Date, sql::Value::SingleQuotedString(text)) => {
            match Value::parse(text, ValueType::Date) {
                Ok(Value::Date(days)) => tagmill_schemas::value::date_of(days)
                    .ok_or_else(|| refuse(&Text(&cut(text)).to_string())),
                _ => Err(refuse(&Text(&cut(text)).to_string())),
            }
        }
        (_, other) => Err(refuse(&cut(&other.to_string()))),
    }
}

fn run_date_call(function: &sql::Function, run_date: NaiveDate) -> Result<NaiveDate, RuleError> {
    let at = function.name.span().start;
    match (function_name(function).as_str(), arguments(function)) {
        ("run_date", Some(none)) if none.is_empty() => Ok(run_date),
        ("run_date", _) => Err(RuleError::at(
            at,
            "run_date() takes no arguments; write run_date() - 30 for 30 days before",
        )),
        _ => Err(refused_function(function)),
    }
}

/// `run_date() - 30 + INTERVAL '2' DAY`, from its right end to its left.
fn moved_date(expr: &sql::Expr, run_date: NaiveDate) -> Result<NaiveDate, RuleError> {
    let (mut rest, mut offset) = (inner(expr), 0_i64);
    while let sql::Expr::BinaryOp {
        left,
        op: op @ (BinaryOperator::Plus | BinaryOperator::Minus),
        right,
    } = rest
    {
        let days = days(right)?;
        let moved = if *op == BinaryOperator::Plus {
            offset.checked_add(days)
        } else {
            offset.checked_sub(days)
        };
        offset = moved.ok_or_else(|| beyond_calendar(expr))?;
        rest = inner(left);
    }
    let Constant::Date(date) = constant(rest, run_date)? else {
        return Err(RuleError::at(
            start(rest),
            "expected a date before + or -: other arithmetic is not part of the rule language",
        ));
    };
    let distance = Days::new(offset.unsigned_abs());
    let moved = if offset < 0 {
        date.checked_sub_days(distance)
    } else {
        date.checked_add_days(distance)
    };
    moved.ok_or_else(|| beyond_calendar(expr))
}

fn beyond_calendar(expr: &sql::Expr) -> RuleError {
    RuleError::at(start(expr), "the date is beyond the calendar")
}

/// `30`, `INTERVAL '30' DAY`, `INTERVAL 30 DAY` or `INTERVAL '30 days'`.
fn days(expr: &sql::Expr) -> Result<i64, RuleError> {
    let (amount, unit) = match inner(expr) {
        sql::Expr::Interval(interval) => (interval.value.as_ref(), interval_unit(interval)),
        other => (other, Some("")),
    };
    let text = match inner(amount) {
        sql::Expr::Value(sql::ValueWithSpan {
            value: sql::Value::Number(digits, _),
            ..
        }) => Some(digits.as_str()),
        _ if matches!(inner(expr), sql::Expr::Interval(_)) => text_of(amount),
        _ => None,
    };
    let number = text
        .zip(unit)
        .and_then(|(text, unit)| match text.trim().split_once(' ') {
            None => text.trim().parse().ok(),
            Some((number, days))
                if unit == "?"
                    && ["day", "days"]
                        .iter()
                        .any(|name| days.trim().eq_ignore_ascii_case(name)) =>
            {
                number.parse().ok()
            }
            Some(_) => None,
        });
    number.ok_or_else(|| {
        RuleError::at(
            start(amount),
            "expected whole days, as in run_date() - 30 or run_date() - INTERVAL '30' DAY",
        )
    })
}

/// Nothing more to come, or `?`: the unit is in the text; `None` for a unit that is not days.
fn interval_unit(interval: &sql::Interval) -> Option<&'static str> {
    match (
        &interval.leading_field,
        interval.leading_precision,
        &interval.last_field,
    ) {
        (Some(DateTimeField::Day | DateTimeField::Days), None, None) => Some(""),
        (None, None, None) => Some("?"),
        _ => None,
    }
}
