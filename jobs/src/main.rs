//! `tagmill`: reads arguments and a configuration, calls the pipeline, prints one result.
//!
//! ```text
//! arguments ──► dispatch ──► command ──► result: standard output, once
//!                              │         logs, progress, the error sentence: standard error
//!                              └─ a signal cancels it: exit 130 or 143
//! ```

mod allocator;
mod cli;
mod commands;
mod example;
mod failure;
mod global;
mod help;
mod interrupt;
mod logging;
mod output;
mod progress;
mod warehouse;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command};
use crate::commands::{
    apps, completions, estimate, files, groups, init, other, plan, publish, releases, run, show,
    sql, status, tags, validate, verify,
};
use crate::failure::Failure;

fn main() -> ExitCode {
    logging::keep_panics();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return failure::usage(&error),
    };
    logging::start(cli.global.log, cli.global.quiet);
    let output = cli.global.output;
    match dispatch(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(output),
    }
}

fn dispatch(cli: Cli) -> Result<(), Failure> {
    let Cli { global, command } = cli;
    match command {
        Command::Init(arguments) => interrupt::run("init", move || init::run(global, arguments)),
        Command::Validate(arguments) => {
            interrupt::run("validate", move || validate::run(global, arguments))
        }
        Command::Plan(arguments) => interrupt::run("plan", move || plan::run(global, arguments)),
        Command::Run(arguments) => {
            interrupt::run_on(arguments.threads(&global), "run", move || {
                run::run(global, arguments)
            })
        }
        Command::Publish(arguments) => {
            interrupt::run("publish", move || publish::run(global, arguments))
        }
        Command::Releases(arguments) => {
            interrupt::run("releases", move || releases::run(global, arguments))
        }
        Command::Show(arguments) => interrupt::run("show", move || show::run(global, arguments)),
        Command::Apps(arguments) => interrupt::run("apps", move || apps::run(global, arguments)),
        Command::Tags(arguments) => interrupt::run("tags", move || tags::run(global, arguments)),
        Command::Groups(arguments) => {
            interrupt::run("groups", move || groups::run(global, arguments))
        }
        Command::Completions(arguments) => {
            interrupt::run("completions", move || completions::run(arguments))
        }
        Command::Files(arguments) => interrupt::run("files", move || files::run(global, arguments)),
        Command::Estimate(arguments) => {
            interrupt::run("estimate", move || estimate::run(global, arguments))
        }
        Command::Verify(arguments) => {
            interrupt::run("verify", move || verify::run(global, arguments))
        }
        Command::Status(arguments) => {
            interrupt::run("status", move || status::run(global, arguments))
        }
        Command::Sql(arguments) if arguments.is_prompt() => {
            interrupt::run_unwatched(sql::run(global, arguments))
        }
        Command::Sql(arguments) => interrupt::run("sql", move || sql::run(global, arguments)),
        Command::Other(words) => Err(other::refuse(&words).into()),
    }
}
