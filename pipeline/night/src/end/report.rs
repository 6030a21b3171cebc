//! What a shard tells the driver: the files it wrote, and what the roll-up adds over shards. It is
//! a file of the attempt, and the operator's row says which: a report names every tag value, and
//! rows pass through a scheduler.
//!
//! ```text
//! shard ─► attempts/…/report-<5 digits>.json      row: shard, path, bytes, checksum
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch, StringArray, UInt32Array, UInt64Array};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, UInt32Type, UInt64Type};
use datafusion::error::Result as DataFusionResult;
use serde::{Deserialize, Serialize};
use tagmill_schemas::manifest::FileEntry;
use tagmill_schemas::value::ValueType;
use tagmill_schemas::{Error, Result};

use crate::plan::spec::NightSpec;
use crate::take::accounting::Count;
use crate::take::typed_values::TypedValues;
use tagmill_warehouse::release::AttemptFile;
use tagmill_warehouse::store::Store;

const STAGE: &str = "shards";
/// More names of events than these are not told.
pub const MOST_EVENT_NAMES: usize = 1_000;

/// The report of one shard.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ShardReport {
    /// Which shard.
    pub shard: u32,
    /// Files written, each once.
    pub files: Vec<FileEntry>,
    /// Paths of earlier files of the dictionary whose rows are in this shard's new one too.
    pub absorbed: Vec<String>,
    /// Users added to the dictionary.
    pub new_users: u64,
    /// Users in the dictionary.
    pub users: u64,
    /// Tags with their values.
    pub tags: Vec<TagReport>,
    /// Dimensions that may have more values than their limit.
    pub dimensions: Vec<DimensionReport>,
    /// Groups with their sizes.
    pub groups: Vec<GroupReport>,
    /// For every list of the night how many of its members are users of this shard.
    pub lists: Vec<u64>,
    /// Numbers of behaviour that are not exact.
    #[serde(default)]
    pub windows: Vec<WindowReport>,
    /// Rows by source, app and what became of them.
    pub counts: Vec<Count>,
    /// By source: names of events that rows had, up to [`MOST_EVENT_NAMES`].
    #[serde(default)]
    pub events: BTreeMap<String, BTreeSet<String>>,
    /// Seconds in each part of the work, in order.
    pub seconds: Vec<(String, f64)>,
}

/// One tag of one app.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TagReport {
    /// The app.
    pub app: String,
    /// The tag.
    pub tag: String,
    /// Type of its values.
    pub value_type: ValueType,
    /// Whether a user can have several.
    pub multi: bool,
    /// The source that has it.
    pub source: String,
    /// Distinct values, in order; of a withheld tag only one more than the limit.
    pub values: TypedValues,
    /// Whether its values are not published.
    pub is_withheld: bool,
}

/// What one shard saw of a dimension that may be beyond its limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DimensionReport {
    /// The source of the event.
    pub source: String,
    /// The app.
    pub app: String,
    /// The event.
    pub event: String,
    /// The dimension.
    pub dimension: String,
    /// Distinct values in this shard.
    pub distinct: u64,
    /// Values with the number of users' combinations that had them: every value that was chosen
    /// before, and of the others those with most, as many as the limit.
    pub values: Vec<(String, u64)>,
}

/// A number of behaviour of one app that is not exact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowReport {
    /// The app.
    pub app: String,
    /// The number, as a rule says it.
    pub state: String,
    /// Users of whom a limit kept something out.
    pub uncertain: u64,
    /// Users whose number does not fit into 64 bits: it is not stored for anybody.
    pub beyond: u64,
}

impl WindowReport {
    /// Whether there is nothing to report.
    pub fn is_exact(&self) -> bool {
        self.uncertain == 0 && self.beyond == 0
    }
}

/// One group of one app.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct GroupReport {
    /// The app.
    pub app: String,
    /// The group.
    pub group: String,
    /// Members.
    pub cardinality: u64,
    /// Members that were not members before.
    pub entered: u64,
    /// Members before that are none now.
    pub left: u64,
}

impl ShardReport {
    /// Writes the report to a file of the attempt.
    ///
    /// # Errors
    /// An error of the store.
    pub async fn write(&self, spec: &NightSpec, store: &Store) -> Result<AttemptFile> {
        let json = serde_json::to_vec(self)
            .map_err(|e| Error::setup(STAGE, "a report can not be written as json").because(e))?;
        let name = format!("report-{:05}.json", self.shard);
        AttemptFile::write(store, (&spec.run, spec.attempt), &name, json).await
    }
}

/// The operator's output: one row a shard.
pub fn report_schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("shard", DataType::UInt32, false),
        Field::new("path", DataType::Utf8, false),
        Field::new("bytes", DataType::UInt64, false),
        Field::new("checksum", DataType::Utf8, false),
    ]))
}

/// The row of a shard.
pub fn report_row(shard: u32, file: &AttemptFile) -> DataFusionResult<RecordBatch> {
    let columns: [ArrayRef; 4] = [
        Arc::new(UInt32Array::from(vec![shard])),
        Arc::new(StringArray::from(vec![file.path.as_str()])),
        Arc::new(UInt64Array::from(vec![file.bytes])),
        Arc::new(StringArray::from(vec![file.checksum.to_string()])),
    ];
    Ok(RecordBatch::try_new(report_schema(), columns.to_vec())?)
}

/// The reports that rows point at, in their order.
///
/// # Errors
/// Retry for a report that is gone or damaged, setup for rows or reports of another kind.
pub async fn read_reports(rows: &[RecordBatch], store: &Store) -> Result<Vec<ShardReport>> {
    let mut reports = Vec::new();
    for batch in rows {
        for (shard, file) in files(batch)? {
            let refuse = |what: &str| Error::setup(STAGE, what).at(store.name_of(&file.path));
            let bytes = file.read(store).await?;
            let report: ShardReport = serde_json::from_slice(&bytes)
                .map_err(|e| refuse("a shard's report can not be read").because(e))?;
            if report.shard != shard {
                let what = format!(
                    "found the report of shard {}, expected {shard}",
                    report.shard
                );
                return Err(refuse(&what));
            }
            reports.push(report);
        }
    }
    Ok(reports)
}

/// The shards and files of some rows.
fn files(batch: &RecordBatch) -> Result<Vec<(u32, AttemptFile)>> {
    if batch.schema() != report_schema() {
        let what = format!(
            "found rows of {}, expected shards and files",
            batch.schema()
        );
        return Err(Error::setup(STAGE, what));
    }
    let (shards, sizes) = (
        batch.column(0).as_primitive::<UInt32Type>(),
        batch.column(2).as_primitive::<UInt64Type>(),
    );
    let (paths, checksums) = (
        batch.column(1).as_string::<i32>(),
        batch.column(3).as_string::<i32>(),
    );
    let file = |row: usize| {
        let checksum = checksums.value(row).parse();
        let file = AttemptFile {
            path: paths.value(row).to_owned(),
            bytes: sizes.value(row),
            checksum: checksum.map_err(|e: String| Error::setup(STAGE, e))?,
        };
        Ok((shards.value(row), file))
    };
    (0..batch.num_rows()).map(file).collect()
}
