//! Columns before anything else sees them: null tokens are null, `clean` expressions stand in for
//! what they clean.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use datafusion::common::ScalarValue;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, DFSchemaRef};
use datafusion::logical_expr::{Expr, ExprSchemable, lit, when};
use tagmill_schemas::Result;
use tagmill_schemas::config::Source;

use super::context::{ScanContext, place, plan_error};
use super::named::column_of;
use super::null_tokens::{NullTokens, holds_text};
use super::sql::{column, missing, parse};
use crate::plan::columns::BROKEN_COLUMN;

/// The columns as all other expressions see them: a cleaned one has the type of what cleans it.
///
/// # Errors
/// Refused for a `clean` of a column that the files do not have; as [`parse`].
pub(super) fn cleaned_schema(
    context: &ScanContext<'_>,
    source: &Source,
    raw: &DFSchemaRef,
) -> Result<DFSchemaRef> {
    let mut types = BTreeMap::new();
    for (name, sql) in &source.clean {
        let place = place(source, &format!("clean.{name}"));
        let Some(column) = column_of(name, raw) else {
            return Err(missing(name, raw.field_names(), &place));
        };
        types.insert(
            column,
            parse(context.session, sql, raw, context.today(source), &place)?
                .get_type(raw)
                .map_err(plan_error)?,
        );
    }
    let field = |(qualifier, field): (Option<&_>, &Arc<arrow::datatypes::Field>)| match types
        .get(field.name().as_str())
    {
        Some(data_type) => (
            qualifier.cloned(),
            Arc::new(field.as_ref().clone().with_data_type(data_type.clone())),
        ),
        None => (qualifier.cloned(), Arc::clone(field)),
    };
    let schema =
        DFSchema::new_with_metadata(raw.iter().map(field).collect(), raw.metadata().clone());
    schema.map(Arc::new).map_err(plan_error)
}

/// The needed columns with null tokens and clean expressions applied.
pub(super) fn clean(
    context: &ScanContext<'_>,
    source: &Source,
    needed: &BTreeSet<String>,
    schema: &DFSchemaRef,
) -> Result<Vec<(String, Expr)>> {
    let mut columns = Vec::new();
    for name in needed {
        let raw = column(name, schema, &place(source, "columns"))?;
        let expression = match source
            .clean
            .iter()
            .find(|(key, _)| column_of(key, schema).as_ref() == Some(name))
        {
            None => with_nulls(raw, source, schema),
            Some((column, sql)) => {
                let cleaned = parse(
                    context.session,
                    sql,
                    schema,
                    context.today(source),
                    &place(source, &format!("clean.{column}")),
                )?;
                let made = nulls_in(cleaned, source, schema)?;
                replace_nulls(made, source, schema)?
            }
        };
        columns.push((name.clone(), expression));
    }
    Ok(columns)
}

/// `nulls` of the columns that an expression names.
fn replace_nulls(expression: Expr, source: &Source, schema: &DFSchemaRef) -> Result<Expr> {
    let replaced = expression.transform_down(|node| match &node {
        Expr::Column(_) => Ok(Transformed::new(
            with_nulls(node, source, schema),
            true,
            TreeNodeRecursion::Jump,
        )),
        _ => Ok(Transformed::no(node)),
    });
    replaced.map(|r| r.data).map_err(plan_error)
}

fn with_nulls(column: Expr, source: &Source, schema: &DFSchema) -> Expr {
    let Ok(found) = column.get_type(schema) else {
        return column;
    };
    let is_ours = matches!(&column, Expr::Column(column) if column.name == BROKEN_COLUMN);
    if source.nulls.is_empty() || !holds_text(&found) || is_ours {
        return column;
    }
    if !found.is_string() {
        let tokens: Vec<&str> = source.nulls.iter().map(String::as_str).collect();
        return NullTokens::call(&tokens, column);
    }
    let tokens = source
        .nulls
        .iter()
        .map(|token| lit(token.clone()))
        .collect();
    when(column.clone().in_list(tokens, true), column.clone())
        .end()
        .unwrap_or(column)
}

/// Functions that take a text apart: each part is looked at.
const SPLITS: [&str; 3] = ["string_to_array", "split_part", "regexp_match"];

/// `nulls` in what an expression makes of columns: parts of split text, and its result. A text that
/// the expression itself writes is no null: `coalesce(city, 'unknown')`.
///
/// # Errors
/// Those of walking the expression.
pub(super) fn nulls_in(expression: Expr, source: &Source, schema: &DFSchema) -> Result<Expr> {
    let tokens = tokens_not_in(&expression, source);
    if tokens.is_empty() || matches!(expression, Expr::Column(_)) {
        return Ok(expression);
    }
    let split = expression.transform_up(|node| match &node {
        Expr::ScalarFunction(function) if SPLITS.contains(&function.func.name()) => {
            Ok(Transformed::yes(NullTokens::call(&tokens, node)))
        }
        _ => Ok(Transformed::no(node)),
    });
    let split = split.map_err(plan_error)?;
    let is_split = split.transformed
        && matches!(&split.data, Expr::ScalarFunction(function) if function.func.name() == NullTokens::NAME);
    let found = split.data.get_type(schema).map_err(plan_error)?;
    if is_split || !holds_text(&found) {
        return Ok(split.data);
    }
    Ok(NullTokens::call(&tokens, split.data))
}

/// The tokens that the expression does not write.
fn tokens_not_in<'s>(expression: &Expr, source: &'s Source) -> Vec<&'s str> {
    let mut written = BTreeSet::new();
    let walked = expression.apply(|node| {
        if let Expr::Literal(value, _) = node {
            written.extend(text_of(value));
        }
        Ok(TreeNodeRecursion::Continue)
    });
    let tokens = source.nulls.iter().map(String::as_str);
    let kept = tokens.filter(|token| walked.is_ok() && !written.contains(*token));
    kept.collect()
}

fn text_of(value: &ScalarValue) -> Option<String> {
    value.try_as_str().flatten().map(str::to_owned)
}
