//! The functions of the rule language that are numbers of a user's behaviour: `event_count`,
//! `event_sum`, `event_days`, `event_first`, `event_last`.

use chrono::NaiveDate;
use sql::{FunctionArg, FunctionArgExpr, FunctionArgOperator, FunctionArguments, Spanned};
use sqlparser::ast as sql;
use sqlparser::tokenizer::Location;
use tagmill_schemas::{Value, ValueType};

use super::lower::Lowering;
use super::names::{EventInfo, Names, unknown};
use super::refusal::refused_function;
use super::syntax::{function_name, inner, start, text_of};
use super::window_state::{DimensionCondition, What, Window, WindowState};
use super::{Atom, RuleError, TagInfo};

type Result<T> = std::result::Result<T, RuleError>;

/// The arguments of a function, named ones apart.
struct Arguments<'e> {
    plain: std::vec::IntoIter<&'e sql::Expr>,
    back: Option<&'e sql::Expr>,
    at: Location,
    form: &'static str,
}

/// The number that a function is.
///
/// # Errors
/// A function of another kind; arguments that are missing, too many or of another kind; an event,
/// measure or dimension that nobody sends.
pub(crate) fn state(
    function: &sql::Function,
    names: &dyn Names,
    run_date: NaiveDate,
) -> Result<WindowState> {
    let name = function_name(function);
    let form = match name.as_str() {
        "event_count" => "event_count('event', days[, condition][, back => days])",
        "event_sum" => "event_sum('event', 'measure', days[, condition][, back => days])",
        "event_days" => "event_days('event', days[, condition][, back => days])",
        "event_first" => "event_first('event'[, condition])",
        "event_last" => "event_last('event'[, condition])",
        _ => return Err(refused_function(function)),
    };
    if !names.has_behaviour() {
        let message = format!("{name}() can be asked for in rules of groups only");
        return Err(RuleError::at(function.name.span().start, message));
    }
    let mut arguments = Arguments::of(function, form)?;
    let (event, at) = arguments.text("the event's name")?;
    let info = names
        .event(&event)
        .ok_or_else(|| RuleError::at(at, unknown("event", &event, names.event_names())))?;
    let what = match name.as_str() {
        "event_sum" => What::Sum(arguments.measure(&info)?),
        "event_count" => What::Count,
        "event_days" => What::Days,
        "event_first" => What::First,
        _ => What::Last,
    };
    let window = match what {
        What::First | What::Last => None,
        What::Count | What::Sum(_) | What::Days => Some(arguments.window()?),
    };
    let condition = match arguments.plain.next() {
        Some(expr) => Some(condition(expr, &info, run_date)?),
        None => None,
    };
    arguments.end()?;
    Ok(WindowState {
        event,
        what,
        window,
        condition,
    })
}

/// A condition of events.
///
/// # Errors
/// What is not understood, and what is no test of a dimension.
pub fn condition(
    expr: &sql::Expr,
    info: &EventInfo,
    run_date: NaiveDate,
) -> Result<DimensionCondition> {
    let condition = Lowering::new(&Dimensions(info), run_date).condition(expr)?;
    let is_of_dimension = |atom: &&Atom| matches!(atom, Atom::Has { .. } | Atom::Tag { .. });
    match condition.atoms().iter().all(is_of_dimension) {
        true => Ok(DimensionCondition::of(&condition)),
        false => Err(RuleError::at(
            start(expr),
            "a condition of an event can name its dimensions only",
        )),
    }
}

impl<'e> Arguments<'e> {
    fn of(function: &'e sql::Function, form: &'static str) -> Result<Self> {
        let at = function.name.span().start;
        let FunctionArguments::List(list) = &function.args else {
            return Err(RuleError::at(at, format!("expected {form}")));
        };
        let (mut plain, mut back) = (Vec::new(), None);
        for argument in &list.args {
            match argument {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => plain.push(expr),
                FunctionArg::Named {
                    name,
                    arg: FunctionArgExpr::Expr(expr),
                    operator: FunctionArgOperator::RightArrow,
                } if name.value == "back" && back.is_none() => back = Some(expr),
                _ => return Err(RuleError::at(at, format!("expected {form}"))),
            }
        }
        Ok(Self {
            plain: plain.into_iter(),
            back,
            at,
            form,
        })
    }

    fn refuse<T>(&self, at: Location, what: &str) -> Result<T> {
        Err(RuleError::at(
            at,
            format!("expected {what}, as in {}", self.form),
        ))
    }

    fn next(&mut self, what: &str) -> Result<&'e sql::Expr> {
        match self.plain.next() {
            Some(argument) => Ok(argument),
            None => self.refuse(self.at, what),
        }
    }

    fn text(&mut self, what: &str) -> Result<(String, Location)> {
        let argument = self.next(what)?;
        match text_of(argument) {
            Some(text) => Ok((text.to_owned(), start(argument))),
            None => self.refuse(start(argument), what),
        }
    }

    fn measure(&mut self, info: &EventInfo) -> Result<String> {
        let (measure, at) = self.text("the measure's name")?;
        match info.is_open || info.measures.contains(&measure) {
            true => Ok(measure),
            false => {
                let known = info.measures.iter().map(String::as_str);
                Err(RuleError::at(at, unknown("measure", &measure, known)))
            }
        }
    }

    fn window(&mut self) -> Result<Window> {
        let days = self.next("a number of days")?;
        let most = Window::MOST_DAYS;
        let Some(days) = whole(days).filter(|days| (1..=most).contains(days)) else {
            return self.refuse(start(days), "1 to 366 days");
        };
        let back = match self.back.take() {
            None => 0,
            Some(back) => match whole(back).filter(|back| *back <= most) {
                Some(back) => back,
                None => return self.refuse(start(back), "0 to 366 days back"),
            },
        };
        Ok(Window { days, back })
    }

    fn end(mut self) -> Result<()> {
        match self.plain.next().or(self.back) {
            Some(more) => self.refuse(start(more), "no other argument"),
            None => Ok(()),
        }
    }
}

fn whole(expr: &sql::Expr) -> Option<u32> {
    match inner(expr) {
        sql::Expr::Value(sql::ValueWithSpan {
            value: sql::Value::Number(digits, _),
            ..
        }) => digits.parse().ok(),
        _ => None,
    }
}

/// Decimal digits that a double keeps as they are written.
pub(crate) const EXACT_DIGITS: usize = 15;

/// Whether a constant that is compared with a sum may have lost digits.
pub(crate) fn is_rounded(value: &Value, constant: &sql::Expr) -> bool {
    let text = constant.to_string();
    let digits = text.chars().filter(char::is_ascii_digit);
    matches!(value, Value::Double(_)) && digits.skip_while(|c| *c == '0').count() > EXACT_DIGITS
}

/// The dimensions of an event: texts, of which an event has one each or none.
struct Dimensions<'a>(&'a EventInfo);

impl Names for Dimensions<'_> {
    fn tag(&self, name: &str) -> Option<TagInfo> {
        let info = TagInfo {
            value_type: ValueType::String,
            multi: false,
        };
        (self.0.is_open || self.tag_names().contains(&name)).then_some(info)
    }

    fn tag_names(&self) -> Vec<&str> {
        self.0.dimensions.iter().map(String::as_str).collect()
    }

    fn tag_kind(&self) -> &'static str {
        "dimension"
    }

    fn has_group(&self, _: &str) -> bool {
        true
    }

    fn group_names(&self) -> Vec<&str> {
        Vec::new()
    }

    fn has_list(&self, _: &str) -> bool {
        true
    }

    fn list_names(&self) -> Vec<&str> {
        Vec::new()
    }
}
