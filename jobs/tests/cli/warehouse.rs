//! Warehouses for tests: an empty one, and one with a release of two small artifacts written
//! without a run.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Float64Array, Int64Array, RecordBatch,
    StringArray, UInt32Array, UInt64Array,
};
use chrono::NaiveDate;
use tagmill_bitmap::write_sorted;
use tagmill_schemas::manifest::{
    BehaviourDays, Decisions, FileEntry, History, Manifest, NUMBERED_BY_USER_ID, ReleaseKind,
    TagEntry, VERSION,
};
use tagmill_schemas::{Artifact, Config, IdScope, ValueType};
use tagmill_warehouse::artifact::ArtifactWriter;
use tagmill_warehouse::release as publish;
use tagmill_warehouse::store::Store;
use tempfile::TempDir;

const SHARDS: u32 = 4;

pub fn configured(shards: u32) -> String {
    format!(
        "version = 1\n[warehouse]\nurl = 'w'\nshards = {shards}\ntime_zone = \
         'Asia/Shanghai'\nid_scope = 'global'\n\
         [[source]]\nname = 'profiles'\nkind = 'attributes'\npath = \
         'raw/profiles/dt={{date}}/*.parquet'\n\
         columns = {{ app = \"'shop'\", user = 'openid' }}\n\
         [[tag]]\nname = 'gender'\nsource = 'profiles'\ntype = 'string'\nvalue = 'gender'\n"
    )
}

/// A folder with a configuration.
pub fn empty() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("warehouse.toml"), configured(SHARDS)).unwrap();
    folder
}

/// A folder with a warehouse of one release of 2026-11-19: 1,000 users of `shop`, 400 F and 360 M.
pub fn published() -> TempDir {
    let folder = empty();
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let config = Config::parse(&configured(SHARDS), "warehouse.toml").unwrap();
        let store = Store::open(folder.path().join("w").to_str().unwrap()).unwrap();
        publish::init_warehouse(&store, &config.warehouse)
            .await
            .unwrap();
        let manifest = write_release(&store).await;
        publish::commit(&store, &manifest).await.unwrap();
    });
    folder
}

async fn write_release(store: &Store) -> Manifest {
    let mut files = Vec::new();
    for shard in 0..SHARDS {
        let everyone: Vec<u32> = (0..250).collect();
        let universe = [vec![text(&["shop"])], user_columns(shard, &[&everyone])].concat();
        files.push(write(store, Artifact::Universe, Some(shard), universe).await);
        let tags = [
            gender_columns(),
            user_columns(shard, &[&everyone[..100], &everyone[100..190]]),
        ]
        .concat();
        files.push(write(store, Artifact::Tags, Some(shard), tags).await);
    }
    let codes: ArrayRef = Arc::new(UInt32Array::from(vec![0, 1]));
    files.push(
        write(
            store,
            Artifact::TagValues,
            None,
            [gender_columns(), vec![codes]].concat(),
        )
        .await,
    );
    Manifest {
        version: VERSION,
        release: 1,
        parent: None,
        kind: ReleaseKind::Night,
        date: date(),
        head_date: date(),
        run: "r".to_owned(),
        attempt: 1,
        config_hash: "0".repeat(32),
        code_version: "0.1.0".to_owned(),
        shards: SHARDS,
        id_scope: IdScope::Global,
        time_zone: Some("Asia/Shanghai".to_owned()),
        numbering: NUMBERED_BY_USER_ID,
        inputs: vec![],
        files,
        lists: vec![],
        tags: vec![TagEntry {
            app: "shop".to_owned(),
            tag: "gender".to_owned(),
            value_type: ValueType::String,
            multi: false,
            source: "profiles".to_owned(),
            over_limit: None,
            is_withheld: false,
        }],
        counts: vec![],
        history: History::default(),
        behaviour: BehaviourDays::default(),
        decisions: Decisions::default(),
        reason: None,
    }
}

fn date() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 19).unwrap()
}

async fn write(
    store: &Store,
    artifact: Artifact,
    shard: Option<u32>,
    columns: Vec<ArrayRef>,
) -> FileEntry {
    let mut writer = ArtifactWriter::new(
        store,
        artifact.path(date(), "r", 1, shard),
        artifact,
        date(),
        shard,
    )
    .unwrap();
    writer
        .write(&RecordBatch::try_new(artifact.schema(), columns).unwrap())
        .await
        .unwrap();
    writer.finish().await.unwrap()
}

fn text(values: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

/// app, tag, type and the value columns of gender F and M.
fn gender_columns() -> Vec<ArrayRef> {
    vec![
        text(&["shop"; 2]),
        text(&["gender"; 2]),
        text(&["string"; 2]),
        text(&["F", "M"]),
        Arc::new(Int64Array::new_null(2)),
        Arc::new(Float64Array::new_null(2)),
        Arc::new(Date32Array::new_null(2)),
        Arc::new(BooleanArray::new_null(2)),
    ]
}

fn user_columns(shard: u32, sets: &[&[u32]]) -> Vec<ArrayRef> {
    let bitmap = |set: &&[u32]| {
        let mut bytes = Vec::new();
        write_sorted(shard, set, &mut bytes);
        bytes
    };
    vec![
        Arc::new(UInt32Array::from_value(shard, sets.len())),
        Arc::new(BinaryArray::from_iter_values(sets.iter().map(bitmap))),
        Arc::new(UInt64Array::from_iter_values(
            sets.iter().map(|set| set.len() as u64),
        )),
    ]
}
