//! A group's rule: text in, bitmap algebra out.
//!
//! Reads a SQL boolean expression over the tags of one app; writes an [`Expr`] and, for all rules
//! of an app, one [`Program`].
//!
//! ```text
//! text ──► token ──► parse ──► lower (names, types, constants) ──► Expr ──► Program ──► one bitset per group
//!          limits,   DataFusion's                                  canonical  shared        over the app's
//!          refusals  SQL parser                                    form       subexpressions  seats in a shard
//! ```
//!
//! # Semantics
//! An atom is the set of users for whom it is true; AND, OR and NOT are intersection, union and
//! complement in the app's universe. So `NOT spend < 10` holds users without the tag, as marketers'
//! set difference does and SQL's filter does not.
//!
//! | condition | users |
//! |---|---|
//! | `t = v`, `<`, `BETWEEN`, `IN`, `LIKE`, `ILIKE` | that have a value for which it is true |
//! | `t <> v`, `NOT IN`, `NOT BETWEEN`, `NOT LIKE` | that have a value for which it is true: one without the tag is not among them |
//! | `t IS NULL`, `t IS NOT NULL` | without, with a value |
//! | `b`, `b IS TRUE`, `b IS FALSE` | whose boolean tag says so; `b IS NOT TRUE` is the complement |
//! | `event_count('e', 30) >= 3`, `event_sum('e', 'm', 30)`, `event_days('e', 7)` | whose number is so; without such an event it is 0 |
//! | `event_first('e') < v`, `event_last('e') >= v` | who did it, on such a day |
//! | `in_group('g')`, `in_list('l')`, `in_split('salt', 0, 50)` | of another group, of an uploaded list, of a percentage |
//! | `true`, `false` | all, none |
//!
//! Names are taken as written, letters' case included; a name that is not plain needs double
//! quotes. Constants have the tag's type; dates are `DATE '2026-11-19'`, `'2026-11-19'` or
//! `run_date() - 30`. `LIKE` escapes with a backslash unless ESCAPE says otherwise.

mod behaviour;
mod canonical;
mod constant;
mod display;
mod expr;
mod function;
mod graph;
pub mod groups;
mod like;
mod lower;
mod matching;
mod names;
mod never;
mod order;
mod parse;
mod program;
mod range;
mod refusal;
mod schedule;
mod syntax;
mod token;
mod window_state;
mod withheld;

#[cfg(test)]
mod tests;

use chrono::NaiveDate;

pub use canonical::rule_hash;
pub use expr::{Atom, Expr};
pub use matching::Test;
pub use names::{EventInfo, Names, TagInfo};
pub use order::Uncomputable;
pub use program::Program;
pub use window_state::{DimensionCondition, RowKey, What, Window, WindowState};
pub use withheld::withheld_tag;

use lower::Lowering;
use parse::parse;

/// Why a rule was refused, and where in its text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{line}:{column}: {message}")]
pub struct RuleError {
    /// From 1.
    pub line: u32,
    /// In characters, from 1.
    pub column: u32,
    /// What was found and what was expected.
    pub message: String,
}

/// A rule that means something else than its author probably thinks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lint {
    /// From 1.
    pub line: u32,
    /// In characters, from 1.
    pub column: u32,
    /// What the rule means and what to write instead.
    pub message: String,
}

/// A mention of another group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The group's name.
    pub group: String,
    /// From 1.
    pub line: u32,
    /// In characters, from 1.
    pub column: u32,
}

/// A rule that was understood.
#[derive(Debug, Clone)]
pub struct Compiled {
    /// What it computes on this date.
    pub expr: Expr,
    /// Its text in canonical form: the same whatever the order of AND and OR, spacing, comments and
    /// the date.
    pub text: String,
    /// The groups it mentions, in order.
    pub references: Vec<Reference>,
    /// What its author should look at.
    pub lints: Vec<Lint>,
}

/// Compiles a rule for the night of `run_date`.
///
/// # Errors
/// The first thing that is not understood: syntax, a name, a type, a limit.
pub fn compile(rule: &str, names: &dyn Names, run_date: NaiveDate) -> Result<Expr, RuleError> {
    analyse(rule, names, run_date).map(|compiled| compiled.expr)
}

/// Compiles a condition over the dimensions of an event.
///
/// # Errors
/// As [`compile`]; what is no test of a dimension.
pub fn event_condition(
    condition: &str,
    event: &EventInfo,
    run_date: NaiveDate,
) -> Result<DimensionCondition, RuleError> {
    behaviour::condition(&parse(condition)?, event, run_date)
}

/// Compiles a rule and keeps everything that was learnt about it.
///
/// # Errors
/// As [`compile`].
pub fn analyse(rule: &str, names: &dyn Names, run_date: NaiveDate) -> Result<Compiled, RuleError> {
    let parsed = parse(rule)?;
    let mut lowering = Lowering::new(names, run_date);
    let expr = lowering.condition(&parsed)?;
    let (references, lints) = lowering.finish();
    // Only a rule that lowered is shallow enough to be walked again.
    Ok(Compiled {
        expr,
        text: canonical::text(&parsed),
        references,
        lints,
    })
}
