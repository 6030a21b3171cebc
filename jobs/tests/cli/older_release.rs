//! A warehouse of two nights that version 0.1.0 made, before manifests had version 2: it is read,
//! queried, verified and continued with the same uids, for ever.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tagmill_testdata::generate::generate;
use tagmill_testdata::spec::{Preset, Spec};
use tempfile::TempDir;

use crate::process::{Done, run};

/// The warehouse as it was written, and the raw data of a third night.
fn made_by_version_1() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let spec = Spec {
        users: 60,
        events: 120,
        apps: 2,
        rules: 6,
        rule_apps: 2,
        days: 3,
        first_day: "2026-11-17".parse().unwrap(),
        ..Spec::preset(Preset::Demo)
    };
    generate(&spec, folder.path()).unwrap();
    let file = folder.path().join("warehouse.toml");
    let config = fs::read_to_string(&file).unwrap();
    assert!(config.contains("shards    = 4"));
    fs::write(&file, config.replace("shards    = 4", "shards    = 2")).unwrap();
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/v1");
    copy(&fixture, &folder.path().join("warehouse"));
    folder
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &target),
            false => drop(fs::copy(entry.path(), target).unwrap()),
        }
    }
}

fn good(folder: &TempDir, arguments: &[&str]) -> Done {
    let done = run(folder.path(), arguments);
    assert_eq!(done.code, Some(0), "{arguments:?}: {done:?}");
    done
}

fn json(folder: &TempDir, arguments: &[&str]) -> Value {
    let done = good(folder, &[&["--output", "json"], arguments].concat());
    serde_json::from_str(&done.out).unwrap()
}

/// The lines of a query's answer.
fn sql(folder: &TempDir, release: &str, query: &str) -> Vec<String> {
    let arguments = ["sql", "--release", release, "--format", "csv", "-c", query];
    let done = good(folder, &arguments);
    done.out.lines().skip(1).map(str::to_owned).collect()
}

const SIZES: &str = "SELECT (SELECT count(*) FROM users) AS u, (SELECT count(*) FROM groups) AS g, \
                     (SELECT count(*) FROM behaviour) AS b, (SELECT sum(n) FROM (SELECT \
                     DISTINCT app, date, event, dimension, value, combination, overflow, shard, \
                     cardinality AS n FROM behaviour)) AS c, (SELECT count(*) FROM tag_values) AS v";
/// A sum of rows, which is none of users.
const BEHAVIOUR: &str = "SELECT sum(n) FROM (SELECT DISTINCT app, date, event, dimension, value, \
                         combination, overflow, shard, cardinality AS n FROM behaviour WHERE date \
                         < DATE '2026-11-19')";
const UIDS: &str = "SELECT user_id, shard, ordinal, first_run FROM users ORDER BY shard, ordinal";
const CODES: &str = "SELECT * FROM tag_values ORDER BY app, tag, code";

#[test]
fn releases_of_version_1_are_read_verified_and_continued_with_the_same_uids() {
    let folder = made_by_version_1();
    let releases = json(&folder, &["releases"]);
    assert_eq!(releases["releases"].as_array().map(Vec::len), Some(2));
    assert_eq!(json(&folder, &["show", "@2026-11-17"])["release"], 1);
    assert_eq!(sql(&folder, "current", SIZES), ["40,5,387,496,262"]);
    assert_eq!(json(&folder, &["verify"])["problems"], Value::Array(vec![]));
    let (uids, codes) = (sql(&folder, "2", UIDS), sql(&folder, "2", CODES));
    let files = good(&folder, &["files"]).out;

    good(&folder, &["run", "--date", "2026-11-19"]);
    let later = sql(&folder, "current", UIDS);
    assert!(later.len() > uids.len(), "{later:?}");
    let missing: Vec<_> = uids.iter().filter(|row| !later.contains(row)).collect();
    assert_eq!(missing, [&""; 0], "a uid is for ever");
    let later = sql(&folder, "3", CODES);
    assert!(codes.iter().all(|row| later.contains(row)));
    // Users of files with an index and of files without one are found by their ids.
    let ids = sql(&folder, "3", "SELECT user_id FROM users ORDER BY user_id");
    for id in [&ids[0], &ids[ids.len() / 2], &ids[ids.len() - 1]] {
        let count = format!("SELECT count(*) FROM users WHERE user_id = '{id}'");
        assert_eq!(sql(&folder, "3", &count), ["1"], "{id}");
    }
    assert_eq!(sql(&folder, "3", BEHAVIOUR), ["496"]);
    assert_eq!(json(&folder, &["verify"])["problems"], Value::Array(vec![]));
    for (name, release) in [("@2026-11-17", 1), ("@2026-11-18", 2), ("current", 3)] {
        assert_eq!(json(&folder, &["show", name])["release"], release, "{name}");
    }
    assert_eq!(sql(&folder, "@2026-11-18", SIZES), ["40,5,387,496,262"]);
    assert_eq!(good(&folder, &["files", "--release", "2"]).out, files);
    let since = json(&folder, &["releases", "--since", "2026-11-18"]);
    assert_eq!(since["releases"].as_array().map(Vec::len), Some(2));
    let newest = json(&folder, &["releases", "--limit", "1"]);
    assert_eq!(
        (&newest["releases"][0]["release"], &newest["older"]),
        (&Value::from(3), &Value::from(2))
    );
}

fn path_of(folder: &TempDir, release: u64) -> PathBuf {
    let name = format!("warehouse/releases/{release:020}.json");
    folder.path().join(name)
}

/// Sums of numbers by their slices and by their values: two ways that share no file.
#[test]
fn numbers_of_version_1_add_up_alone_and_beside_newer_ones() {
    let folder = made_by_version_1();
    let by_slices = "SELECT app, tag, bsi_sum_agg(slice, bitmap), cast(sum(weight * cardinality) AS \
                     bigint) FROM tag_numbers WHERE type = 'integer' GROUP BY app, tag ORDER BY app, tag";
    let by_values = "SELECT app, tag, sum(value * cast(cardinality AS bigint)) AS s, sum(value * \
                     cast(cardinality AS bigint)) AS t FROM tags_integer WHERE concat(app, tag) IN (SELECT \
                     concat(app, tag) FROM tag_numbers) GROUP BY app, tag ORDER BY app, tag";
    good(&folder, &["run", "--date", "2026-11-19"]);
    for release in ["2", "3"] {
        let sums = sql(&folder, release, by_slices);
        assert!(!sums.is_empty());
        assert_eq!(sums, sql(&folder, release, by_values), "{release}");
    }
    // Release 3 holds the measures of two days of version 1 and of one of its own.
    let events = "SELECT bsi_sum_agg(slice, bitmap) = cast(sum(weight * cardinality) AS bigint) FROM \
                  behaviour_measures WHERE measure = '*'";
    assert_eq!(sql(&folder, "3", events), ["true"]);
}

#[test]
fn a_release_of_a_newer_program_is_named_as_newer() {
    let folder = made_by_version_1();
    fs::write(
        path_of(&folder, 3),
        r#"{"version":4,"code_version":"0.3.0","release":3}"#,
    )
    .unwrap();
    for arguments in [
        &["sql", "-c", "SELECT 1"][..],
        &["releases"],
        &["run", "--date", "2026-11-19"],
    ] {
        let done = run(folder.path(), arguments);
        assert_eq!(done.code, Some(2), "{arguments:?}: {done:?}");
        let error = done.last_error();
        assert!(
            error.contains("made by a newer tagmill (0.3.0), needs a reader of format 4"),
            "{error}"
        );
    }
}

#[test]
fn a_damaged_manifest_is_refused_with_its_name() {
    let folder = made_by_version_1();
    good(&folder, &["run", "--date", "2026-11-19"]);
    let path = path_of(&folder, 3);
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, bytes).unwrap();
    let done = run(folder.path(), &["show"]);
    assert_eq!(done.code, Some(1), "{done:?}");
    let error = done.last_error();
    assert!(
        error.contains("damaged") && error.contains("00000000000000000003.json"),
        "{error}"
    );
}
