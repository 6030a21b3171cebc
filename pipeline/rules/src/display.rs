//! An expression as the text of a rule.

use std::fmt::{self, Display, Formatter};
use std::ops::Bound;

use tagmill_schemas::Value;

use super::{Atom, Expr, Test};

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("true"),
            Self::None => f.write_str("false"),
            Self::Not(inner) => match inner.as_ref() {
                Self::Atom(Atom::Has { tag }) => write!(f, "{} IS NULL", Name(tag)),
                inner => write!(f, "NOT ({inner})"),
            },
            Self::And(members) => joined(f, members, " AND "),
            Self::Or(members) => joined(f, members, " OR "),
            Self::Atom(atom) => atom.fmt(f),
        }
    }
}

/// A range of two sides that BETWEEN does not say is itself an AND, and AND binds closer than OR.
fn joined(f: &mut Formatter<'_>, members: &[Expr], word: &str) -> fmt::Result {
    for (index, member) in members.iter().enumerate() {
        f.write_str(if index > 0 { word } else { "" })?;
        match member {
            Expr::And(_) | Expr::Or(_) => write!(f, "({member})")?,
            _ => member.fmt(f)?,
        }
    }
    Ok(())
}

impl Display for Atom {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Has { tag } => write!(f, "{} IS NOT NULL", Name(tag)),
            Self::Tag { tag, test } => condition(f, &Name(tag), test, false),
            Self::Behaviour { state, test: None } => write!(f, "{state} IS NOT NULL"),
            Self::Behaviour {
                state,
                test: Some(test),
            } => condition(f, state, test, false),
            Self::InGroup(group) => write!(f, "in_group({})", Text(group)),
            Self::Before(group) => write!(f, "the members of {} before", Text(group)),
            Self::InList(list) => write!(f, "in_list({})", Text(list)),
            Self::InSplit { salt, from, to } => write!(f, "in_split({}, {from}, {to})", Text(salt)),
        }
    }
}

fn condition(f: &mut Formatter<'_>, name: &dyn Display, test: &Test, negated: bool) -> fmt::Result {
    let not = if negated { "NOT " } else { "" };
    match test {
        Test::Not(inner) => condition(f, name, inner, !negated),
        Test::In(values) => match values.as_slice() {
            [value] => write!(
                f,
                "{name} {} {}",
                if negated { "<>" } else { "=" },
                Literal(value)
            ),
            values => {
                write!(f, "{name} {not}IN (")?;
                for (index, value) in values.iter().enumerate() {
                    write!(f, "{}{}", if index > 0 { ", " } else { "" }, Literal(value))?;
                }
                f.write_str(")")
            }
        },
        Test::Range { low, high } => range(f, name, low, high, not),
        Test::Like {
            pattern,
            case_insensitive,
            escape,
        } => {
            let word = if *case_insensitive { "ILIKE" } else { "LIKE" };
            write!(f, "{name} {not}{word} {}", Text(pattern))?;
            if *escape == '\\' {
                Ok(())
            } else {
                write!(f, " ESCAPE {}", Text(&escape.to_string()))
            }
        }
    }
}

fn range(
    f: &mut Formatter<'_>,
    name: &dyn Display,
    low: &Bound<Value>,
    high: &Bound<Value>,
    not: &str,
) -> fmt::Result {
    let side = |bound: &Bound<Value>, included: &str, excluded: &str| match bound {
        Bound::Included(value) => Some(format!("{name} {included} {}", Literal(value))),
        Bound::Excluded(value) => Some(format!("{name} {excluded} {}", Literal(value))),
        Bound::Unbounded => None,
    };
    match (low, high) {
        (Bound::Included(low), Bound::Included(high)) => {
            write!(
                f,
                "{name} {not}BETWEEN {} AND {}",
                Literal(low),
                Literal(high)
            )
        }
        // A negated one-sided range is the other side.
        _ if !not.is_empty() => {
            let sides = [side(low, "<", "<="), side(high, ">", ">=")];
            f.write_str(&sides.into_iter().flatten().collect::<Vec<_>>().join(" OR "))
        }
        _ => {
            let sides: Vec<_> = [side(low, ">=", ">"), side(high, "<=", "<")]
                .into_iter()
                .flatten()
                .collect();
            if sides.len() == 2 {
                write!(f, "({})", sides.join(" AND "))
            } else {
                f.write_str(&sides.concat())
            }
        }
    }
}

/// A tag's name: bare when the parser reads it back as one.
pub(crate) struct Name<'a>(pub(crate) &'a str);

impl Display for Name<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let plain = self
            .0
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        match plain
            && !self.0.starts_with(|c: char| c.is_ascii_digit())
            && !RESERVED.contains(&self.0)
            && !self.0.is_empty()
        {
            true => f.write_str(self.0),
            false => write!(f, "\"{}\"", self.0.replace('"', "\"\"")),
        }
    }
}

/// Names that mean something else without quotes somewhere in a rule.
const RESERVED: [&str; 20] = [
    "and", "between", "case", "cast", "date", "day", "days", "escape", "exists", "false", "ilike",
    "in", "interval", "is", "like", "not", "null", "or", "select", "true",
];

/// Text in single quotes.
pub(crate) struct Text<'a>(pub(crate) &'a str);

impl Display for Text<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "'{}'", self.0.replace('\'', "''"))
    }
}

/// A constant as a rule writes it.
pub(crate) struct Literal<'a>(pub(crate) &'a Value);

impl Display for Literal<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            Value::String(text) => Text(text).fmt(f),
            Value::Date(_) => write!(f, "DATE '{}'", self.0),
            // With a point, as ever: a rule's hash follows from it.
            Value::Double(number) => write!(f, "{number:?}"),
            other => other.fmt(f),
        }
    }
}
