//! Lists and histories: read when they are needed, checked when they are read, never grown by
//! nights.

use std::sync::Arc;

use chrono::Days;
use object_store::memory::InMemory;
use object_store::path::Path;
use tagmill_schemas::manifest::{DayList, FileEntry, ListKind, Manifest, PAGE, list_path};
use tagmill_schemas::{Artifact, ReleaseName, release};
use tagmill_warehouse::release::{
    Depth, choose_parents, commit, continue_history, files_where, load_summaries, newest_release,
    put_list, releases_since, resolve_release, verify,
};
use tagmill_warehouse::store::Store;
use tagmill_warehouse::store::testing::CountingStore;

use crate::fixtures::{SHARDS, date, manifest, memory, rows_of, write};

fn counted() -> (Arc<CountingStore>, Store) {
    let counting = Arc::new(CountingStore::new(Arc::new(InMemory::new())));
    let store = Store::new(
        Arc::clone(&counting) as _,
        "memory://counted",
        Path::from("w"),
    );
    (counting, store)
}

async fn behaviour(store: &Store, day: &str, run: &str) -> Vec<FileEntry> {
    let mut files = Vec::new();
    for shard in 0..SHARDS {
        let rows = [rows_of(Artifact::Behaviour, 3)];
        files.push(write(store, Artifact::Behaviour, day, run, Some(shard), &rows).await);
    }
    files
}

/// A release whose behaviour of each day is in a list.
async fn listed(store: &Store, release: u64, day: &str, parent: Option<&Manifest>) -> Manifest {
    let run = format!("r{release}");
    let files = behaviour(store, day, &run).await;
    let (list, object) = DayList::of(ListKind::Behaviour, date(day), &files).unwrap();
    put_list(store, &object).await.unwrap();
    let mut made = manifest(release, day, &run, Vec::new());
    made.lists = parent.map(|m| m.lists.clone()).unwrap_or_default();
    made.lists.push(list);
    made.history = continue_history(store, parent).await.unwrap();
    made
}

async fn two_nights(store: &Store) -> Manifest {
    let first = listed(store, 1, "2026-11-18", None).await;
    commit(store, &first).await.unwrap().committed().unwrap();
    let second = listed(store, 2, "2026-11-19", Some(&first)).await;
    commit(store, &second).await.unwrap().committed().unwrap();
    newest_release(store).await.unwrap().unwrap()
}

#[tokio::test]
async fn only_lists_that_can_have_a_wanted_file_are_read() {
    let (counting, store) = counted();
    let newest = two_nights(&store).await;
    let before = counting.fetched();
    let wanted = |artifact, day| artifact == Artifact::Behaviour && day == date("2026-11-18");
    let files = files_where(&store, &newest, wanted).await.unwrap();
    assert_eq!(files.len() as u32, SHARDS);
    let after = counting.fetched();
    let read: Vec<_> = after
        .iter()
        .filter(|(path, fetched)| {
            before.get(*path).map_or(0, |before| before.bytes) < fetched.bytes
        })
        .map(|(path, _)| path.clone())
        .collect();
    assert_eq!(read, [format!("w/{}", list_path(newest.lists[0].list))]);
    let none = |artifact, _| artifact == Artifact::Users;
    assert_eq!(files_where(&store, &newest, none).await.unwrap(), []);
}

#[tokio::test]
async fn a_commit_looks_at_the_files_of_new_lists() {
    let store = memory("new lists");
    let first = listed(&store, 1, "2026-11-18", None).await;
    commit(&store, &first).await.unwrap().committed().unwrap();
    let second = listed(&store, 2, "2026-11-19", Some(&first)).await;
    let files = files_where(&store, &second, |_, day| day == date("2026-11-19"))
        .await
        .unwrap();
    store.delete(&files[1].path).await.unwrap();
    let error = commit(&store, &second).await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("a file of the release is missing"),
        "{error}"
    );
    store
        .delete(&list_path(second.lists[1].list))
        .await
        .unwrap();
    let error = commit(&store, &second).await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("a list of the release is missing"),
        "{error}"
    );
    // A shard of a new list is missing.
    let mut third = listed(&store, 2, "2026-11-20", Some(&first)).await;
    let files = files_where(&store, &third, |_, day| day == date("2026-11-20"))
        .await
        .unwrap();
    let (short, object) =
        DayList::of(ListKind::Behaviour, date("2026-11-20"), &files[..1]).unwrap();
    put_list(&store, &object).await.unwrap();
    third.lists[1] = short;
    let error = commit(&store, &third).await.unwrap_err();
    assert!(error.to_string().contains("shard 1 is missing"), "{error}");
}

#[tokio::test]
async fn verify_finds_damaged_and_missing_lists() {
    let store = memory("damaged lists");
    let newest = two_nights(&store).await;
    let whole = verify(&store, &newest, Depth::Checksums).await.unwrap();
    assert_eq!((whole.files, whole.problems.len()), (4, 0));
    let paths: Vec<String> = newest
        .lists
        .iter()
        .map(|list| list_path(list.list))
        .collect();
    let mut bytes = store.get(&paths[0]).await.unwrap().to_vec();
    bytes[20] ^= 1;
    store.put(&paths[0], bytes).await.unwrap();
    store.delete(&paths[1]).await.unwrap();
    let damaged = verify(&store, &newest, Depth::Sizes).await.unwrap();
    assert_eq!((damaged.files, damaged.problems.len()), (0, 2));
    let what = |path: &str| {
        let found = damaged.problems.iter().find(|problem| problem.path == path);
        found.unwrap().what.clone()
    };
    assert!(what(&paths[0]).contains("found checksum"), "{damaged:?}");
    assert_eq!(what(&paths[1]), "not found");
    let error = files_where(&store, &newest, |_, _| true).await.unwrap_err();
    assert!(error.to_string().contains(&paths[0]), "{error}");
}

#[tokio::test]
async fn a_list_is_written_once_and_never_over_something_else() {
    let store = memory("put list");
    let files = behaviour(&store, "2026-11-19", "r").await;
    let (list, object) = DayList::of(ListKind::Behaviour, date("2026-11-19"), &files).unwrap();
    put_list(&store, &object).await.unwrap();
    put_list(&store, &object).await.unwrap();
    store
        .put(&list_path(list.list), &b"else"[..])
        .await
        .unwrap();
    let error = put_list(&store, &object).await.unwrap_err();
    assert!(error.to_string().contains("the list is damaged"), "{error}");
}

#[tokio::test]
async fn many_nights_are_found_by_few_reads() {
    let (counting, store) = counted();
    let nights = 3 * PAGE as u64;
    let day = |n: u64| (date("2026-01-01") + Days::new(n)).to_string();
    let mut newest: Option<Manifest> = None;
    for release in 1..=nights {
        let made = Manifest {
            history: continue_history(&store, newest.as_ref()).await.unwrap(),
            ..manifest(release, &day(release), &format!("r{release}"), Vec::new())
        };
        commit(&store, &made).await.unwrap().committed().unwrap();
        newest = Some(made);
    }
    let reads = || -> u64 { counting.fetched().values().map(|file| file.bytes).sum() };
    let (manifest_bytes, before) = (
        store.get(&release::path(nights)).await.unwrap().len() as u64,
        reads(),
    );
    for (of, release) in [(3, 3), (70, 70), (nights, nights)] {
        let name = ReleaseName::At(date(&day(of)));
        assert_eq!(
            resolve_release(&store, name).await.unwrap().release,
            release
        );
        let parents = choose_parents(&store, date(&day(of))).await.unwrap();
        assert_eq!(parents.state.map(|m| m.release), Some(release - 1));
    }
    let read = reads() - before;
    assert!(
        read < 20 * manifest_bytes,
        "{read} bytes of {manifest_bytes}"
    );
    let error = resolve_release(&store, "@2025-01-01".parse().unwrap())
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains(&format!("nearest: {}", day(1))),
        "{error}"
    );
    let since = releases_since(&store, date(&day(nights - 1)))
        .await
        .unwrap();
    assert_eq!(since, [nights - 1, nights]);
    let heads = load_summaries(&store, &since).await.unwrap();
    assert_eq!(heads[1].date.to_string(), day(nights));
    // What was removed is not offered.
    store.delete(&release::path(70)).await.unwrap();
    let name = ReleaseName::At(date(&day(70)));
    let error = resolve_release(&store, name).await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains(&format!("nearest: {} and {}", day(69), day(71))),
        "{error}"
    );
}
