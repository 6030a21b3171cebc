//! User ids and their numbers. Reads sightings, writes ordinals.
//!
//! Shard: XXH3-64 of the id's bytes, modulo the number of shards. Ordinals: what an earlier night
//! gave stays; new users of a shard follow in the order of (smallest app that saw them, user id).

use std::collections::{BTreeMap, BTreeSet};

use twox_hash::XxHash3_64;

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
    pub fn extend(&mut self, sightings: &BTreeSet<(String, String)>) {
        let mut smallest_app: BTreeMap<Identity, &str> = BTreeMap::new();
        for (app, user) in sightings {
            smallest_app.entry(self.identity(app, user)).or_insert(app);
        }
        let new: BTreeSet<(u32, &str, String, Identity)> = smallest_app
            .into_iter()
            .filter(|(identity, _)| !self.numbers.contains_key(identity))
            .map(|(identity, app)| (self.shard(&identity), app, identity.1.clone(), identity))
            .collect();
        for (shard, _, _, identity) in new {
            let next = self.next.entry(shard).or_default();
            self.numbers.insert(identity, (shard, *next));
            *next += 1;
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

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(pairs: &[(&str, &str)]) -> BTreeSet<(String, String)> {
        pairs
            .iter()
            .map(|(app, user)| ((*app).to_owned(), (*user).to_owned()))
            .collect()
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
