//! Runs the `.slt` files of every function family.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use async_trait::async_trait;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::error::DataFusionError;
use datafusion::prelude::{SessionConfig, SessionContext};
use sqllogictest::{AsyncDB, DBOutput, DefaultColumnType, Runner};
use std::path::Path;

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
            let columns = batch.columns().iter().map(|column| ArrayFormatter::try_new(column, &options));
            let columns = columns.collect::<Result<Vec<_>, _>>()?;
            rows.extend((0..batch.num_rows()).map(|row| columns.iter().map(|column| one_line(&column.value(row).to_string())).collect::<Vec<String>>()));
        }
        let width = batches.first().map_or(0, |batch| batch.num_columns());
        Ok(DBOutput::Rows { types: vec![DefaultColumnType::Any; width], rows })
    }

    async fn shutdown(&mut self) {}
}

/// A value, such as a plan, on one line.
fn one_line(value: &str) -> String {
    value.lines().map(str::trim).collect::<Vec<&str>>().join(" ")
}

fn session(partitions: usize) -> Session {
    let context = SessionContext::new_with_config(SessionConfig::new().with_target_partitions(partitions).with_batch_size(100));
    tagmill_udfs::register_all(&context).unwrap();
    Session(context)
}

async fn run(file: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/slt").join(file);
    for partitions in [1, 4] {
        let mut runner = Runner::new(move || async move { Ok(session(partitions)) });
        if let Err(error) = runner.run_file_async(&path).await {
            panic!("{partitions} partitions: {}", error.display(false));
        }
    }
}

#[tokio::test]
async fn aggregates() {
    run("aggregates.slt").await;
}

#[tokio::test]
async fn arrays() {
    run("arrays.slt").await;
}

#[tokio::test]
async fn cardinality_and_contains() {
    run("cardinality_and_contains.slt").await;
}

#[tokio::test]
async fn set_operations() {
    run("set_operations.slt").await;
}

#[tokio::test]
async fn wire() {
    run("wire.slt").await;
}

/// Every documented example gives the documented result.
#[tokio::test]
async fn examples_of_the_documentation() {
    let scalars = tagmill_udfs::scalar_functions();
    let aggregates = tagmill_udfs::aggregate_functions();
    let documentation = scalars.iter().map(|function| (function.name(), function.documentation()));
    let documentation = documentation.chain(aggregates.iter().map(|function| (function.name(), function.documentation())));
    for (name, documentation) in documentation {
        let documentation = documentation.unwrap_or_else(|| panic!("{name} has no documentation"));
        let example = documentation.sql_example.as_deref().unwrap_or_else(|| panic!("{name} has no example"));
        let mut lines = example.lines().filter(|line| !line.starts_with("```"));
        let query = lines.next().and_then(|line| line.strip_prefix("> ")).unwrap().trim_end_matches(';');
        assert!(query.contains(name), "{name}: {query}");
        let DBOutput::Rows { rows, .. } = session(2).run(query).await.unwrap() else { panic!("{name}: no rows") };
        let found: Vec<String> = rows.iter().map(|row| row.join(" ")).collect();
        assert_eq!(found, lines.collect::<Vec<&str>>(), "{name}");
    }
}
