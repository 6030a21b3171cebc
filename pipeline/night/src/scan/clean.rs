//! Columns before anything else sees them: null tokens are null, `clean` expressions stand in for
//! what they clean.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use datafusion::common::{DFSchema, DFSchemaRef};
use datafusion::logical_expr::{Expr, ExprSchemable, lit, when};
use tagmill_schemas::Result;
use tagmill_schemas::config::Source;

use super::context::{ScanContext, place, plan_error};
use super::sql::{column, parse};

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
        column(name, raw, &place)?;
        types.insert(
            name.as_str(),
            parse(context.session, sql, raw, context.today(), &place)?
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
        let expression = match source.clean.iter().find(|(column, _)| column == name) {
            None => with_nulls(raw, source, schema),
            Some((column, sql)) => {
                let cleaned = parse(
                    context.session,
                    sql,
                    schema,
                    context.today(),
                    &place(source, &format!("clean.{column}")),
                )?;
                replace_nulls(cleaned, source, schema)?
            }
        };
        columns.push((name.clone(), expression));
    }
    Ok(columns)
}

/// `nulls` inside an expression: every text column that it names.
fn replace_nulls(expression: Expr, source: &Source, schema: &DFSchemaRef) -> Result<Expr> {
    use datafusion::common::tree_node::{Transformed, TreeNode};
    let replaced = expression.transform_down(|node| match &node {
        Expr::Column(_) => Ok(Transformed::new(
            with_nulls(node, source, schema),
            true,
            datafusion::common::tree_node::TreeNodeRecursion::Jump,
        )),
        _ => Ok(Transformed::no(node)),
    });
    replaced.map(|r| r.data).map_err(plan_error)
}

fn with_nulls(column: Expr, source: &Source, schema: &DFSchema) -> Expr {
    let is_text = column.get_type(schema).is_ok_and(|t| t.is_string());
    if source.nulls.is_empty() || !is_text {
        return column;
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
