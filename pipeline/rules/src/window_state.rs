//! What a rule asks of behaviour: a number that every user of an app has for an event, over days that
//! move with the run's date.
//!
//! ```text
//! event_count('purchase', 30, city = 'Beijing', back => 30)
//! state   event    what   window     condition
//! ```
//! Its text is its identity: equal states of two rules, apps or nights are one.

use std::cmp::Ordering;
use std::fmt::{self, Display, Formatter};
use std::hash::{Hash, Hasher};

use chrono::{Days, NaiveDate};
use serde::{Deserialize, Serialize};
use tagmill_schemas::{Result, ValueType};

use super::display::Text;
use super::{Atom, Expr, Program};

/// A number per user, and the days that it is of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct WindowState {
    /// The event.
    pub event: String,
    /// What is kept of it.
    pub what: What,
    /// Its days; `None`: all since the state began.
    pub window: Option<Window>,
    /// Which of the events count; `None`: all.
    pub condition: Option<DimensionCondition>,
}

/// What a number says of a user's events.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// How many.
    Count,
    /// The sum of a measure.
    Sum(String),
    /// On how many days.
    Days,
    /// The first day.
    First,
    /// The last day.
    Last,
}

/// So many local days, the last of them some days before the run's date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Window {
    /// From 1 to [`Window::MOST_DAYS`].
    pub days: u32,
    /// Days between its last day and the run's date; 0: it ends on the run's date.
    pub back: u32,
}

impl Window {
    /// The most days that a window can have, and can lie back.
    pub const MOST_DAYS: u32 = 366;

    /// The first and the last day, on a run's date; `None` beyond the calendar.
    pub fn days_of(self, date: NaiveDate) -> Option<(NaiveDate, NaiveDate)> {
        let before = |days: u32| date.checked_sub_days(Days::new(days.into()));
        Some((before(self.back + self.days - 1)?, before(self.back)?))
    }
}

impl WindowState {
    /// The type of its numbers in rules: sums are doubles that stand for exact decimals.
    pub fn value_type(&self) -> ValueType {
        match self.what {
            What::Count | What::Days => ValueType::Integer,
            What::Sum(_) => ValueType::Double,
            What::First | What::Last => ValueType::Date,
        }
    }

    /// Whether users without such an event have none, and not 0.
    pub fn may_be_absent(&self) -> bool {
        matches!(self.what, What::First | What::Last)
    }

    /// The measure that it adds up; `*` for the number of events, `None` where a day is all it asks
    /// for.
    pub fn measure(&self) -> Option<&str> {
        match &self.what {
            What::Count => Some("*"),
            What::Sum(measure) => Some(measure),
            What::Days | What::First | What::Last => None,
        }
    }
}

/// What a row of `windows` is sorted by, behind its app: event, what, measure, days, back, condition.
pub type RowKey<'a> = (
    &'a str,
    &'a str,
    Option<&'a str>,
    Option<u32>,
    Option<u32>,
    Option<&'a str>,
);

impl WindowState {
    /// Its place among the rows of `windows`.
    pub fn row_key(&self) -> RowKey<'_> {
        let measure = match &self.what {
            What::Sum(measure) => Some(measure.as_str()),
            What::Count | What::Days | What::First | What::Last => None,
        };
        (
            &self.event,
            self.what.name(),
            measure,
            self.window.map(|window| window.days),
            self.window.map(|window| window.back),
            self.condition.as_ref().map(DimensionCondition::text),
        )
    }
}

impl What {
    /// The name in `windows`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Sum(_) => "sum",
            Self::Days => "days",
            Self::First => "first",
            Self::Last => "last",
        }
    }

    /// The function of the rule language.
    pub fn function(&self) -> &'static str {
        match self {
            Self::Count => "event_count",
            Self::Sum(_) => "event_sum",
            Self::Days => "event_days",
            Self::First => "event_first",
            Self::Last => "event_last",
        }
    }
}

/// As a rule says it.
impl Display for WindowState {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}({}", self.what.function(), Text(&self.event))?;
        if let What::Sum(measure) = &self.what {
            write!(f, ", {}", Text(measure))?;
        }
        if let Some(window) = self.window {
            write!(f, ", {}", window.days)?;
        }
        if let Some(condition) = &self.condition {
            write!(f, ", {condition}")?;
        }
        match self.window {
            Some(Window { back, .. }) if back > 0 => write!(f, ", back => {back})"),
            _ => f.write_str(")"),
        }
    }
}

/// Which events count: a condition over the dimensions of one event, in the language of rules. NOT
/// is what is left of all events: `NOT city = 'Beijing'` holds for an event without a city,
/// `city <> 'Beijing'` does not.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DimensionCondition {
    text: String,
    program: Program,
}

impl DimensionCondition {
    /// The condition of an expression whose tags are dimensions.
    pub(crate) fn of(expr: &Expr) -> Self {
        Self {
            text: expr.to_string(),
            program: Program::of(expr),
        }
    }

    /// Its canonical text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The tests of dimensions that it is made of.
    pub fn atoms(&self) -> &[Atom] {
        self.program.atoms()
    }

    /// The members of a set of so many for whom it holds; `fill` sets those for whom an atom does.
    ///
    /// # Errors
    /// The first error of `fill`.
    pub fn select(
        &self,
        members: usize,
        fill: &mut dyn FnMut(&Atom, &mut [u64]) -> Result<()>,
    ) -> Result<Vec<u64>> {
        let mut selected = vec![0; members.div_ceil(64)];
        let mut emit = |_: usize, words: &[u64]| {
            selected.copy_from_slice(words);
            Ok(())
        };
        self.program.evaluate(members, fill, &mut emit)?;
        Ok(selected)
    }
}

impl Display for DimensionCondition {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl PartialEq for DimensionCondition {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for DimensionCondition {}

impl PartialOrd for DimensionCondition {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for DimensionCondition {
    fn cmp(&self, other: &Self) -> Ordering {
        self.text.cmp(&other.text)
    }
}

impl Hash for DimensionCondition {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}
