//! `init --example`: a project that works, by the commands that it names.

use serde_json::Value;

use crate::process::{run, tagmill};

/// What follows `tagmill` in a line, as a shell would cut it: words, and texts in double quotes.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (i, part) in line.split('"').enumerate() {
        match i % 2 {
            0 => words.extend(part.split_whitespace().map(str::to_owned)),
            _ => words.push(part.to_owned()),
        }
    }
    assert_eq!(words.remove(0), "tagmill", "{line}");
    words
}

#[test]
fn the_next_two_commands_work() {
    let folder = tempfile::tempdir().unwrap();
    let made = run(folder.path(), &["init", "--example", "first"]);
    assert_eq!((made.code, made.err.as_str()), (Some(0), ""), "{made:?}");
    let next: Vec<&str> = made
        .out
        .lines()
        .filter_map(|line| line.strip_prefix("  "))
        .collect();
    assert_eq!(next.len(), 2, "{made:?}");
    let done: Vec<_> = next
        .iter()
        .map(|line| {
            let done = tagmill(folder.path()).args(words(line)).output();
            crate::process::done(done.unwrap())
        })
        .collect();
    assert!(done.iter().all(|done| done.code == Some(0)), "{done:?}");
    assert!(
        done[0]
            .out
            .starts_with("release 1 of 2026-01-15 is published"),
        "{done:?}"
    );
    assert!(done[1].out.starts_with("4 of 60 users of shop"), "{done:?}");
    // Everything of it is in its own folder, whoever runs it from wherever.
    let here: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(here.len(), 1, "{here:?}");
    let lines = std::fs::read_to_string(folder.path().join("first/warehouse.toml")).unwrap();
    assert!(lines.lines().count() < 32, "{lines}");
}

#[test]
fn a_folder_that_has_something_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("mine"), "x").unwrap();
    let refused = run(folder.path(), &["init", "--example", "."]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(
        refused
            .last_error()
            .contains("expected a folder that is empty or not there"),
        "{refused:?}"
    );
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn json_has_the_commands_too() {
    let folder = tempfile::tempdir().unwrap();
    let made = run(
        folder.path(),
        &["init", "--example", "with space", "--output", "json"],
    );
    let made: Value = serde_json::from_str(&made.out).unwrap();
    let next = made["next"][0].as_str().unwrap();
    assert!(
        next.contains("--config 'with space/warehouse.toml'"),
        "{made}"
    );
}

#[test]
fn relative_paths_are_below_the_folder_of_the_configuration() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(
        run(folder.path(), &["init", "--example", "first"]).code,
        Some(0)
    );
    let elsewhere = tempfile::tempdir().unwrap();
    let config = folder.path().join("first/warehouse.toml");
    let config = config.to_str().unwrap();
    let night = run(
        elsewhere.path(),
        &["run", "--config", config, "--date", "2026-01-15"],
    );
    assert_eq!(night.code, Some(0), "{night:?}");
    assert_eq!(std::fs::read_dir(elsewhere.path()).unwrap().count(), 0);
    assert!(folder.path().join("first/warehouse/releases").is_dir());
    let status = run(
        elsewhere.path(),
        &["status", "--config", config, "--max-age", "365000d"],
    );
    assert_eq!(status.code, Some(0), "{status:?}");
}

#[test]
fn a_folder_whose_name_means_something_in_paths_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("a*b")).unwrap();
    std::fs::write(
        folder.path().join("a*b/warehouse.toml"),
        crate::warehouse::configured(4),
    )
    .unwrap();
    let refused = run(folder.path(), &["init", "--config", "a*b/warehouse.toml"]);
    assert_eq!(refused.code, Some(2));
    assert!(
        refused.last_error().contains("has *, { or }"),
        "{refused:?}"
    );
}
