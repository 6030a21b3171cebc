//! The functions of the rule language: `in_group`, `in_list`, `in_split`.

use sql::Spanned;
use sqlparser::ast as sql;

use super::names::{Names, unknown};
use super::parse::position;
use super::refusal::refused_function;
use super::syntax::{arguments, function_name, start, text_of};
use super::{Atom, Expr, Reference, RuleError};

/// A function where a condition is expected. The groups that it mentions are added to `references`.
pub(crate) fn condition(
    function: &sql::Function,
    names: &dyn Names,
    references: &mut Vec<Reference>,
) -> Result<Expr, RuleError> {
    match function_name(function).as_str() {
        "in_group" => in_group(function, names, references),
        "in_list" => in_list(function, names),
        "in_split" => in_split(function),
        _ => Err(refused_function(function)),
    }
}

fn in_group(
    function: &sql::Function,
    names: &dyn Names,
    references: &mut Vec<Reference>,
) -> Result<Expr, RuleError> {
    let (argument, group) = name_argument(function, "in_group('name')")?;
    if !names.has_group(group) {
        return Err(RuleError::at(
            start(argument),
            unknown("group", group, names.group_names()),
        ));
    }
    let (line, column) = position(start(argument));
    references.push(Reference {
        group: group.to_owned(),
        line,
        column,
    });
    Ok(Expr::Atom(Atom::InGroup(group.to_owned())))
}

fn in_list(function: &sql::Function, names: &dyn Names) -> Result<Expr, RuleError> {
    let (argument, list) = name_argument(function, "in_list('name')")?;
    match names.has_list(list) {
        true => Ok(Expr::Atom(Atom::InList(list.to_owned()))),
        false => Err(RuleError::at(
            start(argument),
            unknown("list", list, names.list_names()),
        )),
    }
}

fn name_argument<'a>(
    function: &'a sql::Function,
    form: &str,
) -> Result<(&'a sql::Expr, &'a str), RuleError> {
    let refuse = || RuleError::at(function.name.span().start, format!("expected {form}"));
    match arguments(function).ok_or_else(refuse)?.as_slice() {
        [argument] => text_of(argument)
            .map(|text| (*argument, text))
            .ok_or_else(refuse),
        _ => Err(refuse()),
    }
}

fn in_split(function: &sql::Function) -> Result<Expr, RuleError> {
    let refuse = |what: &str| {
        RuleError::at(
            function.name.span().start,
            format!("expected in_split('salt', from, to), {what}"),
        )
    };
    let arguments = arguments(function).unwrap_or_default();
    let [salt, from, to] = arguments.as_slice() else {
        return Err(refuse("three arguments"));
    };
    let salt = text_of(salt)
        .filter(|salt| !salt.is_empty())
        .ok_or_else(|| refuse("the salt as text that is not empty"))?;
    let percent = |expr: &sql::Expr| match expr {
        sql::Expr::Value(sql::ValueWithSpan {
            value: sql::Value::Number(digits, _),
            ..
        }) => digits.parse::<u32>().ok(),
        _ => None,
    };
    match (percent(from), percent(to)) {
        (Some(0), Some(100)) => Ok(Expr::All),
        (Some(from), Some(to)) if from < to && to <= 100 => Ok(Expr::Atom(Atom::InSplit {
            salt: salt.to_owned(),
            from,
            to,
        })),
        _ => Err(refuse("whole percents with 0 <= from < to <= 100")),
    }
}
