//! `tagmill-testdata generate`: raw data, configuration and rules for trying, testing and measuring the job.
//! Reads command-line flags, writes a folder, and prints one line about it.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use chrono::NaiveDate;
use clap::{Args, Parser, Subcommand};
use tagmill_testdata::generate::generate;
use tagmill_testdata::spec::{Preset, Spec};
use tagmill_testdata::{Error, Written};

/// Seeded raw data for tagmill.
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Writes raw/, conf/ and warehouse.toml.
    Generate(GenerateFlags),
}

#[derive(Debug, Args)]
struct GenerateFlags {
    /// Folder to write to; files that are there already are replaced.
    #[arg(long)]
    out: PathBuf,
    /// Which sources, and how dirty.
    #[arg(long, value_enum, default_value = "demo")]
    preset: Preset,
    /// Multiplies the preset's users and events.
    #[arg(long, default_value_t = 1.0)]
    scale: f64,
    /// Users on the first day, instead of the preset's.
    #[arg(long)]
    users: Option<u64>,
    /// Platform events a day, instead of the preset's.
    #[arg(long)]
    events: Option<u64>,
    /// Apps, instead of the preset's.
    #[arg(long)]
    apps: Option<u32>,
    /// Group rules over all apps, instead of the preset's.
    #[arg(long)]
    rules: Option<u32>,
    /// Apps that have group rules.
    #[arg(long)]
    rule_apps: Option<u32>,
    /// Share of rows with a defect.
    #[arg(long)]
    dirt: Option<f64>,
    /// First day.
    #[arg(long)]
    date: Option<NaiveDate>,
    /// Number of days.
    #[arg(long)]
    days: Option<u32>,
    /// Same seed, same bytes.
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// Threads; 0 is one per core.
    #[arg(long, default_value_t = 0)]
    threads: usize,
}

impl GenerateFlags {
    fn spec(&self) -> Result<Spec, Error> {
        let base = Spec::preset(self.preset).scaled(self.scale)?;
        Spec {
            seed: self.seed,
            users: self.users.unwrap_or(base.users),
            events: self.events.unwrap_or(base.events),
            apps: self.apps.unwrap_or(base.apps),
            rules: self.rules.unwrap_or(base.rules),
            rule_apps: self.rule_apps.unwrap_or(base.rule_apps),
            dirt: self.dirt.unwrap_or(base.dirt),
            first_day: self.date.unwrap_or(base.first_day),
            days: self.days.unwrap_or(base.days),
            ..base
        }
        .check()
    }
}

fn main() -> ExitCode {
    let Command::Generate(flags) = Cli::parse().command;
    let started = Instant::now();
    match run(&flags) {
        Ok(written) => {
            let seconds = started.elapsed().as_secs_f64();
            println!("{} rows, {} files, {:.1} MB in {seconds:.1} s: {}", written.rows, written.files, written.bytes as f64 / 1e6, flags.out.display());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(flags: &GenerateFlags) -> Result<Written, Error> {
    let spec = flags.spec()?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(flags.threads).build().map_err(|e| Error::Spec(e.to_string()))?;
    pool.install(|| generate(&spec, &flags.out))
}
