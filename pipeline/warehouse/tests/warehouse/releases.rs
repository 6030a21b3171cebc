//! Which release is the parent, which one a name means, who wins, and what a commit refuses.

use tagmill_schemas::config::Warehouse;
use tagmill_schemas::manifest::{Input, InputFile, InputStatus};
use tagmill_schemas::{Manifest, ReleaseName};

use crate::fixtures::{date, local, manifest, memory, night, warehouse};
use tagmill_warehouse::release::{
    Depth, Outcome, Parents, choose_parents, commit, continue_history, init_warehouse,
    list_releases, load_constants, mark_success, newest_release, resolve_release, run_id, verify,
};
use tagmill_warehouse::store::Store;

async fn publish(store: &Store, release: u64, day: &str, head: &str) -> Manifest {
    let files = night(store, day, &format!("r{release}")).await;
    let newest = newest_release(store).await.unwrap();
    let made = Manifest {
        head_date: date(head),
        history: continue_history(store, newest.as_ref()).await.unwrap(),
        ..manifest(release, day, &format!("r{release}"), files)
    };
    commit(store, &made).await.unwrap().committed().unwrap();
    made
}

#[tokio::test]
async fn a_late_date_continues_the_state_before_it_and_the_newest_dictionary() {
    let store = memory("parents");
    let state_of = |parents: &Parents| parents.state.as_ref().map(|state| state.release);
    let parents = choose_parents(&store, date("2026-11-18")).await.unwrap();
    assert_eq!((parents.next_release(), state_of(&parents)), (1, None));
    publish(&store, 1, "2026-11-17", "2026-11-17").await;
    publish(&store, 2, "2026-11-18", "2026-11-18").await;
    publish(&store, 3, "2026-11-19", "2026-11-19").await;
    publish(&store, 4, "2026-11-18", "2026-11-19").await;
    for (day, state, is_before_head) in [
        ("2026-11-20", Some(4), false),
        ("2026-11-19", Some(2), false),
        ("2026-11-18", Some(1), true),
        ("2026-11-17", None, true),
    ] {
        let parents = choose_parents(&store, date(day)).await.unwrap();
        assert_eq!(
            (
                state_of(&parents),
                parents.next_release(),
                parents.is_before_head(date(day))
            ),
            (state, 5, is_before_head),
            "{day}"
        );
    }
}

#[tokio::test]
async fn a_lost_manifest_of_the_newest_release_is_not_passed_over() {
    let store = memory("markers");
    for (release, day) in [(1, "2026-11-17"), (2, "2026-11-18"), (3, "2026-11-17")] {
        let made = publish(
            &store,
            release,
            day,
            ["", "2026-11-17", "2026-11-18", "2026-11-18"][release as usize],
        )
        .await;
        mark_success(&store, &made).await.unwrap();
    }
    let parents = |day: &'static str| choose_parents(&store, date(day));
    assert_eq!(parents("2026-11-19").await.unwrap().next_release(), 4);
    // Of a backfill only a run for the same date knows.
    store
        .delete(&tagmill_schemas::release::path(3))
        .await
        .unwrap();
    let error = parents("2026-11-17").await.unwrap_err().to_string();
    assert!(error.contains("mark of release 3"), "{error}");
    assert!(error.contains("the newest is release 2"), "{error}");
    assert_eq!(parents("2026-11-19").await.unwrap().next_release(), 3);
    store
        .delete(&tagmill_schemas::release::path(2))
        .await
        .unwrap();
    for day in ["2026-11-18", "2026-11-19"] {
        let error = parents(day).await.unwrap_err();
        assert_eq!(error.exit_code(), 1, "{error}");
        assert!(error.to_string().contains("mark of release 2"), "{error}");
    }
    store
        .delete(&tagmill_schemas::release::path(1))
        .await
        .unwrap();
    let error = parents("2026-11-20").await.unwrap_err().to_string();
    assert!(error.contains("there is no release"), "{error}");
}

#[tokio::test]
async fn releases_are_named_by_number_date_and_current() {
    let store = memory("names");
    assert_eq!(
        resolve_release(&store, ReleaseName::Current)
            .await
            .unwrap_err()
            .exit_code(),
        2
    );
    publish(&store, 1, "2026-11-17", "2026-11-17").await;
    publish(&store, 2, "2026-11-19", "2026-11-19").await;
    publish(&store, 3, "2026-11-19", "2026-11-19").await;
    for (name, release) in [
        ("1", 1),
        ("current", 3),
        ("@2026-11-19", 3),
        ("@2026-11-17", 1),
    ] {
        assert_eq!(
            resolve_release(&store, name.parse().unwrap())
                .await
                .unwrap()
                .release,
            release,
            "{name}"
        );
    }
    let error = resolve_release(&store, "@2026-11-18".parse().unwrap())
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("nearest: 2026-11-17 and 2026-11-19"),
        "{error}"
    );
    assert_eq!(
        resolve_release(&store, "9".parse().unwrap())
            .await
            .unwrap_err()
            .exit_code(),
        2
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_committers_one_wins_and_the_rest_see_a_conflict() {
    let (_folder, store) = local();
    let mut ready = Vec::new();
    for n in 0..8 {
        let run = format!("r{n}");
        ready.push(manifest(
            1,
            "2026-11-19",
            &run,
            night(&store, "2026-11-19", &run).await,
        ));
    }
    let commits = ready.into_iter().map(|manifest| {
        let store = store.clone();
        tokio::spawn(async move { (commit(&store, &manifest).await.unwrap(), manifest.run) })
    });
    let outcomes = futures::future::try_join_all(commits).await.unwrap();
    let winners: Vec<_> = outcomes
        .iter()
        .filter(|(outcome, _)| *outcome == Outcome::Committed { release: 1 })
        .collect();
    assert_eq!(winners.len(), 1);
    assert_eq!(
        newest_release(&store).await.unwrap().unwrap().run,
        winners[0].1
    );
    let lost = outcomes
        .into_iter()
        .find(|(outcome, _)| *outcome == Outcome::Conflict { newest: 1 })
        .unwrap()
        .0;
    assert_eq!(lost.committed().unwrap_err().exit_code(), 3);
}

#[tokio::test]
async fn committing_twice_is_one_release() {
    let store = memory("twice");
    let made = publish(&store, 1, "2026-11-19", "2026-11-19").await;
    assert_eq!(
        commit(&store, &made).await.unwrap(),
        Outcome::Committed { release: 1 }
    );
    assert_eq!(list_releases(&store).await.unwrap().numbers(), [1]);
}

#[tokio::test]
async fn killed_before_the_commit_the_old_release_stands() {
    let store = memory("killed");
    let old = publish(&store, 1, "2026-11-18", "2026-11-18").await;
    night(&store, "2026-11-19", "killed").await;
    assert_eq!(newest_release(&store).await.unwrap().unwrap(), old);
    assert_eq!(
        verify(&store, &old, Depth::Checksums)
            .await
            .unwrap()
            .problems,
        []
    );
    publish(&store, 2, "2026-11-19", "2026-11-19").await;
}

#[tokio::test]
async fn refuses_promises_that_do_not_hold() {
    let store = memory("promises");
    let good = manifest(1, "2026-11-19", "r", night(&store, "2026-11-19", "r").await);
    type Spoil = fn(&mut Manifest);
    let spoils: [(&str, Spoil); 7] = [
        ("expected 1, the one after the newest", |m| m.release = 2),
        ("shard 1 is missing", |m| m.files.truncate(1)),
        ("listed twice", |m| m.files.push(m.files[0].clone())),
        ("<attempt>/00001.parquet\"", |m| m.files[0].shard = Some(1)),
        ("bytes, expected 7", |m| m.files[1].bytes = 7),
        ("is missing", |m| {
            m.files[1].path = m.files[1].path.replace("/r-1/", "/other-1/")
        }),
        ("before the run's date", |m| {
            m.head_date = date("2026-11-18")
        }),
    ];
    for (expected, spoil) in spoils {
        let mut spoiled = good.clone();
        spoil(&mut spoiled);
        let error = commit(&store, &spoiled).await.unwrap_err();
        assert_eq!(error.exit_code(), 1, "{error}");
        assert!(error.to_string().contains(expected), "{error}");
    }
    store.delete(&good.files[0].path).await.unwrap();
    assert!(
        commit(&store, &good)
            .await
            .unwrap_err()
            .to_string()
            .contains("a file of the release is missing")
    );
    assert_eq!(list_releases(&store).await.unwrap().numbers(), [0; 0]);
}

#[tokio::test]
async fn the_head_moves_back_only_with_a_reason() {
    let store = memory("head");
    publish(&store, 1, "2026-11-18", "2026-11-18").await;
    publish(&store, 2, "2026-11-19", "2026-11-19").await;
    let files = night(&store, "2026-11-18", "back").await;
    let back = manifest(3, "2026-11-18", "back", files);
    assert_eq!(commit(&store, &back).await.unwrap_err().exit_code(), 1);
    let rollback = Manifest {
        reason: Some("bad data on the 19th".to_owned()),
        ..back
    };
    assert_eq!(
        commit(&store, &rollback).await.unwrap(),
        Outcome::Committed { release: 3 }
    );
}

#[tokio::test]
async fn published_files_keep_their_content() {
    let store = memory("keep");
    let first = publish(&store, 1, "2026-11-18", "2026-11-18").await;
    let mut second = manifest(
        2,
        "2026-11-19",
        "r2",
        [first.files, night(&store, "2026-11-19", "r2").await].concat(),
    );
    assert!(matches!(
        commit(&store, &second.clone()).await.unwrap(),
        Outcome::Committed { release: 2 }
    ));
    second.release = 3;
    second.files[0].checksum = second.files[1].checksum.replace('0', "1");
    assert!(
        commit(&store, &second)
            .await
            .unwrap_err()
            .to_string()
            .contains("is not as release 2 has it")
    );
}

#[tokio::test]
async fn verify_finds_what_changed_after_publishing() {
    let store = memory("verify");
    let made = publish(&store, 1, "2026-11-19", "2026-11-19").await;
    let mut flipped = store.get(&made.files[0].path).await.unwrap().to_vec();
    flipped[40] ^= 1;
    store.put(&made.files[0].path, flipped).await.unwrap();
    store.delete(&made.files[1].path).await.unwrap();
    let sizes = verify(&store, &made, Depth::Sizes).await.unwrap();
    assert_eq!(
        sizes
            .problems
            .iter()
            .map(|p| p.what.as_str())
            .collect::<Vec<_>>(),
        ["not found"]
    );
    let checksums = verify(&store, &made, Depth::Checksums).await.unwrap();
    assert_eq!((checksums.files, checksums.problems.len()), (2, 2));
    assert!(
        checksums.problems[0].what.contains("found checksum"),
        "{:?}",
        checksums.problems
    );
}

#[tokio::test]
async fn a_warehouse_keeps_its_constants() {
    let store = memory("constants");
    assert_eq!(load_constants(&store).await.unwrap_err().exit_code(), 2);
    init_warehouse(&store, &warehouse(16)).await.unwrap();
    let error = init_warehouse(&store, &warehouse(8)).await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("made with shards = 16, the configuration has 8"),
        "{error}"
    );
    assert_eq!(load_constants(&store).await.unwrap().shards.get(), 16);
}

/// What is lost is made again only as it was: another zone would cut the same days otherwise.
#[tokio::test]
async fn lost_constants_are_restored_only_as_the_releases_were_made() {
    let (folder, store) = local();
    init_warehouse(&store, &warehouse(2)).await.unwrap();
    publish(&store, 1, "2026-11-18", "2026-11-18").await;
    let file = folder.path().join("warehouse.json");
    let written = std::fs::read(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    let elsewhere = Warehouse {
        time_zone: chrono_tz::Europe::Vienna,
        ..warehouse(2)
    };
    for (configured, expected) in [
        (
            warehouse(4),
            "made with shards = 2, the configuration has 4",
        ),
        (
            elsewhere,
            "made with time_zone = Asia/Shanghai, the configuration has Europe/Vienna",
        ),
    ] {
        let error = init_warehouse(&store, &configured).await.unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert!(!file.exists());
    }
    init_warehouse(&store, &warehouse(2)).await.unwrap();
    assert_eq!(std::fs::read(&file).unwrap(), written);
}

#[test]
fn a_run_is_named_by_what_it_is_a_function_of() {
    let file = |path: &str, size| InputFile {
        path: path.to_owned(),
        size,
        etag: None,
        rows: 1,
    };
    let input = |source: &str, size| Input {
        source: source.to_owned(),
        status: InputStatus::Read,
        date: date("2026-11-19"),
        files: vec![file("a", size)],
    };
    let (a, b) = (input("a", 1), input("b", 1));
    let id = |parent, day: &str, inputs: &[Input], config: &str, code: u32| {
        run_id(parent, date(day), inputs, config, code).unwrap()
    };
    let name = id(Some(1), "2026-11-19", &[a.clone(), b.clone()], "c", 1);
    assert_eq!(name.len(), 16);
    assert_eq!(
        name,
        id(Some(1), "2026-11-19", &[b.clone(), a.clone()], "c", 1)
    );
    let others = [
        id(None, "2026-11-19", &[a.clone(), b.clone()], "c", 1),
        id(Some(1), "2026-11-18", &[a.clone(), b.clone()], "c", 1),
        id(Some(1), "2026-11-19", &[a.clone(), input("b", 2)], "c", 1),
        id(Some(1), "2026-11-19", &[a.clone(), b.clone()], "d", 1),
        id(Some(1), "2026-11-19", &[a, b], "c", 2),
    ];
    assert!(others.iter().all(|other| *other != name));
}
