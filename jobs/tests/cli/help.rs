//! Help teaches: the texts are results, on standard output, and name what a newcomer needs.

use crate::process::run;

const COMMANDS: [&str; 15] = [
    "init",
    "validate",
    "plan",
    "run",
    "releases",
    "show",
    "apps",
    "tags",
    "groups",
    "files",
    "sql",
    "estimate",
    "verify",
    "status",
    "completions",
];

#[test]
fn help_lists_commands_a_first_night_and_exit_codes() {
    let folder = tempfile::tempdir().unwrap();
    let help = run(folder.path(), &["--help"]);
    assert_eq!((help.code, help.err.as_str()), (Some(0), ""));
    for word in COMMANDS.iter().chain(&[
        "A first night:",
        "Exit codes:",
        "TAGMILL_CONFIG",
        "Not in this version:",
        "@2026-11-19",
        "try again later",
    ]) {
        assert!(help.out.contains(word), "{word} is not in\n{}", help.out);
    }
    let short = run(folder.path(), &["-h"]);
    assert!(short.out.lines().count() < 45, "{}", short.out);
}

/// A change of the interface shows here first: what `-h` prints, without the program's version.
#[test]
fn the_short_help_is_as_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let help = run(folder.path(), &["-h"]);
    let recorded = include_str!("help.txt");
    assert_eq!(help.out.trim(), recorded.trim(), "found:\n{}", help.out);
}

#[test]
fn every_command_explains_itself() {
    let folder = tempfile::tempdir().unwrap();
    for command in COMMANDS {
        let help = run(folder.path(), &[command, "--help"]);
        assert_eq!(help.code, Some(0), "{command}");
        let asked = run(folder.path(), &["help", command]);
        assert_eq!(
            (asked.code, asked.out),
            (Some(0), help.out.clone()),
            "{command}"
        );
        assert!(
            help.out.contains(&format!("Usage: tagmill {command}"))
                && help.out.contains("--output"),
            "{}",
            help.out
        );
    }
}

#[test]
fn version_is_a_result() {
    let folder = tempfile::tempdir().unwrap();
    let version = run(folder.path(), &["--version"]);
    assert_eq!((version.code, version.err.as_str()), (Some(0), ""));
    assert!(version.out.starts_with("tagmill 0."), "{version:?}");
}
