//! Runs statements one after the other and prints the rows of each.

use datafusion::error::Result;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::prelude::SessionContext;
use datafusion::sql::parser::{DFParser, Statement};

use super::print::{PrintFormat, print_rows};

/// Runs every statement of a text. A table has at most `most` rows.
///
/// # Errors
/// That of the first statement that fails; those behind it are not run.
pub(super) async fn run_text(
    ctx: &SessionContext,
    text: &str,
    format: PrintFormat,
    most: usize,
) -> Result<()> {
    for statement in DFParser::parse_sql(text)? {
        let rows = Box::pin(rows_of(ctx, statement)).await?;
        let state = ctx.state();
        let options = (&state.config_options().format).try_into()?;
        print_rows(rows, format, most, &options).await?;
    }
    Ok(())
}

/// The rows of a statement.
pub(super) async fn rows_of(
    ctx: &SessionContext,
    statement: Statement,
) -> Result<SendableRecordBatchStream> {
    let plan = ctx.state().statement_to_plan(statement).await?;
    ctx.execute_logical_plan(plan).await?.execute_stream().await
}
