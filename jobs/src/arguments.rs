//! The command line: global options and one variant per command. Each command's own options live in
//! its file.

use std::ffi::OsString;
use std::path::PathBuf;

use chrono::NaiveDate;
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::commands::{
    estimate, files, init, plan, releases, run, show, sql, status, validate, verify,
};
use crate::help;

/// Everything that was typed.
#[derive(Debug, Parser)]
#[command(name = "tagmill", version, about = help::ABOUT, long_about = help::LONG_ABOUT, after_help = help::AFTER, after_long_help = help::AFTER_LONG)]
#[command(
    subcommand_required = true,
    arg_required_else_help = true,
    allow_external_subcommands = true,
    disable_help_subcommand = true,
    max_term_width = 100
)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every command.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// The warehouse's configuration
    #[arg(
        long,
        global = true,
        env = "TAGMILL_CONFIG",
        hide_env_values = true,
        default_value = "warehouse.toml",
        value_name = "FILE"
    )]
    pub config: PathBuf,
    /// How the result is printed on standard output; json is exactly one line
    #[arg(long, global = true, value_enum, default_value_t = Output::Text)]
    pub output: Output,
    /// How logs are printed on standard error
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text)]
    pub log: LogFormat,
    /// No progress and no notes, only warnings and errors
    #[arg(long, global = true)]
    pub quiet: bool,
}

/// A date as it is written everywhere else: 2026-11-19, not 26-11-19.
pub fn date(text: &str) -> Result<NaiveDate, String> {
    let parsed = text
        .parse::<NaiveDate>()
        .ok()
        .filter(|date| date.to_string() == text);
    parsed.ok_or_else(|| format!("found {text:?}, expected a date like 2026-11-19"))
}

/// The form of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// The form of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One object a line.
    Json,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a warehouse: probe the store, fix the constants
    Init(init::Arguments),
    /// Check configuration, rules and registries, without a store
    Validate(validate::Arguments),
    /// Say what a run would read, write and recompute
    Plan(plan::Arguments),
    /// Run the night of a date and publish a release
    Run(run::Arguments),
    /// List the releases
    Releases(releases::Arguments),
    /// Show what a release holds
    Show(show::Arguments),
    /// Print a release's exact files, or a ready statement for another engine
    Files(files::Arguments),
    /// Query a release and the raw sources with SQL
    Sql(sql::Arguments),
    /// Count the users a rule would select
    Estimate(estimate::Arguments),
    /// Check that a release is still there, byte for byte
    Verify(verify::Arguments),
    /// Say whether the newest night is fresh
    Status(status::Arguments),
    /// A name of a later version, or none at all.
    #[command(external_subcommand)]
    Other(Vec<OsString>),
}
