//! Runs the binary and keeps what it said.

use std::path::Path;
use std::process::{Command, Output, Stdio};

/// What a finished process left.
#[derive(Debug)]
pub struct Done {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Done {
    pub fn last_error(&self) -> &str {
        self.err.lines().last().unwrap_or_default()
    }
}

/// The command, in a folder of its own, without the caller's settings.
pub fn tagmill(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tagmill"));
    command
        .current_dir(folder)
        .stdin(Stdio::null())
        .env_remove("TAGMILL_CONFIG")
        .env_remove("TAGMILL_LOG")
        .env_remove("COLUMNS")
        .env("HOME", folder)
        .env_remove("XDG_STATE_HOME");
    command
}

pub fn run(folder: &Path, arguments: &[&str]) -> Done {
    done(tagmill(folder).args(arguments).output().unwrap())
}

pub fn done(output: Output) -> Done {
    Done {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}
