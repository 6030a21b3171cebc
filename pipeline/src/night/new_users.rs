//! The users that a shard sees for the first time: their ordinals, and their rows in the dictionary.

use datafusion::error::Result;
use tagmill_schemas::shard::id_hash;
use tagmill_schemas::{Artifact, IdScope};

use super::app_order::AppOrder;
use super::output::Output;
use super::rows::Cell;
use super::shard::Shard;
use super::values::positions;

/// User number -> ordinal. New users follow the known ones in order of (smallest app that saw them, id bytes).
pub fn number_new_users(shard: &Shard<'_>, apps: &AppOrder) -> Vec<u32> {
    let known = shard.known as usize;
    let mut smallest = vec![u32::MAX; shard.ids.len() - known];
    for (&app, &user) in shard.seats.apps().iter().zip(shard.seats.users()) {
        if let Some(least) = (user as usize).checked_sub(known).map(|new| &mut smallest[new]) {
            *least = (*least).min(apps.rank[app as usize]);
        }
    }
    let key = |new: usize| (smallest[new], prefix(shard.ids.get((known + new) as u32)));
    let mut order: Vec<(u32, u128, u32)> = (0..smallest.len()).map(|new| (key(new).0, key(new).1, (known + new) as u32)).collect();
    order.sort_unstable_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)).then_with(|| shard.ids.get(a.2).cmp(shard.ids.get(b.2))));
    let mut ordinal_of: Vec<u32> = (0..shard.ids.len() as u32).collect();
    for (at, &(_, _, user)) in order.iter().enumerate() {
        ordinal_of[user as usize] = (known + at) as u32;
    }
    ordinal_of
}

/// The first 16 bytes as a number: most comparisons end here, without a look at the arena.
fn prefix(id: &[u8]) -> u128 {
    let mut bytes = [0; 16];
    let taken = id.len().min(16);
    bytes[..taken].copy_from_slice(&id[..taken]);
    u128::from_be_bytes(bytes)
}

/// Writes the rows of new users, by ordinal.
pub async fn write_users(shard: &Shard<'_>, ordinal_of: &[u32], output: &mut Output<'_>) -> Result<()> {
    let known = shard.known as usize;
    let by_ordinal = positions_from(&ordinal_of[known..], known as u32);
    for (at, &user) in by_ordinal.iter().enumerate() {
        let user = user + known as u32;
        let id = shard.ids.get(user);
        let (app, user_id) = match shard.spec.id_scope {
            IdScope::Global => (None, id),
            IdScope::App => split_scoped(id),
        };
        output.rows(Artifact::Users).push([
            Cell::Int(i64::from(shard.number)),
            Cell::Int((known + at) as i64),
            app.map_or(Cell::Null, |app| Cell::Text(utf8(app))),
            Cell::Text(utf8(user_id)),
            Cell::Bytes(&id_hash(id)),
            Cell::Text(&shard.spec.run),
            Cell::Int(0),
            Cell::Null,
        ])?;
        if at % 65_536 == 65_535 {
            output.flush_full().await?;
        }
    }
    output.flush_full().await
}

/// For values `first..`, each once, their places in order.
fn positions_from(values: &[u32], first: u32) -> Vec<u32> {
    let shifted: Vec<u32> = values.iter().map(|&value| value - first).collect();
    positions(&shifted)
}

fn split_scoped(id: &[u8]) -> (Option<&[u8]>, &[u8]) {
    match id.iter().position(|&byte| byte == 0) {
        Some(at) => (Some(&id[..at]), &id[at + 1..]),
        None => (None, id),
    }
}

/// Ids come from text columns.
fn utf8(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}
