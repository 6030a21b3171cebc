//! What rules and comparisons need besides the shard itself.

use std::collections::HashMap;

use datafusion::error::Result;
use tagmill_warehouse::store::Store;

use crate::plan::audience::Audience;

/// Compiled rules, and the groups to compare with.
pub struct Audiences<'a> {
    /// The rules of every app, and the lists that they name.
    pub audience: &'a Audience,
    /// Bitmaps of the earlier release's groups, by app and group.
    pub before: HashMap<(String, String), Vec<u8>>,
    /// The warehouse.
    pub store: &'a Store,
    /// Reserves so many bytes beyond what the shard holds.
    pub reserve: &'a (dyn Fn(usize) -> Result<()> + Send + Sync),
}
