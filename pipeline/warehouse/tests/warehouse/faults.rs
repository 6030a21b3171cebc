//! Stores that fail: which stage and place the error names, whether a retry can help, and that the
//! old release stands.

use std::sync::Arc;

use tagmill_schemas::{Artifact, Error};

use crate::fixtures::{date, local, manifest, memory, night, rows_of, warehouse};
use tagmill_warehouse::artifact::ArtifactWriter;
use tagmill_warehouse::release::{
    Outcome, commit, init_warehouse, list_releases, newest_release, probe,
};
use tagmill_warehouse::store::Store;
use tagmill_warehouse::store::testing::{Fault, FaultyStore, When};

fn faulty(store: &Store, when: When, fault: Fault) -> Store {
    store.wrapped(|inner| Arc::new(FaultyStore::new(inner).with(when, fault)))
}

async fn write_users(store: &Store, batches: usize) -> Result<(), Error> {
    let day = date("2026-11-19");
    let mut writer = ArtifactWriter::new(
        &store.for_stage("write"),
        Artifact::Users.path(day, "r", 1, Some(0)),
        Artifact::Users,
        day,
        Some(0),
    )?;
    for _ in 0..batches {
        writer.write(&rows_of(Artifact::Users, 262_144)).await?;
    }
    writer.finish().await.map(drop)
}

#[tokio::test]
async fn a_store_without_conditional_create_is_refused() {
    let store = memory("unconditional")
        .wrapped(|inner| Arc::new(FaultyStore::new(inner).ignoring_create()));
    let error = probe(&store).await.unwrap_err();
    assert_eq!(error.exit_code(), 2, "{error}");
    assert!(
        error
            .to_string()
            .contains("does not honour create-if-absent"),
        "{error}"
    );
    assert_eq!(
        init_warehouse(&store, &warehouse(2))
            .await
            .unwrap_err()
            .exit_code(),
        2
    );
    assert_eq!(store.head("warehouse.json").await.unwrap(), None);
}

#[tokio::test]
async fn a_read_only_target_needs_a_person() {
    for fault in [Fault::ReadOnly, Fault::Denied] {
        let store = faulty(&memory("readonly"), When::Writing(""), fault);
        let error = init_warehouse(&store, &warehouse(2)).await.unwrap_err();
        assert_eq!((error.exit_code(), error.stage()), (2, "init"), "{error}");
    }
}

#[tokio::test]
async fn a_directory_that_can_not_be_made_needs_a_person() {
    let (folder, _) = local();
    std::fs::write(folder.path().join("file"), b"x").unwrap();
    let store = Store::open(folder.path().join("file/warehouse").to_str().unwrap());
    let error = match store {
        Err(error) => error,
        Ok(store) => init_warehouse(&store, &warehouse(2)).await.unwrap_err(),
    };
    assert_eq!(error.exit_code(), 2, "{error}");
}

#[tokio::test]
async fn an_unreachable_store_is_for_later() {
    let store = faulty(&memory("unreachable"), When::Always, Fault::Unreachable);
    for error in [
        probe(&store).await.unwrap_err(),
        newest_release(&store).await.unwrap_err(),
    ] {
        assert_eq!(error.exit_code(), 3, "{error}");
    }
}

#[tokio::test]
async fn a_full_disk_is_for_later_and_names_stage_and_place() {
    let (folder, store) = local();
    // One batch goes up as one object, more as parts.
    for (batches, nth) in [(1, 1), (8, 1), (8, 2), (16, 9)] {
        let error = write_users(
            &faulty(&store, When::FromWrite(nth), Fault::FullDisk),
            batches,
        )
        .await
        .unwrap_err();
        assert_eq!((error.exit_code(), error.stage()), (3, "write"), "{error}");
        let text = error.to_string();
        assert!(
            text.contains("no space left") && text.contains("users/2026-11-19/r-1/00000.parquet"),
            "{text}"
        );
        assert_eq!(store.list("users/**/*.parquet").await.unwrap(), []);
    }
    drop(folder);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_really_full_device_is_recognised() {
    // /dev/full answers every write with "no space left on device".
    let io = std::fs::write("/dev/full", b"x").unwrap_err();
    let error = object_store::Error::Generic {
        store: "LocalFileSystem",
        source: Box::new(io),
    };
    assert_eq!(
        tagmill_warehouse::store::explain("write", "/dev/full", "can not write", error).exit_code(),
        3
    );
}

#[tokio::test]
async fn a_commit_that_fails_leaves_the_old_release() {
    let store = memory("failing");
    let old = manifest(
        1,
        "2026-11-18",
        "old",
        night(&store, "2026-11-18", "old").await,
    );
    commit(&store, &old).await.unwrap();
    let new = manifest(
        2,
        "2026-11-19",
        "new",
        night(&store, "2026-11-19", "new").await,
    );
    for (fault, exit) in [
        (Fault::FullDisk, 3),
        (Fault::Unreachable, 3),
        (Fault::Denied, 2),
    ] {
        let error = commit(&faulty(&store, When::Writing("releases/"), fault), &new)
            .await
            .unwrap_err();
        assert_eq!(
            (error.exit_code(), error.stage()),
            (exit, "publish"),
            "{error}"
        );
        assert!(
            error
                .to_string()
                .contains("releases/00000000000000000002.json"),
            "{error}"
        );
        assert_eq!(newest_release(&store).await.unwrap().unwrap(), old);
    }
    assert_eq!(
        commit(&store, &new).await.unwrap(),
        Outcome::Committed { release: 2 }
    );
}

#[tokio::test]
async fn a_release_is_published_though_the_answer_is_lost_and_no_conflict_when_tried_again() {
    let store = memory("lost");
    let made = manifest(1, "2026-11-19", "r", night(&store, "2026-11-19", "r").await);
    let losing = faulty(&store, When::Writing("releases/"), Fault::LostAnswer);
    assert_eq!(
        commit(&losing, &made).await.unwrap(),
        Outcome::Committed { release: 1 }
    );
    assert_eq!(list_releases(&store).await.unwrap().numbers(), [1]);
    assert_eq!(
        commit(&store, &made).await.unwrap(),
        Outcome::Committed { release: 1 }
    );
}
