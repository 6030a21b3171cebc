//! What rules and comparisons need besides the shard itself.

use std::collections::{BTreeMap, HashMap};

use tagmill_rules::Atom;

use crate::plan::audience::Audience;

/// Compiled rules, and the groups to compare with.
pub struct Audiences<'a> {
    /// Programs by app.
    pub programs: &'a BTreeMap<String, Audience>,
    /// Bitmaps of the earlier release's groups, by app and group.
    pub before: HashMap<(String, String), Vec<u8>>,
}

impl Audiences<'_> {
    /// Whether a rule looks at the ids of users.
    pub fn need_ids(&self) -> bool {
        let atoms = self
            .programs
            .values()
            .flat_map(|audience| audience.program.atoms());
        atoms
            .into_iter()
            .any(|atom| matches!(atom, Atom::InSplit { .. } | Atom::InList(_)))
    }
}
