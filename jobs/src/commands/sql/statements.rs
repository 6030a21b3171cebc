//! Runs a text: statements one after the other, commands of the prompt between them, and prints the
//! rows of each.

use std::future::Future;
use std::io;
use std::ops::ControlFlow;
use std::panic::AssertUnwindSafe;
use std::path::Path;

use datafusion::error::{DataFusionError, Result};
use datafusion::execution::SendableRecordBatchStream;
use datafusion::logical_expr::{LogicalPlan, Statement as Setting};
use datafusion::sql::parser::{DFParser, Statement};
use futures::FutureExt;
use tagmill_engine::{check_depth, external, panicked};
use tagmill_schemas::Error;

use super::functions;
use super::parts::{Command, Part, parts};
use super::print::{PrintFormat, Printing, print_rows};
use super::session::Session;
use super::told::told;
use super::using::with_whole_keys;
use crate::{logging, output};

/// Where DataFusion makes its temporary files, which no object store sees.
const TEMPORARY_FILES: &str = "datafusion.runtime.temp_directory";

/// What the prompt tells of itself.
pub(super) const HELP: &str = "\
\\d          tables and views        \\d NAME      columns of one
\\h          functions               \\h NAME      what one does      \\h bitmap%   those that begin so
\\q          quits, as do exit, quit and Ctrl-D
A statement ends with a semicolon. Tab completes names and values.";

/// Runs a text; `Break` when it wants to end, or when nobody reads what is printed.
///
/// # Errors
/// That of the first statement that fails; those behind it are not run.
pub(super) async fn run_text(
    session: &Session,
    text: &str,
    printing: Printing,
) -> Result<ControlFlow<()>, Error> {
    for part in parts(text)? {
        let sql = match part {
            Part::Command(Command::Quit) => return Ok(ControlFlow::Break(())),
            Part::Command(Command::Help) => {
                output::print_line(HELP)?;
                continue;
            }
            Part::Command(Command::Function(name)) if printing.format == PrintFormat::Table => {
                output::print_line(&functions::describe(&session.ctx, &name)?)?;
                continue;
            }
            Part::Command(command) => query_of(&command),
            Part::Sql(sql) => sql,
        };
        match guarded(session, run_each(session, &sql, printing)).await {
            Ok(()) => {}
            Err(error) if is_closed(&error) => return Ok(ControlFlow::Break(())),
            Err(error) => return Err(told(session, &sql, error).await),
        }
    }
    Ok(ControlFlow::Continue(()))
}

/// The query that a command stands for; none for those that have no rows.
pub(super) fn query_of(command: &Command) -> String {
    match command {
        Command::Tables => "SELECT CASE table_schema WHEN 'public' THEN table_name \
                            ELSE concat(table_schema, '.', table_name) END AS name, \
                            CASE table_type WHEN 'VIEW' THEN 'view' ELSE 'table' END AS kind \
                            FROM information_schema.tables \
                            WHERE table_schema <> 'information_schema' ORDER BY name"
            .to_owned(),
        Command::Columns(table) => format!("DESCRIBE {table}"),
        Command::Functions(pattern) => functions::list(pattern.as_deref()),
        Command::Function(name) => functions::row_of(name),
        Command::Help | Command::Quit => String::new(),
    }
}

/// A reader that went away (`| head`) is no error.
fn is_closed(error: &DataFusionError) -> bool {
    matches!(
        error.find_root(),
        DataFusionError::IoError(cause) if cause.kind() == io::ErrorKind::BrokenPipe
    )
}

async fn run_each(session: &Session, sql: &str, printing: Printing) -> Result<()> {
    for statement in parse(sql)? {
        let rows = Box::pin(rows_of(session, statement)).await?;
        let state = session.ctx.state();
        let options = (&state.config_options().format).try_into()?;
        print_rows(rows, printing, &options).await?;
    }
    Ok(())
}

/// The statements of a text.
///
/// # Errors
/// For text that is no SQL, or nested too deeply.
pub(super) fn parse(sql: &str) -> Result<impl Iterator<Item = Statement>> {
    check_depth("sql", sql).map_err(external)?;
    Ok(DFParser::parse_sql(sql)?.into_iter())
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
/// For a statement that can not be planned, has parameters without a value, or would make temporary
/// files where it may not.
pub(super) async fn rows_of(
    session: &Session,
    statement: Statement,
) -> Result<SendableRecordBatchStream> {
    let ctx = &session.ctx;
    if let Some(query) = functions::shown(&statement) {
        return ctx.sql(&query).await?.execute_stream().await;
    }
    let statement = with_whole_keys(statement)?;
    let plan = ctx.state().statement_to_plan(statement).await?;
    match &plan {
        LogicalPlan::Statement(Setting::SetVariable(set))
            if set.variable.eq_ignore_ascii_case(TEMPORARY_FILES) =>
        {
            let folder = Path::new(&set.value);
            session.access.check_folder(folder).map_err(external)?;
        }
        LogicalPlan::Statement(_) => {}
        plan => check_parameters(plan)?,
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

fn check_parameters(plan: &LogicalPlan) -> Result<()> {
    match plan.get_parameter_names()?.into_iter().min() {
        None => Ok(()),
        Some(name) => Err(external(
            Error::setup("sql", format!("found {name}, a parameter without a value"))
                .fix("write the value in its place; in a shell, single quotes keep $ as it is"),
        )),
    }
}
