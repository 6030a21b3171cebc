//! What an atom needs of the artifacts: which table, which rows. Made once per question, then
//! fetched in every shard.

use std::ops::Bound;

use datafusion::logical_expr::{Expr, ident, lit, not};
use tagmill_schemas::artifact::value_column;
use tagmill_schemas::{Error, Result, Value, ValueType};

use super::STAGE;
use super::filter::{above, below, one_of};
use super::ids::Ids;
use super::lists::Lists;
use super::names::AppNames;
use super::reader::{Reader, damaged};
use super::users::Users;
use tagmill_rules::{Atom, Names, Test};

/// The rows behind one atom.
#[derive(Debug)]
pub(super) enum Need {
    /// The union of the bitmaps of a table's rows.
    Rows { table: &'static str, filter: Expr },
    /// The slices of a tag: a range or, with `outside`, a value that is not in it.
    Range {
        filter: Expr,
        low: Bound<Value>,
        high: Bound<Value>,
        outside: bool,
    },
    /// Users by their ids.
    Users(Ids),
}

impl Need {
    /// `None` for numbers of behaviour, which are read together: [`super::behaviour::Behaviour`].
    ///
    /// # Errors
    /// Setup for a list that is not there; retry when the store fails.
    pub(super) async fn of(
        atom: &Atom,
        names: &AppNames,
        lists: &Lists<'_>,
        reader: &Reader,
    ) -> Result<Option<Self>> {
        let need = match atom {
            Atom::Has { tag } => Ok(Self::Rows {
                table: "tags",
                filter: reader.of_tag(tag, type_of(tag, names)?.0),
            }),
            Atom::Tag { tag, test } => Self::of_test(tag, test, names, reader).await,
            Atom::InGroup(name) | Atom::Before(name) => Ok(Self::Rows {
                table: "groups",
                filter: reader.of_app().and(ident("group").eq(lit(name.as_str()))),
            }),
            Atom::Behaviour { .. } => return Ok(None),
            Atom::InSplit { salt, from, to } => Ok(Self::Users(Ids::Split {
                salt: salt.clone(),
                from: *from,
                to: *to,
            })),
            Atom::InList(name) => Ok(Self::Users(Ids::List(lists.read(name).await?))),
        };
        need.map(Some)
    }

    /// Ranges of single-valued integers and dates by slices; everything else by rows, whose values
    /// are compared as a night does.
    async fn of_test(tag: &str, test: &Test, names: &AppNames, reader: &Reader) -> Result<Self> {
        let (value_type, multi) = type_of(tag, names)?;
        let filter = reader.of_tag(tag, value_type);
        let is_sliced = !multi && matches!(value_type, ValueType::Integer | ValueType::Date);
        let (range, outside) = match test {
            Test::Not(inner) => (inner.as_ref(), true),
            _ => (test, false),
        };
        match range {
            Test::Range { low, high } if is_sliced => Ok(Self::Range {
                filter,
                low: low.clone(),
                high: high.clone(),
                outside,
            }),
            _ => Ok(Self::Rows {
                table: "tags",
                filter: filter.and(passing(tag, value_type, test, reader).await?),
            }),
        }
    }

    /// The users of one shard for whom the atom holds.
    ///
    /// # Errors
    /// Refused for damaged bitmaps; retry when the store fails.
    pub(super) async fn fetch(&self, reader: &Reader, shard: u32) -> Result<Users> {
        match self {
            Self::Rows { table, filter } => reader.union(table, filter.clone(), shard).await,
            Self::Range {
                filter,
                low,
                high,
                outside,
            } => {
                let numbers = reader.numbers(filter.clone(), shard).await?;
                let found = match outside {
                    false => numbers.inside(low, high),
                    true => numbers.outside(low, high),
                };
                let found = found.map_err(|defect| damaged("tag_numbers", shard, defect))?;
                Ok(Users::new(found, shard))
            }
            Self::Users(ids) => reader.users(|id| ids.contains(id), shard).await,
        }
    }

    /// Whether its users may be none of the app's.
    pub(super) fn reaches_beyond_app(&self) -> bool {
        matches!(self, Self::Users(_))
    }
}

fn type_of(tag: &str, names: &AppNames) -> Result<(ValueType, bool)> {
    let info = names
        .tag(tag)
        .ok_or_else(|| Error::setup(STAGE, format!("unknown tag {tag:?}")))?;
    Ok((info.value_type, info.multi))
}

/// A filter on the value column that holds exactly for the values that pass the test.
async fn passing(tag: &str, value_type: ValueType, test: &Test, reader: &Reader) -> Result<Expr> {
    let column = || ident(value_column(value_type));
    match test {
        Test::In(values) => Ok(one_of(column, values)),
        Test::Range { low, high } => Ok(above(column(), low).and(below(column(), high))),
        Test::Not(inner) if !matches!(inner.as_ref(), Test::Like { .. }) => {
            Ok(not(Box::pin(passing(tag, value_type, inner, reader)).await?))
        }
        // The night's own matching decides, on the tag's values alone; then their rows are read.
        _ => {
            let mut values = reader.values(tag, value_type).await?;
            values.retain(|value| test.matches(value));
            values.sort_unstable();
            Ok(one_of(column, &values))
        }
    }
}
