//! Each needed byte of raw data is fetched once, earlier artifacts at most once, and each artifact
//! byte is written once.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use parquet::file::reader::{FileReader, SerializedFileReader};
use tagmill_testdata::spec::{Preset, Spec};
use tagmill_warehouse::store::testing::{CountingStore, mount};

use crate::compare::equals_the_oracle;
use crate::fixture::{Generated, init, published, run};

/// The columns that the demo's configuration names, by source.
const NEEDED: [(&str, &[&str]); 5] = [
    (
        "raw/profiles/",
        &[
            "mini_app_id",
            "openid",
            "updated_at",
            "is_test",
            "birth_date",
            "gender",
            "age",
            "city",
            "level",
            "signup_date",
            "balance",
            "vip",
            "interests",
        ],
    ),
    (
        "raw/labels/",
        &["app", "openid", "tag_name", "tag_value", "updated_at"],
    ),
    (
        "raw/events/",
        &[
            "app",
            "openid",
            "event",
            "ts",
            "event_id",
            "utm_source",
            "city",
            "os",
            "amount_cents",
        ],
    ),
    ("raw/custom/", &["app", "uid", "name", "ts", "props"]),
    ("raw/scans/", &["app", "uid", "name", "ts", "props"]),
];

/// A rule of the demo names a tag that nobody knows, which these rows might bring: the night looks
/// before it compiles the rules.
const LOOKED_AT: [(&str, &[&str]); 1] = [("raw/labels/", &["app", "tag_name"])];

/// The folder's files in a memory store of this name.
async fn in_memory(
    data: &Generated,
    name: &str,
) -> (Arc<CountingStore>, String, BTreeMap<String, Vec<u8>>) {
    let objects = Arc::new(InMemory::new());
    let mut files = BTreeMap::new();
    let mut open = vec![data.path().to_path_buf()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
                continue;
            }
            let place = path
                .strip_prefix(data.path())
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned();
            let bytes = std::fs::read(&path).unwrap();
            objects
                .put(&Path::parse(&place).unwrap(), bytes.clone().into())
                .await
                .unwrap();
            files.insert(place, bytes);
        }
    }
    let counting = Arc::new(CountingStore::new(objects));
    mount(name, counting.clone() as Arc<dyn ObjectStore>);
    let folder = data.path().canonicalize().unwrap();
    let config = data
        .config
        .replace(folder.to_str().unwrap(), &format!("memory://{name}"))
        .replace(&format!("\"memory://{name}/spill\""), "\"spill\"");
    (counting, config, files)
}

/// The byte ranges of the needed columns' chunks, and where the footer begins.
fn chunks(file: &[u8], columns: &[&str]) -> (Vec<Range<u64>>, u64) {
    let reader = SerializedFileReader::new(bytes::Bytes::copy_from_slice(file)).unwrap();
    let is_needed = |path: &str| columns.contains(&path.split('.').next().unwrap());
    let groups = reader.metadata().row_groups().iter();
    let chunks = groups
        .flat_map(|group| group.columns())
        .filter(|chunk| is_needed(chunk.column_path().parts()[0].as_str()))
        .map(|chunk| {
            let (start, length) = chunk.byte_range();
            start..start + length
        });
    let tail: [u8; 4] = file[file.len() - 8..file.len() - 4].try_into().unwrap();
    (
        chunks.collect(),
        file.len() as u64 - 8 - u64::from(u32::from_le_bytes(tail)),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn each_needed_byte_is_read_once_and_each_artifact_byte_written_once() {
    let data = Generated::new(Spec {
        users: 30_000,
        events: 100_000,
        rules: 60,
        days: 2,
        ..Spec::preset(Preset::Demo)
    });
    let (counting, config, files) = in_memory(&data, "counted").await;
    init(&config).await;
    run(&config, data.date(0)).await.unwrap();
    let (mut needed, mut fetched) = (0, 0);
    let ranges = counting.fetched();
    for (path, bytes) in files.iter().filter(|(path, _)| {
        path.ends_with(".parquet") && path.contains(&format!("dt={}", data.date(0)))
    }) {
        let columns = NEEDED
            .iter()
            .find(|(source, _)| path.starts_with(source))
            .unwrap()
            .1;
        let looked_at = LOOKED_AT
            .iter()
            .find(|(source, _)| path.starts_with(source));
        let looked_at = looked_at.map_or_else(Vec::new, |(_, columns)| chunks(bytes, columns).0);
        let (chunks, footer) = chunks(bytes, columns);
        let times = |chunk: &Range<u64>| 1 + u64::from(looked_at.contains(chunk));
        let read = &ranges[path].ranges;
        needed += chunks
            .iter()
            .map(|chunk| (chunk.end - chunk.start) * times(chunk))
            .sum::<u64>();
        fetched += read
            .iter()
            .filter(|range| range.end <= footer)
            .map(|range| range.end - range.start)
            .sum::<u64>();
        for chunk in &chunks {
            let covered: u64 = read
                .iter()
                .filter(|range| range.end <= footer)
                .map(|range| {
                    range
                        .end
                        .min(chunk.end)
                        .saturating_sub(range.start.max(chunk.start))
                })
                .sum();
            assert_eq!(
                covered,
                (chunk.end - chunk.start) * times(chunk),
                "{path}: {chunk:?} of {read:?}"
            );
        }
    }
    println!("needed {needed}, fetched {fetched}");
    assert!(
        fetched as f64 <= needed as f64 * 1.01,
        "fetched {fetched} of {needed} needed bytes"
    );

    let before = published(&config).await;
    let total = |release: &crate::release::Published| {
        release
            .manifest
            .files
            .iter()
            .map(|file| file.bytes)
            .sum::<u64>()
    };
    // Rules go to shards and reports come back by files of the attempt, each read once.
    let told = counting.bytes_fetched("attempts/");
    let (written, artifacts) = (counting.bytes_written(), total(&before));
    assert!(
        written >= artifacts + told && written <= artifacts + told + (256 << 10),
        "{written} bytes are written for {artifacts} of artifacts and {told} of attempts"
    );

    let count = counting.fetched();
    run(&config, data.date(1)).await.unwrap();
    let after = counting.fetched();
    for file in &before.manifest.files {
        let path = format!("warehouse/{}", file.path);
        let bytes =
            after.get(&path).map_or(0, |f| f.bytes) - count.get(&path).map_or(0, |f| f.bytes);
        assert!(
            bytes <= file.bytes + (64 << 10),
            "{path}: {bytes} of {} bytes are read",
            file.bytes
        );
    }
    let (night, combinations) = data.expected(1);
    equals_the_oracle(&published(&config).await, &night, combinations).await;
}
