//! The names of tags that rows of a group-tags source bring: one pass over the columns of app and
//! tag alone.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::AsArray;
use arrow::datatypes::DataType;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, cast};
use datafusion::prelude::DataFrame;
use tagmill_engine::{Work, of_datafusion};
use tagmill_schemas::Result;
use tagmill_schemas::config::{AppColumn, Source, SourceKind};

use super::clean::{clean, cleaned_schema};
use super::column_checks::{check_columns, used_columns};
use super::context::{ScanContext, plan_error};
use super::files::RawFiles;
use super::named::{column_or_expression, names_in};
use super::project::raw_scan;
use super::sql::column_names;

const APP: &str = "app";
const TAG: &str = "tag";

/// Every (app, tag) that rows name, before filter and reject rules; none of a source of another
/// kind.
///
/// # Errors
/// As [`super::plan_source`]; refused for files that can not be decoded.
pub async fn tag_names(
    context: &ScanContext<'_>,
    source: &Source,
    files: &RawFiles,
) -> Result<BTreeSet<(String, String)>> {
    let SourceKind::GroupTags { tag, .. } = &source.kind else {
        return Ok(BTreeSet::new());
    };
    let names = names_in(context.session, source, &[]);
    let (files, _) = &files.clone().with_named(&names);
    let raw = Arc::clone(raw_scan(source, files, None)?.schema());
    let schema = cleaned_schema(context, source, &raw)?;
    let named = |text: &String, key| -> Result<Expr> {
        let column = column_or_expression(context, source, text, &schema, key)?;
        Ok(cast(column, DataType::Utf8))
    };
    let mut texts = Vec::new();
    if let AppColumn::Column(app) = &source.columns.app {
        texts.push(named(app, "columns.app")?.alias(APP));
    }
    texts.push(named(tag, "columns.tag")?.alias(TAG));
    let needed = texts.iter().flat_map(column_names).collect();
    let cleaned = clean(context, source, &needed, &raw)?;
    check_columns(source, files, &cleaned)?;
    let used = used_columns(&cleaned);
    let columns = cleaned.into_iter().map(|(name, value)| value.alias(name));
    let plan = raw_scan(source, files, Some(&used))?
        .project(columns)
        .and_then(|plan| plan.project(texts))
        .and_then(LogicalPlanBuilder::distinct)
        .and_then(LogicalPlanBuilder::build)
        .map_err(plan_error)?;
    let rows = DataFrame::new(context.session.state(), plan)
        .collect()
        .await;
    let mut names = BTreeSet::new();
    for batch in rows.map_err(|e| of_datafusion(Work::RawData, "plan", e))? {
        let texts = |at: usize| batch.column(at).as_string::<i32>().iter();
        match &source.columns.app {
            AppColumn::Constant(app) => {
                names.extend(texts(0).flatten().map(|tag| (app.clone(), tag.to_owned())));
            }
            AppColumn::Column(_) => {
                let pairs = texts(0).zip(texts(1));
                names.extend(
                    pairs.filter_map(|(app, tag)| Some((app?.to_owned(), tag?.to_owned()))),
                );
            }
        }
    }
    Ok(names)
}
