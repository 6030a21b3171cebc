//! The arguments of a table function: constants.

use arrow::array::AsArray;
use arrow::compute::cast;
use arrow::datatypes::DataType;
use chrono::NaiveDate;
use datafusion::common::{ScalarValue, plan_datafusion_err, plan_err};
use datafusion::error::Result;
use datafusion::logical_expr::Expr;
use tagmill_schemas::ReleaseName;

use super::syntax::Syntax;

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

    /// The arguments of a call of this form.
    ///
    /// # Errors
    /// For too few or too many arguments.
    pub(super) fn of_syntax(syntax: Syntax, exprs: &'a [Expr]) -> Result<Self> {
        Self::of(syntax.0, exprs, syntax.least(), syntax.parameters().count())
    }

    /// The place of a parameter; that after the last for one that is not there.
    pub(super) fn place(&self, name: &str) -> usize {
        Syntax(self.syntax).place(name).unwrap_or(usize::MAX)
    }

    /// Texts: a list, or one text with commas between them; none where it is left out.
    pub(super) fn texts(&self, at: usize) -> Result<Vec<String>> {
        let expected = "texts such as 'city, os' or ['city', 'os']";
        if let Some(ScalarValue::List(list)) = self.literal(at) {
            let values = cast(&list.value(0), &DataType::Utf8)?;
            let texts = values.as_string::<i32>().iter();
            let texts: Option<Vec<String>> = texts.map(|text| text.map(str::to_owned)).collect();
            return texts.ok_or_else(|| self.unexpected(at, expected));
        }
        let text = self.optional_text(at)?.unwrap_or_default();
        let texts: Vec<String> = text.split(',').map(|text| text.trim().to_owned()).collect();
        match texts.as_slice() {
            [only] if only.is_empty() => Ok(Vec::new()),
            all if all.iter().any(String::is_empty) => Err(self.unexpected(at, expected)),
            _ => Ok(texts),
        }
    }

    /// A whole number from 1; `None` where it is left out.
    pub(super) fn count(&self, at: usize) -> Result<Option<usize>> {
        match self.literal(at) {
            Some(ScalarValue::Int64(Some(count))) if *count > 0 => Ok(usize::try_from(*count).ok()),
            None | Some(ScalarValue::Null) if self.exprs.get(at).is_none_or(is_literal) => Ok(None),
            _ => Err(self.unexpected(at, "a whole number from 1")),
        }
    }

    /// True or false; false where it is left out.
    pub(super) fn flag(&self, at: usize) -> Result<bool> {
        match self.literal(at) {
            Some(ScalarValue::Boolean(Some(flag))) => Ok(*flag),
            None | Some(ScalarValue::Null) if self.exprs.get(at).is_none_or(is_literal) => {
                Ok(false)
            }
            _ => Err(self.unexpected(at, "true or false")),
        }
    }

    /// One of some words; the first where it is left out.
    pub(super) fn word<T: Copy>(&self, at: usize, words: &[(&str, T)]) -> Result<T> {
        let text = self.optional_text(at)?;
        let found = words
            .iter()
            .find(|(word, _)| text.as_deref().is_none_or(|text| text == *word));
        found.map(|(_, meant)| *meant).ok_or_else(|| {
            let words: Vec<String> = words.iter().map(|(word, _)| format!("'{word}'")).collect();
            self.unexpected(at, &words.join(" or "))
        })
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

    /// The error of an argument of another kind.
    pub(super) fn unexpected(
        &self,
        at: usize,
        expected: &str,
    ) -> datafusion::error::DataFusionError {
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

fn is_literal(expr: &Expr) -> bool {
    matches!(expr, Expr::Literal(..))
}
