//! The rows of new users in the dictionary.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, RecordBatch, StringArray, StringBuilder, UInt8Array, UInt32Array, new_null_array,
};
use arrow::datatypes::DataType;
use datafusion::error::{DataFusionError, Result};
use tagmill_schemas::artifact::batch_of;
use tagmill_schemas::artifact::users::Column;
use tagmill_schemas::shard::split_scoped;
use tagmill_schemas::{Artifact, IdScope};

use super::output::Output;
use super::user_index::{UserIndex, write_index};
use crate::take::shard::Shard;
use crate::take::values::positions;
use tagmill_warehouse::artifact::CHUNK_ROWS;

/// Rows of a batch: whole chunks of the writer, which are then not copied.
const ROWS: usize = 8 * CHUNK_ROWS;

/// Rows between a prefetch and its use.
const AHEAD: usize = 16;

/// Writes the rows of new users, by ordinal, column by column: there can be millions.
pub async fn write_users(shard: &Shard<'_>, ordinal_of: &[u32], output: &mut Output) -> Result<()> {
    let known = shard.known;
    let by_ordinal = positions_from(&ordinal_of[known as usize..], known);
    for (at, users) in by_ordinal.chunks(ROWS).enumerate() {
        let index = &mut output.user_index;
        let batch = users_batch(shard, known + (at * ROWS) as u32, users, index)?;
        output.write(Artifact::Users, &batch).await?;
    }
    output.end(Artifact::Users).await?;
    write_index(shard.number, output).await
}

/// The rows of users with the ordinals from `first` on; `users` are their numbers, counted from the
/// first new one.
fn users_batch(
    shard: &Shard<'_>,
    first: u32,
    users: &[u32],
    index: &mut UserIndex,
) -> Result<RecordBatch> {
    let rows = users.len();
    let is_scoped = shard.spec.id_scope == IdScope::App;
    let (mut apps, mut ids) = (
        StringBuilder::new(),
        StringBuilder::with_capacity(rows, rows * 32),
    );
    for (at, &user) in users.iter().enumerate() {
        users
            .get(at + AHEAD)
            .iter()
            .for_each(|&&later| shard.ids.prefetch(shard.known + later));
        let id = shard.ids.get(shard.known + user);
        index.add(id, first + at as u32);
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
    }
    let columns: [(Column, ArrayRef); 7] = [
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

/// Ids come from text columns.
fn utf8(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}
