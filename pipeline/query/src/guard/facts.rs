//! What a release says of itself that decides whether sizes may be added.

use std::collections::BTreeSet;

use tagmill_schemas::{IdScope, Manifest};

/// Facts of a release.
#[derive(Debug, Default)]
pub struct Facts {
    /// Tags of which a user can have several values, in any app.
    pub(super) multi: BTreeSet<String>,
    /// Whether a user may be one of several apps.
    pub(super) is_global: bool,
}

impl Facts {
    /// Those of a manifest.
    pub fn of(manifest: &Manifest) -> Self {
        let multi = manifest.tags.iter().filter(|tag| tag.multi);
        Self {
            multi: multi.map(|tag| tag.tag.clone()).collect(),
            is_global: manifest.id_scope == IdScope::Global,
        }
    }
}
