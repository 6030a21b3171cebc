//! How a command ends badly: the exit status, and one sentence as the last line of standard error.

use std::fmt::Display;
use std::process::ExitCode;

use clap::error::ErrorKind;
use serde_json::json;
use tagmill_schemas::Error;

use crate::global::Output;
use crate::{logging, output};

/// Usage errors, as configuration errors, need a person.
const USAGE: u8 = 2;

/// What stopped a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Ctrl-C.
    Interrupt,
    /// SIGTERM.
    Terminate,
}

impl Signal {
    /// 128 and the signal's number.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Interrupt => 130,
            Self::Terminate => 143,
        }
    }
}

/// Why a command did not succeed.
pub enum Failure {
    /// It could not do its work.
    Error(Error),
    /// It was stopped.
    Signal(Signal, Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl Failure {
    /// Prints the sentence and gives the exit status. Of an error that stands for several each is a
    /// line before it; as a result in JSON they are objects.
    pub fn report(&self, output: Output) -> ExitCode {
        let (error, code) = match self {
            Self::Error(error) => (error, error.exit_code()),
            Self::Signal(signal, error) => (error, signal.exit_code()),
        };
        if output == Output::Json {
            print_error(error, code);
        }
        if error.count() > 1 {
            let problems = error.problems();
            problems
                .iter()
                .for_each(|problem| logging::plain(&problem.to_string()));
        }
        last_line(error, error.stage(), code, error.is_retryable());
        ExitCode::from(code)
    }
}

/// Prints what clap found: help and version are results, anything else is a usage error.
pub fn usage(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        // A closed pipe is no failure of `--help`.
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    logging::start(logging::asked_for(std::env::args()), false);
    let text = error.render().to_string();
    let (first, rest) = text.split_once("\n\n").unwrap_or((&text, ""));
    let what = match error.kind() {
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand | ErrorKind::MissingSubcommand => {
            logging::plain(text.trim_end());
            "no command is given".to_owned()
        }
        _ => {
            let advice = rest
                .split("\n\n")
                .filter(|part| !part.starts_with("For more information"))
                .collect::<Vec<_>>()
                .join("\n\n");
            logging::plain(advice.trim_end());
            first
                .trim_start_matches("error: ")
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" ")
        }
    };
    let error = Error::setup("usage", what).fix("see tagmill --help");
    last_line(&error, error.stage(), USAGE, false);
    ExitCode::from(USAGE)
}

/// An error in the place of a result, unless there is one already: it is exactly one line.
fn print_error(error: &Error, code: u8) {
    if output::is_printed() {
        return;
    }
    let told = json!({"error": {
        "stage": error.stage(),
        "message": error.to_string(),
        "exit": code,
        "retry": error.is_retryable(),
        "problems": error.problems(),
    }});
    // Standard error says it as well.
    let _ = output::print_line(&told.to_string());
}

fn last_line(sentence: &dyn Display, stage: &str, code: u8, can_retry: bool) {
    logging::last(&sentence.to_string(), stage, code, can_retry);
}
