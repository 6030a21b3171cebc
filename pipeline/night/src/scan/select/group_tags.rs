//! Group tags: one row a user and tag, the name and the value of the tag as columns.

use datafusion::common::DFSchemaRef;
use datafusion::logical_expr::{Expr, ExprSchemable, lit};
use tagmill_schemas::Result;
use tagmill_schemas::ValueType;
use tagmill_schemas::config::{EVERY_TAG, Source, Tag, UndeclaredTag};
use tagmill_schemas::conversion::Origin;

use super::ordering::ordering;
use super::selected::Selected;
use crate::plan::columns::ExchangedColumn;
use crate::plan::spec::{RowsSpec, Undeclared};
use crate::scan::context::{ScanContext, plan_error};
use crate::scan::convert::ValueFunction;
use crate::scan::lost::LostFunction;
use crate::scan::named::column_or_expression;
use crate::scan::sql::as_text;

/// The columns that the source names.
pub(super) struct Named<'a> {
    /// The tag's name.
    pub tag: &'a str,
    /// Its value.
    pub value: &'a str,
    /// What decides between duplicates.
    pub order: Option<&'a str>,
}

/// Name and value of the tag. A row without a name is rejected.
pub(super) fn select(
    context: &ScanContext<'_>,
    source: &Source,
    named: Named<'_>,
    rows: RowsSpec,
    schema: &DFSchemaRef,
) -> Result<Selected> {
    let order = ordering(context, source, named.order, schema)?;
    let column = |text, key| column_or_expression(context, source, text, schema, key);
    let tag = column(named.tag, "columns.tag")?;
    let value = column(named.value, "columns.value")?;
    let tag = as_text(tag, schema);
    let is_empty = tag.clone().eq(lit(""));
    let mut rejects = vec![("no_tag".to_owned(), tag.clone().is_null().or(is_empty))];
    let (value, fails) = as_value(value, schema)?;
    rejects.extend(fails.map(|fails| ("bad_value".to_owned(), fails)));
    let mut columns: Vec<_> = order.into_iter().collect();
    columns.push((ExchangedColumn::TagName, tag));
    columns.push((ExchangedColumn::TagValue, value));
    Ok(Selected {
        columns,
        event: None,
        time: None,
        rejects,
        listed: None,
        rows,
    })
}

/// A value as the shard takes it, and when it is none: text and what it makes texts of itself, once
/// a distinct value.
fn as_value(value: Expr, schema: &DFSchemaRef) -> Result<(Expr, Option<Expr>)> {
    let found = value.get_type(schema).map_err(plan_error)?;
    Ok(match Origin::of(&found) {
        Some(Origin::Bytes) => {
            let text = ValueFunction::call(ValueType::String, value.clone());
            let fails = LostFunction::call(value, text.clone());
            (text, Some(fails))
        }
        Some(_) => (value, None),
        None => (as_text(value, schema), None),
    })
}

/// The rows of a source of which the configuration declares `tags`.
pub(super) fn rows(tags: &[&Tag], undeclared: UndeclaredTag, is_ordered: bool) -> RowsSpec {
    let takes_all = tags.iter().any(|tag| tag.name == EVERY_TAG);
    let undeclared = match undeclared {
        UndeclaredTag::Reject => Undeclared::Reject,
        UndeclaredTag::String if takes_all => Undeclared::String,
        _ => Undeclared::Ignore,
    };
    RowsSpec::GroupTags {
        undeclared,
        is_ordered,
    }
}
