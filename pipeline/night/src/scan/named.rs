//! Columns as the configuration names them: by their name in the files, or as an expression.
//!
//! A name means the column that has it; else the only one that differs from it in case alone, as
//! SQL folds unquoted names. In double quotes it means nothing else than itself.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use datafusion::common::DFSchema;
use datafusion::logical_expr::{Expr, ident};
use datafusion::prelude::SessionContext;
use datafusion::sql::sqlparser::ast::{
    Expr as SqlExpr, Ident, visit_expressions, visit_expressions_mut,
};
use tagmill_schemas::Result;
use tagmill_schemas::config::{AppColumn, Source, SourceKind, Tag};

use super::clean::nulls_in;
use super::context::{ScanContext, place};
use super::sql::{missing, parse};

/// The column that a name means; `None` where there is none, or several differ in case alone.
pub fn column_of(name: &str, schema: &DFSchema) -> Option<String> {
    let fields = || schema.fields().iter().map(|field| field.name());
    if let Some(exact) = fields().find(|field| *field == name) {
        return Some(exact.clone());
    }
    let folded = name.to_lowercase();
    let mut alike = fields().filter(|field| field.to_lowercase() == folded);
    match (alike.next(), alike.next()) {
        (Some(one), None) => Some(one.clone()),
        _ => None,
    }
}

/// What stands under `key`, a column or an expression, over the cleaned columns.
///
/// # Errors
/// Refused for a column that the files do not have; as [`parse`].
pub fn column_or_expression(
    context: &ScanContext<'_>,
    source: &Source,
    text: &str,
    schema: &DFSchema,
    key: &str,
) -> Result<Expr> {
    if let Some(name) = column_of(text, schema) {
        return Ok(ident(name));
    }
    let place = place(source, key);
    match parse(context.session, text, schema, context.today(source), &place) {
        Ok(parsed) => nulls_in(parsed, source, schema),
        Err(error) if is_expression(text) => Err(error),
        Err(_) => Err(missing(text, schema.field_names(), &place)),
    }
}

/// Whether a text under `columns` is plainly no name.
pub fn is_expression(text: &str) -> bool {
    text.contains(['\'', '"', '(', '|'])
}

/// The names of columns that a source's configuration has, as they are written: all that it may
/// need. Expressions that can not be read have none; they are refused where they are planned.
pub fn names_in(session: &SessionContext, source: &Source, tags: &[&Tag]) -> BTreeSet<String> {
    let state = session.state();
    let dialect = state.config_options().sql_parser.dialect;
    let mut names = BTreeSet::new();
    for text in columns_of(source) {
        if !is_expression(text) {
            names.insert(text.to_owned());
        }
    }
    for sql in expressions_of(source, tags) {
        let Ok(parsed) = state.sql_to_expr(sql, &dialect) else {
            continue;
        };
        let _: ControlFlow<()> = visit_expressions(&parsed, |node| {
            match node {
                SqlExpr::Identifier(name) => names.insert(name.value.clone()),
                SqlExpr::CompoundIdentifier(parts) => {
                    let column = parts.iter().find(|part| part.value != source.name);
                    column.is_some_and(|column| names.insert(column.value.clone()))
                }
                _ => false,
            };
            ControlFlow::Continue(())
        });
    }
    names
}

/// What stands where a column is asked for.
fn columns_of(source: &Source) -> Vec<&str> {
    let mut all = vec![source.columns.user.as_str()];
    if let AppColumn::Column(app) = &source.columns.app {
        all.push(app);
    }
    match &source.kind {
        SourceKind::Attributes { dedupe } => all.extend(dedupe.as_deref()),
        SourceKind::GroupTags {
            tag, value, dedupe, ..
        } => {
            all.extend([tag.as_str(), value]);
            all.extend(dedupe.as_deref());
        }
        SourceKind::Behaviour(events) | SourceKind::CustomEvents(events) => {
            all.push(&events.event);
            all.extend(
                events
                    .time
                    .as_deref()
                    .into_iter()
                    .chain(events.properties.as_deref()),
            );
            all.extend(events.dedupe.iter().map(String::as_str));
        }
    }
    all
}

/// Every expression of a source and its tags.
fn expressions_of<'s>(source: &'s Source, tags: &[&'s Tag]) -> Vec<&'s str> {
    let mut all: Vec<&str> = columns_of(source);
    all.retain(|text| is_expression(text));
    all.extend(source.filter.as_deref());
    let named = source.reject.iter().chain(&source.clean);
    all.extend(named.map(|(_, sql)| sql.as_str()));
    all.extend(tags.iter().filter_map(|tag| tag.value.as_deref()));
    if let Some(events) = source.kind.events() {
        all.extend(events.dimensions.iter().map(|(_, sql)| sql.as_str()));
        all.extend(events.measures.iter().map(|measure| measure.value.as_str()));
    }
    all
}

/// Gives the names in an expression the case that the columns have.
pub fn name_as_in_files(expression: &mut SqlExpr, schema: &DFSchema) {
    let _: ControlFlow<()> = visit_expressions_mut(expression, |node| {
        match node {
            SqlExpr::Identifier(name) => {
                name_column(name, schema);
            }
            // A column and its fields, or the source and its column.
            SqlExpr::CompoundIdentifier(names) => {
                names
                    .iter_mut()
                    .take(2)
                    .find_map(|name| name_column(name, schema));
            }
            _ => {}
        }
        ControlFlow::Continue(())
    });
}

/// `None` where the name is no column's.
fn name_column(name: &mut Ident, schema: &DFSchema) -> Option<()> {
    if name.quote_style.is_some() {
        return column_of(&name.value, schema).map(drop);
    }
    name.value = column_of(&name.value, schema)?;
    name.quote_style = Some('"');
    Some(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use arrow::datatypes::{DataType, Field, Schema};

    #[test]
    fn a_name_is_the_column_that_has_it_or_the_only_one_alike() {
        let field = |name: &str| Field::new(name, DataType::Utf8, true);
        let names = ["Country", "age", "Age", "İd", "user id"];
        let schema = Schema::new(names.map(field).to_vec());
        let schema = DFSchema::try_from(schema).unwrap();
        for (name, expected) in [
            ("Country", Some("Country")),
            ("country", Some("Country")),
            ("age", Some("age")),
            ("Age", Some("Age")),
            ("AGE", None),
            ("User Id", Some("user id")),
            ("city", None),
        ] {
            assert_eq!(column_of(name, &schema).as_deref(), expected, "{name}");
        }
    }
}
