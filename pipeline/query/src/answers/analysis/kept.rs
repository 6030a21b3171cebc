//! Which values of dimensions had rows of their own on which days: beyond a limit a day keeps some
//! values, and the users of the others share a row.
//!
//! ```text
//! a night after a choice   keeps the same values in every shard: one that is seen is kept everywhere
//! the night before it      each shard keeps the values whose text has the smallest XXH3-64: a value that it does not
//!                          have is none of its others if it keeps one with a larger hash
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hashbrown::{HashMap, HashSet};
use tagmill_rules::Atom;
use xxhash_rust::xxh3::xxh3_64;

use super::condition::{Condition, dimension_of, named_values};
use super::shard_rows::{Needed, Part, PartRows};

/// Values with rows of their own, and days on which a dimension had others.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// Dimension and day.
    others: BTreeSet<(usize, i32)>,
    /// Of dimension and value the days.
    seen: HashMap<(usize, Arc<str>), BTreeSet<i32>>,
    /// Of dimension and day the shards that have others, by what each keeps.
    shards: BTreeMap<(usize, i32), Vec<OfShard>>,
}

/// What a shard with others keeps of a dimension on a day.
#[derive(Debug, Default)]
struct OfShard {
    values: HashSet<Arc<str>>,
    largest_hash: u64,
}

impl Kept {
    /// Those of one shard.
    pub(super) fn of(parts: &BTreeMap<Part, PartRows>) -> Self {
        let mut kept = Self::default();
        let mut of_days: BTreeMap<(usize, i32), OfShard> = BTreeMap::new();
        for (part, rows) in parts {
            for row in &rows.values {
                if let Some(value) = &row.value {
                    let of_day = of_days.entry((row.dimension, part.date)).or_default();
                    of_day.add(value);
                }
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
        for key in &kept.others {
            let of_shard = of_days.remove(key).unwrap_or_default();
            kept.shards.insert(*key, vec![of_shard]);
        }
        kept
    }

    /// With those of another shard.
    pub(super) fn merge(&mut self, other: Self) {
        self.others.extend(other.others);
        for (key, shards) in other.shards {
            self.shards.entry(key).or_default().extend(shards);
        }
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
            .all(|key| {
                seen.is_some_and(|seen| seen.contains(&key.1))
                    && self
                        .shards
                        .get(key)
                        .into_iter()
                        .flatten()
                        .all(|shard| shard.settles(value))
            })
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

impl OfShard {
    fn add(&mut self, value: &Arc<str>) {
        if self.values.insert(Arc::clone(value)) {
            self.largest_hash = self.largest_hash.max(xxh3_64(value.as_bytes()));
        }
    }

    /// Whether none of the shard's others can be this value, which another shard keeps.
    fn settles(&self, value: &Arc<str>) -> bool {
        self.values.contains(value) || xxh3_64(value.as_bytes()) < self.largest_hash
    }
}
