//! Columns as the configuration names them: by their name in the files, or as an expression.
//!
//! A name means the column that has it; else the only one that differs from it in case alone, as
//! SQL folds unquoted names. In double quotes it means nothing else than itself.

use std::ops::ControlFlow;

use datafusion::common::DFSchema;
use datafusion::logical_expr::{Expr, ident};
use datafusion::sql::sqlparser::ast::{Expr as SqlExpr, Ident, visit_expressions_mut};
use tagmill_schemas::Result;
use tagmill_schemas::config::Source;

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
    match parse(context.session, text, schema, context.today(), &place) {
        Ok(parsed) => nulls_in(parsed, source, schema),
        Err(error) if is_expression(text) => Err(error),
        Err(_) => Err(missing(text, schema.field_names(), &place)),
    }
}

/// Whether a text under `columns` is plainly no name.
pub fn is_expression(text: &str) -> bool {
    text.contains(['\'', '"', '(', '|'])
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
