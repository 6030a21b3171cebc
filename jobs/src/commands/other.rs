//! Commands of later versions, which exist as names, and words that are no command at all.

use std::ffi::OsString;

use tagmill_schemas::Error;
use tagmill_schemas::nearest::nearest;

const LATER: [&str; 14] = [
    "check",
    "portrait",
    "explain",
    "lineage",
    "diff",
    "rollback",
    "hold",
    "pin",
    "gc",
    "erase",
    "runs",
    "export",
    "scheduler",
    "executor",
];
const NOW: [&str; 17] = [
    "init",
    "validate",
    "plan",
    "run",
    "publish",
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
    "help",
];

/// The error for a word in a command's place.
pub fn refuse(words: &[OsString]) -> Error {
    let word = words
        .first()
        .map_or_else(String::new, |word| word.to_string_lossy().into_owned());
    if LATER.contains(&word.as_str()) {
        return Error::setup("usage", format!("tagmill {word} is not in this version"))
            .fix("see tagmill --help for what is");
    }
    let error = Error::setup("usage", format!("unknown command {word:?}"));
    match nearest(&word, NOW.into_iter().chain(LATER)) {
        Some(near) => error.fix(format!("did you mean tagmill {near}?")),
        None => error.fix("see tagmill --help"),
    }
}
