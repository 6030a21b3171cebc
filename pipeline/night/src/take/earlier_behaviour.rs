//! The behaviour that a date has already, of apps that are set aside: a run of the date again writes
//! their rows as they are.

use std::collections::BTreeMap;
use std::ops::Range;

use arrow::array::{AsArray, RecordBatch, StringArray};
use datafusion::error::Result;
use tagmill_schemas::artifact::{Columns, behaviour, behaviour_measures};
use tagmill_schemas::manifest::FileEntry;
use tagmill_warehouse::store::Store;

use super::load::{batches, of_shard};
use crate::plan::spec::NightSpec;

/// Rows by app, in the order of their file.
type RowsOfApps = BTreeMap<String, Vec<RecordBatch>>;

/// The rows of one shard.
#[derive(Default)]
pub struct EarlierBehaviour {
    users: RowsOfApps,
    measures: RowsOfApps,
}

impl EarlierBehaviour {
    /// Reads what the release before has of the date; nothing when no app is set aside.
    ///
    /// # Errors
    /// Those of reading artifacts.
    pub async fn load(spec: &NightSpec, shard: u32, store: &Store) -> Result<Self> {
        let (users, measures) = (&spec.parent.behaviour, &spec.parent.behaviour_measures);
        Ok(Self {
            users: rows_of::<behaviour::Column>(spec, users, shard, store).await?,
            measures: rows_of::<behaviour_measures::Column>(spec, measures, shard, store).await?,
        })
    }

    /// The rows of `behaviour` of an app.
    pub fn users(&self, app: &str) -> &[RecordBatch] {
        self.users.get(app).map_or(&[], Vec::as_slice)
    }

    /// The rows of `behaviour_measures` of an app.
    pub fn measures(&self, app: &str) -> &[RecordBatch] {
        self.measures.get(app).map_or(&[], Vec::as_slice)
    }
}

async fn rows_of<C: Columns>(
    spec: &NightSpec,
    files: &[FileEntry],
    shard: u32,
    store: &Store,
) -> Result<RowsOfApps> {
    let mut rows = RowsOfApps::new();
    for file in of_shard(files, shard) {
        for batch in batches::<C>(store, file, &[]).await? {
            let apps = batch["app"].as_string::<i32>();
            for app in &spec.set_aside {
                let range = range_of(apps, app);
                if !range.is_empty() {
                    let of_app = batch.slice(range.start, range.len());
                    rows.entry(app.clone()).or_default().push(of_app);
                }
            }
        }
    }
    Ok(rows)
}

/// Where an app stands in a file, which is in the order of apps.
fn range_of(apps: &StringArray, app: &str) -> Range<usize> {
    let rows: Vec<&str> = apps.iter().flatten().collect();
    rows.partition_point(|row| *row < app)..rows.partition_point(|row| *row <= app)
}
