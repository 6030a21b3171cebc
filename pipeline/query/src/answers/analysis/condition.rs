//! A condition over the dimensions of an event, which holds within one combination, that is, in one
//! event.

use std::collections::BTreeSet;

use datafusion::logical_expr::{Expr, ident, lit};
use tagmill_rules::{Atom, Names, Program, TagInfo, Test, compile};
use tagmill_schemas::{Error, Result, Value, ValueType};

use super::super::STAGE;
use super::super::event::Event;

/// A condition that was understood.
#[derive(Debug)]
pub(super) struct Condition {
    program: Program,
}

impl Condition {
    /// # Errors
    /// Setup for a condition that is not understood, with the place and the nearest name.
    pub(super) fn of(text: &str, dimensions: &BTreeSet<String>, event: &Event) -> Result<Self> {
        let fix = match dimensions.iter().map(String::as_str).collect::<Vec<_>>() {
            names if names.is_empty() => format!("event {:?} has no dimensions", event.event),
            names => format!("its dimensions are {}", names.join(", ")),
        };
        let expr = compile(text, &Dimensions(dimensions), event.days.1).map_err(|e| {
            let place = format!("{}:{}", e.line, e.column);
            let what = format!("invalid condition at {place}: {}", e.message);
            Error::setup(STAGE, what).fix(fix.clone())
        })?;
        let program = Program::of(&expr);
        for atom in program.atoms() {
            dimension_of(atom)?;
        }
        Ok(Self { program })
    }

    /// What it asks of dimensions.
    pub(super) fn atoms(&self) -> &[Atom] {
        self.program.atoms()
    }

    /// The dimensions that it names.
    pub(super) fn dimensions(&self) -> impl Iterator<Item = &str> {
        self.atoms()
            .iter()
            .filter_map(|atom| dimension_of(atom).ok())
    }

    /// The rows of `behaviour` that can decide it.
    pub(super) fn rows(&self) -> Option<Expr> {
        self.atoms().iter().filter_map(rows_of).reduce(Expr::or)
    }

    /// The users of `everybody` for whom it holds: a bit an ordinal; `fill` sets those of an atom.
    ///
    /// # Errors
    /// Those of `fill`.
    pub(super) fn select(
        &self,
        everybody: &mut [u64],
        fill: &mut dyn FnMut(&Atom, &mut [u64]) -> Result<()>,
    ) -> Result<()> {
        let bits = everybody.len() * 64;
        self.program.evaluate(bits, fill, &mut |_, words| {
            for (all, some) in everybody.iter_mut().zip(words) {
                *all &= some;
            }
            Ok(())
        })
    }
}

/// The dimension that an atom is of.
///
/// # Errors
/// Setup for an atom over something else.
pub(super) fn dimension_of(atom: &Atom) -> Result<&str> {
    match atom {
        Atom::Has { tag } | Atom::Tag { tag, .. } => Ok(tag),
        Atom::Behaviour { .. }
        | Atom::InGroup(_)
        | Atom::Before(_)
        | Atom::InList(_)
        | Atom::InSplit { .. } => {
            let what = "a condition of an event can name its dimensions only";
            Err(Error::setup(STAGE, what).fix("put it into the argument audience"))
        }
    }
}

/// Whether an atom holds for a dimension's value; `None`, the value is one of those that are not
/// kept, and it may.
pub(super) fn holds(atom: &Atom, value: Option<&str>) -> Option<bool> {
    let Atom::Tag { test, .. } = atom else {
        return Some(true);
    };
    match value {
        Some(value) => Some(test.matches(&Value::String(value.to_owned()))),
        None => named_values(test).map(|_| matches!(test, Test::Not(_))),
    }
}

/// The values that a test names, if it is of nothing else.
pub(super) fn named_values(test: &Test) -> Option<Vec<&str>> {
    let values = match test {
        Test::In(values) => values,
        Test::Not(inner) => match inner.as_ref() {
            Test::In(values) => values,
            _ => return None,
        },
        _ => return None,
    };
    let texts = values.iter().filter_map(|value| match value {
        Value::String(text) => Some(text.as_str()),
        _ => None,
    });
    Some(texts.collect())
}

fn rows_of(atom: &Atom) -> Option<Expr> {
    let of_dimension = ident("dimension").eq(lit(dimension_of(atom).ok()?));
    match atom {
        Atom::Tag {
            test: Test::In(values),
            ..
        } => {
            let text = |value: &Value| match value {
                Value::String(text) => Some(lit(text.as_str())),
                _ => None,
            };
            let named = ident("value").in_list(values.iter().filter_map(text).collect(), false);
            Some(of_dimension.and(named.or(ident("value").is_null())))
        }
        _ => Some(of_dimension),
    }
}

/// The dimensions of an event: texts, of which a combination has one each.
struct Dimensions<'a>(&'a BTreeSet<String>);

impl Names for Dimensions<'_> {
    fn tag(&self, name: &str) -> Option<TagInfo> {
        let info = TagInfo {
            value_type: ValueType::String,
            multi: false,
        };
        self.0.contains(name).then_some(info)
    }

    fn tag_names(&self) -> Vec<&str> {
        self.0.iter().map(String::as_str).collect()
    }

    /// Any is understood, and refused with what to write instead.
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
