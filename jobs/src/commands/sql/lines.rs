//! `--output json`: however many statements, exactly one line: the rows of the last one as an array
//! of objects.

use arrow::json::WriterBuilder;
use arrow::json::writer::JsonArray;
use datafusion::error::DataFusionError;
use datafusion::sql::parser::Statement;
use futures::StreamExt;
use tagmill_schemas::{Error, Result};

use super::failed;
use super::session::Session;
use super::statements::{guarded, parse, rows_of};
use crate::output;

pub(super) async fn print_json(session: &Session, statements: &[String]) -> Result<()> {
    let mut rows = b"[]".to_vec();
    for text in statements {
        for statement in parse(text).map_err(failed)? {
            let done = guarded(session, Box::pin(json_of(session, statement))).await;
            rows = done.map_err(failed)?;
        }
    }
    let text = String::from_utf8(rows)
        .map_err(|e| Error::refused("sql", "the rows are not utf-8").because(e))?;
    output::print_line(&text)
}

async fn json_of(session: &Session, statement: Statement) -> Result<Vec<u8>, DataFusionError> {
    let mut rows = rows_of(session, statement).await?;
    // A program finds every column in every row.
    let mut writer = WriterBuilder::new()
        .with_explicit_nulls(true)
        .build::<_, JsonArray>(Vec::new());
    while let Some(batch) = rows.next().await {
        writer.write(&batch?)?;
    }
    writer.finish()?;
    Ok(writer.into_inner())
}
