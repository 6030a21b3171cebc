//! The command line: one variant per command. Each command's own options live in its file.

use std::ffi::OsString;

use clap::{Parser, Subcommand};

use crate::commands::{
    apps, completions, estimate, files, groups, init, plan, publish, releases, run, show, sql,
    status, tags, validate, verify,
};
use crate::global::Global;
use crate::help;

/// Everything that was typed.
#[derive(Debug, Parser)]
#[command(name = "tagmill", version, about = help::ABOUT, long_about = help::LONG_ABOUT, after_help = help::AFTER, after_long_help = help::AFTER_LONG)]
#[command(
    subcommand_required = true,
    arg_required_else_help = true,
    allow_external_subcommands = true,
    max_term_width = 100
)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a warehouse; --example writes a small project to try
    Init(init::Arguments),
    /// Check configuration, rules and registries, without a store
    Validate(validate::Arguments),
    /// Say what a run would read, write and recompute
    Plan(plan::Arguments),
    /// Run the night of a date and publish a release
    Run(run::Arguments),
    /// Accept that the events of a day never come
    Publish(publish::Arguments),
    /// List the releases
    Releases(releases::Arguments),
    /// Show what a release holds
    Show(show::Arguments),
    /// List the apps of a release
    Apps(apps::Arguments),
    /// List its tags: types, sizes, usual values
    Tags(tags::Arguments),
    /// List its groups: members, who came and went, statuses
    Groups(groups::Arguments),
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
    /// Print what a shell needs to complete tagmill's commands and options
    Completions(completions::Arguments),
    /// A name of a later version, or none at all.
    #[command(external_subcommand)]
    Other(Vec<OsString>),
}
