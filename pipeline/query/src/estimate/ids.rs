//! Users by their ids: a percentage, or an uploaded list.

use std::collections::HashSet;

use tagmill_schemas::shard::split_percent;

/// A set of user ids.
#[derive(Debug)]
pub(super) enum Ids {
    /// XXH3-64 of salt, a zero byte and the id, mod 100, lies in `from..to`.
    Split { salt: String, from: u32, to: u32 },
    /// An uploaded list.
    List(HashSet<String>),
}

impl Ids {
    pub(super) fn contains(&self, id: &str) -> bool {
        match self {
            Self::Split { salt, from, to } => {
                (*from..*to).contains(&split_percent(salt, id.as_bytes()))
            }
            Self::List(ids) => ids.contains(id),
        }
    }
}
