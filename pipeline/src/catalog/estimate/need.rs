//! What an atom needs of the artifacts: which table, which rows.

use std::ops::Bound;

use tagmill_schemas::{Error, Result, Value, ValueType};

use super::STAGE;
use super::names::AppNames;
use crate::rules::{Atom, Names, Test};

/// The rows behind one atom.
#[derive(Debug)]
pub(super) enum Need {
    /// Rows of `tags`: all of the tag's, or those whose value passes.
    Rows { tag: String, value_type: ValueType, test: Option<Test> },
    /// Slices of `tag_numbers`: a range, or with `outside` a value that is not in it.
    Range { tag: String, value_type: ValueType, low: Bound<Value>, high: Bound<Value>, outside: bool },
    /// Rows of `groups`.
    Group(String),
    /// Rows of `users`: ids to hash.
    Split { salt: String, from: u32, to: u32 },
}

impl Need {
    /// # Errors
    /// Setup for lists, which a release does not hold.
    pub(super) fn of(atom: &Atom, names: &AppNames) -> Result<Self> {
        match atom {
            Atom::Has { tag } => Ok(Self::Rows { tag: tag.clone(), value_type: type_of(tag, names)?.0, test: None }),
            Atom::Tag { tag, test } => {
                let (value_type, multi) = type_of(tag, names)?;
                Ok(Self::of_test(tag, value_type, multi, test))
            }
            Atom::InGroup(name) => Ok(Self::Group(name.clone())),
            Atom::InSplit { salt, from, to } => Ok(Self::Split { salt: salt.clone(), from: *from, to: *to }),
            Atom::InList(name) => Err(Error::setup(STAGE, format!("in_list({name:?}) can not be estimated in this version: a release does not hold lists"))
                .fix("leave the list out, or let a night evaluate the group")),
        }
    }

    /// Ranges of single-valued integers and dates by slices; everything else by rows, whose values are compared as a night does.
    fn of_test(tag: &str, value_type: ValueType, multi: bool, test: &Test) -> Self {
        let is_sliced = !multi && matches!(value_type, ValueType::Integer | ValueType::Date);
        let (range, outside) = match test {
            Test::Not(inner) => (inner.as_ref(), true),
            _ => (test, false),
        };
        match range {
            Test::Range { low, high } if is_sliced => {
                Self::Range { tag: tag.to_owned(), value_type, low: low.clone(), high: high.clone(), outside }
            }
            _ => Self::Rows { tag: tag.to_owned(), value_type, test: Some(test.clone()) },
        }
    }

    /// Whether its users may be none of the app's.
    pub(super) fn reaches_beyond_app(&self) -> bool {
        matches!(self, Self::Split { .. })
    }
}

fn type_of(tag: &str, names: &AppNames) -> Result<(ValueType, bool)> {
    let info = names.tag(tag).ok_or_else(|| Error::setup(STAGE, format!("unknown tag {tag:?}")))?;
    Ok((info.value_type, info.multi))
}
