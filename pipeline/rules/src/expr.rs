//! What a rule computes: sets of users under intersection, union and complement.

use serde::{Deserialize, Serialize};

use super::{Test, WindowState};

/// A set of users of one app, within its universe.
///
/// Made by [`Expr::and`], [`Expr::or`] and [`Expr::negate`] it is canonical: AND and OR are flat,
/// sorted, without repetition and have at least two members; `All` and `None` stand only at the
/// top; no double negation. `Display` writes it as a rule that compiles to the same expression.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Expr {
    /// The universe.
    All,
    /// Nobody.
    None,
    /// The complement.
    Not(Box<Expr>),
    /// The intersection.
    And(Vec<Expr>),
    /// The union.
    Or(Vec<Expr>),
    /// A set that is given.
    Atom(Atom),
}

/// A set of users that is given by tags, other groups, lists or a percentage.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Atom {
    /// Users with a value of the tag.
    Has {
        /// The tag's name.
        tag: String,
    },
    /// Users with a value of the tag for which the test is true.
    Tag {
        /// The tag's name.
        tag: String,
        /// Which values.
        test: Test,
    },
    /// Users whose number of a behaviour passes the test.
    Behaviour {
        /// The number.
        state: Box<WindowState>,
        /// Which numbers; `None`: users who have one.
        test: Option<Test>,
    },
    /// The members of another group, tonight.
    InGroup(String),
    /// The members of a group in the release before; no rule can say it.
    Before(String),
    /// The known users of an uploaded list.
    InList(String),
    /// Users whose XXH3-64 of (salt, a zero byte, user id) falls into `from..to` percent.
    InSplit {
        /// What makes two splits independent.
        salt: String,
        /// Percent, inclusive.
        from: u32,
        /// Percent, exclusive, at most 100.
        to: u32,
    },
}

impl Atom {
    /// Whether its users are found by their ids.
    pub fn needs_ids(&self) -> bool {
        match self {
            Self::InList(_) | Self::InSplit { .. } => true,
            Self::Has { .. }
            | Self::Tag { .. }
            | Self::Behaviour { .. }
            | Self::InGroup(_)
            | Self::Before(_) => false,
        }
    }
}

impl Expr {
    /// The users with a value of the tag that passes the test.
    pub(crate) fn some_value(tag: &str, test: Test) -> Self {
        Self::Atom(Atom::Tag {
            tag: tag.to_owned(),
            test,
        })
    }

    /// The atoms, from left to right; one that is written twice is there twice.
    pub fn atoms(&self) -> Vec<&Atom> {
        let (mut atoms, mut open) = (Vec::new(), vec![self]);
        while let Some(next) = open.pop() {
            match next {
                Self::All | Self::None => {}
                Self::Not(inner) => open.push(inner),
                Self::And(members) | Self::Or(members) => open.extend(members.iter().rev()),
                Self::Atom(atom) => atoms.push(atom),
            }
        }
        atoms
    }

    /// The intersection of all; of none, the universe.
    pub fn and(members: Vec<Self>) -> Self {
        let flat = members.into_iter().flat_map(|member| match member {
            Self::And(inner) => inner,
            Self::All => Vec::new(),
            other => vec![other],
        });
        match canonical_members(flat.collect()) {
            members if members.contains(&Self::None) => Self::None,
            members => single_or(members, Self::All, Self::And),
        }
    }

    /// The union of all; of none, nobody.
    pub fn or(members: Vec<Self>) -> Self {
        let flat = members.into_iter().flat_map(|member| match member {
            Self::Or(inner) => inner,
            Self::None => Vec::new(),
            other => vec![other],
        });
        match canonical_members(flat.collect()) {
            members if members.contains(&Self::All) => Self::All,
            members => single_or(members, Self::None, Self::Or),
        }
    }

    /// The complement in the universe.
    pub fn negate(self) -> Self {
        match self {
            Self::All => Self::None,
            Self::None => Self::All,
            Self::Not(inner) => *inner,
            other => Self::Not(Box::new(other)),
        }
    }
}

fn canonical_members(mut members: Vec<Expr>) -> Vec<Expr> {
    members.sort_by_cached_key(Expr::to_string);
    members.dedup();
    members
}

fn single_or(mut members: Vec<Expr>, empty: Expr, many: fn(Vec<Expr>) -> Expr) -> Expr {
    match members.len() {
        0 | 1 => members.pop().unwrap_or(empty),
        _ => many(members),
    }
}
