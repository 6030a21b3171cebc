//! The functions of the rule language, and the refusal of all others.

use sql::{FunctionArg, FunctionArgExpr, FunctionArguments, Spanned};
use sqlparser::ast as sql;

use super::constant::{start, text_of};
use super::lower::Lowering;
use super::names::{cut, unknown};
use super::parse::position;
use super::{Atom, Expr, Reference, RuleError};

const KNOWN: [&str; 9] = [
    "run_date",
    "in_group",
    "in_list",
    "in_split",
    "event_count",
    "event_sum",
    "event_days",
    "event_first",
    "event_last",
];
/// With and without parentheses.
const CLOCKS: [&str; 9] = [
    "now",
    "today",
    "current_date",
    "current_time",
    "current_timestamp",
    "localtime",
    "localtimestamp",
    "getdate",
    "sysdate",
];
const RANDOM: [&str; 6] = [
    "random",
    "rand",
    "uuid",
    "gen_random_uuid",
    "newid",
    "nextval",
];

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

/// The refusal of a name or function that reads the clock.
pub(crate) fn refused_clock(name: &str) -> Option<String> {
    let is_clock = CLOCKS.iter().any(|clock| name.eq_ignore_ascii_case(clock));
    is_clock.then(|| {
        format!(
            "{}() is refused: a rerun would give another answer; use run_date()",
            name.to_lowercase()
        )
    })
}

/// Why a function can not stand where a value or a condition is expected.
pub(crate) fn refused_function(function: &sql::Function) -> RuleError {
    let name = function_name(function);
    let message = match name.as_str() {
        clock if CLOCKS.contains(&clock) => refused_clock(clock).unwrap_or_default(),
        random if RANDOM.contains(&random) => {
            format!(
                "{random}() is refused: a rerun would give another answer; use in_split('salt', \
                 0, 10) for a tenth of the users"
            )
        }
        event if event.starts_with("event_") && KNOWN.contains(&event) => {
            format!("{event}() is not in this version")
        }
        "run_date" => "run_date() is a date, not a condition: compare a tag with it".to_owned(),
        condition if KNOWN.contains(&condition) => {
            format!("{condition}() is a condition, not a value")
        }
        other => unknown("function", &cut(other), KNOWN),
    };
    RuleError::at(function.name.span().start, message)
}

impl Lowering<'_> {
    /// A function where a condition is expected.
    pub(crate) fn function(&mut self, function: &sql::Function) -> Result<Expr, RuleError> {
        match function_name(function).as_str() {
            "in_group" => self.in_group(function),
            "in_list" => self.in_list(function),
            "in_split" => in_split(function),
            _ => Err(refused_function(function)),
        }
    }

    fn in_group(&mut self, function: &sql::Function) -> Result<Expr, RuleError> {
        let (argument, group) = name_argument(function, "in_group('name')")?;
        if !self.names.has_group(group) {
            return Err(RuleError::at(
                start(argument),
                unknown("group", group, self.names.group_names()),
            ));
        }
        let (line, column) = position(start(argument));
        self.references.push(Reference {
            group: group.to_owned(),
            line,
            column,
        });
        Ok(Expr::Atom(Atom::InGroup(group.to_owned())))
    }

    fn in_list(&self, function: &sql::Function) -> Result<Expr, RuleError> {
        let (argument, list) = name_argument(function, "in_list('name')")?;
        match self.names.has_list(list) {
            true => Ok(Expr::Atom(Atom::InList(list.to_owned()))),
            false => Err(RuleError::at(
                start(argument),
                unknown("list", list, self.names.list_names()),
            )),
        }
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
