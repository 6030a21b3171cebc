//! One kit that every store has to pass.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::TryStreamExt;
use tagmill_schemas::Artifact;

use crate::fixtures::{date, local, manifest, memory, night, warehouse};
use tagmill_warehouse::artifact::read_artifact;
use tagmill_warehouse::release::{
    AttemptFile, Depth, Init, Outcome, claim_attempt, commit, init_warehouse, list_releases,
    mark_success, newest_release, open_warehouse, probe, remove_attempt_files, verify,
};
use tagmill_warehouse::store::testing::{CountingStore, FaultyStore};
use tagmill_warehouse::store::{Create, Found, Store};

/// The run of the attempts.
const RUN: &str = "0123456789abcdef";

#[tokio::test]
async fn memory_conforms() {
    conforms(&memory("conforms")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_local_directory_conforms() {
    let (_folder, store) = local();
    conforms(&store).await;
}

#[tokio::test]
async fn wrapped_stores_conform() {
    let store = memory("wrapped");
    conforms(
        &store.wrapped(|inner| Arc::new(CountingStore::new(Arc::new(FaultyStore::new(inner))))),
    )
    .await;
}

/// With the server's address and credentials in `AWS_ENDPOINT_URL`, `AWS_ACCESS_KEY_ID`, ... as for
/// the program.
#[tokio::test]
#[ignore = "needs a server and an empty place on it: TAGMILL_TEST_URL=s3://bucket/new"]
async fn a_server_conforms() {
    conforms(&Store::open(&std::env::var("TAGMILL_TEST_URL").unwrap()).unwrap()).await;
}

async fn conforms(store: &Store) {
    keeps_bytes(store).await;
    creates_once(store).await;
    lists_by_pattern(store).await;
    publishes(store).await;
}

async fn keeps_bytes(store: &Store) {
    assert_eq!(store.try_get("a/b").await.unwrap(), None);
    assert_eq!(store.head("a/b").await.unwrap(), None);
    assert_eq!(store.get("a/b").await.unwrap_err().exit_code(), 3);
    store.put("a/b", &b"0123456789"[..]).await.unwrap();
    assert_eq!(store.get("a/b").await.unwrap(), &b"0123456789"[..]);
    assert_eq!(store.get_range("a/b", 3..5).await.unwrap(), &b"34"[..]);
    let found = store.head("a/b").await.unwrap().unwrap();
    assert_eq!((found.path.as_str(), found.size), ("a/b", 10));
    store.put("a/b", &b"new"[..]).await.unwrap();
    assert_eq!(store.get("a/b").await.unwrap(), &b"new"[..]);
    store.delete("a/b").await.unwrap();
    store.delete("a/b").await.unwrap();
    assert_eq!(store.try_get("a/b").await.unwrap(), None);
}

async fn creates_once(store: &Store) {
    assert_eq!(
        store.create("once", &b"1"[..]).await.unwrap(),
        Create::Created
    );
    assert_eq!(
        store.create("once", &b"2"[..]).await.unwrap(),
        Create::Exists
    );
    assert_eq!(store.get("once").await.unwrap(), &b"1"[..]);
    let creators = (0..16u8).map(|who| {
        let store = store.clone();
        tokio::spawn(async move { store.create("raced", vec![who; 100_000]).await.unwrap() })
    });
    let outcomes = futures::future::try_join_all(creators).await.unwrap();
    assert_eq!(
        outcomes
            .iter()
            .filter(|outcome| **outcome == Create::Created)
            .count(),
        1
    );
    probe(store).await.unwrap();
    assert_eq!(store.list("probe/*").await.unwrap(), []);
}

async fn lists_by_pattern(store: &Store) {
    let all = [
        "in/dt=1/hour=00/a.parquet",
        "in/dt=1/hour=01/b.parquet",
        "in/dt=1/hour=01/b.txt",
        "in/dt=1/_SUCCESS",
        "in/dt=1/_temporary/c.parquet",
        "in/dt=1/hour=01/.hidden.parquet",
        "in/dt=2/hour=00/d.parquet",
        "in/dt=2/x/y/e.parquet",
        "in/odd/a [1]?.parquet",
    ];
    for path in all {
        store.put(path, &b"x"[..]).await.unwrap();
    }
    let listed = async |pattern: &str| -> Vec<String> {
        store
            .list(pattern)
            .await
            .unwrap()
            .into_iter()
            .map(|found: Found| found.path)
            .collect()
    };
    assert_eq!(
        listed("in/dt=1/hour=*/*.parquet").await,
        ["in/dt=1/hour=00/a.parquet", "in/dt=1/hour=01/b.parquet"]
    );
    assert_eq!(
        listed("in/dt=*/hour=00/*").await,
        ["in/dt=1/hour=00/a.parquet", "in/dt=2/hour=00/d.parquet"]
    );
    assert_eq!(
        listed("in/dt=2/**/*.parquet").await,
        ["in/dt=2/hour=00/d.parquet", "in/dt=2/x/y/e.parquet"]
    );
    assert_eq!(
        listed("in/dt=1/**").await,
        [
            "in/dt=1/hour=00/a.parquet",
            "in/dt=1/hour=01/b.parquet",
            "in/dt=1/hour=01/b.txt"
        ]
    );
    assert_eq!(
        listed("in/**/hour=00/*.parquet").await,
        ["in/dt=1/hour=00/a.parquet", "in/dt=2/hour=00/d.parquet"]
    );
    // Every way through many stars leads to the same folders, each of which is listed once.
    let many = format!("in/{}*.parquet", "**/**/*/".repeat(2) + &"**/".repeat(40));
    assert_eq!(listed(&many).await.len(), 4, "{many}");
    let deep = format!("in/{}*", "**/*/".repeat(60));
    assert_eq!(listed(&deep).await, [""; 0]);
    assert_eq!(listed("in/dt=1/_SUCCESS").await, ["in/dt=1/_SUCCESS"]);
    assert_eq!(listed("in/odd/a [1]?*").await, ["in/odd/a [1]?.parquet"]);
    assert_eq!(listed("in/dt=3/*.parquet").await, [""; 0]);
    assert_eq!(listed("in/dt=1/hour=01/b.parquet/*").await, [""; 0]);
    assert_eq!(
        store
            .walk("in/dt=1")
            .try_collect::<Vec<_>>()
            .await
            .unwrap()
            .len(),
        6
    );
}

async fn publishes(store: &Store) {
    assert_eq!(
        init_warehouse(store, &warehouse(2)).await.unwrap(),
        Init::Made
    );
    assert_eq!(
        init_warehouse(store, &warehouse(2)).await.unwrap(),
        Init::Existed
    );
    assert_eq!(
        open_warehouse(store, &warehouse(3))
            .await
            .unwrap_err()
            .exit_code(),
        2
    );
    assert!(newest_release(store).await.unwrap().is_none());

    let attempts: BTreeSet<u32> = [claim(store).await, claim(store).await].into();
    assert_eq!(attempts, [1, 2].into());
    keeps_attempt_files_apart(store).await;

    let files = night(store, "2026-11-19", "first").await;
    let first = manifest(1, "2026-11-19", "first", files);
    assert_eq!(
        commit(store, &first).await.unwrap(),
        Outcome::Committed { release: 1 }
    );
    mark_success(store, &first).await.unwrap();
    assert_eq!(
        store.get("success/date=2026-11-19/_SUCCESS").await.unwrap(),
        &b"{\"release\":1}\n"[..]
    );
    assert_eq!(list_releases(store).await.unwrap().numbers(), [1]);
    let published = newest_release(store).await.unwrap().unwrap();
    assert_eq!(published, first);
    assert_eq!(
        verify(store, &published, Depth::Checksums)
            .await
            .unwrap()
            .problems,
        []
    );
    for file in published.direct_files(Artifact::Tags) {
        let batches: Vec<_> = read_artifact(store, file, &["value_string", "cardinality"])
            .await
            .unwrap()
            .try_collect()
            .await
            .unwrap();
        assert_eq!(
            batches
                .iter()
                .map(|batch| (batch.num_rows(), batch.num_columns()))
                .collect::<Vec<_>>(),
            [(2, 2)]
        );
    }
}

/// Files of an attempt are no claims, whatever their names, and go without those of another.
async fn keeps_attempt_files_apart(store: &Store) {
    let claims = claim(store).await;
    let mut files = Vec::new();
    for (attempt, name) in [(1, "0000000009.json"), (2, "report-00007.json")] {
        let bytes = format!("of attempt {attempt}").into_bytes();
        let file = AttemptFile::write(store, (RUN, attempt), name, bytes).await;
        files.push(file.unwrap());
    }
    assert_eq!(claim(store).await, claims + 1);
    assert_eq!(files[0].read(store).await.unwrap(), &b"of attempt 1"[..]);
    remove_attempt_files(store, (RUN, 1)).await.unwrap();
    let gone = files[0].read(store).await.unwrap_err();
    assert_eq!(gone.exit_code(), 3, "{gone}");
    assert_eq!(files[1].read(store).await.unwrap(), &b"of attempt 2"[..]);
    store.put(&files[1].path, "of attempt 3").await.unwrap();
    let other = files[1].read(store).await.unwrap_err();
    assert!(other.to_string().contains("found checksum"), "{other}");
    files[1].remove(store).await.unwrap();
    files[1].remove(store).await.unwrap();
    assert_eq!(claim(store).await, claims + 2);
}

async fn claim(store: &Store) -> u32 {
    claim_attempt(store, RUN, date("2026-11-19"))
        .await
        .unwrap()
        .number
}
