//! `tagmill sql`: DataFusion's SQL with a release's tables, the raw sources and the bitmap
//! functions.
//!
//! A prompt when standard input is a terminal; `-c`, `-f` or piped text otherwise. Statements come
//! from arguments, a file or standard input; results go to standard output, everything else to
//! standard error. Where there is no configuration it has all functions and reads files.

mod access;
mod bitmap_cells;
mod completion;
mod damage;
mod functions;
mod lines;
mod parts;
mod pieces;
mod print;
mod prompt;
mod session;
mod split_scans;
mod statements;
mod stores;
mod told;
mod using;
mod words;

use std::fs;
use std::io::{self, IsTerminal, Read};
use std::path::PathBuf;

use chrono::NaiveDate;
use clap::Args;
use datafusion::error::DataFusionError;
use tagmill_engine::{Work, of_datafusion};
use tagmill_schemas::{Error, ReleaseName, Result};

use crate::global::{Global, Output, date};
use crate::warehouse::Warehouse;
use access::Access;
use print::{PrintFormat, Printing};
use session::Session;

const AFTER: &str = "\
Tables: users, universe, tag_values, tags, tag_numbers, behaviour, behaviour_measures, \
kept_values, groups, group_status, rejects,
        quality, runs.
Views:  tags_string, tags_integer, tags_double, tags_date, tags_boolean: one typed value column, with its code.
        group_sets, tag_sets, event_sets: one row a set, over all shards; tag_stats, event_stats: sums, medians and the like.
Users:  members(app, group), audience(app, rule), did(app, event, days[, condition]): uid, user_id.
        groups_of(user_id), tags_of(user_id); event_sets and event_stats also with an event, days and a condition.
Other:  release_1.groups, night_2026_11_18.group_sets: tables and views of another release.
Raw:    raw.<source>, the files of --date (the release's night when not given).

Commands, each on a line of its own: \\d tables and views, \\d NAME columns, \\h functions, \\h NAME what one does, \\?, \\q.
In a table a bitmap is shown as <398 users>; json, csv and the other formats have its bytes in hex, COPY TO has them as they are.
Without warehouse.toml there is no release: all functions, and files as 'folder/file.parquet'.

Functions: bitmap_cardinality, bitmap_contains, bitmap_and, bitmap_or, bitmap_to_array ...; aggregates bitmap_build_agg, bitmap_or_agg,
  bitmap_and_cardinality_agg, bsi_sum_agg ...; those of ClickHouse, Doris, StarRocks, pg_roaringbitmap and Spark by their own names.
  Names that they share follow SET tagmill.dialect = 'doris', 'starrocks' or 'spark'.

Examples:
  tagmill sql -c \"SELECT value, sum(cardinality) AS users FROM tags_string WHERE app = 'tea_shop' AND tag = 'city' GROUP BY value\"
  tagmill sql -c \"SELECT bitmap_cardinality(bitmap_or_agg(bitmap)) FROM tags_string WHERE tag = 'city' AND value LIKE 'Bei%'\"
  tagmill sql --release @2026-11-18 --format csv -f report.sql
  tagmill sql -c '\\h bitmap_and*' -c '\\h bitmap_and_cardinality'

Filters on app, tag, value, shard and date skip files, row groups and pages: one tag value costs one tag value's bytes.";

/// Query a release and the raw sources with SQL
#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub struct Arguments {
    /// A statement to run; may be given several times
    #[arg(short = 'c', long = "command", value_name = "SQL")]
    commands: Vec<String>,
    /// A file of statements to run; may be given several times
    #[arg(short = 'f', long = "file", value_name = "FILE")]
    files: Vec<PathBuf>,
    /// How rows are printed
    #[arg(long, value_enum, ignore_case = true)]
    format: Option<PrintFormat>,
    /// Rows of a table that are shown [default: 40 at the prompt, else all]
    #[arg(long, value_name = "N")]
    maxrows: Option<usize>,
    /// A number, current, or the night it is of: @2026-11-19 [default: current]
    #[arg(long, conflicts_with = "staged")]
    release: Option<ReleaseName>,
    /// The date of the raw sources
    #[arg(long, value_name = "DATE", value_parser = date)]
    date: Option<NaiveDate>,
    /// Write nothing anywhere: no COPY TO, no INSERT into files
    #[arg(long)]
    read_only: bool,
    /// Query a staged run: not in this version
    #[arg(long, value_name = "RUN", num_args = 0..=1)]
    staged: Option<Option<String>>,
}

impl Arguments {
    /// Whether a person types at a prompt, which takes Ctrl-C for itself.
    pub fn is_prompt(&self) -> bool {
        self.commands.is_empty() && self.files.is_empty() && io::stdin().is_terminal()
    }
}

pub async fn run(global: Global, arguments: Arguments) -> Result<()> {
    if arguments.staged.is_some() {
        return Err(Error::setup("sql", "--staged is not in this version").fix("query a release"));
    }
    // A file that is not there is said before a store is asked.
    let statements = statements(&arguments)?;
    let session = open(&global, &arguments).await?;
    let printing = |most| Printing {
        format: arguments.format.unwrap_or(PrintFormat::Table),
        most: arguments.maxrows.unwrap_or(most),
        members: match session.manifest {
            Some(_) => "users",
            None => "values",
        },
    };
    let done = match statements {
        None => {
            tell_prompt(&global, &session);
            prompt::prompt(&session, printing(prompt::MOST_ROWS)).await
        }
        Some(statements) if global.output == Output::Json && arguments.format.is_none() => {
            lines::print_json(&session, &statements).await
        }
        Some(statements) => run_each(&session, &statements, printing(usize::MAX)).await,
    };
    match done {
        Ok(()) => Ok(()),
        Err(error) => Err(damage::name_damaged(error, &session.access).await),
    }
}

/// The release that is asked for; nothing but functions and files where no configuration is.
async fn open(global: &Global, arguments: &Arguments) -> Result<Session> {
    let access = |store| {
        let config = global.config().to_owned();
        Access::new(arguments.read_only, store, config)
    };
    let needs_release = arguments.release.is_some() || arguments.date.is_some();
    if global.is_without_config() && !needs_release {
        return session::without_release(access(None));
    }
    let warehouse = Warehouse::open(global, "sql").await?;
    let name = arguments.release.unwrap_or(ReleaseName::Current);
    let manifest = warehouse.release(name).await?;
    let access = access(Some(warehouse.store.clone()));
    session::open(&warehouse, manifest, arguments.date, access).await
}

async fn run_each(session: &Session, statements: &[String], printing: Printing) -> Result<()> {
    for text in statements {
        if statements::run_text(session, text, printing)
            .await?
            .is_break()
        {
            break;
        }
    }
    Ok(())
}

fn tell_prompt(global: &Global, session: &Session) {
    if !global.quiet {
        let open = match &session.manifest {
            Some(manifest) => format!("release {} of {}", manifest.release, manifest.date),
            None => "no release, as there is no warehouse.toml here".to_owned(),
        };
        crate::logging::plain(&format!("{open}; \\d lists tables, \\? helps, \\q quits"));
    }
}

/// What to run, in the order commands, then files; `None` for a prompt.
fn statements(arguments: &Arguments) -> Result<Option<Vec<String>>> {
    if arguments.is_prompt() {
        return Ok(None);
    }
    let mut statements = arguments.commands.clone();
    for file in &arguments.files {
        let text = fs::read_to_string(file).map_err(|e| {
            Error::setup("sql", "the file can not be read")
                .at(file.display().to_string())
                .because(e)
        })?;
        statements.push(text);
    }
    if statements.is_empty() {
        let mut text = String::new();
        io::stdin()
            .read_to_string(&mut text)
            .map_err(|e| Error::setup("sql", "standard input can not be read").because(e))?;
        statements.push(text);
    }
    // A script may start with the line that names its interpreter.
    for text in &mut statements {
        if text.starts_with("#!") {
            *text = text
                .split_once('\n')
                .map_or_else(String::new, |(_, rest)| rest.to_owned());
        }
    }
    Ok(Some(statements))
}

/// What DataFusion reports of a session, as ours.
fn failed(error: DataFusionError) -> Error {
    of_datafusion(Work::Statement, "sql", error)
}
