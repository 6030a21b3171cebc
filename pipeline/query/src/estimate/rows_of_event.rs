//! The rows of an event that numbers of behaviour need: no other dimension, value or measure is read.

use chrono::NaiveDate;
use datafusion::logical_expr::{Expr, ident, lit};
use tagmill_behaviour::AppWindow;
use tagmill_rules::{Atom, DimensionCondition, Test};
use tagmill_schemas::Value;

use super::behaviour::{between, days_of};

/// The measure that counts events.
const COUNT: &str = "*";

/// The rows of one event.
#[derive(Debug)]
pub(super) struct RowsOfEvent {
    event: String,
    /// Of the event and its days.
    of_days: Expr,
    /// Rows of `behaviour`; `None`: none are needed.
    values: Option<Expr>,
    /// Rows of `behaviour_measures`; `None`: none are needed.
    measures: Option<Expr>,
}

impl RowsOfEvent {
    /// Those that numbers of one event need on a date.
    pub(super) fn of<'w>(
        event: &str,
        windows: impl Iterator<Item = &'w AppWindow> + Clone,
        date: NaiveDate,
    ) -> Self {
        let days = windows.clone().map(|window| days_of(window, date));
        let days = days.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
        let (from, to) = days.unwrap_or((date, date));
        let states = windows.map(|window| &window.state);
        let is_of_days = |state: &&tagmill_rules::WindowState| {
            state.condition.is_none() && state.measure().is_none()
        };
        let users = states.clone().find(is_of_days);
        let users = users.map(|_| ident("dimension").is_null());
        let conditions = states.clone().filter_map(|state| state.condition.as_ref());
        let atoms = conditions.clone().flat_map(DimensionCondition::atoms);
        let mut measures: Vec<&str> = states.filter_map(|state| state.measure()).collect();
        measures.extend(conditions.map(|_| COUNT));
        measures.sort_unstable();
        measures.dedup();
        let of_measures = measures.into_iter().map(lit).collect::<Vec<Expr>>();
        Self {
            event: event.to_owned(),
            of_days: ident("event").eq(lit(event)).and(between(from, to)),
            values: users
                .into_iter()
                .chain(atoms.filter_map(rows_of))
                .reduce(Expr::or),
            measures: (!of_measures.is_empty())
                .then(|| ident("measure").in_list(of_measures, false)),
        }
    }

    /// The event.
    pub(super) fn name(&self) -> &str {
        &self.event
    }

    /// The rows of `behaviour` within some rows; `None`: none are needed.
    pub(super) fn values(&self, within: Expr) -> Option<Expr> {
        let rows = self.values.clone()?;
        Some(within.and(self.of_days.clone()).and(rows))
    }

    /// The rows of `behaviour_measures` within some rows; `None`: none are needed.
    pub(super) fn measures(&self, within: Expr) -> Option<Expr> {
        let rows = self.measures.clone()?;
        Some(within.and(self.of_days.clone()).and(rows))
    }
}

/// The rows that decide a test of a dimension: its values, and what shares a row.
fn rows_of(atom: &Atom) -> Option<Expr> {
    let (dimension, test) = match atom {
        Atom::Has { tag } => (tag, None),
        Atom::Tag { tag, test } => (tag, Some(test)),
        Atom::Behaviour { .. }
        | Atom::InGroup(_)
        | Atom::Before(_)
        | Atom::InList(_)
        | Atom::InSplit { .. } => return None,
    };
    let of_dimension = ident("dimension").eq(lit(dimension.as_str()));
    let Some(Test::In(values)) = test else {
        return Some(of_dimension);
    };
    let text = |value: &Value| match value {
        Value::String(text) => Some(lit(text.as_str())),
        Value::Integer(_) | Value::Double(_) | Value::Date(_) | Value::Boolean(_) => None,
    };
    let named = ident("value").in_list(values.iter().filter_map(text).collect(), false);
    Some(of_dimension.and(named.or(ident("value").is_null())))
}
