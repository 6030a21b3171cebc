//! The users that a shard sees for the first time: their ordinals, and their rows in the
//! dictionary.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, FixedSizeBinaryArray, RecordBatch, StringArray, StringBuilder, UInt8Array,
    UInt32Array, new_null_array,
};
use arrow::datatypes::DataType;
use datafusion::error::{DataFusionError, Result};
use tagmill_schemas::artifact::batch_of;
use tagmill_schemas::artifact::users::Column;
use tagmill_schemas::shard::id_hash;
use tagmill_schemas::{Artifact, IdScope};

use super::app_order::AppOrder;
use super::output::Output;
use crate::take::shard::Shard;
use crate::take::values::positions;
use tagmill_warehouse::artifact::CHUNK_ROWS;

/// Rows of a batch: whole chunks of the writer, which are then not copied.
const ROWS: usize = 8 * CHUNK_ROWS;

/// Rows between a prefetch and its use.
const AHEAD: usize = 16;

/// User number -> ordinal. New users follow the known ones in order of (smallest app that saw them,
/// id bytes).
pub fn number_new_users(shard: &Shard<'_>, apps: &AppOrder) -> Vec<u32> {
    let known = shard.known as usize;
    let mut smallest = vec![u32::MAX; shard.ids.len() - known];
    for (&app, &user) in shard.seats.apps().iter().zip(shard.seats.users()) {
        if let Some(least) = (user as usize)
            .checked_sub(known)
            .map(|new| &mut smallest[new])
        {
            *least = (*least).min(apps.rank[app as usize]);
        }
    }
    let key = |new: usize| (smallest[new], prefix(shard.ids.get((known + new) as u32)));
    let mut order: Vec<(u32, u128, u32)> = (0..smallest.len())
        .map(|new| (key(new).0, key(new).1, (known + new) as u32))
        .collect();
    order.sort_unstable_by(|a, b| {
        (a.0, a.1)
            .cmp(&(b.0, b.1))
            .then_with(|| shard.ids.get(a.2).cmp(shard.ids.get(b.2)))
    });
    let mut ordinal_of: Vec<u32> = (0..shard.ids.len() as u32).collect();
    for (at, &(_, _, user)) in order.iter().enumerate() {
        ordinal_of[user as usize] = (known + at) as u32;
    }
    ordinal_of
}

/// The first 16 bytes as a number: most comparisons end here, without a look at the id.
fn prefix(id: &[u8]) -> u128 {
    let mut bytes = [0; 16];
    let taken = id.len().min(16);
    bytes[..taken].copy_from_slice(&id[..taken]);
    u128::from_be_bytes(bytes)
}

/// Writes the rows of new users, by ordinal, column by column: there can be millions.
pub async fn write_users(shard: &Shard<'_>, ordinal_of: &[u32], output: &mut Output) -> Result<()> {
    let known = shard.known;
    let by_ordinal = positions_from(&ordinal_of[known as usize..], known);
    for (at, users) in by_ordinal.chunks(ROWS).enumerate() {
        let batch = users_batch(shard, known + (at * ROWS) as u32, users)?;
        output.write(Artifact::Users, &batch).await?;
    }
    output.end(Artifact::Users).await
}

/// The rows of users with the ordinals from `first` on; `users` are their numbers, counted from the
/// first new one.
fn users_batch(shard: &Shard<'_>, first: u32, users: &[u32]) -> Result<RecordBatch> {
    let rows = users.len();
    let is_scoped = shard.spec.id_scope == IdScope::App;
    let (mut apps, mut ids) = (
        StringBuilder::new(),
        StringBuilder::with_capacity(rows, rows * 32),
    );
    let mut hashes = Vec::with_capacity(rows * 16);
    for (at, &user) in users.iter().enumerate() {
        users
            .get(at + AHEAD)
            .iter()
            .for_each(|&&later| shard.ids.prefetch(shard.known + later));
        let id = shard.ids.get(shard.known + user);
        let (app, user_id) = if is_scoped {
            split_scoped(id)
        } else {
            (None, id)
        };
        if ids.values_slice().len() + user_id.len() > i32::MAX as usize {
            let what = format!(
                "the ids of {rows} users of shard {} take more than the 2 GiB that a column can \
                 hold",
                shard.number
            );
            return Err(DataFusionError::Execution(format!(
                "{what}: reject long ids, or make a warehouse with more shards"
            )));
        }
        apps.append_option(app.map(utf8));
        ids.append_value(utf8(user_id));
        hashes.extend_from_slice(&id_hash(id));
    }
    let columns: [(Column, ArrayRef); 8] = [
        (
            Column::Shard,
            Arc::new(UInt32Array::from(vec![shard.number; rows])),
        ),
        (
            Column::Ordinal,
            Arc::new(UInt32Array::from_iter_values(first..first + rows as u32)),
        ),
        (Column::App, Arc::new(apps.finish())),
        (Column::UserId, Arc::new(ids.finish())),
        (
            Column::IdHash,
            Arc::new(FixedSizeBinaryArray::try_new(16, hashes.into(), None)?),
        ),
        (
            Column::FirstRun,
            Arc::new(StringArray::from_iter_values(std::iter::repeat_n(
                &shard.spec.run,
                rows,
            ))),
        ),
        (Column::State, Arc::new(UInt8Array::from(vec![0; rows]))),
        (Column::MergedInto, new_null_array(&DataType::UInt64, rows)),
    ];
    Ok(batch_of(columns)?)
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
