//! `tagmill files`: a release's exact files, as a list or as a ready statement for another engine.

use std::fmt;

use clap::{Args, ValueEnum};
use serde::Serialize;
use tagmill_query::engines::{self, Engine};
use tagmill_schemas::{Artifact, ReleaseName, Result};
use tagmill_warehouse::release as publish;

use crate::global::Global;
use crate::output;
use crate::warehouse::Warehouse;

const AFTER: &str = "\
Examples:
  tagmill files --artifact groups                                 one path a line
  tagmill files --format duckdb > release.sql && duckdb -init release.sql
  tagmill files --release @2026-11-19 --format clickhouse --output json

Only the manifest says which files count: a glob over the warehouse would mix releases and unfinished runs.";

/// Print a release's exact files, or a ready statement for another engine
#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub struct Arguments {
    /// A number, current, or the night it is of: @2026-11-19
    #[arg(long, default_value = "current")]
    release: ReleaseName,
    /// Only this artifact; may be given several times
    #[arg(long = "artifact", value_name = "NAME", value_parser = artifact)]
    artifacts: Vec<Artifact>,
    /// What to print
    #[arg(long, value_enum, default_value_t = Format::List)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One path or url a line
    List,
    /// Views for ClickHouse
    Clickhouse,
    /// Views for DuckDB
    Duckdb,
    /// Temporary views for Spark, in Python or Scala
    Spark,
}

fn artifact(name: &str) -> Result<Artifact, String> {
    let names = || Artifact::ALL.iter().map(|artifact| artifact.name());
    Artifact::from_name(name).ok_or_else(|| {
        format!(
            "found {name:?}, expected one of {}",
            names().collect::<Vec<_>>().join(", ")
        )
    })
}

pub async fn run(global: Global, arguments: Arguments) -> Result<()> {
    let warehouse = Warehouse::open(&global, "files").await?;
    let manifest = warehouse.release(arguments.release).await?;
    let wanted = |artifact: &Artifact| {
        arguments.artifacts.is_empty() || arguments.artifacts.contains(artifact)
    };
    let files = publish::files_where(&warehouse.store, &manifest, |of, _| wanted(&of)).await?;
    let engine = match arguments.format {
        Format::List => {
            let files = files.iter().map(|file| Listed {
                artifact: file.artifact,
                path: warehouse.store.name_of(&file.path),
                rows: file.rows,
                bytes: file.bytes,
                checksum: file.checksum.clone(),
            });
            return output::print(
                global.output,
                &Listing {
                    release: manifest.release,
                    files: files.collect(),
                },
            );
        }
        Format::Clickhouse => Engine::ClickHouse,
        Format::Duckdb => Engine::DuckDb,
        Format::Spark => Engine::Spark,
    };
    let chosen = Artifact::ALL.iter().filter(|artifact| wanted(artifact));
    let statements =
        chosen.map(|artifact| engines::statement(&warehouse.store, &files, *artifact, engine));
    let statements: Vec<String> = statements.collect::<Result<_>>()?;
    output::print(
        global.output,
        &Statements {
            release: manifest.release,
            statements,
        },
    )
}

#[derive(Serialize)]
struct Listing {
    release: u64,
    files: Vec<Listed>,
}

#[derive(Serialize)]
struct Listed {
    artifact: Artifact,
    path: String,
    rows: u64,
    bytes: u64,
    checksum: String,
}

#[derive(Serialize)]
struct Statements {
    release: u64,
    statements: Vec<String>,
}

impl fmt::Display for Listing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.files
            .iter()
            .try_for_each(|file| writeln!(f, "{}", file.path))
    }
}

impl fmt::Display for Statements {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.statements
            .iter()
            .try_for_each(|statement| writeln!(f, "{statement}"))
    }
}
