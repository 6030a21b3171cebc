//! Which functions a session has and what each does, from their own documentation.
//!
//! `SHOW FUNCTIONS` of the engine knows only functions with a fixed list of types; here it is asked
//! of all.

use std::collections::BTreeSet;

use datafusion::execution::SessionState;
use datafusion::logical_expr::Documentation;
use datafusion::prelude::SessionContext;
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{ShowStatementFilter, Statement as SqlStatement};
use tagmill_query::answers;
use tagmill_schemas::nearest::nearest;
use tagmill_schemas::{Error, Result};

/// All functions of these names, one a row; `pattern` is one of LIKE.
pub(super) fn list(pattern: Option<&str>) -> String {
    let like = pattern.unwrap_or("%").replace('\'', "''");
    format!(
        "SELECT DISTINCT routine_name AS function_name, lower(function_type) AS function_type, \
         syntax_example FROM information_schema.routines \
         WHERE routine_name ILIKE '{like}' ORDER BY function_name, function_type"
    )
}

/// One function as a row.
pub(super) fn row_of(name: &str) -> String {
    let name = name.replace('\'', "''");
    format!(
        "SELECT DISTINCT routine_name AS function_name, lower(function_type) AS function_type, \
         syntax_example, description FROM information_schema.routines \
         WHERE lower(routine_name) = lower('{name}') ORDER BY function_name, function_type"
    )
}

/// The query that `SHOW FUNCTIONS` stands for; `None` for another statement, and for filters that the
/// engine refuses.
pub(super) fn shown(statement: &Statement) -> Option<String> {
    let Statement::Statement(statement) = statement else {
        return None;
    };
    match statement.as_ref() {
        SqlStatement::ShowFunctions { filter: None } => Some(list(None)),
        SqlStatement::ShowFunctions {
            filter: Some(ShowStatementFilter::Like(pattern) | ShowStatementFilter::ILike(pattern)),
        } => Some(list(Some(pattern))),
        _ => None,
    }
}

/// The names of all functions.
pub(super) fn names(state: &SessionState) -> BTreeSet<&str> {
    let tables = state.table_functions().keys();
    let names = state.scalar_functions().keys().chain(tables);
    let names = names.chain(state.aggregate_functions().keys());
    names
        .chain(state.window_functions().keys())
        .map(String::as_str)
        .collect()
}

/// The error for a name that no function has.
pub(super) fn unknown(state: &SessionState, name: &str) -> Error {
    let fix = match nearest(name, names(state)) {
        Some(near) => format!("did you mean {near}?"),
        None => "\\h lists functions, \\h bitmap% those that begin so".to_owned(),
    };
    Error::setup("sql", format!("found no function {name}")).fix(fix)
}

/// What a function does, as text for people.
///
/// # Errors
/// Setup for a name that no function has.
pub(super) fn describe(ctx: &SessionContext, name: &str) -> Result<String> {
    let state = ctx.state();
    let known = names(&state);
    let Some(name) = known.iter().find(|known| known.eq_ignore_ascii_case(name)) else {
        return Err(unknown(&state, name));
    };
    let scalar = state.scalar_functions().get(*name);
    let aggregate = state.aggregate_functions().get(*name);
    let window = state.window_functions().get(*name);
    let kinds = [
        (
            "scalar function",
            scalar.map(|f| (f.name(), f.documentation())),
        ),
        (
            "aggregate",
            aggregate.map(|f| (f.name(), f.documentation())),
        ),
        (
            "window function",
            window.map(|f| (f.name(), f.documentation())),
        ),
        (
            "table function",
            state.table_functions().get(*name).map(|f| (f.name(), None)),
        ),
    ];
    let told = kinds.into_iter().filter_map(|(kind, found)| {
        let (own, documentation) = found?;
        Some(text_of(name, own, kind, documentation))
    });
    Ok(told.collect::<Vec<_>>().join("\n\n"))
}

fn text_of(name: &str, own: &str, kind: &str, documentation: Option<&Documentation>) -> String {
    let mut lines = vec![documentation.map_or_else(
        || match answers::syntax_of(name) {
            Some(syntax) => syntax.to_owned(),
            None => format!("{name}(...)"),
        },
        |documentation| documentation.syntax_example.trim().to_owned(),
    )];
    lines.push(match own == name {
        true => format!("  {kind}"),
        false => format!("  {kind}; {name} is another name of {own}"),
    });
    let Some(documentation) = documentation else {
        return lines.join("\n");
    };
    lines.extend(indented(&documentation.description));
    for (argument, about) in documentation.arguments.iter().flatten() {
        lines.push(format!("  {argument}: {}", about.trim()));
    }
    if let Some(example) = &documentation.sql_example {
        lines.push("  example:".to_owned());
        let is_sql = |line: &&str| !line.starts_with("```");
        lines.extend(
            example
                .trim()
                .lines()
                .filter(is_sql)
                .map(|line| format!("    {line}")),
        );
    }
    lines.join("\n")
}

fn indented(text: &str) -> impl Iterator<Item = String> {
    text.trim().lines().map(|line| format!("  {}", line.trim()))
}
