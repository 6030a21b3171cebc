//! The options of every command, and how a date is written.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use clap::{Args, ValueEnum};

/// Options of every command.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// The warehouse's configuration, warehouse.toml if not given
    #[arg(
        long,
        global = true,
        env = "TAGMILL_CONFIG",
        hide_env_values = true,
        value_name = "FILE"
    )]
    pub config: Option<PathBuf>,
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

impl Global {
    /// The file of the configuration.
    pub fn config(&self) -> &Path {
        let default = Path::new("warehouse.toml");
        self.config.as_deref().unwrap_or(default)
    }

    /// Whether nobody names a configuration and none is there.
    pub fn is_without_config(&self) -> bool {
        let found = self.config().symlink_metadata();
        self.config.is_none() && found.is_err_and(|error| error.kind() == ErrorKind::NotFound)
    }
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
