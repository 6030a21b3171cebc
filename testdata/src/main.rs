//! `generate`: raw data, configuration and rules for trying, testing and measuring the job.
//! `expect`: what the job has to find in them. Reads command-line flags; `generate` writes a folder
//! and prints one line about it, `expect` prints one JSON object a result.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use chrono::NaiveDate;
use clap::{Args, Parser, Subcommand};
use tagmill_testdata::Error;
use tagmill_testdata::generate::generate;
use tagmill_testdata::oracle::Night;
use tagmill_testdata::oracle::report::lines;
use tagmill_testdata::oracle::settings::Settings;
use tagmill_testdata::spec::{Preset, Spec};

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
    /// Prints what the oracle finds in a generated folder, one JSON object a line.
    Expect(ExpectFlags),
}

#[derive(Debug, Args)]
struct ExpectFlags {
    /// A folder that `generate` wrote.
    #[arg(long)]
    root: PathBuf,
    /// First night.
    #[arg(long)]
    date: NaiveDate,
    /// Nights in a row; the last one is printed.
    #[arg(long, default_value_t = 1)]
    days: u32,
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
    let outcome = match Cli::parse().command {
        Command::Generate(flags) => generate_folder(&flags),
        Command::Expect(flags) => expect(&flags),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

fn generate_folder(flags: &GenerateFlags) -> Result<(), Error> {
    let started = Instant::now();
    let spec = flags.spec()?;
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(flags.threads)
        .build()
        .map_err(|e| Error::Spec(e.to_string()))?;
    let written = pool.install(|| generate(&spec, &flags.out))?;
    let seconds = started.elapsed().as_secs_f64();
    println!(
        "{} rows, {} files, {:.1} MB in {seconds:.1} s: {}",
        written.rows,
        written.files,
        written.bytes as f64 / 1e6,
        flags.out.display()
    );
    Ok(())
}

fn expect(flags: &ExpectFlags) -> Result<(), Error> {
    let path = flags.root.join("warehouse.toml");
    let config = std::fs::read_to_string(&path).map_err(|e| Error::io(&path, e))?;
    let settings = Settings::of(&config)?;
    let mut night = Night::first(
        &flags.root,
        settings.flavour,
        flags.date,
        settings.shards,
        settings.scope,
    )?;
    for day in 1..flags.days {
        night = night.following(
            &flags.root,
            settings.flavour,
            flags.date + chrono::Days::new(u64::from(day)),
        )?;
    }
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for line in lines(&night, settings.combinations) {
        writeln!(out, "{line}").map_err(|e| Error::io(&flags.root, e))?;
    }
    out.flush().map_err(|e| Error::io(&flags.root, e))
}
