//! Runs statements one after the other and prints the rows of each.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::path::Path;

use datafusion::error::Result;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::logical_expr::{LogicalPlan, Statement as Setting};
use datafusion::sql::parser::{DFParser, Statement};
use futures::FutureExt;
use tagmill_engine::{check_depth, external, panicked};

use super::print::{PrintFormat, print_rows};
use super::session::Session;
use super::using::with_whole_keys;
use crate::logging;

/// Where DataFusion makes its temporary files, which no object store sees.
const TEMPORARY_FILES: &str = "datafusion.runtime.temp_directory";

/// Runs every statement of a text. A table has at most `most` rows.
///
/// # Errors
/// That of the first statement that fails; those behind it are not run.
pub(super) async fn run_text(
    session: &Session,
    text: &str,
    format: PrintFormat,
    most: usize,
) -> Result<()> {
    guarded(session, run_each(session, text, format, most)).await
}

async fn run_each(session: &Session, text: &str, format: PrintFormat, most: usize) -> Result<()> {
    for statement in parse(text)? {
        let rows = Box::pin(rows_of(session, statement)).await?;
        let state = session.ctx.state();
        let options = (&state.config_options().format).try_into()?;
        print_rows(rows, format, most, &options).await?;
    }
    Ok(())
}

/// The statements of a text.
///
/// # Errors
/// For text that is no SQL, or nested too deeply.
pub(super) fn parse(text: &str) -> Result<impl Iterator<Item = Statement>> {
    check_depth("sql", text).map_err(external)?;
    Ok(DFParser::parse_sql(text)?.into_iter())
}

/// What work answers; a panic in it, as of a library that meets damaged bytes, is an error, and so is
/// a write that was refused.
///
/// # Errors
/// Those of the work.
pub(super) async fn guarded<T>(
    session: &Session,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    let ended = AssertUnwindSafe(work).catch_unwind().await;
    let ended = ended.unwrap_or_else(|payload| Err(panicked(payload.as_ref())));
    ended.map_err(|error| session.access.take_refused().map_or(error, external))
}

/// The rows of a statement.
///
/// # Errors
/// For a statement that can not be planned, or would make temporary files where it may not.
pub(super) async fn rows_of(
    session: &Session,
    statement: Statement,
) -> Result<SendableRecordBatchStream> {
    let ctx = &session.ctx;
    let statement = with_whole_keys(statement)?;
    let plan = ctx.state().statement_to_plan(statement).await?;
    if let LogicalPlan::Statement(Setting::SetVariable(set)) = &plan
        && set.variable.eq_ignore_ascii_case(TEMPORARY_FILES)
    {
        let folder = Path::new(&set.value);
        session.access.check_folder(folder).map_err(external)?;
    }
    session.notes.take();
    let rows = ctx.execute_logical_plan(plan).await?.execute_stream().await;
    session
        .notes
        .take()
        .iter()
        .for_each(|note| logging::note(note));
    rows
}
