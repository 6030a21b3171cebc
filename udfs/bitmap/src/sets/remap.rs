//! Values replaced by others, as when users get other ids.

use super::algebra::{and_not, or};
use crate::format::defect::Defect;
use crate::format::sorted::write_sorted_u64;
use crate::format::view::BitmapRef;
use std::collections::{BTreeMap, BTreeSet};

/// Appends the canonical bitmap to `out` in which every `from` that the bitmap holds is replaced by
/// its `to`.
///
/// All at once: a value that comes in is not replaced in turn. Of pairs with the same `from` the
/// first one counts.
///
/// # Errors
/// None for a checked bitmap.
pub fn remap(
    bitmap: &BitmapRef<'_>,
    pairs: impl Iterator<Item = (u64, u64)>,
    out: &mut Vec<u8>,
) -> Result<(), Defect> {
    let mut replaced = BTreeMap::new();
    for (from, to) in pairs {
        if !replaced.contains_key(&from) && bitmap.contains(from) {
            replaced.insert(from, to);
        }
    }
    let removed: Vec<u64> = replaced.keys().copied().collect();
    let added: BTreeSet<u64> = replaced.into_values().collect();
    write_edited(
        bitmap,
        &removed,
        &added.into_iter().collect::<Vec<u64>>(),
        out,
    )
}

/// The same, one pair after the other: a value that comes in can be replaced by a later pair.
///
/// # Errors
/// None for a checked bitmap.
pub fn remap_in_turn(
    bitmap: &BitmapRef<'_>,
    pairs: impl Iterator<Item = (u64, u64)>,
    out: &mut Vec<u8>,
) -> Result<(), Defect> {
    let mut changed: BTreeMap<u64, bool> = BTreeMap::new();
    for (from, to) in pairs.filter(|(from, to)| from != to) {
        let is_there = changed
            .get(&from)
            .copied()
            .unwrap_or_else(|| bitmap.contains(from));
        if is_there {
            changed.insert(from, false);
            changed.insert(to, true);
        }
    }
    let of = |wanted: bool| {
        changed
            .iter()
            .filter(|(_, is_there)| **is_there == wanted)
            .map(|(value, _)| *value)
            .collect::<Vec<u64>>()
    };
    write_edited(bitmap, &of(false), &of(true), out)
}

/// Appends the canonical bitmap without the `removed` and with the `added` values to `out`; both
/// ascend strictly.
///
/// # Errors
/// None for a checked bitmap.
pub fn write_edited(
    bitmap: &BitmapRef<'_>,
    removed: &[u64],
    added: &[u64],
    out: &mut Vec<u8>,
) -> Result<(), Defect> {
    let (mut without, mut with, mut rest) = (Vec::new(), Vec::new(), Vec::new());
    write_sorted_u64(removed, &mut without);
    write_sorted_u64(added, &mut with);
    let (without, with) = (
        BitmapRef::parse_layout(&without)?,
        BitmapRef::parse_layout(&with)?,
    );
    if removed.is_empty() {
        or(bitmap, &with, out);
    } else if added.is_empty() {
        and_not(bitmap, &without, out);
    } else {
        and_not(bitmap, &without, &mut rest);
        or(&BitmapRef::parse_layout(&rest)?, &with, out);
    }
    Ok(())
}
