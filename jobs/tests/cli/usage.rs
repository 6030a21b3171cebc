//! Usage errors: exit 2, nothing on standard output, one sentence last.

use crate::process::{run, tagmill};
use crate::warehouse::{configured, empty};

#[test]
fn wrong_arguments_are_exit_2_with_one_sentence_last() {
    let folder = tempfile::tempdir().unwrap();
    let cases: [(&[&str], &str); 14] = [
        (&[], "usage: no command is given"),
        (
            &["run"],
            "the following required arguments were not provided",
        ),
        (
            &["run", "--date", "tomorrow"],
            "invalid value 'tomorrow' for '--date <DATE>'",
        ),
        (
            &[
                "run",
                "--date",
                "2026-11-19",
                "--from",
                "2026-11-01",
                "--to",
                "2026-11-02",
            ],
            "cannot be used with",
        ),
        (&["run", "--from", "2026-11-01"], "--to <DATE>"),
        (
            &["run", "--date", "2026-11-19", "--memory", "lots"],
            "expected a size",
        ),
        (
            &["run", "--date", "2026-11-19", "--wait", "5"],
            "expected a duration",
        ),
        (
            &["run", "--date", "26-11-19"],
            "expected a date like 2026-11-19",
        ),
        (
            &["run", "--date", "2026-11-19", "--threads", "100000"],
            "expected a whole number from 0 (all) to 4096",
        ),
        (&["releases", "--colour"], "unexpected argument '--colour'"),
        (
            &["show", "yesterday"],
            "expected a number from 1, current, or @",
        ),
        (&["files", "--artifact", "tag"], "expected one of users"),
        (&["esitmate"], "did you mean tagmill estimate?"),
        (
            &["files", "--format", "hive"],
            "possible values: list, clickhouse, duckdb, spark",
        ),
    ];
    for (arguments, expected) in cases {
        let done = run(folder.path(), arguments);
        assert_eq!(done.code, Some(2), "{arguments:?}: {done:?}");
        assert_eq!(done.out, "", "{arguments:?}");
        assert!(
            done.last_error().starts_with("error: usage: "),
            "{arguments:?}: {done:?}"
        );
        assert!(
            done.last_error().contains(expected),
            "{arguments:?}: {}",
            done.last_error()
        );
        assert!(
            done.last_error().ends_with("a retry can not help"),
            "{arguments:?}: {done:?}"
        );
    }
}

#[test]
fn commands_of_later_versions_exist_and_say_so() {
    let folder = tempfile::tempdir().unwrap();
    let help = run(folder.path(), &["--help"]).out.replace('\n', " ");
    let (_, listed) = help.split_once("Not in this version: ").unwrap();
    let names: Vec<&str> = listed.split_once('.').unwrap().0.split(", ").collect();
    assert!(names.len() > 1, "{listed}");
    for name in names {
        let done = run(folder.path(), &[name, "--any", "thing"]);
        assert_eq!((done.code, done.out.as_str()), (Some(2), ""), "{name}");
        assert!(
            done.last_error().contains("not in this version"),
            "{name}: {done:?}"
        );
    }
    let date = ["--date", "2026-11-19"];
    let cluster = run(
        folder.path(),
        &["run", date[0], date[1], "--cluster", "host:50050"],
    );
    assert_eq!(cluster.code, Some(2));
    assert!(
        cluster
            .last_error()
            .contains("--cluster is not in this version"),
        "{cluster:?}"
    );
    let staged = run(folder.path(), &["sql", "--staged", "-c", "SELECT 1"]);
    assert_eq!(staged.code, Some(2));
    assert!(
        staged
            .last_error()
            .contains("--staged is not in this version"),
        "{staged:?}"
    );
}

#[test]
fn a_configuration_that_is_absent_or_wrong_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let absent = run(folder.path(), &["releases", "--config", "none.toml"]);
    assert_eq!(absent.code, Some(2));
    assert!(
        absent.last_error().contains("none.toml") && absent.last_error().contains("--config FILE"),
        "{absent:?}"
    );
    std::fs::write(
        folder.path().join("bad.toml"),
        "version = 1\n[warehuose]\nurl = 'w'\n",
    )
    .unwrap();
    let wrong = tagmill(folder.path())
        .env("TAGMILL_CONFIG", "bad.toml")
        .arg("releases")
        .output()
        .map(crate::process::done)
        .unwrap();
    assert_eq!(wrong.code, Some(2));
    assert!(
        wrong.last_error().contains("warehuose") && wrong.last_error().contains("warehouse"),
        "{wrong:?}"
    );
}

#[test]
fn without_a_warehouse_or_a_release_the_next_step_is_named() {
    let folder = empty();
    let none = run(folder.path(), &["show"]);
    assert_eq!(none.code, Some(2));
    assert!(none.last_error().contains("tagmill init"), "{none:?}");
    let made = run(folder.path(), &["init"]);
    assert_eq!(made.code, Some(0), "{made:?}");
    assert!(made.out.contains("shards     4"), "{made:?}");
    let json = run(folder.path(), &["init", "--output", "json"]);
    assert_eq!(json.out.lines().count(), 1);
    assert!(json.out.contains("\"shards\":4"), "{json:?}");
    let unpublished = run(folder.path(), &["show"]);
    assert_eq!(unpublished.code, Some(2));
    assert!(
        unpublished.last_error().contains("tagmill run"),
        "{unpublished:?}"
    );
    assert_eq!(run(folder.path(), &["status"]).code, Some(3));
    let releases = run(folder.path(), &["releases", "--output", "json"]);
    assert_eq!(
        (releases.code, releases.out.as_str()),
        (Some(0), "{\"releases\":[],\"older\":0}\n")
    );
}

#[test]
fn a_warehouse_made_with_other_shards_is_refused() {
    let folder = empty();
    assert_eq!(run(folder.path(), &["init"]).code, Some(0));
    std::fs::write(folder.path().join("other.toml"), configured(8)).unwrap();
    let done = run(folder.path(), &["releases", "--config", "other.toml"]);
    assert_eq!(done.code, Some(2));
    assert!(
        done.last_error().contains("shards = 4") && done.last_error().contains("has 8"),
        "{done:?}"
    );
}

#[test]
fn json_logs_are_objects_and_the_last_names_exit_and_retry() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [&["run", "--log", "json"][..], &["show", "--log=json"]] {
        let done = run(folder.path(), arguments);
        let last: serde_json::Value = serde_json::from_str(done.last_error()).unwrap();
        assert_eq!(
            (
                last["exit"].as_u64(),
                last["retry"].as_bool(),
                last["level"].as_str()
            ),
            (Some(2), Some(false), Some("error"))
        );
        assert!(
            done.err.lines().all(|line| line.starts_with('{')),
            "{done:?}"
        );
    }
}
