//! The plan that reads one source: nulls, clean, filter, reject rules and casts as SQL expressions,
//! then the exchange.
//!
//! ```text
//! scan ─► cleaned columns ─► status and values ─► hash ─► exchange by shard
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::catalog::TableProvider;
use datafusion::common::{DFSchemaRef, ScalarValue};
use datafusion::datasource::provider_as_source;
use datafusion::error::{DataFusionError, Result as DataFusionResult};
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, ScalarUDF, ident, lit};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::SessionContext;
use tagmill_schemas::config::{AppColumn, Source, Tag};
use tagmill_schemas::{Error, IdScope, Result};

use super::by_row::{row_fails, value_of_row};
use super::by_value::over_dictionaries;
use super::clean::{clean, cleaned_schema};
use super::column_checks::{check_columns, check_zones, used_columns};
use super::context::{ScanContext, plan_error};
use super::files::RawFiles;
use super::functions::{BrokenText, HashFunction, TextOfBytes, read_as};
use super::letters::compared_by_letters;
use super::named::names_in;
use super::one_dictionary::OneDictionary;
use super::sql::{as_text, column_names};
use super::table::RawTable;
use super::text_files::TextTable;
use super::wanted::Wanted;
use crate::plan::columns::{
    APP_COLUMN, BROKEN_COLUMN, ExchangedColumn, FAILED_COLUMN, FILTER_FAILED_COLUMN, Layout,
    STATUS_COLUMN, USER_COLUMN,
};
use crate::plan::spec::{EventShapes, RowsSpec};

/// The plan of one source.
pub struct Scan {
    /// Exchanged: partition `i` holds shard `i`.
    pub plan: Arc<dyn ExecutionPlan>,
    /// What its rows are.
    pub rows: RowsSpec,
    /// What a person should know of its columns.
    pub notes: Vec<String>,
}

/// Plans the reading of one source. `properties` are the shapes of its events, when they come from
/// a registry.
///
/// # Errors
/// Setup for expressions that can not be used, refused for files that lack a column or have one of
/// a wrong type.
pub async fn plan_source(
    context: &ScanContext<'_>,
    source: &Source,
    tags: &[&Tag],
    properties: Option<EventShapes>,
    files: RawFiles,
) -> Result<Scan> {
    let prepared = prepare(context, source, tags, properties, files)?;
    let logical = prepared
        .scan(source)?
        .project(prepared.exchanged)
        .and_then(LogicalPlanBuilder::build)
        .map_err(plan_error)?;
    let physical = context
        .session
        .state()
        .create_physical_plan(&logical)
        .await
        .map_err(plan_error)?;
    let plan = context
        .exchange
        .by_shard(physical, context.shards)
        .map_err(plan_error)?;
    let (rows, notes) = (prepared.rows, prepared.notes);
    Ok(Scan { plan, rows, notes })
}

/// The projections that read a source.
pub(super) struct Prepared {
    files: RawFiles,
    /// The raw columns that are read.
    used: BTreeSet<String>,
    cleaned: Vec<Expr>,
    values: Vec<Expr>,
    exchanged: Vec<Expr>,
    rows: RowsSpec,
    notes: Vec<String>,
}

impl Prepared {
    /// Status and values of every row.
    ///
    /// # Errors
    /// Those of planning.
    pub fn scan(&self, source: &Source) -> Result<LogicalPlanBuilder> {
        raw_scan(source, &self.files, Some(&self.used))?
            .project(self.cleaned.clone())
            .and_then(|cleaned| cleaned.project(self.values.clone()))
            .map_err(plan_error)
    }
}

/// What is asked of the files of a source, in three steps.
///
/// # Errors
/// As [`plan_source`].
pub(super) fn prepare(
    context: &ScanContext<'_>,
    source: &Source,
    tags: &[&Tag],
    properties: Option<EventShapes>,
    files: RawFiles,
) -> Result<Prepared> {
    let (files, mut notes) = files.with_named(&names_in(context.session, source, tags));
    let raw = Arc::clone(raw_scan(source, &files, None)?.schema());
    let schema = cleaned_schema(context, source, &raw)?;
    let wanted = Wanted::of(context, source, tags, properties, &schema)?;
    let needed = wanted.needed();
    let cleaned = clean(context, source, &needed, &raw)?;
    check_columns(source, &files, &cleaned)?;
    check_zones(source, &files, &wanted, &cleaned)?;
    let cleaning = cleaned.iter().map(|(_, value)| value);
    notes.extend(compared_by_letters(wanted.expressions(), &files, &schema));
    notes.extend(compared_by_letters(cleaning, &files, &raw));
    let used = used_columns(&cleaned);
    let (files, cleaned, wanted) = match files.rejects_failures {
        // Rows are looked at one by one, and so are values.
        true => {
            let cleaned = cleaned_by_row(cleaned, &wanted.filter_columns());
            (files, cleaned, wanted.by_row())
        }
        false => {
            let coded = stand_alone(&wanted, &cleaned);
            (files.with_dictionaries(&coded), cleaned, wanted)
        }
    };
    // What is written as SQL sees text; from here on text can be dictionaries.
    let (first, coded) = cleaned_columns(context.session, cleaned, &files.dictionaries())?;
    let (wanted, coded) = wanted.over_dictionaries(context.session, &coded)?;
    let layout = Layout::new(&wanted.rows, wanted.app.is_some());
    let rows = wanted.rows.clone();
    let values = values(wanted, &needed, &schema)?;
    let taken: BTreeSet<ExchangedColumn> = values.iter().map(|(column, _)| *column).collect();
    let second = named(&source.name, &layout, values)?;
    let hash = hash_of(context, source);
    let third = exchanged(&source.name, &layout, &taken, &coded, hash)?;

    Ok(Prepared {
        files,
        used,
        cleaned: first,
        values: second,
        exchanged: third,
        rows,
        notes,
    })
}

/// The files of a source as one table. Columns that no cast makes what they are in all files are
/// read in a projection of their own.
/// Of text that is read as bytes, rows are looked at for their columns in `used` alone; `None`: all.
pub(super) fn raw_scan(
    source: &Source,
    files: &RawFiles,
    used: Option<&BTreeSet<String>>,
) -> Result<LogicalPlanBuilder> {
    let mut all: Option<LogicalPlanBuilder> = None;
    let mut lots = files.lots();
    let is_plain = lots.len() == 1 && lots.iter().all(|(_, own)| own.is_empty());
    for (lot, own) in lots.drain(..) {
        let mut scan = scan_of(source, &lot).map_err(plan_error)?;
        if !is_plain {
            scan = read_lot(files, &lot, (&own, used), scan).map_err(plan_error)?;
        }
        all = Some(match all {
            Some(all) => scan
                .build()
                .and_then(|scan| all.union(scan))
                .map_err(plan_error)?,
            None => scan,
        });
    }
    match all {
        Some(all) if is_plain => Ok(all),
        Some(all) => all.alias(source.name.clone()).map_err(plan_error),
        None => Err(misfit(&source.name, "has no lot of files")),
    }
}

fn scan_of(source: &Source, lot: &RawFiles) -> DataFusionResult<LogicalPlanBuilder> {
    let table: Arc<dyn TableProvider> = match lot.are_text() {
        true => Arc::new(TextTable::new(lot)),
        false => Arc::new(RawTable::new(lot.clone())),
    };
    LogicalPlanBuilder::scan(source.name.clone(), provider_as_source(table), None)
}

/// Every column as it is in all files; those in `own` have that type in these.
fn read_lot(
    files: &RawFiles,
    lot: &RawFiles,
    (own, used): (&BTreeMap<String, DataType>, Option<&BTreeSet<String>>),
    scan: LogicalPlanBuilder,
) -> DataFusionResult<LogicalPlanBuilder> {
    let times = &files.times;
    let names: Vec<String> = scan
        .schema()
        .fields()
        .iter()
        .map(|field| field.name().clone())
        .collect();
    let column = |name: String| match own.get(&name) {
        None => Ok(ident(&name).alias(name)),
        Some(_) => {
            let wanted = files.schema.field_with_name(&name)?.data_type();
            let found = match lot.bytes_columns().contains(&name) {
                true => TextOfBytes::call(ident(&name)),
                false => ident(&name),
            };
            let read = read_as(found, wanted, times.naive, times.local)?;
            Ok(read.alias(name))
        }
    };
    let has_broken = names.iter().any(|name| name == BROKEN_COLUMN);
    let mut columns: Vec<Expr> = names
        .into_iter()
        .map(column)
        .collect::<DataFusionResult<_>>()?;
    if files.may_be_broken() && !has_broken {
        columns.push(broken_of(lot, used).alias(BROKEN_COLUMN));
    }
    scan.project(columns)
}

/// Why a row of a lot is none: text that is none in a column that is used.
fn broken_of(lot: &RawFiles, used: Option<&BTreeSet<String>>) -> Expr {
    let is_used = |name: &&String| used.is_none_or(|used| used.contains(*name));
    let names: Vec<String> = lot
        .bytes_columns()
        .iter()
        .filter(is_used)
        .cloned()
        .collect();
    match names.is_empty() {
        true => Expr::Literal(ScalarValue::Utf8View(None), None),
        false => BrokenText::call(&names, names.iter().map(ident).collect()),
    }
}

/// Columns that no expression combines with another one. They can stay dictionaries: an expression
/// over one runs once per distinct value.
fn stand_alone(wanted: &Wanted, cleaned: &[(String, Expr)]) -> BTreeSet<String> {
    let mut together: BTreeSet<String> = column_names(&wanted.user).into_iter().collect();
    let mut all = BTreeSet::new();
    for expression in wanted
        .expressions()
        .chain(cleaned.iter().map(|(_, value)| value))
    {
        let columns: BTreeSet<String> = column_names(expression).into_iter().collect();
        if columns.len() > 1 {
            together.extend(columns.iter().cloned());
        }
        all.extend(columns);
    }
    // What becomes of a column that is used with others is text again.
    let text_again: Vec<String> = cleaned
        .iter()
        .filter(|(name, _)| together.contains(name))
        .flat_map(|(_, value)| column_names(value))
        .collect();
    together.extend(text_again);
    all.difference(&together).cloned().collect()
}

/// The cleaned columns where an expression that fails on a row costs the row alone, and whether one
/// fails: one at all, one of a column that the filter reads.
fn cleaned_by_row(
    cleaned: Vec<(String, Expr)>,
    of_filter: &BTreeSet<String>,
) -> Vec<(String, Expr)> {
    let fails = |is_asked: &dyn Fn(&str) -> bool| {
        let asked = cleaned.iter().filter(|(name, _)| is_asked(name));
        asked
            .filter_map(|(_, value)| row_fails(value))
            .reduce(Expr::or)
            .unwrap_or_else(|| lit(false))
    };
    let failed = [
        (FAILED_COLUMN, fails(&|_| true)),
        (
            FILTER_FAILED_COLUMN,
            fails(&|name| of_filter.contains(name)),
        ),
    ];
    let failed = failed.map(|(name, fails)| (name.to_owned(), fails));
    let values = cleaned.into_iter();
    values
        .map(|(name, value)| (name, value_of_row(value)))
        .chain(failed)
        .collect()
}

/// The first projection, and which of its columns are dictionaries when those in `raw_coded` are.
fn cleaned_columns(
    session: &SessionContext,
    cleaned: Vec<(String, Expr)>,
    raw_coded: &BTreeSet<String>,
) -> Result<(Vec<Expr>, BTreeSet<String>)> {
    let (mut columns, mut coded) = (Vec::with_capacity(cleaned.len()), BTreeSet::new());
    for (name, value) in cleaned {
        let (value, is_coded) = over_dictionaries(session, value, raw_coded).map_err(plan_error)?;
        coded.extend(is_coded.then(|| name.clone()));
        columns.push(value.alias(name));
    }
    Ok((columns, coded))
}

/// Every exchanged column but the hash, which is computed from some of them.
fn values(
    wanted: Wanted,
    needed: &BTreeSet<String>,
    schema: &DFSchemaRef,
) -> Result<Vec<(ExchangedColumn, Expr)>> {
    let mut values = vec![(ExchangedColumn::Status, wanted.status(needed)?)];
    values.extend(wanted.app.map(|app| (ExchangedColumn::App, app)));
    values.push((ExchangedColumn::User, as_text(wanted.user, schema)));
    values.extend(wanted.columns);
    Ok(values)
}

/// The second projection: values under the names of the layout.
///
/// # Errors
/// A plan error for a column that the layout has not.
fn named(source: &str, layout: &Layout, values: Vec<(ExchangedColumn, Expr)>) -> Result<Vec<Expr>> {
    let named = values.into_iter().map(|(column, value)| {
        let name = layout.name(column).ok_or_else(|| {
            misfit(
                source,
                &format!("selects {column}, which is not in its layout"),
            )
        })?;
        Ok(value.alias(name))
    });
    named.collect()
}

/// The last projection: the columns of the layout, of which `taken` were selected. Those in `coded`
/// get one dictionary for all row groups.
///
/// # Errors
/// A plan error for a column of the layout that was not selected.
fn exchanged(
    source: &str,
    layout: &Layout,
    taken: &BTreeSet<ExchangedColumn>,
    coded: &BTreeSet<ExchangedColumn>,
    hash: Expr,
) -> Result<Vec<Expr>> {
    let mut columns = Vec::new();
    for (column, name) in layout.iter() {
        columns.push(match column {
            ExchangedColumn::Hash => hash.clone().alias(name),
            _ if !taken.contains(&column) => {
                let what = format!("does not select {column}, which is in its layout");
                return Err(misfit(source, &what));
            }
            _ if coded.contains(&column) => ScalarUDF::from(OneDictionary::default())
                .call(vec![ident(name)])
                .alias(name),
            _ => ident(name),
        });
    }
    Ok(columns)
}

fn misfit(source: &str, what: &str) -> Error {
    plan_error(DataFusionError::Plan(format!("source {source} {what}")))
}

/// The hash of the second projection's user id, with the app where ids are scoped by it.
fn hash_of(context: &ScanContext<'_>, source: &Source) -> Expr {
    let mut arguments = vec![ident(USER_COLUMN), ident(STATUS_COLUMN)];
    if context.id_scope == IdScope::App {
        arguments.push(match &source.columns.app {
            AppColumn::Column(_) => ident(APP_COLUMN),
            AppColumn::Constant(name) => lit(name.clone()),
        });
    }
    ScalarUDF::from(HashFunction::default()).call(arguments)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::spec::Undeclared;

    fn layout() -> Layout {
        let rows = RowsSpec::GroupTags {
            undeclared: Undeclared::Ignore,
            is_ordered: false,
        };
        Layout::new(&rows, false)
    }

    /// Every column of the layout but the hash.
    fn selected() -> BTreeSet<ExchangedColumn> {
        use ExchangedColumn::{Status, TagName, TagValue, User};
        [Status, User, TagName, TagValue].into()
    }

    fn last(taken: &BTreeSet<ExchangedColumn>) -> Result<Vec<Expr>> {
        exchanged("shop", &layout(), taken, &BTreeSet::new(), lit(0u64))
    }

    #[test]
    fn the_last_projection_is_in_the_order_of_the_layout() {
        let columns = last(&selected()).unwrap();
        let names: Vec<String> = columns
            .iter()
            .map(|column| column.schema_name().to_string())
            .collect();
        assert_eq!(names, ["__hash", "__status", "__user", "tag", "value"]);
    }

    #[test]
    fn rejects_a_column_that_is_not_selected() {
        let mut taken = selected();
        taken.remove(&ExchangedColumn::TagValue);
        let error = last(&taken).unwrap_err().to_string();
        assert!(
            error.contains("source shop does not select value"),
            "{error}"
        );
    }

    #[test]
    fn rejects_a_column_that_is_not_in_the_layout() {
        let values = vec![(ExchangedColumn::Measure(1), lit(0))];
        let error = named("shop", &layout(), values).unwrap_err().to_string();
        assert!(error.contains("source shop selects measure 1"), "{error}");
    }
}
