//! Everything that a source is asked for, over its cleaned columns: what is exchanged, and what
//! decides on the status of a row.

use std::collections::BTreeSet;

use arrow::compute::can_cast_types;
use arrow::datatypes::DataType;
use datafusion::common::{DFSchemaRef, ScalarValue};
use datafusion::logical_expr::{Expr, ExprSchemable, ScalarUDF, ident};
use datafusion::prelude::SessionContext;
use tagmill_schemas::config::{AppColumn, Source, Tag};
use tagmill_schemas::conversion::{How, Origin, Use, conversion};
use tagmill_schemas::problem::Code;
use tagmill_schemas::{Error, Result};

use super::by_row::{row_fails, value_of_row};
use super::by_value::over_dictionaries;
use super::clean::nulls_in;
use super::context::{ScanContext, place, plan_error};
use super::functions::{StatusFunction, StatusSpec};
use super::named::{column_of, column_or_expression};
use super::select::{EventTime, Selected, select};
use super::sql::{as_text, column_names, parse_condition};
use super::type_names::in_words;
use crate::plan::columns::{
    BROKEN_COLUMN, ExchangedColumn, FAILED_COLUMN, FILTER_FAILED_COLUMN, OWN_COLUMNS,
};
use crate::plan::spec::{EventShapes, RowsSpec};

/// The expressions of one source.
pub(super) struct Wanted {
    /// The user id as it is in the file.
    pub user: Expr,
    /// The app, when it is a column.
    pub app: Option<Expr>,
    /// The exchanged columns of the source's kind.
    pub columns: Vec<(ExchangedColumn, Expr)>,
    /// What the rows are.
    pub rows: RowsSpec,
    event: Option<Expr>,
    time: Option<EventTime>,
    filter: Option<Expr>,
    /// Why a row is none, where some may be.
    broken: Option<Expr>,
    /// Where expressions fail, if that costs the row.
    failures: Option<Failures>,
    /// (reason, condition), those of the configuration first.
    rejects: Vec<(String, Expr)>,
}

/// Whether an expression fails on a row.
struct Failures {
    of_any: Expr,
    /// Of what the filter needs.
    of_filter: Expr,
}

impl Wanted {
    /// What `source` is asked for; its columns have the types of `schema`.
    ///
    /// # Errors
    /// Setup for expressions that can not be used, refused for columns that are missing or of a
    /// wrong type.
    pub fn of(
        context: &ScanContext<'_>,
        source: &Source,
        tags: &[&Tag],
        properties: Option<EventShapes>,
        schema: &DFSchemaRef,
    ) -> Result<Self> {
        let selected = select(context, source, tags, properties, schema)?;
        let app = match &source.columns.app {
            AppColumn::Column(name) => {
                let app = column_or_expression(context, source, name, schema, "columns.app")?;
                Some(as_name(app, schema)?)
            }
            AppColumn::Constant(_) => None,
        };
        let user = user(context, source, schema)?;
        let condition = |sql: &str, key: &str| {
            let place = place(source, key);
            let condition =
                parse_condition(context.session, sql, schema, context.today(source), &place)?;
            nulls_in(condition, source, schema)
        };
        let declared = source.reject.iter().map(|(reason, sql)| {
            let condition = condition(sql, &format!("reject.{reason}"))?;
            Ok((reason.clone(), condition))
        });
        let mut rejects = declared.collect::<Result<Vec<_>>>()?;
        let filter = source
            .filter
            .as_ref()
            .map(|sql| condition(sql, "filter"))
            .transpose()?;
        let Selected {
            columns,
            event,
            time,
            rejects: of_kind,
            listed,
            rows,
        } = selected;
        rejects.extend(of_kind);
        Ok(Self {
            user,
            app,
            columns,
            rows,
            event,
            time,
            filter: filter.into_iter().chain(listed).reduce(Expr::and),
            broken: column_of(BROKEN_COLUMN, schema).map(ident),
            failures: None,
            rejects,
        })
    }

    /// Every expression but the user id.
    pub fn expressions(&self) -> impl Iterator<Item = &Expr> {
        let columns = self.columns.iter().map(|(_, value)| value);
        columns
            .chain(self.rejects.iter().map(|(_, condition)| condition))
            .chain(&self.filter)
            .chain(&self.broken)
            .chain(&self.app)
            .chain(&self.event)
            .chain(self.time.iter().map(|time| &time.time))
            .chain(self.time.iter().filter_map(|time| time.folder.as_ref()))
    }

    /// The columns that any expression reads.
    pub fn needed(&self) -> BTreeSet<String> {
        self.expressions()
            .chain([&self.user])
            .flat_map(column_names)
            .collect()
    }

    /// The same over columns of which those in `coded` are dictionaries, and which exchanged columns
    /// are dictionaries then. The user id is none.
    ///
    /// # Errors
    /// Those of planning an expression.
    pub fn over_dictionaries(
        self,
        session: &SessionContext,
        coded: &BTreeSet<String>,
    ) -> Result<(Self, BTreeSet<ExchangedColumn>)> {
        let coding = |expression| over_dictionaries(session, expression, coded).map_err(plan_error);
        let plain = |expression| coding(expression).map(|(expression, _)| expression);
        let mut exchanged = BTreeSet::new();
        let mut taken = |column, expression| {
            let (expression, is_coded) = coding(expression)?;
            exchanged.extend(is_coded.then_some(column));
            Ok::<_, Error>(expression)
        };
        let mut columns = Vec::with_capacity(self.columns.len());
        for (column, value) in self.columns {
            columns.push((column, taken(column, value)?));
        }
        let app = self.app.map(|app| taken(ExchangedColumn::App, app));
        let rejects = self
            .rejects
            .into_iter()
            .map(|(reason, condition)| Ok((reason, plain(condition)?)));
        let time = self.time.map(|of| {
            let time = plain(of.time)?;
            Ok::<_, Error>(EventTime { time, ..of })
        });
        let wanted = Self {
            user: self.user,
            app: app.transpose()?,
            columns,
            rows: self.rows,
            event: self.event.map(plain).transpose()?,
            time: time.transpose()?,
            filter: self.filter.map(plain).transpose()?,
            broken: self.broken,
            failures: self.failures,
            rejects: rejects.collect::<Result<_>>()?,
        };
        Ok((wanted, exchanged))
    }

    /// The same where an expression that fails on a row costs the row alone. What became of cleaned
    /// columns stands in [`FAILED_COLUMN`] and [`FILTER_FAILED_COLUMN`].
    pub fn by_row(self) -> Self {
        let any = self.expressions().chain([&self.user]);
        let of_any = any
            .filter_map(row_fails)
            .fold(ident(FAILED_COLUMN), Expr::or);
        let of_filter = self.filter.iter().filter_map(row_fails);
        let of_filter = of_filter.fold(ident(FILTER_FAILED_COLUMN), Expr::or);
        let columns = self.columns.into_iter();
        let rejects = self.rejects.into_iter();
        Self {
            user: value_of_row(self.user),
            app: self.app.map(value_of_row),
            columns: columns
                .map(|(column, value)| (column, value_of_row(value)))
                .collect(),
            event: self.event.map(value_of_row),
            time: self.time.map(|of| EventTime {
                time: value_of_row(of.time),
                ..of
            }),
            filter: self.filter.map(value_of_row),
            failures: Some(Failures { of_any, of_filter }),
            rejects: rejects
                .map(|(reason, condition)| (reason, value_of_row(condition)))
                .collect(),
            ..self
        }
    }

    /// The columns that the filter reads.
    pub fn filter_columns(&self) -> BTreeSet<String> {
        self.filter.iter().flat_map(column_names).collect()
    }

    /// The status of a row; `needed` are the columns that describe a rejected one.
    ///
    /// # Errors
    /// Those of writing JSON.
    pub fn status(&self, needed: &BTreeSet<String>) -> Result<Expr> {
        let is_shown = |name: &&String| !OWN_COLUMNS.contains(&name.as_str());
        let described = needed.iter().filter(is_shown);
        let spec = StatusSpec {
            is_broken: self.broken.is_some(),
            has_failures: self.failures.is_some(),
            has_app: self.app.is_some(),
            has_event: self.event.is_some(),
            day: self.time.as_ref().map(|time| time.day),
            folders: self.time.as_ref().and_then(|time| time.folders.clone()),
            has_filter: self.filter.is_some(),
            reasons: self.rejects.iter().map(|(why, _)| why.clone()).collect(),
            columns: described.clone().cloned().collect(),
        };
        let json = serde_json::to_string(&spec)
            .map_err(|e| Error::setup("plan", "the status can not be described").because(e))?;
        let mut arguments = vec![
            Expr::Literal(ScalarValue::Utf8(Some(json)), None),
            self.user.clone(),
        ];
        arguments.extend(self.broken.clone());
        if let Some(failures) = &self.failures {
            arguments.extend([failures.of_any.clone(), failures.of_filter.clone()]);
        }
        arguments.extend(self.app.iter().chain(&self.event).cloned());
        arguments.extend(self.time.iter().map(|time| time.time.clone()));
        arguments.extend(self.time.iter().filter_map(|time| time.folder.clone()));
        arguments.extend(self.filter.clone());
        let conditions = self.rejects.iter().map(|(_, condition)| condition.clone());
        arguments.extend(conditions);
        arguments.extend(described.map(ident));
        Ok(ScalarUDF::from(StatusFunction::default()).call(arguments))
    }
}

/// The column of user ids.
fn user(context: &ScanContext<'_>, source: &Source, schema: &DFSchemaRef) -> Result<Expr> {
    let name = &source.columns.user;
    let user = column_or_expression(context, source, name, schema, "columns.user")?;
    let found = user.get_type(schema).map_err(plan_error)?;
    if is_id(&found) {
        // What is no certain id is null before the row is judged.
        return as_name(user, schema);
    }
    let what = format!(
        "column {:?} is {}, expected text or a number",
        source.columns.user,
        in_words(&found)
    );
    Err(Error::refused("scan", what)
        .with_code(Code::Type)
        .at(place(source, "columns.user"))
        .fix("make it text with source.clean, as encode(id, 'hex')"))
}

/// A column of names, of which the bytes that are no text, and numbers that are not certain, are null.
fn as_name(column: Expr, schema: &DFSchemaRef) -> Result<Expr> {
    let found = column.get_type(schema).map_err(plan_error)?;
    Ok(match Origin::of(&found) {
        Some(Origin::Bytes | Origin::Float | Origin::Decimal) => as_text(column, schema),
        _ => column,
    })
}

/// Whether values of this type name users.
fn is_id(data_type: &DataType) -> bool {
    match Origin::of(data_type) {
        // No file has a user: nobody is one.
        _ if *data_type == DataType::Null => true,
        Some(origin) => conversion(origin, Use::Id).how != How::Refused,
        None => !data_type.is_nested() && can_cast_types(data_type, &DataType::Utf8View),
    }
}
