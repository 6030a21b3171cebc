//! `--output json`: however many statements, exactly one line: the rows of the last one as an array
//! of objects.

use arrow::json::WriterBuilder;
use arrow::json::writer::JsonArray;
use datafusion::error::DataFusionError;
use futures::StreamExt;
use tagmill_schemas::{Error, Result};

use super::parts::{Command, Part, parts};
use super::session::Session;
use super::statements::{guarded, parse, query_of, rows_of};
use super::told::told;
use crate::output;

pub(super) async fn print_json(session: &Session, texts: &[String]) -> Result<()> {
    let mut rows = b"[]".to_vec();
    'texts: for text in texts {
        for part in parts(text)? {
            let sql = match part {
                Part::Command(Command::Quit) => break 'texts,
                Part::Command(Command::Help) => continue,
                Part::Command(command) => query_of(&command),
                Part::Sql(sql) => sql,
            };
            match guarded(session, Box::pin(rows_of_last(session, &sql))).await {
                Ok(found) => rows = found.unwrap_or(rows),
                Err(error) => return Err(told(session, &sql, error).await),
            }
        }
    }
    let text = String::from_utf8(rows)
        .map_err(|e| Error::refused("sql", "the rows are not utf-8").because(e))?;
    output::print_line(&text)
}

/// The rows of the last statement; `None` without one.
async fn rows_of_last(session: &Session, sql: &str) -> Result<Option<Vec<u8>>, DataFusionError> {
    let mut last = None;
    for statement in parse(sql)? {
        let mut rows = rows_of(session, statement).await?;
        // A program finds every column in every row.
        let mut writer = WriterBuilder::new()
            .with_explicit_nulls(true)
            .build::<_, JsonArray>(Vec::new());
        while let Some(batch) = rows.next().await {
            writer.write(&batch?)?;
        }
        writer.finish()?;
        last = Some(writer.into_inner());
    }
    Ok(last)
}
