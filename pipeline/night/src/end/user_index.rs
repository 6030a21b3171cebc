//! The look-up index beside a shard's file of users: ordinals by hash of the id.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch, UInt32Array};
use arrow::datatypes::UInt32Type;
use datafusion::error::{DataFusionError, Result};
use tagmill_bitmap::sort_rows;
use tagmill_schemas::artifact::user_index::Column;
use tagmill_schemas::artifact::{Columns, batch_of, users};
use tagmill_schemas::shard::{hash_of_id, id_bytes, index_hash};
use tagmill_schemas::{Artifact, IdScope};
use tagmill_warehouse::artifact::CHUNK_ROWS;

use super::output::Output;

/// Rows of a batch: whole chunks of the writer, which are then not copied.
const ROWS: usize = 8 * CHUNK_ROWS;

/// The rows, in any order: the hash above the ordinal. 8 bytes a user.
#[derive(Default)]
pub struct UserIndex(Vec<u64>);

impl UserIndex {
    /// Adds a user by its id bytes.
    #[inline]
    pub fn add(&mut self, id_bytes: &[u8], ordinal: u32) {
        let hash = index_hash(hash_of_id(id_bytes));
        self.0.push(u64::from(hash) << 32 | u64::from(ordinal));
    }

    /// Adds the rows of a batch of `users`.
    ///
    /// # Errors
    /// Arrow's, for a batch without the columns of `users`.
    pub fn add_rows(&mut self, scope: IdScope, batch: &RecordBatch) -> Result<()> {
        let column = |column: users::Column| {
            let name = column.name();
            batch.column_by_name(name).ok_or_else(|| {
                DataFusionError::Internal(format!("a batch of users has no column {name}"))
            })
        };
        let ordinals = column(users::Column::Ordinal)?.as_primitive::<UInt32Type>();
        let ids = column(users::Column::UserId)?.as_string::<i32>();
        let apps = column(users::Column::App)?.as_string::<i32>();
        let mut scoped = Vec::new();
        for ((ordinal, id), app) in ordinals.values().iter().zip(ids).zip(apps) {
            let id = id_bytes(
                scope,
                app.unwrap_or_default(),
                id.unwrap_or_default(),
                &mut scoped,
            );
            self.add(id, *ordinal);
        }
        Ok(())
    }
}

/// Writes the index of the users that `output` got.
///
/// # Errors
/// Those of writing artifacts.
pub async fn write_index(shard: u32, output: &mut Output) -> Result<()> {
    let mut rows = std::mem::take(&mut output.user_index).0;
    sort_rows(&mut rows, &mut Vec::new());
    for rows in rows.chunks(ROWS) {
        let hashes = rows.iter().map(|row| (row >> 32) as u32);
        let ordinals = rows.iter().map(|row| *row as u32);
        let columns: [(Column, ArrayRef); 3] = [
            (
                Column::Shard,
                Arc::new(UInt32Array::from(vec![shard; rows.len()])),
            ),
            (
                Column::Hash,
                Arc::new(UInt32Array::from_iter_values(hashes)),
            ),
            (
                Column::Ordinal,
                Arc::new(UInt32Array::from_iter_values(ordinals)),
            ),
        ];
        output
            .write(Artifact::UserIndex, &batch_of(columns)?)
            .await?;
    }
    output.end(Artifact::UserIndex).await
}
