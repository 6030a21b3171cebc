//! Several nights in one command, a date of the future, and what people type for `plan`.

use crate::bad_input::{fails, shop};
use crate::process::run;

#[test]
fn nights_are_told_one_by_one_and_a_range_stops_where_data_ends() {
    let folder = shop();
    let done = run(
        folder.path(),
        &["run", "--from", "2026-11-19", "--to", "2026-11-21"],
    );
    assert_eq!(done.code, Some(3), "{done:?}");
    assert!(
        done.out.starts_with("release 1 of 2026-11-19 is published"),
        "{done:?}"
    );
    for part in [
        "night 1 of 3: 2026-11-19",
        "night 2 of 3: 2026-11-20",
        "stopped at 2026-11-20; the night before it is done",
    ] {
        assert!(done.err.contains(part), "{part:?} is not in {}", done.err);
    }
    assert!(!done.err.contains("night 3 of 3"), "{done:?}");
}

#[test]
fn a_day_that_has_not_begun_is_a_mistake_and_no_late_source() {
    let folder = shop();
    let done = run(folder.path(), &["run", "--date", "2999-01-01"]);
    fails(
        folder.path(),
        &done,
        2,
        &["2999-01-01 has not begun: in UTC it is 20"],
    );
}

#[test]
fn a_dry_run_is_called_plan() {
    let folder = shop();
    let done = run(folder.path(), &["run", "--date", "2026-11-19", "--dry-run"]);
    fails(folder.path(), &done, 2, &["tagmill plan --date D"]);
}

#[test]
fn shells_complete_commands() {
    let folder = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish"] {
        let script = run(folder.path(), &["completions", shell]);
        assert_eq!(script.code, Some(0), "{script:?}");
        assert!(script.out.contains("estimate"), "{script:?}");
    }
}
