//! What a published release answers: releases, show, files, sql, estimate, verify, status.

use std::io::Write;
use std::process::Stdio;

use serde_json::Value;

use crate::process::{done, run, tagmill};
use crate::warehouse::published;

fn json(folder: &std::path::Path, arguments: &[&str]) -> Value {
    let done = run(folder, &[&["--output", "json"], arguments].concat());
    assert_eq!(done.code, Some(0), "{arguments:?}: {done:?}");
    assert_eq!(done.out.lines().count(), 1, "{arguments:?}: {}", done.out);
    serde_json::from_str(&done.out).unwrap()
}

#[test]
fn history_contents_and_files_come_from_the_manifest() {
    let folder = published();
    let releases = json(folder.path(), &["releases"]);
    assert_eq!(
        (
            releases["releases"][0]["release"].as_u64(),
            releases["releases"][0]["date"].as_str()
        ),
        (Some(1), Some("2026-11-19"))
    );
    for name in ["current", "1", "@2026-11-19"] {
        assert_eq!(json(folder.path(), &["show", name])["release"], 1);
    }
    let absent = run(folder.path(), &["show", "@2026-11-18"]);
    assert_eq!(absent.code, Some(2));
    assert!(absent.last_error().contains("2026-11-19"), "{absent:?}");
    let files = run(folder.path(), &["files", "--artifact", "tags"]);
    let listed: Vec<_> = files.out.lines().collect();
    assert_eq!(listed.len(), 4);
    assert!(
        listed
            .iter()
            .all(|path| std::path::Path::new(path).is_file()),
        "{listed:?}"
    );
    let duckdb = run(
        folder.path(),
        &["files", "--artifact", "tags", "--format", "duckdb"],
    );
    assert!(
        duckdb
            .out
            .starts_with("CREATE OR REPLACE VIEW tags AS SELECT \"app\", \"tag\", "),
        "{duckdb:?}"
    );
}

#[test]
fn sql_prints_rows_only_in_the_form_asked_for() {
    let folder = published();
    let sql = "SELECT value, code, sum(cardinality) AS users FROM tags_string WHERE app = 'shop' \
               AND tag = 'gender' GROUP BY value, code ORDER BY value";
    let csv = run(folder.path(), &["sql", "--format", "csv", "-c", sql]);
    assert_eq!(
        (csv.code, csv.out.as_str(), csv.err.as_str()),
        (Some(0), "value,code,users\nF,0,400\nM,1,360\n", ""),
        "{csv:?}"
    );
    assert_eq!(json(folder.path(), &["sql", "-c", sql])[0]["users"], 400);
    assert_eq!(
        json(
            folder.path(),
            &[
                "sql",
                "-c",
                "SELECT 1 AS a; SELECT 2 AS b",
                "-c",
                "SELECT 3 AS c WHERE false"
            ]
        ),
        serde_json::json!([])
    );
    assert_eq!(
        json(folder.path(), &["sql", "-c", "SELECT 1 AS a, NULL AS b"]),
        serde_json::json!([{"a": 1, "b": null}])
    );
    let bitmaps = json(
        folder.path(),
        &[
            "sql",
            "-c",
            "SELECT bitmap_cardinality(bitmap_or_agg(bitmap)) AS n FROM tags",
        ],
    );
    assert_eq!(bitmaps[0]["n"], 760);
    let table = run(
        folder.path(),
        &["sql", "-c", "SELECT count(*) AS n FROM universe"],
    );
    assert!(
        table.out.contains("| n |") && !table.out.contains("Elapsed"),
        "{table:?}"
    );
}

/// Rows of 200 KiB, in row groups that are larger than a piece: what aggregates read is cut between
/// pages.
#[test]
fn sql_aggregates_over_large_rows_read_every_row_once() {
    let folder = published();
    let rows = "SELECT value AS n, bitmap_from_array(range(value * 7, 400000, value % 5 + 4)) AS \
                b FROM generate_series(1, 150)";
    let options = "OPTIONS ('max_row_group_size' '100', 'compression' 'uncompressed')";
    let copy = format!("COPY ({rows}) TO 'large.parquet' STORED AS PARQUET {options}");
    assert_eq!(run(folder.path(), &["sql", "-c", &copy]).code, Some(0));
    let answer = |from: &str, threads: &str| {
        let setting = format!("SET datafusion.execution.target_partitions = {threads}");
        let smaller = "SET datafusion.optimizer.repartition_file_min_size = 1000000";
        let query = format!(
            "SELECT sum(n) AS n, count(b) AS c, sum(bitmap_cardinality(b)) AS s, \
             bitmap_or_cardinality_agg(b) AS o, \
             bitmap_xor_cardinality_agg(b) AS x FROM {from}"
        );
        run(
            folder.path(),
            &[
                "sql", "--format", "csv", "-c", &setting, "-c", smaller, "-c", &query,
            ],
        )
        .out
    };
    let expected = answer(&format!("({rows})"), "1");
    assert!(
        expected
            .lines()
            .last()
            .is_some_and(|row| row.starts_with("11325,150,")),
        "{expected}"
    );
    for threads in ["1", "2", "7"] {
        assert_eq!(
            answer("'large.parquet'", threads),
            expected,
            "{threads} threads"
        );
    }
}

#[test]
fn sql_takes_files_and_piped_text() {
    let folder = published();
    std::fs::write(
        folder.path().join("q.sql"),
        "#!/usr/bin/env tagmill\n-- two\nSELECT 1 AS a;\nSELECT ';' AS b\n",
    )
    .unwrap();
    let file = run(folder.path(), &["sql", "--format", "csv", "-f", "q.sql"]);
    assert_eq!(
        (file.code, file.out.as_str()),
        (Some(0), "a\n1\nb\n;\n"),
        "{file:?}"
    );
    let mut process = tagmill(folder.path())
        .args(["sql", "--format", "csv"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    process
        .stdin
        .take()
        .unwrap()
        .write_all(b"SELECT 7 AS a")
        .unwrap();
    let piped = done(process.wait_with_output().unwrap());
    assert_eq!(
        (piped.code, piped.out.as_str()),
        (Some(0), "a\n7\n"),
        "{piped:?}"
    );
    assert!(!folder.path().join(".history").exists());
}

#[test]
fn sql_ends_quietly_when_its_reader_goes_away() {
    let folder = published();
    for format in ["table", "csv", "tsv", "json", "ndjson"] {
        let mut process = tagmill(folder.path())
            .args(["sql", "--format", format, "-c"])
            .arg("SELECT value FROM generate_series(1, 200000)")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(process.stdout.take());
        let done = done(process.wait_with_output().unwrap());
        assert!(
            done.code == Some(0) && !done.err.contains("error"),
            "{format}: {done:?}"
        );
    }
}

#[test]
fn sql_that_is_wrong_is_exit_2_and_a_missing_file_no_panic() {
    let folder = published();
    for (arguments, expected) in [
        (["sql", "-c", "SELEC 1"], "SELEC"),
        (["sql", "-c", "SELECT nothing FROM tags"], "nothing"),
        (["sql", "-c", "SELECT * FROM nowhere"], "nowhere"),
        (["sql", "-f", "absent.sql"], "absent.sql"),
    ] {
        let done = run(folder.path(), &arguments);
        assert_eq!(
            (done.code, done.out.as_str()),
            (Some(2), ""),
            "{arguments:?}: {done:?}"
        );
        assert!(
            done.last_error().starts_with("error: sql: ") && done.last_error().contains(expected),
            "{arguments:?}: {done:?}"
        );
    }
    let raw = run(folder.path(), &["sql", "-c", "SELECT * FROM raw.profiles"]);
    assert_eq!(raw.code, Some(3));
    assert!(
        raw.last_error().contains("source profiles of 2026-11-19")
            && raw.last_error().matches("a retry can").count() == 1,
        "{raw:?}"
    );
}

#[test]
fn estimates_name_position_and_nearest_name() {
    let folder = published();
    let found = json(
        folder.path(),
        &["estimate", "--app", "shop", "gender = 'F'"],
    );
    assert_eq!(
        (
            found["users"].as_u64(),
            found["universe"].as_u64(),
            found["bitmaps"].as_u64()
        ),
        (Some(400), Some(1_000), Some(4))
    );
    assert_eq!(
        json(
            folder.path(),
            &["estimate", "--app", "shop", "gender IS NULL"]
        )["users"],
        240
    );
    let typo = run(
        folder.path(),
        &["estimate", "--app", "shop", "true AND gendr = 'F'"],
    );
    assert_eq!((typo.code, typo.out.as_str()), (Some(2), ""));
    assert!(
        typo.last_error()
            .contains("invalid rule at 1:10: unknown tag \"gendr\", did you mean \"gender\"?"),
        "{typo:?}"
    );
}

#[test]
fn a_declared_tag_without_values_is_one_that_nobody_has() {
    let folder = published();
    let config = folder.path().join("warehouse.toml");
    let tag = "[[tag]]\nname = 'booked'\nsource = 'profiles'\ntype = 'date'\nvalue = 'booked'\n";
    let declared = std::fs::read_to_string(&config).unwrap() + tag;
    std::fs::write(&config, declared).unwrap();
    for (rule, users) in [("booked IS NOT NULL", 0), ("booked IS NULL", 1_000)] {
        let found = json(folder.path(), &["estimate", "--app", "shop", rule]);
        assert_eq!(found["users"], users, "{rule}");
    }
    let typo = run(
        folder.path(),
        &["estimate", "--app", "shop", "bookd IS NULL"],
    );
    let expected = "unknown tag \"bookd\", did you mean \"booked\"?";
    assert!(typo.last_error().contains(expected), "{typo:?}");
}

#[test]
fn verify_finds_damage_and_status_age() {
    let folder = published();
    assert_eq!(
        json(folder.path(), &["verify"])["problems"],
        serde_json::json!([])
    );
    let tags = run(folder.path(), &["files", "--artifact", "tags"])
        .out
        .lines()
        .next()
        .unwrap()
        .to_owned();
    let mut bytes = std::fs::read(&tags).unwrap();
    bytes[9] ^= 1;
    std::fs::write(&tags, bytes).unwrap();
    assert_eq!(run(folder.path(), &["verify", "--quick"]).code, Some(0));
    let damaged = run(folder.path(), &["verify"]);
    assert_eq!(damaged.code, Some(1), "{damaged:?}");
    assert!(
        damaged.out.contains("00000.parquet: found checksum")
            && damaged.last_error().contains("1 of 9 files"),
        "{damaged:?}"
    );
    let fresh = json(folder.path(), &["status", "--max-age", "99999d"]);
    assert_eq!(
        (
            fresh["is_fresh"].as_bool(),
            fresh["head_day_ended"].as_str()
        ),
        (Some(true), Some("2026-11-19T16:00:00Z"))
    );
}

#[test]
fn a_reader_that_stops_early_is_no_error() {
    let folder = published();
    let mut process = tagmill(folder.path())
        .args([
            "sql",
            "--format",
            "csv",
            "-c",
            "SELECT value FROM generate_series(1, 300000)",
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(process.stdout.take());
    let done = done(process.wait_with_output().unwrap());
    assert_eq!((done.code, done.err.as_str()), (Some(0), ""), "{done:?}");
}
