//! What is wrong with data, configuration, store or timing, from outside: exit status, one sentence
//! that names the place, and nothing published that should not be.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use datafusion::parquet::arrow::ArrowWriter;
use tempfile::TempDir;

use crate::process::{Done, Stream, done, run, start, tagmill};

pub const CONFIG: &str = "version = 1
[warehouse]
url = 'w'
shards = 2
time_zone = 'UTC'
id_scope = 'global'
[[source]]
name = 'profiles'
kind = 'attributes'
path = 'raw/dt={date}/*.parquet'
columns = { app = 'app', user = 'user' }
[[tag]]
name = 'city'
source = 'profiles'
type = 'string'
value = 'city'
[groups]
rules = 'conf/*.ndjson'
";
const PART: &str = "raw/dt=2026-11-19/part.parquet";
const RULE: &str = "{\"app\":\"shop\",\"group\":\"oslo\",\"rule\":\"city = 'Oslo'\"}\n";

fn texts(values: &[Option<&str>]) -> ArrayRef {
    Arc::new(values.iter().copied().collect::<StringArray>())
}

fn parquet(columns: Vec<(&str, ArrayRef)>) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter_with_nullable(
        columns.into_iter().map(|(name, array)| (name, array, true)),
    )
    .unwrap();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bytes
}

fn people(rows: &[(Option<&str>, Option<&str>)]) -> Vec<u8> {
    let (users, cities): (Vec<_>, Vec<_>) = rows.iter().copied().unzip();
    parquet(vec![
        ("app", texts(&vec![Some("shop"); rows.len()])),
        ("user", texts(&users)),
        ("city", texts(&cities)),
    ])
}

pub fn write(folder: &Path, path: &str, bytes: impl AsRef<[u8]>) {
    let path = folder.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

/// A made warehouse with sound data of 2026-11-19.
pub fn shop() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "warehouse.toml", CONFIG);
    write(
        folder.path(),
        PART,
        people(&[(Some("u1"), Some("Oslo")), (Some("u2"), Some("Rome"))]),
    );
    write(folder.path(), "conf/a.ndjson", RULE);
    assert_eq!(run(folder.path(), &["init"]).code, Some(0));
    folder
}

pub fn night(folder: &Path) -> Done {
    run(folder, &["run", "--date", "2026-11-19"])
}

/// Ends as told with a last line that has all `parts`; nothing on standard output, nothing
/// published.
pub fn fails(folder: &Path, done: &Done, code: i32, parts: &[&str]) {
    assert_eq!((done.code, done.out.as_str()), (Some(code), ""), "{done:?}");
    for part in parts {
        assert!(
            done.last_error().contains(part),
            "{part:?} is not in: {}",
            done.last_error()
        );
    }
    let retry = if code == 3 {
        "a retry can help"
    } else {
        "a retry can not help"
    };
    assert!(
        done.last_error().starts_with("error: ") && done.last_error().ends_with(retry),
        "{done:?}"
    );
    assert!(
        std::fs::read_dir(folder.join("w/releases"))
            .map_or(true, |mut files| files.next().is_none()),
        "something is published"
    );
}

/// Publishes release 1; what was wrong stands on standard error.
pub fn goes_on(done: &Done, warnings: &[&str]) {
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(
        done.out.starts_with("release 1 of 2026-11-19 is published"),
        "{done:?}"
    );
    for warning in warnings {
        assert!(
            done.err.contains(warning),
            "{warning:?} is not in: {}",
            done.err
        );
    }
}

#[test]
fn raw_files_that_can_not_be_used_are_exit_1_by_name() {
    let whole = people(&[(Some("u1"), Some("Oslo"))]);
    let mut damaged = whole.clone();
    damaged[4..40].fill(0xff);
    let cases: [(&str, Vec<u8>, &[&str]); 6] = [
        (
            "truncated.parquet",
            whole[..whole.len() / 2].to_vec(),
            &["truncated.parquet", "not whole Parquet"],
        ),
        (
            "table.parquet",
            b"app,user\nshop,u1\n".to_vec(),
            &["table.parquet", "not whole Parquet"],
        ),
        (
            "empty.parquet",
            Vec::new(),
            &["empty.parquet", "empty file"],
        ),
        (
            "damaged.parquet",
            damaged,
            &["damaged.parquet", "raw data can not be read"],
        ),
        (
            "column.parquet",
            parquet(vec![
                ("app", texts(&[Some("shop")])),
                ("user", texts(&[Some("u1")])),
            ]),
            &["column.parquet", "missing column \"city\""],
        ),
        (
            "type.parquet",
            parquet(vec![
                ("app", texts(&[Some("shop")])),
                ("user", texts(&[Some("u1")])),
                ("city", Arc::new(Int64Array::from(vec![1])) as ArrayRef),
            ]),
            &["type.parquet", "\"city\" is integer", "expected text"],
        ),
    ];
    for (name, bytes, parts) in cases {
        let folder = shop();
        write(folder.path(), &format!("raw/dt=2026-11-19/{name}"), bytes);
        fails(folder.path(), &night(folder.path()), 1, parts);
    }
}

#[test]
fn ids_and_users_that_are_wrong_are_counted_and_stop_nobody() {
    let folder = shop();
    write(
        folder.path(),
        PART,
        people(&[
            (None, Some("Oslo")),
            (Some(""), Some("Rome")),
            (Some("u1"), Some("Oslo")),
            (Some("u1"), Some("Rome")),
        ]),
    );
    let done = night(folder.path());
    goes_on(&done, &[]);
    assert!(
        done.out.contains("profiles 4 (2 rejected, 1 superseded)")
            && done.out.contains("users     1 (1 new)"),
        "{done:?}"
    );
}

#[test]
fn data_that_is_not_there_yet_is_exit_3() {
    let folder = shop();
    std::fs::create_dir_all(folder.path().join("raw/dt=2026-11-20")).unwrap();
    for date in ["2026-11-20", "2026-11-21"] {
        fails(
            folder.path(),
            &run(folder.path(), &["run", "--date", date]),
            3,
            &["source profiles has no data", date],
        );
    }
}

#[test]
fn a_full_spill_folder_is_empty_afterwards() {
    let folder = shop();
    let rows: Vec<String> = (0..200_000).map(|row| format!("user-{row:030}")).collect();
    write(
        folder.path(),
        PART,
        people(
            &rows
                .iter()
                .map(|row| (Some(row.as_str()), Some("Oslo")))
                .collect::<Vec<_>>(),
        ),
    );
    write(
        folder.path(),
        "many.toml",
        CONFIG
            .replace("shards = 2", "shards = 64")
            .replace("'w'", "'many'"),
    );
    assert_eq!(
        run(folder.path(), &["--config", "many.toml", "init"]).code,
        Some(0)
    );
    // More than a file may have: as good as a full disk.
    let limited =
        "ulimit -f 200; exec \"$0\" --config many.toml run --date 2026-11-19 --memory 12MB";
    let done = done(
        Command::new("sh")
            .args(["-c", limited, env!("CARGO_BIN_EXE_tagmill")])
            .current_dir(folder.path())
            .output()
            .unwrap(),
    );
    assert!(
        done.code == Some(3) && done.last_error().contains("spill"),
        "{done:?}"
    );
    let left: Vec<_> = std::fs::read_dir(folder.path().join("spill"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left, ["gate"], "{done:?}");
}

#[test]
fn a_warehouse_of_other_shards_is_exit_2() {
    let folder = shop();
    write(
        folder.path(),
        "warehouse.toml",
        CONFIG.replace("shards = 2", "shards = 3"),
    );
    fails(folder.path(), &night(folder.path()), 2, &["shards"]);
    fails(
        folder.path(),
        &run(folder.path(), &["init"]),
        2,
        &["shards"],
    );
}

#[test]
fn rules_and_rows_that_are_wrong_disable_themselves_only() {
    let folder = shop();
    write(
        folder.path(),
        "conf/a.ndjson",
        RULE.to_owned()
            + "{\"app\":\"shop\",\"group\":\"bad\",\"rule\":\"city = = 'Oslo'\"}\nnot json\n",
    );
    let done = night(folder.path());
    goes_on(
        &done,
        &[
            "invalid rule shop/bad at 1:",
            "conf/a.ndjson:2",
            "conf/a.ndjson:3: group row is not used",
        ],
    );
    assert!(done.out.contains("1 invalid, 1 ok"), "{done:?}");
}

#[test]
fn a_lost_file_of_a_release_is_exit_1() {
    let folder = shop();
    assert_eq!(night(folder.path()).code, Some(0));
    std::fs::remove_dir_all(folder.path().join("w/tags")).unwrap();
    let done = run(
        folder.path(),
        &["sql", "-c", "SELECT tag, cardinality FROM tags"],
    );
    assert!(
        done.code == Some(1) && done.last_error().contains("w/tags"),
        "{done:?}"
    );
}

#[test]
fn validate_fails_on_a_wrong_rule_only_when_strict() {
    let folder = shop();
    write(
        folder.path(),
        "conf/b.ndjson",
        "{\"app\":\"shop\",\"group\":\"none\",\"rule\":\"city BETWEEN 'b' AND 'a'\"}\n",
    );
    let hinted = run(folder.path(), &["validate", "--strict"]);
    assert!(
        hinted.code == Some(0)
            && hinted
                .out
                .contains("look at rule shop/none at 1:1: BETWEEN has its greater bound first"),
        "{hinted:?}"
    );
    write(
        folder.path(),
        "conf/a.ndjson",
        "{\"app\":\"shop\",\"group\":\"bad\",\"rule\":\"city = = 'Oslo'\"}\n",
    );
    let told = run(folder.path(), &["validate"]);
    assert!(
        told.code == Some(0) && told.out.contains("invalid rule shop/bad at 1:"),
        "{told:?}"
    );
    let strict = run(folder.path(), &["validate", "--strict"]);
    assert_eq!((strict.code, &strict.out), (Some(1), &told.out));
    assert!(
        strict.last_error().contains("problems found: 1"),
        "{strict:?}"
    );
}

#[test]
fn names_from_data_stay_data() {
    let folder = shop();
    let long = "x".repeat(10_000);
    let names = ["../../x", "a/b", "=", "line\nfeed", long.as_str()];
    let users = vec![Some("u1"); names.len()];
    let apps: Vec<_> = names.iter().copied().map(Some).collect();
    write(
        folder.path(),
        PART,
        parquet(vec![
            ("app", texts(&apps)),
            ("user", texts(&users)),
            ("city", texts(&apps)),
        ]),
    );
    let rules = names.map(|name| {
        format!(
            "{}\n",
            serde_json::json!({ "app": name, "group": name, "rule": "no such rule" })
        )
    });
    write(folder.path(), "conf/a.ndjson", rules.concat());
    let done = night(folder.path());
    goes_on(&done, &["invalid rule ../../x/../../x at 1:"]);
    assert!(
        done.err.lines().all(|line| line.len() < 2_000),
        "{}",
        done.err.len()
    );
    let mut outside: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    outside.retain(|name| !name.starts_with('.'));
    outside.sort();
    assert_eq!(outside, ["conf", "raw", "w", "warehouse.toml"]);
}

#[test]
fn a_registry_row_that_is_wrong_disables_itself_only() {
    let folder = shop();
    let labels = "[[source]]\nname = 'labels'\nkind = 'group_tags'\npath = \
                  'raw/dt={date}/*.parquet'\n\
                  columns = \
                  { app = 'app', user = 'user', tag = 'user', value = 'city' }\nregistry = \
                  'tags/*.ndjson'\nundeclared = 'ignore'\n\
                  [[tag]]\nname = '*'\nsource = 'labels'\n";
    write(folder.path(), "warehouse.toml", CONFIG.to_owned() + labels);
    let rows = "{\"app\":\"shop\",\"tag\":\"u1\",\"type\":\"string\"}\n{\"app\":\"shop\",\"tag\":\"u2\",\"type\":\"text\"}\n";
    write(folder.path(), "tags/a.ndjson", rows);
    let done = night(folder.path());
    goes_on(
        &done,
        &[
            "tags/a.ndjson:2: registry row is not used",
            "found \"text\"",
        ],
    );
    assert!(done.out.contains("tags      2\n"), "{done:?}");
}

#[test]
fn a_target_that_can_not_be_written_is_exit_2() {
    // Nobody, root included, makes a folder below a file.
    let folder = shop();
    write(
        folder.path(),
        "warehouse.toml",
        CONFIG.replace("url = 'w'", "url = 'raw/dt=2026-11-19/part.parquet/w'"),
    );
    for arguments in [&["init"][..], &["run", "--date", "2026-11-19"]] {
        let done = run(folder.path(), arguments);
        assert_eq!(done.code, Some(2), "{done:?}");
        assert!(done.last_error().contains("part.parquet"), "{done:?}");
    }
}

#[test]
fn of_two_runs_at_once_none_is_lost_and_none_is_in_between() {
    let folder = shop();
    let start = || {
        tagmill(folder.path())
            .args(["run", "--date", "2026-11-19"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let ended = [start(), start()].map(|process| done(process.wait_with_output().unwrap()));
    let published = ended.iter().filter(|done| done.code == Some(0)).count();
    assert!(published >= 1, "{ended:?}");
    for conflict in ended.iter().filter(|done| done.code != Some(0)) {
        assert_eq!(conflict.code, Some(3), "{conflict:?}");
        assert!(
            conflict
                .last_error()
                .contains("another run published release 1 meanwhile"),
            "{conflict:?}"
        );
    }
    let releases = run(folder.path(), &["--output", "json", "releases"]).out;
    assert_eq!(
        releases.matches("\"release\":").count(),
        published,
        "{releases}"
    );
    assert_eq!(run(folder.path(), &["verify"]).code, Some(0));
}

#[test]
fn a_signal_ends_a_run_without_a_release_and_the_next_one_goes_through() {
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let folder = shop();
        write(
            folder.path(),
            "warehouse.toml",
            CONFIG.replace("path = 'raw/dt", "ready = 'raw/ready'\npath = 'raw/dt"),
        );
        let arguments = ["run", "--date", "2026-11-19", "--wait", "5m"];
        let mut waiting = start(tagmill(folder.path()).args(arguments));
        waiting.wait_for(Stream::Err, "is not ready, waiting up to");
        let done = waiting.end_by(signal);
        assert_eq!((done.code, done.out.as_str()), (Some(code), ""), "{done:?}");
        assert!(
            done.last_error().starts_with("error: run: interrupted"),
            "{done:?}"
        );
        assert_eq!(
            std::fs::read_dir(folder.path().join("w/releases")).map_or(0, Iterator::count),
            0
        );
        write(folder.path(), "raw/ready", "");
        goes_on(&night(folder.path()), &[]);
    }
}
