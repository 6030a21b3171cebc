//! What makes a row of an artifact a part of one set.

use tagmill_schemas::Artifact;

use super::origin::{BITMAP, SHARD};

/// The columns that name the set of a row: rows that agree in all of them are its parts.
///
/// A set is cut by shard; the users of an event's dimension value by combination too, which is
/// therefore no part of their name, as `overflow` is none.
pub(super) fn set_columns(artifact: Artifact) -> impl Iterator<Item = &'static str> {
    let cuts: &[&str] = match artifact {
        Artifact::Behaviour => &[SHARD, "combination", "overflow"],
        _ => &[SHARD],
    };
    let key = artifact.sort_key().iter().copied();
    key.filter(|column| !cuts.contains(column))
}

/// Whether an artifact's rows are sets of users, in a bitmap of each.
pub(super) fn has_sets(artifact: Artifact) -> bool {
    let is_bitmap = |column: &tagmill_schemas::artifact::ColumnSpec| column.name == BITMAP;
    artifact.columns().iter().any(is_bitmap)
}
