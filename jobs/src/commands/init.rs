//! `tagmill init`: makes a warehouse and prints the constants that are fixed for ever; with
//! `--example`, a small project around it.

use std::fmt;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use tagmill_pipeline as job;
use tagmill_schemas::{Constants, Result};

use crate::global::Global;
use crate::{example, output, warehouse};

const AFTER: &str = "\
Examples:
  tagmill init                       the warehouse of ./warehouse.toml
  tagmill init --example first       a project to try tagmill with, in the new folder first";

/// Make a warehouse
///
/// Probes the store (one key is created twice; a store where the second create succeeds is refused)
/// and writes warehouse.json with what can never change: the number of shards, the id scope and the
/// time zone. On a warehouse that exists it checks that the configuration still fits.
#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub struct Arguments {
    /// Write a small project into this new folder (a configuration, a rule, a day of data), and
    /// make its warehouse
    #[arg(long, value_name = "FOLDER")]
    example: Option<PathBuf>,
}

pub async fn run(mut global: Global, arguments: Arguments) -> Result<()> {
    if let Some(folder) = &arguments.example {
        example::write(folder)?;
        global.config = Some(folder.join("warehouse.toml"));
    }
    let config = warehouse::config(&global)?;
    let constants = job::init(&config).await?;
    let made = Made {
        url: config.warehouse.url,
        constants,
    };
    match arguments.example {
        None => output::print(global.output, &made),
        Some(folder) => output::print(global.output, &Example::new(folder, made)),
    }
}

#[derive(Serialize)]
struct Made {
    url: String,
    #[serde(flatten)]
    constants: Constants,
}

impl fmt::Display for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "warehouse  {}", self.url)?;
        writeln!(f, "shards     {}", self.constants.shards.get())?;
        writeln!(f, "id_scope   {}", self.constants.id_scope.name())?;
        writeln!(f, "time_zone  {}", self.constants.time_zone)?;
        write!(f, "These are fixed for ever.")
    }
}

/// A project that was written, and what to type next.
#[derive(Serialize)]
struct Example {
    folder: PathBuf,
    #[serde(flatten)]
    made: Made,
    next: [String; 2],
}

impl Example {
    fn new(folder: PathBuf, made: Made) -> Self {
        let config = folder.join("warehouse.toml");
        let config = shell_word(&config.display().to_string());
        let next = [
            format!("tagmill run --config {config} --date {}", example::DATE),
            format!(
                "tagmill estimate --config {config} --app {} \"{}\"",
                example::APP,
                example::RULE
            ),
        ];
        Self { folder, made, next }
    }
}

/// As a shell reads it back as one word.
fn shell_word(text: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "/._-".contains(c);
    match text.chars().all(is_plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', "'\\''")),
    }
}

impl fmt::Display for Example {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let folder = self.folder.display();
        writeln!(f, "{folder}/warehouse.toml      the configuration")?;
        writeln!(f, "{folder}/groups/shop.ndjson  a rule")?;
        writeln!(
            f,
            "{folder}/raw/customers/      60 customers of {}",
            example::DATE
        )?;
        writeln!(f, "{folder}/warehouse/          what runs publish\n")?;
        writeln!(f, "Run the night, then ask it:\n")?;
        writeln!(f, "  {}", self.next[0])?;
        write!(f, "  {}", self.next[1])
    }
}
