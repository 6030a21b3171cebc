//! Group tags: one row a user and tag, the name and the value of the tag as columns.

use datafusion::common::DFSchemaRef;
use datafusion::logical_expr::lit;
use tagmill_schemas::Result;
use tagmill_schemas::config::{EVERY_TAG, Source, Tag, UndeclaredTag};

use super::ordering::ordering;
use super::selected::Selected;
use crate::plan::columns::ExchangedColumn;
use crate::plan::spec::{RowsSpec, Undeclared};
use crate::scan::context::place;
use crate::scan::sql::{as_text, column};

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
    source: &Source,
    named: Named<'_>,
    rows: RowsSpec,
    schema: &DFSchemaRef,
) -> Result<Selected> {
    let order = ordering(source, named.order, schema)?;
    let tag = column(named.tag, schema, &place(source, "columns.tag"))?;
    let value = column(named.value, schema, &place(source, "columns.value"))?;
    let is_empty = as_text(tag.clone(), schema).eq(lit(""));
    let rejects = vec![("no_tag".to_owned(), tag.clone().is_null().or(is_empty))];
    let mut columns: Vec<_> = order.into_iter().collect();
    columns.push((ExchangedColumn::TagName, tag));
    columns.push((ExchangedColumn::TagValue, as_text(value, schema)));
    Ok(Selected {
        columns,
        event: None,
        time: None,
        rejects,
        listed: None,
        rows,
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
