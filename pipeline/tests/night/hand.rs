//! Warehouses over a few rows written by hand.

use std::fs::{self, File};
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use chrono::NaiveDate;
use parquet::arrow::ArrowWriter;
use tagmill_pipeline::Report;
use tagmill_schemas::Result;
use tempfile::TempDir;

use crate::fixture::{self, published};
use crate::release::Published;

/// The first date of all hand-made data.
pub const DAY: &str = "2026-11-19";
/// Noon of it in UTC, in microseconds.
pub const NOON: i64 = 1_795_089_600_000_000;

const WAREHOUSE: &str = "version = 1
[warehouse]
url = '@OUT@/warehouse'
shards = 2
time_zone = 'UTC'
id_scope = 'global'
[run]
spill = '@OUT@/spill'
";

/// One attributes source with two tags; more of it can be appended to [`Hand::config`].
pub const PROFILES: &str = "[[source]]
name = 'profiles'
kind = 'attributes'
path = '@OUT@/raw/profiles/dt={date}/*.parquet'
columns = { app = 'app', user = 'user' }
";
pub const PROFILE_TAGS: &str = "[[tag]]
name = 'city'
source = 'profiles'
type = 'string'
value = 'city'
[[tag]]
name = 'age'
source = 'profiles'
type = 'integer'
value = 'age'
";
pub const EVENTS: &str = "[[source]]
name = 'events'
kind = 'behaviour'
path = '@OUT@/raw/events/dt={date}/*.parquet'
columns = { app = 'app', user = 'user', event = 'event', time = 'time' }
";
pub const GROUPS: &str = "[groups]
rules = '@OUT@/conf/*.ndjson'
lists = '@OUT@/lists/{app}/{list}.csv'
";

/// A folder with raw files and a warehouse.
pub struct Hand {
    pub folder: TempDir,
    pub config: String,
}

impl Hand {
    pub fn new(sections: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().canonicalize().unwrap();
        let config = std::iter::once(&WAREHOUSE)
            .chain(sections)
            .copied()
            .collect::<String>()
            .replace("@OUT@", place.to_str().unwrap());
        Self { folder, config }
    }

    pub fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    pub fn write_bytes(&self, path: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    pub fn write(&self, path: &str, columns: Vec<(&str, ArrayRef)>) {
        self.write_bytes(path, parquet(columns));
    }

    /// `raw/profiles` of a date: app, user, city, age.
    pub fn write_profiles(
        &self,
        date: &str,
        rows: &[(&str, Option<&str>, Option<&str>, Option<i64>)],
    ) {
        self.write(
            &format!("raw/profiles/dt={date}/part.parquet"),
            profiles(rows),
        );
    }

    /// `raw/events` of a date: app, user, event, city, amount; all at noon of [`DAY`] plus the days
    /// since.
    pub fn write_events(&self, date: &str, rows: &[(&str, &str, &str, Option<&str>, Option<f64>)]) {
        let days = (day(date) - day(DAY)).num_days();
        let time = NOON + days * 86_400_000_000;
        let columns: Vec<(&str, ArrayRef)> = vec![
            (
                "app",
                Arc::new(StringArray::from_iter_values(rows.iter().map(|r| r.0))),
            ),
            (
                "user",
                Arc::new(StringArray::from_iter_values(rows.iter().map(|r| r.1))),
            ),
            (
                "event",
                Arc::new(StringArray::from_iter_values(rows.iter().map(|r| r.2))),
            ),
            (
                "city",
                Arc::new(rows.iter().map(|r| r.3).collect::<StringArray>()),
            ),
            (
                "amount",
                Arc::new(rows.iter().map(|r| r.4).collect::<Float64Array>()),
            ),
            (
                "time",
                Arc::new(
                    TimestampMicrosecondArray::from(vec![time; rows.len()]).with_timezone("UTC"),
                ),
            ),
        ];
        self.write(&format!("raw/events/dt={date}/part.parquet"), columns);
    }

    pub async fn init(&self) {
        fixture::init(&self.config).await;
    }

    pub async fn run(&self, date: &str) -> Result<Report> {
        fixture::run(&self.config, day(date)).await
    }

    /// Makes the warehouse and runs [`DAY`].
    pub async fn init_and_run(&self) -> Result<Report> {
        self.init().await;
        self.run(DAY).await
    }

    pub async fn published(&self) -> Published {
        published(&self.config).await
    }
}

pub fn day(date: &str) -> NaiveDate {
    date.parse().unwrap()
}

pub fn profiles(
    rows: &[(&str, Option<&str>, Option<&str>, Option<i64>)],
) -> Vec<(&'static str, ArrayRef)> {
    vec![
        (
            "app",
            Arc::new(StringArray::from_iter_values(rows.iter().map(|r| r.0))),
        ),
        (
            "user",
            Arc::new(rows.iter().map(|r| r.1).collect::<StringArray>()),
        ),
        (
            "city",
            Arc::new(rows.iter().map(|r| r.2).collect::<StringArray>()),
        ),
        (
            "age",
            Arc::new(rows.iter().map(|r| r.3).collect::<Int64Array>()),
        ),
    ]
}

/// A Parquet file of these columns.
/// Columns of text.
pub fn text_columns<const N: usize>(
    names: [&'static str; N],
    rows: &[[&str; N]],
) -> Vec<(&'static str, ArrayRef)> {
    let column = |at: usize| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(
            rows.iter().map(|row| row[at]),
        ))
    };
    names
        .into_iter()
        .enumerate()
        .map(|(at, name)| (name, column(at)))
        .collect()
}

pub fn parquet(columns: Vec<(&str, ArrayRef)>) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter_with_nullable(
        columns.into_iter().map(|(name, array)| (name, array, true)),
    )
    .unwrap();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bytes
}

/// Cuts a file of the folder down.
pub fn truncate(path: &std::path::Path, keep: u64) {
    File::options()
        .write(true)
        .open(path)
        .unwrap()
        .set_len(keep)
        .unwrap();
}
