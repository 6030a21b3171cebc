//! The sets that rules are made of, for one app in one shard: tags, lists and splits as dense
//! bitsets over the app's seats.

use std::collections::HashMap;

use datafusion::error::{DataFusionError, Result};
use tagmill_bitmap::BitmapRef;
use tagmill_schemas::IdScope;
use tagmill_schemas::shard::{hash_of_id, id_bytes, split_percent, user_of_id};

use super::tag_sets::TagSets;
use crate::plan::audience::Audience;
use crate::take::seats::Dictionary;
use crate::windows::AppWindows;
use tagmill_rules::Atom;

/// Where atoms find their users.
pub struct AppSets<'a> {
    /// The app.
    pub app: &'a str,
    /// Whether ids are scoped by app.
    pub id_scope: IdScope,
    /// Every tag of the app.
    pub tags: &'a [TagSets],
    /// The dictionary, by user number.
    pub ids: &'a Dictionary,
    /// User number of each seat.
    pub users: &'a [u32],
    /// Seat by user number.
    pub seat_of_user: &'a dyn Fn(u32) -> Option<u32>,
    /// Numbers of behaviour, if rules of the app ask for some.
    pub windows: Option<&'a AppWindows<'a>>,
    /// The lists.
    pub audience: &'a Audience,
    /// Ordinal of each seat, ascending.
    pub ordinals: &'a [u32],
    /// Bitmaps of the earlier release's groups, by app and group.
    pub before: &'a HashMap<(String, String), Vec<u8>>,
}

impl AppSets<'_> {
    /// Sets the bits of the users for whom `atom` is true.
    pub fn fill(&self, atom: &Atom, words: &mut [u64]) -> Result<()> {
        match atom {
            Atom::Has { tag } => self
                .tag(tag)
                .into_iter()
                .for_each(|sets| sets.fill_all(words)),
            Atom::Tag { tag, test } => self
                .tag(tag)
                .into_iter()
                .for_each(|sets| sets.fill(words, &test.passing(&sets.values))),
            Atom::Behaviour { state, test } => {
                let users = self.windows.and_then(|of| of.passing(state, test.as_ref()));
                let users = users.ok_or_else(|| {
                    let app = self.app;
                    DataFusionError::Internal(format!("{state} of app {app:?} is not computed"))
                })?;
                words.copy_from_slice(&users);
            }
            Atom::InList(list) => self.fill_list(list, words),
            Atom::InSplit { salt, from, to } => self.fill_split(salt, *from, *to, words),
            Atom::Before(group) => self.fill_before(group, words)?,
            Atom::InGroup(group) => {
                return Err(DataFusionError::Internal(format!(
                    "group {group:?} of app {:?} was not resolved",
                    self.app
                )));
            }
        }
        Ok(())
    }

    /// A tag that nobody has in this shard has no sets.
    fn tag(&self, name: &str) -> Option<&TagSets> {
        self.tags
            .binary_search_by(|sets| sets.name.as_str().cmp(name))
            .ok()
            .map(|at| &self.tags[at])
    }

    /// The members of a group in the earlier release; nobody where it has no row.
    fn fill_before(&self, group: &str, words: &mut [u64]) -> Result<()> {
        let key = (self.app.to_owned(), group.to_owned());
        let Some(bitmap) = self.before.get(&key) else {
            return Ok(());
        };
        let damaged = |e| DataFusionError::Execution(format!("a published group is damaged: {e}"));
        for member in BitmapRef::parse(bitmap).map_err(damaged)?.iter() {
            // The shard is the high word.
            if let Ok(seat) = self.ordinals.binary_search(&(member as u32)) {
                words[seat / 64] |= 1 << (seat % 64);
            }
        }
        Ok(())
    }

    fn fill_list(&self, list: &str, words: &mut [u64]) {
        let mut scoped = Vec::new();
        for member in self.audience.members(self.app, list) {
            let key = id_bytes(self.id_scope, self.app, member, &mut scoped);
            let user = self.ids.lookup(hash_of_id(key), key);
            if let Some(seat) = user.and_then(|user| (self.seat_of_user)(user)) {
                words[seat as usize / 64] |= 1 << (seat % 64);
            }
        }
    }

    fn fill_split(&self, salt: &str, from: u32, to: u32, words: &mut [u64]) {
        for (seat, &user) in self.users.iter().enumerate() {
            let user_id = user_of_id(self.id_scope, self.app, self.ids.get(user));
            let percent = split_percent(salt, user_id);
            if (from..to).contains(&percent) {
                words[seat / 64] |= 1 << (seat % 64);
            }
        }
    }
}
