//! The arguments of a table function: constants.

use chrono::NaiveDate;
use datafusion::common::{ScalarValue, plan_datafusion_err, plan_err};
use datafusion::error::Result;
use datafusion::logical_expr::Expr;
use tagmill_schemas::ReleaseName;

/// Between the ends of a range of dates.
const TO: &str = "..";

/// The arguments of one call.
pub(super) struct Arguments<'a> {
    syntax: &'static str,
    exprs: &'a [Expr],
}

impl<'a> Arguments<'a> {
    /// # Errors
    /// For less than `least` or more than `most` arguments.
    pub(super) fn of(
        syntax: &'static str,
        exprs: &'a [Expr],
        least: usize,
        most: usize,
    ) -> Result<Self> {
        if (least..=most).contains(&exprs.len()) {
            return Ok(Self { syntax, exprs });
        }
        let found = exprs.len();
        plan_err!("{syntax}: found {found} arguments, expected {least} to {most}")
    }

    /// A text; NULL is refused.
    pub(super) fn text(&self, at: usize) -> Result<String> {
        match self.optional_text(at)? {
            Some(text) => Ok(text),
            None => Err(self.unexpected(at, "a text in single quotes")),
        }
    }

    /// A text; `None` for NULL, and where the call ends before.
    pub(super) fn optional_text(&self, at: usize) -> Result<Option<String>> {
        match self.literal(at) {
            None | Some(ScalarValue::Null | ScalarValue::Utf8(None)) => Ok(None),
            Some(value) => match value.try_as_str() {
                Some(text) => Ok(text.map(str::to_owned)),
                None => Err(self.unexpected(at, "a text in single quotes")),
            },
        }
        .and_then(|text| match self.exprs.get(at) {
            Some(expr) if !matches!(expr, Expr::Literal(..)) => {
                Err(self.unexpected(at, "a text in single quotes"))
            }
            _ => Ok(text),
        })
    }

    /// A release, as `--release` names it; `None` where it is left out.
    pub(super) fn release(&self, at: usize) -> Result<Option<ReleaseName>> {
        let text = match self.literal(at) {
            Some(ScalarValue::Int64(Some(number))) => Some(number.to_string()),
            _ => self.optional_text(at)?,
        };
        let name = text.map(|text| text.parse::<ReleaseName>());
        name.transpose()
            .map_err(|error| plan_datafusion_err!("{}: {error}", self.syntax))
    }

    /// A day, or the days from one to another, both included.
    pub(super) fn days(&self, at: usize) -> Result<(NaiveDate, NaiveDate)> {
        let expected = "a day such as '2026-11-19', or days such as '2026-11-01..2026-11-19'";
        let text = match self.literal(at) {
            Some(value @ ScalarValue::Date32(Some(_))) => value.to_string(),
            _ => self.optional_text(at)?.unwrap_or_default(),
        };
        let (from, to) = text.split_once(TO).unwrap_or((&text, &text));
        match (from.trim().parse(), to.trim().parse()) {
            (Ok(from), Ok(to)) if from <= to => Ok((from, to)),
            _ => Err(self.unexpected(at, expected)),
        }
    }

    fn literal(&self, at: usize) -> Option<&'a ScalarValue> {
        match self.exprs.get(at) {
            Some(Expr::Literal(value, _)) => Some(value),
            _ => None,
        }
    }

    fn unexpected(&self, at: usize, expected: &str) -> datafusion::error::DataFusionError {
        let found = match self.exprs.get(at) {
            Some(Expr::Literal(value, _)) => format!("{value}"),
            Some(other) => format!("{other}"),
            None => "nothing".to_owned(),
        };
        plan_datafusion_err!(
            "{}: argument {} is {found}, expected {expected}",
            self.syntax,
            at + 1
        )
    }
}
