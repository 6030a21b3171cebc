//! What rules and comparisons need besides the shard itself.

use std::collections::HashMap;

use crate::plan::audience::Audience;

/// Compiled rules, and the groups to compare with.
pub struct Audiences<'a> {
    /// The rules of every app, and the lists that they name.
    pub audience: &'a Audience,
    /// Bitmaps of the earlier release's groups, by app and group.
    pub before: HashMap<(String, String), Vec<u8>>,
}
