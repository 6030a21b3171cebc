//! Artifact files: bytes, layout, and what a damaged one says.

use std::sync::Arc;

use arrow::array::{Array, BinaryArray, RecordBatch};
use arrow::compute::concat_batches;
use bytes::Bytes;
use futures::TryStreamExt;
use parquet::basic::Compression;
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader};
use tagmill_schemas::Artifact;
use tagmill_schemas::checksum::Checksum;
use tagmill_schemas::manifest::FileEntry;

use crate::fixtures::{date, local, memory, rows_of, tags, write};
use tagmill_warehouse::artifact::{ArtifactWriter, read_artifact};
use tagmill_warehouse::store::testing::CountingStore;
use tagmill_warehouse::store::{Create, Store};

const DAY: &str = "2026-11-19";

async fn read(store: &Store, entry: &FileEntry, projection: &[&str]) -> RecordBatch {
    let batches: Vec<_> = read_artifact(store, entry, projection)
        .await
        .unwrap()
        .try_collect()
        .await
        .unwrap();
    let schema = batches
        .first()
        .map_or(entry.artifact.schema(), RecordBatch::schema);
    concat_batches(&schema, &batches).unwrap()
}

async fn metadata(store: &Store, entry: &FileEntry) -> ParquetMetaData {
    let bytes = store.get(&entry.path).await.unwrap();
    ParquetMetaDataReader::new()
        .with_page_index_policy(PageIndexPolicy::Required)
        .parse_and_finish(&bytes)
        .unwrap()
}

fn noise(seed: u64, bytes: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    std::iter::repeat_with(next).take(bytes).collect()
}

#[tokio::test]
async fn every_artifact_comes_back_as_it_was_written() {
    let store = memory("roundtrip");
    for artifact in Artifact::ALL {
        for rows in [0, 1, 20_000] {
            let batch = rows_of(artifact, rows);
            let entry = write(
                &store,
                artifact,
                DAY,
                &format!("r{rows}"),
                Some(1),
                std::slice::from_ref(&batch),
            )
            .await;
            assert_eq!(read(&store, &entry, &[]).await, batch, "{artifact}");
            let stored = store.get(&entry.path).await.unwrap();
            assert_eq!(
                (entry.rows, entry.bytes),
                (rows as u64, stored.len() as u64)
            );
            assert_eq!(entry.checksum, Checksum::of(&stored).to_string());
        }
    }
}

#[tokio::test]
async fn bytes_depend_on_the_rows_and_not_on_the_batches() {
    let store = memory("bytes");
    let batch = rows_of(Artifact::Tags, 30_000);
    let whole = write(
        &store,
        Artifact::Tags,
        DAY,
        "whole",
        Some(0),
        std::slice::from_ref(&batch),
    )
    .await;
    for step in [1_000, 4_099] {
        let parts: Vec<_> = (0..batch.num_rows())
            .step_by(step)
            .map(|at| batch.slice(at, step.min(batch.num_rows() - at)))
            .collect();
        let parted = write(
            &store,
            Artifact::Tags,
            DAY,
            &format!("s{step}"),
            Some(0),
            &parts,
        )
        .await;
        assert_eq!(parted.checksum, whole.checksum);
    }
    assert_eq!(
        whole.cardinality,
        (0..30_000u64).map(|row| row % 100).sum::<u64>()
    );
}

#[tokio::test]
async fn a_bitmap_page_is_small_and_has_no_statistics() {
    let store = memory("pages");
    let values: Vec<_> = (0..2_000u32)
        .map(|n| (format!("v{n:05}"), noise(n.into(), 100), 1))
        .collect();
    let borrowed: Vec<_> = values
        .iter()
        .map(|(value, bitmap, n)| (value.as_str(), bitmap.clone(), *n))
        .collect();
    let entry = write(
        &store,
        Artifact::Tags,
        DAY,
        "pages",
        Some(0),
        &[tags(0, &borrowed)],
    )
    .await;
    let metadata = metadata(&store, &entry).await;
    let group = metadata.row_group(0);
    let schema = Artifact::Tags.schema();
    let [bitmap, value, tag] =
        ["bitmap", "value_string", "tag"].map(|name| schema.index_of(name).unwrap());
    assert!(group.column(bitmap).statistics().is_none());
    assert_eq!(group.column(bitmap).dictionary_page_offset(), None);
    assert!(group.column(tag).dictionary_page_offset().is_some());
    // Values that do not repeat have no dictionary that all of them would have to be read with.
    assert!(group.column(value).dictionary_page_offset().is_none());
    for (column, most) in [(bitmap, 128 << 10), (value, 12 << 10), (tag, 64)] {
        let pages = metadata.offset_index().unwrap()[0][column].page_locations();
        assert!(
            pages
                .windows(2)
                .all(|pair| pair[1].first_row_index - pair[0].first_row_index <= 1_024),
            "{pages:?}"
        );
        assert!(
            pages.iter().all(|page| page.compressed_page_size <= most),
            "{pages:?}"
        );
    }
    assert_eq!(
        group.sorting_columns().unwrap().len(),
        Artifact::Tags.sort_key().len()
    );
}

#[tokio::test]
async fn a_big_bitmap_has_a_page_of_its_own() {
    let store = memory("big");
    let values: Vec<_> = (0..40u32)
        .map(|n| (format!("v{n:05}"), noise(n.into(), 200_000), 1))
        .collect();
    let borrowed: Vec<_> = values
        .iter()
        .map(|(value, bitmap, n)| (value.as_str(), bitmap.clone(), *n))
        .collect();
    let entry = write(
        &store,
        Artifact::Tags,
        DAY,
        "big",
        Some(0),
        &[tags(0, &borrowed)],
    )
    .await;
    let metadata = metadata(&store, &entry).await;
    let bitmap = Artifact::Tags.schema().index_of("bitmap").unwrap();
    let pages: usize = metadata
        .offset_index()
        .unwrap()
        .iter()
        .map(|group| group[bitmap].page_locations().len())
        .sum();
    assert_eq!(pages, 40);
    let cells = read(&store, &entry, &["bitmap"]).await;
    let cells = cells
        .column(0)
        .as_any()
        .downcast_ref::<BinaryArray>()
        .unwrap()
        .clone();
    assert!(
        cells
            .iter()
            .zip(&values)
            .all(|(cell, (_, bitmap, _))| cell == Some(bitmap.as_slice()))
    );
}

#[tokio::test]
async fn bitmaps_are_compressed_only_where_that_saves_a_tenth() {
    let store = memory("compression");
    let mixed = |share: usize| -> Vec<u8> { [noise(7, 10_000 - share), vec![0; share]].concat() };
    for (zeros, is_compressed) in [(0, false), (500, false), (2_000, true), (9_000, true)] {
        let bitmap = mixed(zeros);
        let values: Vec<String> = (0..200).map(|n| format!("v{n:05}")).collect();
        let rows: Vec<_> = values
            .iter()
            .enumerate()
            .map(|(n, value)| {
                (
                    value.as_str(),
                    noise(n as u64, 10_000 - zeros)
                        .into_iter()
                        .chain(vec![0; zeros])
                        .collect(),
                    1,
                )
            })
            .collect();
        let entry = write(
            &store,
            Artifact::Tags,
            DAY,
            &format!("z{zeros}"),
            Some(0),
            &[tags(0, &rows)],
        )
        .await;
        let metadata = metadata(&store, &entry).await;
        let column = metadata
            .row_group(0)
            .column(Artifact::Tags.schema().index_of("bitmap").unwrap());
        assert_eq!(
            column.compression() != Compression::UNCOMPRESSED,
            is_compressed,
            "{zeros} of {}",
            bitmap.len()
        );
    }
}

#[tokio::test]
async fn a_file_is_fetched_once_whatever_is_read_of_it() {
    let (_folder, store) = local();
    let entry = write(
        &store,
        Artifact::Users,
        DAY,
        "users",
        Some(0),
        &[rows_of(Artifact::Users, 100_000)],
    )
    .await;
    let counting = Arc::new(CountingStore::new(Arc::clone(store.objects())));
    let counted = store.wrapped(|_| counting.clone());
    read(&counted, &entry, &["user_id"]).await;
    assert_eq!(counting.bytes_fetched("users/"), entry.bytes);
}

#[tokio::test]
async fn nothing_is_visible_before_finish_or_after_abort() {
    let (folder, store) = local();
    for is_aborted in [true, false] {
        let path = Artifact::Rejects.path(date(DAY), "gone", 1, Some(0));
        let mut writer =
            ArtifactWriter::new(&store, path.clone(), Artifact::Users, date(DAY), Some(0)).unwrap();
        // Past the size from which parts are uploaded.
        for _ in 0..8 {
            writer
                .write(&rows_of(Artifact::Users, 262_144))
                .await
                .unwrap();
        }
        assert_eq!(store.walk("").try_collect::<Vec<_>>().await.unwrap(), []);
        if is_aborted {
            writer.abort().await.unwrap()
        } else {
            drop(writer)
        }
        assert_eq!(store.head(&path).await.unwrap(), None);
        assert_eq!(store.walk("").try_collect::<Vec<_>>().await.unwrap(), []);
    }
    drop(folder);
}

#[tokio::test]
async fn a_table_written_at_once_has_the_bytes_of_its_rows() {
    let store = memory("table");
    for (artifact, rows) in [
        (Artifact::TagValues, 600_000),
        (Artifact::Rejects, 3),
        (Artifact::Quality, 0),
        (Artifact::Tags, 5_000),
    ] {
        let all = rows_of(artifact, rows);
        let parts: Vec<_> = (0..rows)
            .step_by(70_001)
            .map(|at| all.slice(at, (rows - at).min(70_001)))
            .collect();
        let streamed = write(&store, artifact, DAY, "streamed", None, &parts).await;
        let path = artifact.path(date(DAY), "table", 1, None);
        let table = ArtifactWriter::new(&store, path, artifact, date(DAY), None)
            .unwrap()
            .finish_table(&parts)
            .await
            .unwrap();
        assert_eq!(
            table,
            FileEntry {
                path: table.path.clone(),
                ..streamed
            },
            "{artifact}"
        );
        assert_eq!(table.rows, rows as u64);
    }
}

#[tokio::test]
async fn rejects_rows_of_other_columns() {
    let store = memory("columns");
    let writer = |artifact| {
        ArtifactWriter::new(&store, "tags/x".to_owned(), artifact, date(DAY), None).unwrap()
    };
    let other = rows_of(Artifact::Users, 3);
    assert_eq!(
        writer(Artifact::Tags)
            .write(&other)
            .await
            .unwrap_err()
            .exit_code(),
        1
    );
    assert_eq!(
        writer(Artifact::TagValues)
            .finish_table(&[other])
            .await
            .unwrap_err()
            .exit_code(),
        1
    );
}

#[tokio::test]
async fn a_changed_or_missing_file_is_damage_that_a_person_must_repair() {
    let store = memory("damage");
    let entry = write(
        &store,
        Artifact::Tags,
        DAY,
        "damage",
        Some(0),
        &[rows_of(Artifact::Tags, 5_000)],
    )
    .await;
    let bytes = store.get(&entry.path).await.unwrap();
    let flipped = |at: usize| {
        let mut bytes = bytes.to_vec();
        bytes[at] ^= 1;
        Bytes::from(bytes)
    };
    for damaged in [
        bytes.slice(..bytes.len() - 1),
        bytes.slice(..10),
        [bytes.clone(), bytes.slice(..1)].concat().into(),
        flipped(4),
        flipped(bytes.len() / 2),
        flipped(bytes.len() - 5),
    ] {
        store.put(&entry.path, damaged).await.unwrap();
        let error = read_artifact(&store, &entry, &[]).await.err().unwrap();
        assert_eq!(error.exit_code(), 1, "{error}");
        assert!(error.to_string().contains(&entry.path), "{error}");
    }
    let other = FileEntry {
        rows: 7,
        ..entry.clone()
    };
    store.put(&entry.path, bytes).await.unwrap();
    assert!(
        read_artifact(&store, &other, &[])
            .await
            .err()
            .unwrap()
            .to_string()
            .contains("found 5000 rows, expected 7")
    );
    store.delete(&entry.path).await.unwrap();
    assert!(
        read_artifact(&store, &entry, &[])
            .await
            .err()
            .unwrap()
            .to_string()
            .contains("damaged: not found")
    );
}

#[tokio::test]
async fn a_durable_create_is_a_create_and_leaves_nothing_beside_it() {
    let (_folder, directory) = local();
    for store in [directory, memory("durable")] {
        assert_eq!(
            store
                .create_durable("releases/x.json", "first".into())
                .await
                .unwrap(),
            Create::Created
        );
        assert_eq!(
            store
                .create_durable("releases/x.json", "second".into())
                .await
                .unwrap(),
            Create::Exists
        );
        assert_eq!(store.get("releases/x.json").await.unwrap(), &b"first"[..]);
        let there: Vec<_> = store.walk("").try_collect().await.unwrap();
        assert_eq!(
            there
                .iter()
                .map(|found| found.path.as_str())
                .collect::<Vec<_>>(),
            ["releases/x.json"]
        );
    }
}

#[tokio::test]
async fn of_many_durable_creates_at_once_one_wins() {
    let (folder, store) = local();
    let creators = (0..20).map(|n| {
        let store = store.clone();
        tokio::spawn(async move {
            store
                .create_durable("releases/x.json", format!("{n}").into())
                .await
                .unwrap()
        })
    });
    let mut created = 0;
    for creator in creators.collect::<Vec<_>>() {
        created += usize::from(creator.await.unwrap() == Create::Created);
    }
    assert_eq!(created, 1);
    assert_eq!(
        std::fs::read_dir(folder.path().join("releases"))
            .unwrap()
            .count(),
        1
    );
}

#[tokio::test]
async fn what_is_not_there_is_not_made_durable() {
    let (_folder, store) = local();
    store.put("a/b/c", &b"x"[..]).await.unwrap();
    store.make_durable(&["a/b/c"]).await.unwrap();
    let error = store.make_durable(&["a/b/c", "a/d"]).await.unwrap_err();
    assert!(
        error.to_string().contains("can not be brought to disk")
            && error.to_string().contains("a/d"),
        "{error}"
    );
}
