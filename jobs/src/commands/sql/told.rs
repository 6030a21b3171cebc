//! What is wrong with a statement, told to the person who wrote it: what was not found, what is near,
//! how it is written; none of the engine's own words.

use datafusion::common::{Column, SchemaError, TableReference};
use datafusion::error::DataFusionError;
use datafusion::sql::parser::DFParser;
use datafusion::sql::sqlparser::parser::ParserError;
use tagmill_engine::{Work, carried, of_datafusion};
use tagmill_schemas::Error;
use tagmill_schemas::nearest::nearest;

use super::functions;
use super::session::Session;
use super::statements::parse;
use super::words::plain;

const STAGE: &str = "sql";
/// Columns that are listed where none is near.
const MOST_LISTED: usize = 20;

/// What the engine reports of a text that was run.
pub(super) async fn told(session: &Session, sql: &str, error: DataFusionError) -> Error {
    if let Some(own) = carried(&error) {
        return own.clone();
    }
    match error.find_root() {
        DataFusionError::SQL(error, _) => return no_sql(error),
        DataFusionError::SchemaError(error, _) => {
            if let Some(told) = of_columns(error, sql) {
                return told;
            }
        }
        DataFusionError::Plan(_) => {
            if let Some(name) = unknown_table(session, sql).await {
                return no_table(session, &name);
            }
        }
        _ => {}
    }
    let message = error.find_root().message().into_owned();
    if let Some(name) = unknown_function(&message) {
        return functions::unknown(&session.ctx.state(), name);
    }
    let cause = plain(&message);
    let told = of_datafusion(Work::Statement, STAGE, error);
    match cause.starts_with("Cannot cast string") {
        true => told.because(cause).fix(
            "it is compared with or cast to another type: write that as text, in single quotes, or \
             use try_cast",
        ),
        false => told.because(cause),
    }
}

/// The name in the engine's message of a function that it does not know.
fn unknown_function(message: &str) -> Option<&str> {
    let (name, _) = message
        .strip_prefix("Invalid function '")?
        .split_once('\'')?;
    Some(name)
}

fn no_sql(error: &ParserError) -> Error {
    let (ParserError::TokenizerError(text) | ParserError::ParserError(text)) = error else {
        return Error::setup(STAGE, "the statement is nested too deeply");
    };
    let told = |what: &str| Error::setup(STAGE, "the statement is no SQL").because(plain(what));
    match text.split_once(" at Line: ") {
        Some((what, place)) => told(what).at(format!("line {}", place.replace(", Column: ", ":"))),
        None => told(text),
    }
}

fn of_columns(error: &SchemaError, sql: &str) -> Option<Error> {
    match error {
        SchemaError::FieldNotFound {
            field,
            valid_fields,
        } => Some(no_column(field, valid_fields, sql)),
        SchemaError::AmbiguousReference { field } => {
            let name = &field.name;
            let what = format!("column {name} is in several tables of the statement");
            Some(Error::setup(STAGE, what).fix(format!("name its table as well: table.{name}")))
        }
        SchemaError::DuplicateUnqualifiedField { name }
        | SchemaError::DuplicateQualifiedField { name, .. } => {
            let what = format!("two columns have the name {name}");
            Some(Error::setup(STAGE, what).fix("give one of them another name with AS"))
        }
    }
}

fn no_column(field: &Column, known: &[Column], sql: &str) -> Error {
    let what = format!("found no column {}", field.quoted_flat_name());
    let mut fixes = Vec::new();
    let names = || known.iter().map(|column| column.name.as_str());
    if let Some(near) = nearest(&field.name, names()) {
        fixes.push(format!("did you mean {}?", written(near)));
    }
    if field.relation.is_none() && sql.contains(&format!("\"{}\"", field.name)) {
        fixes.push(format!("text stands in single quotes: '{}'", field.name));
    }
    if fixes.is_empty() && known.is_empty() {
        fixes.push("without FROM there are no columns; text stands in single quotes".to_owned());
    }
    if fixes.is_empty() {
        let listed: Vec<_> = names().take(MOST_LISTED).map(written).collect();
        let more = known.len().saturating_sub(MOST_LISTED);
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        fixes.push(format!("there are {}{more}", listed.join(", ")));
    }
    Error::setup(STAGE, what).fix(fixes.join(" "))
}

/// A name as a statement has to write it: some are words of SQL, such as `group`.
fn written(name: &str) -> String {
    match DFParser::parse_sql(&format!("SELECT 1, {name}, 1 FROM t WHERE {name} = 1")) {
        Ok(_) => Column::from_name(name).quoted_flat_name(),
        Err(_) => format!("\"{}\"", name.replace('"', "\"\"")),
    }
}

/// The first table of a text that the session does not have.
async fn unknown_table(session: &Session, sql: &str) -> Option<TableReference> {
    let state = session.ctx.state();
    for statement in parse(sql).ok()? {
        for reference in state.resolve_table_references(&statement).ok()? {
            let is_function = state.table_functions().contains_key(reference.table());
            let Ok(schema) = state.schema_for_ref(reference.clone()) else {
                return Some(reference);
            };
            if !is_function && matches!(schema.table(reference.table()).await, Ok(None)) {
                return Some(reference);
            }
        }
    }
    None
}

fn no_table(session: &Session, name: &TableReference) -> Error {
    let found = name.table();
    if found.contains('/') || (found.contains('.') && name.schema().is_none()) {
        return Error::setup(STAGE, format!("found no table and no file {found}"))
            .fix("a file is named as 'folder/file.parquet', a folder as 'folder/'");
    }
    let (tables, state) = (session.table_names(), session.ctx.state());
    let functions = state.table_functions().keys();
    let known = tables.iter().chain(functions).map(String::as_str);
    let near = nearest(&name.to_string(), known);
    Error::setup(STAGE, format!("found no table {name}")).fix(match near {
        Some(near) => format!("did you mean {near}?"),
        None => "\\d lists tables".to_owned(),
    })
}
