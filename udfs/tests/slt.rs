//! Runs every `.slt` file of the folder beside it, and the examples of the documentation.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "slt/integers.rs"]
mod integers;

use async_trait::async_trait;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::error::DataFusionError;
use datafusion::prelude::{SessionConfig, SessionContext};
use sqllogictest::{AsyncDB, DBOutput, DefaultColumnType, Runner};
use std::path::{Path, PathBuf};

/// A session with the functions.
struct Session(SessionContext);

#[async_trait]
impl AsyncDB for Session {
    type Error = DataFusionError;
    type ColumnType = DefaultColumnType;

    async fn run(&mut self, sql: &str) -> Result<DBOutput<DefaultColumnType>, DataFusionError> {
        let batches = self.0.sql(sql).await?.collect().await?;
        let options = FormatOptions::default().with_null("NULL");
        let mut rows = Vec::new();
        for batch in &batches {
            let columns = batch
                .columns()
                .iter()
                .map(|column| ArrayFormatter::try_new(column, &options));
            let columns = columns.collect::<Result<Vec<_>, _>>()?;
            rows.extend((0..batch.num_rows()).map(|row| {
                columns
                    .iter()
                    .map(|column| one_line(&column.value(row).to_string()))
                    .collect::<Vec<String>>()
            }));
        }
        let width = batches.first().map_or(0, |batch| batch.num_columns());
        Ok(DBOutput::Rows {
            types: vec![DefaultColumnType::Any; width],
            rows,
        })
    }

    async fn shutdown(&mut self) {}
}

/// A value, such as a plan, on one line, and visible.
fn one_line(value: &str) -> String {
    let line = value
        .lines()
        .map(str::trim)
        .collect::<Vec<&str>>()
        .join(" ");
    if line.is_empty() {
        "(empty)".to_owned()
    } else {
        line
    }
}

fn session(partitions: usize) -> Session {
    let context = SessionContext::new_with_config(
        SessionConfig::new()
            .with_target_partitions(partitions)
            .with_batch_size(100),
    );
    tagmill_udfs::register_all(&context).unwrap();
    Session(context)
}

/// The `.slt` files of a folder and those in it, in order of their names.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let found = paths.into_iter().flat_map(|path| {
        if path.is_dir() {
            return files(&path);
        }
        let is_test = path.extension().is_some_and(|extension| extension == "slt");
        is_test.then_some(path).into_iter().collect()
    });
    found.collect()
}

/// The first failure of a file, with its place.
async fn failure(path: &Path, partitions: usize) -> Option<String> {
    let mut runner = Runner::new(move || async move { Ok(session(partitions)) });
    let error = runner.run_file_async(path).await.err()?;
    Some(format!("{partitions} partitions: {}", error.display(false)))
}

/// Every file of the folder: a new one needs no code. One that fails does not hide the others.
#[tokio::test]
async fn files_of_the_folder() {
    let files = files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/slt"));
    assert!(!files.is_empty());
    let mut failures = Vec::new();
    for file in &files {
        for partitions in [1, 4] {
            failures.extend(failure(file, partitions).await);
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

/// Every documented example gives the documented result.
#[tokio::test]
async fn examples_of_the_documentation() {
    let scalars = tagmill_udfs::scalar_functions();
    let aggregates = tagmill_udfs::aggregate_functions();
    let documentation = scalars
        .iter()
        .map(|function| (function.name(), function.documentation()));
    let documentation = documentation.chain(
        aggregates
            .iter()
            .map(|function| (function.name(), function.documentation())),
    );
    for (name, documentation) in documentation {
        let documentation = documentation.unwrap_or_else(|| panic!("{name} has no documentation"));
        let example = documentation
            .sql_example
            .as_deref()
            .unwrap_or_else(|| panic!("{name} has no example"));
        let mut lines = example.lines().filter(|line| !line.starts_with("```"));
        let query = lines
            .next()
            .and_then(|line| line.strip_prefix("> "))
            .unwrap()
            .trim_end_matches(';');
        assert!(query.contains(name), "{name}: {query}");
        let DBOutput::Rows { rows, .. } = session(2).run(query).await.unwrap() else {
            panic!("{name}: no rows")
        };
        let found: Vec<String> = rows.iter().map(|row| row.join(" ")).collect();
        assert_eq!(found, lines.collect::<Vec<&str>>(), "{name}");
    }
}

/// The page in the repository is what the functions say of themselves.
#[test]
fn manual_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("MANUAL.md");
    let manual = tagmill_udfs::manual().unwrap();
    if std::env::var_os("UPDATE_MANUAL").is_some() {
        std::fs::write(&path, &manual).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == manual,
        "udfs/MANUAL.md is stale: UPDATE_MANUAL=1 cargo test --release --workspace --test slt \
         manual"
    );
}

/// Every name that the manual lists is a function, quoted and, in lower case, unquoted.
#[test]
fn names_of_other_systems_are_known() {
    let Session(context) = session(1);
    let state = context.state();
    let mut missing = Vec::new();
    for entry in tagmill_udfs::dialect_names() {
        for name in [entry.name.to_owned(), entry.name.to_ascii_lowercase()] {
            let is_known = state.scalar_functions().contains_key(&name)
                || state.aggregate_functions().contains_key(&name)
                || state.table_functions().contains_key(&name);
            if !is_known {
                missing.push(name);
            }
        }
        let ours = entry.function;
        if !(state.scalar_functions().contains_key(ours)
            || state.aggregate_functions().contains_key(ours)
            || state.table_functions().contains_key(ours))
        {
            missing.push(ours.to_owned());
        }
    }
    assert!(missing.is_empty(), "{missing:?}");
}

/// No two functions have a name in common.
#[test]
fn names_are_unique() {
    let scalars = tagmill_udfs::scalar_functions();
    let aggregates = tagmill_udfs::aggregate_functions();
    let names = scalars.iter().flat_map(|function| {
        function
            .aliases()
            .iter()
            .map(String::as_str)
            .chain([function.name()])
    });
    let mut names: Vec<&str> = names
        .chain(aggregates.iter().flat_map(|function| {
            function
                .aliases()
                .iter()
                .map(String::as_str)
                .chain([function.name()])
        }))
        .collect();
    names.sort_unstable();
    let twice: Vec<&[&str]> = names.windows(2).filter(|pair| pair[0] == pair[1]).collect();
    assert!(twice.is_empty(), "{twice:?}");
}
