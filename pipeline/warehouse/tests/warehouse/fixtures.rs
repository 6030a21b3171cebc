//! A small warehouse: two shards, tags of one app, manifests that fit together.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, FixedSizeBinaryArray, Int32Array, RecordBatch, StringArray, UInt32Array,
    UInt64Array, new_null_array,
};
use arrow::datatypes::DataType;
use chrono::NaiveDate;
use tagmill_schemas::config::Warehouse;
use tagmill_schemas::manifest::{
    BehaviourDays, Decisions, FileEntry, History, NUMBERED_BY_USER_ID, ReleaseKind, VERSION,
};
use tagmill_schemas::{Artifact, IdScope, Manifest, Shards};

use tagmill_warehouse::artifact::ArtifactWriter;
use tagmill_warehouse::store::Store;

pub const SHARDS: u32 = 2;

pub fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

pub fn warehouse(shards: u32) -> Warehouse {
    Warehouse {
        url: String::new(),
        shards: Shards::new(shards).unwrap(),
        time_zone: chrono_tz::Asia::Shanghai,
        id_scope: IdScope::Global,
    }
}

/// A new directory and a store on it.
pub fn local() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path().to_str().unwrap()).unwrap();
    (folder, store)
}

pub fn memory(name: &str) -> Store {
    Store::open(&format!("memory://{name}/warehouse")).unwrap()
}

/// Rows of `tags`: string values of one tag, one bitmap each.
pub fn tags(shard: u32, values: &[(&str, Vec<u8>, u64)]) -> RecordBatch {
    let rows = values.len();
    let schema = Artifact::Tags.schema();
    let texts = |text: &str| -> ArrayRef { Arc::new(StringArray::from(vec![text; rows])) };
    let columns = schema.fields().iter().map(|field| -> ArrayRef {
        match field.name().as_str() {
            "app" => texts("shop"),
            "tag" => texts("city"),
            "type" => texts("string"),
            "value_string" => Arc::new(StringArray::from_iter_values(
                values.iter().map(|(value, ..)| value),
            )),
            "shard" => Arc::new(UInt32Array::from(vec![shard; rows])),
            "bitmap" => Arc::new(BinaryArray::from_iter_values(
                values.iter().map(|(_, bitmap, _)| bitmap),
            )),
            "cardinality" => Arc::new(UInt64Array::from_iter_values(
                values.iter().map(|(.., cardinality)| *cardinality),
            )),
            _ => new_null_array(field.data_type(), rows),
        }
    });
    RecordBatch::try_new(Arc::clone(&schema), columns.collect()).unwrap()
}

/// Every column of `artifact` with `rows` rows of something simple.
pub fn rows_of(artifact: Artifact, rows: usize) -> RecordBatch {
    let schema = artifact.schema();
    let columns = schema.fields().iter().map(|field| -> ArrayRef {
        let texts = || (0..rows).map(|row| format!("{row:09}"));
        match field.data_type() {
            _ if field.is_nullable() => new_null_array(field.data_type(), rows),
            DataType::Utf8 => Arc::new(StringArray::from_iter_values(texts())),
            DataType::Binary => Arc::new(BinaryArray::from_iter_values(texts())),
            DataType::FixedSizeBinary(width) => {
                let cells = (0..rows).map(|row| Some(vec![row as u8; *width as usize]));
                Arc::new(
                    FixedSizeBinaryArray::try_from_sparse_iter_with_size(cells, *width).unwrap(),
                )
            }
            other => arrow::compute::cast(
                &Int32Array::from_iter_values((0..rows).map(|row| (row % 100) as i32)),
                other,
            )
            .unwrap(),
        }
    });
    RecordBatch::try_new(Arc::clone(&schema), columns.collect()).unwrap()
}

pub async fn write(
    store: &Store,
    artifact: Artifact,
    day: &str,
    run: &str,
    shard: Option<u32>,
    batches: &[RecordBatch],
) -> FileEntry {
    let path = artifact.path(date(day), run, 1, shard);
    let mut writer = ArtifactWriter::new(store, path, artifact, date(day), shard).unwrap();
    for batch in batches {
        writer.write(batch).await.unwrap();
    }
    writer.finish().await.unwrap()
}

/// The tags of a night, one file per shard.
pub async fn night(store: &Store, day: &str, run: &str) -> Vec<FileEntry> {
    let mut files = Vec::new();
    for shard in 0..SHARDS {
        files.push(
            write(
                store,
                Artifact::Tags,
                day,
                run,
                Some(shard),
                &[tags(
                    shard,
                    &[("Beijing", vec![1; 40], 3), ("Wien", vec![2; 50], 4)],
                )],
            )
            .await,
        );
    }
    files
}

pub fn manifest(release: u64, day: &str, run: &str, files: Vec<FileEntry>) -> Manifest {
    Manifest {
        version: VERSION,
        release,
        parent: (release > 1).then_some(release - 1),
        kind: ReleaseKind::Night,
        date: date(day),
        head_date: date(day),
        run: run.to_owned(),
        attempt: 1,
        config_hash: "0".repeat(32),
        code_version: "test".to_owned(),
        shards: SHARDS,
        id_scope: IdScope::Global,
        time_zone: Some("Asia/Shanghai".to_owned()),
        numbering: NUMBERED_BY_USER_ID,
        inputs: Vec::new(),
        files,
        lists: vec![],
        tags: Vec::new(),
        counts: Vec::new(),
        history: History::default(),
        behaviour: BehaviourDays::default(),
        decisions: Decisions::default(),
        reason: None,
    }
}
