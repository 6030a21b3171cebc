//! `tagmill`: reads arguments and a configuration, calls the pipeline, prints one result.
//!
//! ```text
//! arguments ──► dispatch ──► command ──► result: standard output, once
//!                              │         logs, progress, the error sentence: standard error
//!                              └─ a signal cancels it: exit 130 or 143
//! ```

mod arguments;
mod commands;
mod engine;
mod failure;
mod help;
mod interrupt;
mod logging;
mod output;
mod progress;
mod quantity;
mod shim;
mod warehouse;

use std::process::ExitCode;

use clap::Parser;

use crate::arguments::{Cli, Command};
use crate::commands::{estimate, files, init, other, plan, releases, run, show, sql, status, validate, verify};
use crate::failure::Failure;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return failure::usage(&error),
    };
    logging::start(cli.global.log, cli.global.quiet);
    match dispatch(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

fn dispatch(cli: Cli) -> Result<(), Failure> {
    let Cli { global, command } = cli;
    match command {
        Command::Init(_) => interrupt::run("init", init::run(global)),
        Command::Validate(_) => interrupt::run("validate", validate::run(global)),
        Command::Plan(arguments) => interrupt::run("plan", plan::run(global, arguments)),
        Command::Run(arguments) => interrupt::run("run", run::run(global, arguments)),
        Command::Releases(_) => interrupt::run("releases", releases::run(global)),
        Command::Show(arguments) => interrupt::run("show", show::run(global, arguments)),
        Command::Files(arguments) => interrupt::run("files", files::run(global, arguments)),
        Command::Estimate(arguments) => interrupt::run("estimate", estimate::run(global, arguments)),
        Command::Verify(arguments) => interrupt::run("verify", verify::run(global, arguments)),
        Command::Status(arguments) => interrupt::run("status", status::run(global, arguments)),
        Command::Sql(arguments) if arguments.is_prompt() => interrupt::run_unwatched(sql::run(global, arguments)),
        Command::Sql(arguments) => interrupt::run_here("sql", sql::run(global, arguments)),
        Command::Other(words) => Err(other::refuse(&words).into()),
    }
}
