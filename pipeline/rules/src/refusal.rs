//! The functions that a rule can not use where they stand, and why.

use sql::Spanned;
use sqlparser::ast as sql;

use super::RuleError;
use super::names::{cut, unknown};
use super::syntax::function_name;

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
            format!("{event}() is a number, not a condition: compare it with one")
        }
        "run_date" => "run_date() is a date, not a condition: compare a tag with it".to_owned(),
        condition if KNOWN.contains(&condition) => {
            format!("{condition}() is a condition, not a value")
        }
        other => unknown("function", &cut(other), KNOWN),
    };
    RuleError::at(function.name.span().start, message)
}
