//! User ids and their numbers. Reads sightings, writes ordinals.
//!
//! Shard: XXH3-64 of the id's bytes, modulo the number of shards. Ordinals: what an earlier night
//! gave stays; new users of a shard follow in the order of (smallest app that saw them, binary digits
//! of the number of their events there, values of common tags there, user id).
//!
//! Common tags have one value a user and 2 to 64 different ones, none being one, among the new users
//! of the shard. Those with fewer come first, then by name; all of them together have at most 2^26
//! combinations, the rest is left out.

use std::collections::{BTreeMap, BTreeSet};

use twox_hash::XxHash3_64;

use super::attributes::single_valued;
use super::fact::Facts;
use super::value::Value;

/// Whether equal ids in two apps are one user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// They are two.
    App,
    /// They are one.
    Global,
}

/// App (empty with [`Scope::Global`]) and user id.
pub type Identity = (String, String);

/// A user, and the app and user id of the row by which the user is numbered.
type Sighted<'f> = (Identity, &'f (String, String));

/// All users of a warehouse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dictionary {
    shards: u32,
    scope: Scope,
    /// Shard and ordinal of each identity.
    pub numbers: BTreeMap<Identity, (u32, u32)>,
    next: BTreeMap<u32, u32>,
}

impl Dictionary {
    /// Nobody yet.
    pub fn new(shards: u32, scope: Scope) -> Self {
        Self {
            shards,
            scope,
            numbers: BTreeMap::new(),
            next: BTreeMap::new(),
        }
    }

    /// How apps tell users apart.
    pub fn scope(&self) -> Scope {
        self.scope
    }

    /// The identity behind an app's user id.
    pub fn identity(&self, app: &str, user: &str) -> Identity {
        match self.scope {
            Scope::Global => (String::new(), user.to_owned()),
            Scope::App => (app.to_owned(), user.to_owned()),
        }
    }

    /// The uid of an app's user, if known.
    pub fn uid(&self, app: &str, user: &str) -> Option<u64> {
        self.numbers
            .get(&self.identity(app, user))
            .map(|&(shard, ordinal)| (u64::from(shard) << 32) | u64::from(ordinal))
    }

    /// Numbers the users of a night that are not known yet.
    pub fn extend(&mut self, facts: &Facts) {
        let mut home: BTreeMap<Identity, &(String, String)> = BTreeMap::new();
        for sighting in &facts.sightings {
            let (app, user) = sighting;
            home.entry(self.identity(app, user)).or_insert(sighting);
        }
        let mut new: BTreeMap<u32, Vec<Sighted<'_>>> = BTreeMap::new();
        for (identity, sighting) in home {
            if !self.numbers.contains_key(&identity) {
                let shard = self.shard(&identity);
                new.entry(shard).or_default().push((identity, sighting));
            }
        }
        for (shard, mut users) in new {
            let common = common_tags(facts, &users);
            users.sort_by_cached_key(|(identity, sighting)| {
                let events = facts.activity.get(*sighting).copied().unwrap_or(0);
                let values: Vec<Option<&Value>> = common
                    .iter()
                    .map(|tag| value(facts, tag, sighting))
                    .collect();
                let digits = u64::BITS - events.leading_zeros();
                (&sighting.0, digits, values, identity.1.clone())
            });
            for (identity, _) in users {
                let next = self.next.entry(shard).or_default();
                self.numbers.insert(identity, (shard, *next));
                *next += 1;
            }
        }
    }

    fn shard(&self, (app, user): &Identity) -> u32 {
        let bytes = match self.scope {
            Scope::Global => user.as_bytes().to_vec(),
            Scope::App => [app.as_bytes(), &[0], user.as_bytes()].concat(),
        };
        (XxHash3_64::oneshot(&bytes) % u64::from(self.shards)) as u32
    }
}

fn value<'f>(facts: &'f Facts, tag: &str, (app, user): &(String, String)) -> Option<&'f Value> {
    let users = facts.tags.get(&(app.clone(), tag.to_owned()))?;
    users.get(user)?.first()
}

fn common_tags(facts: &Facts, users: &[Sighted<'_>]) -> Vec<&'static str> {
    let mut tags: Vec<(usize, &str)> = single_valued()
        .map(|tag| {
            let values: BTreeSet<_> = users.iter().map(|(_, at)| value(facts, tag, at)).collect();
            (values.len(), tag)
        })
        .filter(|(values, _)| (2..=64).contains(values))
        .collect();
    tags.sort();
    let mut combinations = 1u64;
    tags.retain(|(values, _)| {
        combinations *= *values as u64;
        combinations <= 1 << 26
    });
    tags.into_iter().map(|(_, tag)| tag).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(pairs: &[(&str, &str)]) -> Facts {
        let sighting = |(app, user): &(&str, &str)| ((*app).to_owned(), (*user).to_owned());
        Facts {
            sightings: pairs.iter().map(sighting).collect(),
            ..Facts::default()
        }
    }

    #[test]
    fn ordinals_follow_smallest_app_then_id_and_stay() {
        let mut dictionary = Dictionary::new(1, Scope::Global);
        dictionary.extend(&seen(&[("b", "a1"), ("a", "z9"), ("b", "z9"), ("b", "a0")]));
        assert_eq!(dictionary.uid("b", "z9"), Some(0));
        assert_eq!(
            (dictionary.uid("b", "a0"), dictionary.uid("b", "a1")),
            (Some(1), Some(2))
        );
        dictionary.extend(&seen(&[("a", "a00"), ("a", "a1")]));
        assert_eq!(
            (dictionary.uid("a", "a1"), dictionary.uid("a", "a00")),
            (Some(2), Some(3))
        );
    }

    #[test]
    fn new_users_stand_by_activity_then_values_then_id() {
        let mut facts = seen(&[("a", "1"), ("a", "2"), ("a", "3"), ("a", "4")]);
        facts.be_active("a", "1");
        let women = [("1", "F"), ("2", "M"), ("4", "F")];
        for (user, value) in women {
            facts.add_value("a", "gender", user, Value::String(value.to_owned()));
        }
        let mut dictionary = Dictionary::new(1, Scope::Global);
        dictionary.extend(&facts);
        let uids = ["3", "4", "2", "1"].map(|user| dictionary.uid("a", user));
        assert_eq!(uids, [Some(0), Some(1), Some(2), Some(3)]);
    }

    #[test]
    fn app_scope_tells_equal_ids_apart() {
        let mut dictionary = Dictionary::new(16, Scope::App);
        dictionary.extend(&seen(&[("a", "u"), ("b", "u")]));
        assert_eq!(dictionary.numbers.len(), 2);
        assert_eq!(dictionary.uid("c", "u"), None);
    }

    #[test]
    fn the_shard_hash_is_xxh3_with_seed_0() {
        assert_eq!(XxHash3_64::oneshot(b""), 0x2d06_8005_38d3_94c2);
    }
}
