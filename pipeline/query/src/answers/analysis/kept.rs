//! Which values of dimensions had rows of their own on which days: beyond a limit a day keeps some
//! values, and the users of the others share a row.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hashbrown::HashMap;
use tagmill_rules::Atom;

use super::condition::{Condition, dimension_of, named_values};
use super::shard_rows::{Needed, Part, PartRows};

/// Values with rows of their own, and days on which a dimension had others.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// Dimension and day.
    others: BTreeSet<(usize, i32)>,
    /// Of dimension and value the days.
    seen: HashMap<(usize, Arc<str>), BTreeSet<i32>>,
}

impl Kept {
    /// Those of one shard.
    pub(super) fn of(parts: &BTreeMap<Part, PartRows>) -> Self {
        let mut kept = Self::default();
        for (part, rows) in parts {
            for row in &rows.values {
                match &row.value {
                    None => {
                        kept.others.insert((row.dimension, part.date));
                    }
                    Some(value) => {
                        let key = (row.dimension, Arc::clone(value));
                        kept.seen.entry(key).or_default().insert(part.date);
                    }
                }
            }
        }
        kept
    }

    /// With those of another shard.
    pub(super) fn merge(&mut self, other: Self) {
        self.others.extend(other.others);
        for (key, days) in other.seen {
            self.seen.entry(key).or_default().extend(days);
        }
    }

    /// Whether all users of a value are in rows of its own: on every day, or on that of a night.
    pub(super) fn has_all_of(&self, dimension: usize, value: &Arc<str>, date: Option<i32>) -> bool {
        let seen = self.seen.get(&(dimension, Arc::clone(value)));
        let days = self
            .others
            .range((dimension, i32::MIN)..=(dimension, i32::MAX));
        days.filter(|(_, day)| date.is_none_or(|date| date == *day))
            .all(|(_, day)| seen.is_some_and(|seen| seen.contains(day)))
    }

    /// Whether users of values that are not kept could decide a condition otherwise.
    pub(super) fn leaves_open(&self, condition: &Condition, needed: &Needed) -> bool {
        condition.atoms().iter().any(|atom| {
            let dimension = dimension_of(atom).ok().and_then(|name| needed.place(name));
            dimension.is_some_and(|dimension| self.leaves_atom_open(atom, dimension))
        })
    }

    fn leaves_atom_open(&self, atom: &Atom, dimension: usize) -> bool {
        let Atom::Tag { test, .. } = atom else {
            return false;
        };
        let range = (dimension, i32::MIN)..=(dimension, i32::MAX);
        match named_values(test) {
            Some(values) => values
                .into_iter()
                .any(|value| !self.has_all_of(dimension, &Arc::from(value), None)),
            None => self.others.range(range).next().is_some(),
        }
    }
}
