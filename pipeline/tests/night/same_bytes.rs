//! A run is a function of parent, date, inputs, configuration and code: threads, memory, waves and
//! a rerun leave the same bytes.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use tagmill_bitmap::{Kernels, use_kernels};
use tagmill_pipeline as job;
use tagmill_pipeline::{COMPUTATION, Silent, plan};
use tagmill_schemas::Artifact;
use tagmill_schemas::checksum::Checksum;
use tagmill_schemas::manifest::Manifest;
use tagmill_testdata::spec::{Preset, Spec};

use crate::compare::same;
use crate::fixture::{Generated, init, published, request};
use crate::hand::{DAY, EVENTS, Hand, day};

/// A warehouse, its threads and its memory.
struct Way {
    name: &'static str,
    threads: usize,
    memory: Option<u64>,
}

const MEMORY_FOR_ONE_SHARD: u64 = 24 << 20;

type Checksums = BTreeMap<(Artifact, NaiveDate, Option<u32>, u64), String>;

async fn two_nights(data: &Generated, way: &Way) -> Checksums {
    let config = data.config_for(way.name);
    init(&config).await;
    for day in 0..2 {
        let mut request = request(&config, data.date(day));
        (request.threads, request.memory) = (Some(way.threads), way.memory);
        job::run(&request, &Silent)
            .await
            .unwrap_or_else(|e| panic!("{}: {e}", way.name));
    }
    published(&config).await.checksums()
}

/// The bytes of a night, but for the artifacts that hold the name of the run or paths of rules, which
/// are other ones in every run of this test. Where this fails and no test of content does, a night writes other bytes than
/// before: raise [`COMPUTATION`], and put the new checksum beside it.
#[tokio::test(flavor = "multi_thread")]
async fn other_bytes_are_another_computation() {
    let data = Generated::new(Spec {
        users: 3_000,
        events: 20_000,
        rules: 20,
        days: 1,
        ..Spec::preset(Preset::Demo)
    });
    let config = data.config_for("pinned");
    init(&config).await;
    job::run(&request(&config, data.date(0)), &Silent)
        .await
        .unwrap();
    let mut text = String::new();
    for ((artifact, date, shard, rows), checksum) in published(&config).await.checksums() {
        if !matches!(
            artifact,
            Artifact::Users | Artifact::GroupStatus | Artifact::Runs
        ) {
            text += &format!("{artifact} {date} {shard:?} {rows} {checksum}\n");
        }
    }
    let found = Checksum::of(text.as_bytes()).to_string();
    assert_eq!(
        (COMPUTATION, found.as_str()),
        (4, "xxh3-128:e251a753a285945a61c42c7d66cfcb0b"),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn threads_and_waves_leave_the_same_bytes() {
    let data = Generated::new(Spec {
        users: 20_000,
        events: 200_000,
        rules: 60,
        days: 2,
        ..Spec::preset(Preset::Demo)
    });
    let expected = two_nights(
        &data,
        &Way {
            name: "one",
            threads: 1,
            memory: None,
        },
    )
    .await;
    assert!(expected.len() > 40);
    for way in [
        Way {
            name: "two",
            threads: 2,
            memory: None,
        },
        Way {
            name: "eight",
            threads: 8,
            memory: None,
        },
        Way {
            name: "waves",
            threads: 2,
            memory: Some(MEMORY_FOR_ONE_SHARD),
        },
    ] {
        same(way.name, &two_nights(&data, &way).await, &expected);
    }
    let config = data.config_for("one");
    let mut request = request(&config, data.date(1));
    request.memory = Some(MEMORY_FOR_ONE_SHARD);
    let planned = plan(&request, &Silent).await.unwrap();
    assert!(
        planned.shards_at_once < planned.shards as usize,
        "the memory holds all shards: no waves were tried"
    );
}

/// What a processor can do shows in no byte. The choice is the process's, so tests that run at the
/// same time may use these kernels too, and have to pass with them.
#[tokio::test(flavor = "multi_thread")]
async fn portable_kernels_leave_the_same_bytes() {
    let data = Generated::small(Preset::Demo);
    let way = |name| Way {
        name,
        threads: 2,
        memory: None,
    };
    let native = two_nights(&data, &way("native")).await;
    use_kernels(Kernels::Portable);
    let portable = two_nights(&data, &way("portable")).await;
    use_kernels(Kernels::Native);
    same("portable", &portable, &native);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_night_again_leaves_the_same_bytes() {
    let data = Generated::small(Preset::Dirty);
    let mut runs = Vec::new();
    for name in ["a", "b"] {
        let config = data.config_for(name);
        init(&config).await;
        // An attempt that fails on the way leaves files and a number behind.
        if name == "b" {
            let ready = data
                .path()
                .join("raw/profiles")
                .join(format!("dt={}", data.date(0)))
                .join("part-00000.parquet");
            let whole = std::fs::read(&ready).unwrap();
            let act = || std::fs::write(&ready, &whole).unwrap();
            let rewrite = crate::bad_input::OnStage {
                stage: "shards",
                act: Box::new(act),
            };
            job::run(&request(&config, data.date(0)), &rewrite)
                .await
                .unwrap_err();
        }
        job::run(&request(&config, data.date(0)), &Silent)
            .await
            .unwrap();
        let release = published(&config).await;
        let mut checksums = release.checksums();
        // The table of runs says which attempt it was.
        checksums.retain(|(artifact, ..), _| *artifact != Artifact::Runs);
        let Manifest {
            run,
            attempt,
            release: number,
            ..
        } = &release.manifest;
        assert_eq!(
            release.runs().await,
            [(run.clone(), *attempt, Some(*number))]
        );
        runs.push((run.clone(), checksums));
    }
    assert_eq!(runs[0].0, runs[1].0, "equal runs have equal names");
    same("rerun", &runs[1].1, &runs[0].1);
}

/// Every event is of a user of its own with a long id, which nothing says before the rows are read.
#[tokio::test(flavor = "multi_thread")]
async fn a_night_that_needs_more_memory_than_expected_starts_again_with_fewer_shards_at_once() {
    let users: Vec<String> = (0..400_000_u64)
        .map(|user| format!("{:065}", user * 7919 % 1_000_003))
        .collect();
    let rows: Vec<_> = users
        .iter()
        .map(|user| ("shop", user.as_str(), "visit", None, None))
        .collect();
    let hand = Hand::new(&[EVENTS]);
    hand.write_events(DAY, &rows);
    let mut nights = Vec::new();
    for (name, memory) in [("all", None), ("fewer", Some(62 << 20))] {
        let config = hand.config.replace("/warehouse'", &format!("/{name}'"));
        init(&config).await;
        let mut request = request(&config, day(DAY));
        (request.threads, request.memory) = (Some(1), memory);
        let report = job::run(&request, &Silent).await.unwrap();
        // How many attempts it takes depends on what a user costs, which nobody promises.
        assert_eq!(
            (report.attempt > 1, report.new_users),
            (memory.is_some(), 400_000)
        );
        let mut checksums = published(&config).await.checksums();
        checksums.retain(|(artifact, ..), _| *artifact != Artifact::Runs);
        nights.push(checksums);
    }
    same("fewer at once", &nights[1], &nights[0]);
}
