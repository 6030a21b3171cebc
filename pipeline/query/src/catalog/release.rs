//! From the manifest's file entries to [`FileTable`]s, with what the manifest knows of each file as
//! its statistics.

use std::sync::Arc;

use arrow::datatypes::Schema;
use chrono::{DateTime, Datelike, NaiveDate};
use datafusion::common::stats::Precision;
use datafusion::common::{ColumnStatistics, ScalarValue, Statistics};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::execution::object_store::ObjectStoreUrl;
use object_store::ObjectMeta;
use tagmill_schemas::manifest::FileEntry;
use tagmill_schemas::{Artifact, Manifest, Result};

use super::listed::{ListedFiles, ReadLists};
use super::user_lookup::UserLookup;
use super::{FileTable, failed};
use tagmill_warehouse::store::Store;

/// The url under which a session knows the warehouse, whatever store it is in.
pub const WAREHOUSE_URL: &str = "tagmill://warehouse";

/// 1970-01-01 in chrono's day count from the common era.
const EPOCH_DAY: i32 = 719_163;

pub(super) fn warehouse_url() -> Result<ObjectStoreUrl> {
    ObjectStoreUrl::parse(WAREHOUSE_URL).map_err(failed)
}

/// The table of one artifact; empty when the release has no file of it.
pub(super) fn table(
    artifact: Artifact,
    manifest: &Manifest,
    warehouse: &Store,
    url: &ObjectStoreUrl,
    read: &ReadLists,
) -> Result<FileTable> {
    let schema = artifact.schema();
    let entries = manifest
        .files
        .iter()
        .filter(|entry| entry.artifact == artifact);
    let files = entries
        .map(|entry| file(entry, warehouse, &schema))
        .collect::<Result<_>>()?;
    let table = FileTable::new(url.clone(), &schema, Vec::new(), files);
    let table = table.of_artifact(artifact, manifest.release);
    let table = match artifact {
        Artifact::Users => table.with_lookup(UserLookup::of(manifest, warehouse, url)?),
        _ => table,
    };
    Ok(table.with_listed(ListedFiles::of(artifact, manifest, warehouse, read)))
}

/// A file with what its entry says of it.
pub(super) fn file(
    entry: &FileEntry,
    warehouse: &Store,
    schema: &Schema,
) -> Result<PartitionedFile> {
    let location = warehouse.location(&entry.path)?;
    // Files of a release never change, so one time stands for all: footers are cached by it.
    let meta = ObjectMeta {
        location,
        last_modified: DateTime::UNIX_EPOCH,
        size: entry.bytes,
        e_tag: None,
        version: None,
    };
    let known = known_of(
        entry.rows,
        entry.shard,
        one_date(entry.artifact, entry.date),
        schema,
    );
    Ok(PartitionedFile::new_from_meta(meta).with_statistics(Arc::new(known)))
}

/// Exact rows; exact `shard` and `date` columns, where there is one shard and one date.
pub(super) fn known_of(
    rows: u64,
    shard: Option<u32>,
    date: Option<NaiveDate>,
    schema: &Schema,
) -> Statistics {
    let mut known = Statistics::new_unknown(schema);
    known.num_rows = usize::try_from(rows).map_or(Precision::Absent, Precision::Exact);
    let constants = [
        ("shard", shard.map(|shard| ScalarValue::UInt32(Some(shard)))),
        (
            "date",
            date.map(|date| ScalarValue::Date32(Some(days(date)))),
        ),
    ];
    for (name, value) in constants {
        if let (Ok(index), Some(value)) = (schema.index_of(name), value) {
            known.column_statistics[index] = constant(value);
        }
    }
    known
}

/// The date of all rows of a night's file; `None` where they are of the days of chains.
pub(super) fn one_date(artifact: Artifact, night: NaiveDate) -> Option<NaiveDate> {
    let is_of_days = matches!(artifact, Artifact::Funnels | Artifact::FunnelState);
    (!is_of_days).then_some(night)
}

fn constant(value: ScalarValue) -> ColumnStatistics {
    ColumnStatistics {
        null_count: Precision::Exact(0),
        min_value: Precision::Exact(value.clone()),
        max_value: Precision::Exact(value),
        ..ColumnStatistics::new_unknown()
    }
}

fn days(date: NaiveDate) -> i32 {
    date.num_days_from_ce() - EPOCH_DAY
}
