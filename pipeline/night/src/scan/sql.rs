//! Expressions of the configuration: SQL over a source's columns, with `$date` for the run's date and
//! `$day_start` and `$day_end` for the instants at which it begins and ends.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use arrow::datatypes::DataType;
use chrono::NaiveDate;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, SchemaError};
use datafusion::error::DataFusionError;
use datafusion::execution::SessionState;
use datafusion::logical_expr::{Expr, ExprSchemable, Volatility, cast};
use datafusion::prelude::SessionContext;
use datafusion::sql::sqlparser::ast::{Expr as SqlExpr, visit_expressions};
use tagmill_engine::{check_depth, exact_literals, plain_floats};
use tagmill_schemas::config::{AppColumn, Source, SourceKind};
use tagmill_schemas::conversion::{How, Origin, Use, conversion};
use tagmill_schemas::problem::Code;
use tagmill_schemas::{Config, Error, Result, ValueType};

use super::clocks::with_clocks;
use super::context::{Today, place};
use super::convert::{ValueFunction, item_of};
use super::lost::LostFunction;
use super::named::{column_of, is_expression, name_as_in_files};
use super::oddities::likely_delimiter;
use super::placeholder::{unknown_in_words, unknown_placeholder};
use super::type_names::in_words;
use crate::plan::columns::OWN_COLUMNS;

/// Days from 1970-01-01.
pub fn days_of(date: NaiveDate) -> i32 {
    date.signed_duration_since(NaiveDate::default()).num_days() as i32
}

/// Whether every expression of the configuration is SQL over one row; columns and types are not
/// looked at, for that files are needed.
///
/// # Errors
/// Setup for all that are not, each with its place.
pub fn check_syntax(config: &Config) -> Result<()> {
    let state = SessionContext::new().state();
    let checked = expressions_of(config);
    let checked = checked
        .iter()
        .map(|(place, sql)| check_expression(&state, sql, place));
    let wrong = checked.filter_map(|checked| Some(config.located(checked.err()?)));
    Error::of_all(wrong.collect()).map_or(Ok(()), Err)
}

fn check_expression(state: &SessionState, sql: &str, place: &str) -> Result<()> {
    check_depth("configuration", sql).map_err(|e| e.at(place))?;
    let dialect = state.config_options().sql_parser.dialect;
    let parsed = state
        .sql_to_expr(sql, &dialect)
        .map_err(|e| explain(e, place))?;
    match visit_expressions(&parsed, |node| {
        misfit(node, state).map_or(ControlFlow::Continue(()), ControlFlow::Break)
    }) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(what) => Err(can_not_stand(&what, place)),
    }
}

/// Every expression of the configuration, with the words that errors name its place with.
fn expressions_of(config: &Config) -> Vec<(String, &str)> {
    let mut all: Vec<(String, &str)> = Vec::new();
    for source in &config.sources {
        let mut add = |key: String, sql| all.push((place(source, &key), sql));
        if let Some(filter) = &source.filter {
            add("filter".to_owned(), filter);
        }
        for (reason, sql) in &source.reject {
            add(format!("reject.{reason}"), sql);
        }
        for (column, sql) in &source.clean {
            add(format!("clean.{column}"), sql);
        }
        for (key, text) in columns_of(source) {
            if is_expression(text) {
                add(key.to_owned(), text);
            }
        }
        let events = source.kind.events();
        for (dimension, sql) in events.iter().flat_map(|events| &events.dimensions) {
            add(format!("dimensions.{dimension}"), sql);
        }
        for measure in events.iter().flat_map(|events| &events.measures) {
            add(format!("measures.{}", measure.name), &measure.value);
        }
    }
    for tag in &config.tags {
        let value = tag.value.iter();
        all.extend(value.map(|sql| (format!("tag {} value", tag.name), sql.as_str())));
    }
    all
}

/// What stands under `columns` and `dedupe`, with its key.
pub fn columns_of(source: &Source) -> Vec<(&'static str, &str)> {
    let mut all = vec![("columns.user", source.columns.user.as_str())];
    if let AppColumn::Column(app) = &source.columns.app {
        all.push(("columns.app", app));
    }
    match &source.kind {
        SourceKind::Attributes { dedupe } => {
            all.extend(dedupe.iter().map(|by| ("dedupe.by", by.as_str())));
        }
        SourceKind::GroupTags {
            tag, value, dedupe, ..
        } => {
            all.extend([("columns.tag", tag.as_str()), ("columns.value", value)]);
            all.extend(dedupe.iter().map(|by| ("dedupe.by", by.as_str())));
        }
        SourceKind::Behaviour(events) | SourceKind::CustomEvents(events) => {
            all.push(("columns.event", &events.event));
            all.extend(
                events
                    .time
                    .iter()
                    .map(|time| ("columns.time", time.as_str())),
            );
            let properties = events.properties.iter();
            all.extend(properties.map(|text| ("columns.properties", text.as_str())));
            all.extend(events.dedupe.iter().map(|key| ("dedupe.key", key.as_str())));
        }
    }
    all
}

/// Reads an expression over the columns of `schema`; `place` names it in messages.
///
/// # Errors
/// Setup for what is not SQL, refused for a column that the files do not have.
pub fn parse(
    context: &SessionContext,
    sql: &str,
    schema: &DFSchema,
    today: Today,
    place: &str,
) -> Result<Expr> {
    check_depth("configuration", sql).map_err(|e| e.at(place))?;
    let state = context.state();
    let dialect = state.config_options().sql_parser.dialect;
    let parsed = state
        .sql_to_expr_with_alias(sql, &dialect)
        .and_then(|mut parsed| {
            name_as_in_files(&mut parsed.expr, schema);
            state.create_logical_expr_from_sql_expr(parsed, schema)
        })
        .map_err(|e| explain(e, place))?;
    let replaced = parsed.transform_up(|node| match &node {
        Expr::Placeholder(p) => Ok(match today.placeholder(&p.id) {
            Some(value) => Transformed::yes(Expr::Literal(value, None)),
            None => Transformed::no(node),
        }),
        // Cleaned columns have the names of the raw ones, without the table.
        Expr::Column(column) if column.relation.is_some() => Ok(Transformed::yes(
            datafusion::logical_expr::ident(&column.name),
        )),
        _ => Ok(Transformed::no(node)),
    });
    let expression = replaced
        .and_then(|replaced| with_clocks(replaced.data, schema, today))
        .and_then(|clocked| exact_literals(clocked, schema))
        .and_then(|exact| plain_floats(exact, schema))
        .map_err(|e| explain(e, place))?;
    expression.get_type(schema).map_err(|e| explain(e, place))?;
    match unfit(&expression).map_err(|e| explain(e, place))? {
        None => Ok(expression),
        Some(what) => Err(can_not_stand(&what, place)),
    }
}

fn can_not_stand(what: &str, place: &str) -> Error {
    let error = Error::setup(
        "configuration",
        format!("{what} can not stand in an expression"),
    );
    error.at(place.to_owned()).with_code(Code::Expression).fix(
        "write SQL over one row; $date is the run's date, $day_start and $day_end its instants",
    )
}

/// What of [`unfit`] the text alone tells, and functions that nobody knows.
fn misfit(node: &SqlExpr, state: &SessionState) -> Option<String> {
    let function = match node {
        SqlExpr::Subquery(_) | SqlExpr::InSubquery { .. } | SqlExpr::Exists { .. } => {
            return Some("a subquery".to_owned());
        }
        SqlExpr::Function(function) if function.over.is_some() => {
            return Some("a window function".to_owned());
        }
        SqlExpr::Function(function) => function,
        SqlExpr::Value(value) => return unknown_placeholder(&value.value),
        _ => return None,
    };
    let name = function.name.to_string().to_lowercase().replace('"', "");
    if let Some(found) = state.scalar_functions().get(&name) {
        let is_same_again = found.signature().volatility == Volatility::Immutable;
        return (!is_same_again).then(|| format!("{name}(), which gives a rerun another answer,"));
    }
    if state.aggregate_functions().contains_key(&name) {
        return Some(format!("the aggregate {name}()"));
    }
    let known: BTreeSet<&str> = state
        .scalar_functions()
        .keys()
        .map(String::as_str)
        .collect();
    let near = tagmill_schemas::nearest::nearest(&name, known);
    Some(format!(
        "the unknown function {name}(){}",
        near.map(|near| format!(" (did you mean {near}()?)"))
            .unwrap_or_default()
    ))
}

/// Reads an expression that is true or false.
///
/// # Errors
/// As [`parse`]; setup for one of another type.
pub fn parse_condition(
    context: &SessionContext,
    sql: &str,
    schema: &DFSchema,
    today: Today,
    place: &str,
) -> Result<Expr> {
    let condition = parse(context, sql, schema, today, place)?;
    match condition.get_type(schema).map_err(|e| explain(e, place))? {
        DataType::Boolean => Ok(condition),
        found => Err(Error::setup(
            "configuration",
            format!(
                "found {}, expected a condition that is true or false",
                in_words(&found)
            ),
        )
        .at(place.to_owned())
        .with_code(Code::Type)
        .fix("compare the value with something")),
    }
}

/// What does not give one value a row, or not the same one in a rerun.
fn unfit(expression: &Expr) -> datafusion::error::Result<Option<String>> {
    let mut found = None;
    expression.apply(|node| {
        found = match node {
            Expr::AggregateFunction(function) => {
                Some(format!("the aggregate {}()", function.func.name()))
            }
            Expr::WindowFunction(_) => Some("a window function".to_owned()),
            Expr::Placeholder(other) => Some(unknown_in_words(&other.id)),
            Expr::ScalarSubquery(_) | Expr::InSubquery(_) | Expr::Exists(_) => {
                Some("a subquery".to_owned())
            }
            Expr::ScalarFunction(function)
                if function.func.signature().volatility != Volatility::Immutable =>
            {
                Some(format!(
                    "{}(), which gives a rerun another answer,",
                    function.func.name()
                ))
            }
            _ => return Ok(TreeNodeRecursion::Continue),
        };
        Ok(TreeNodeRecursion::Stop)
    })?;
    Ok(found)
}

/// A column by its name, see [`column_of`].
///
/// # Errors
/// Refused when the files do not have it.
pub fn column(name: &str, schema: &DFSchema, place: &str) -> Result<Expr> {
    column_of(name, schema)
        .map(datafusion::logical_expr::ident)
        .ok_or_else(|| missing(name, schema.field_names(), place))
}

/// The error for a column that the files do not have.
pub fn missing(name: &str, known: Vec<String>, place: &str) -> Error {
    let plain = known
        .iter()
        .map(|field| field.rsplit('.').next().unwrap_or(field))
        .filter(|field| !OWN_COLUMNS.contains(field));
    let near = tagmill_schemas::nearest::nearest(name, plain.clone());
    let hint = near
        .map(|near| format!(", did you mean {near:?}"))
        .unwrap_or_default();
    let known: Vec<&str> = plain.collect();
    let fix = match likely_delimiter(&known) {
        Some(delimiter) => format!(
            "say delimiter = \"{delimiter}\" in the source, if that stands between the columns of its \
             CSV"
        ),
        None => "deliver the column or change the configuration".to_owned(),
    };
    Error::refused(
        "scan",
        format!(
            "missing column {name:?}{hint}: the files have {}",
            known.join(", ")
        ),
    )
    .at(place.to_owned())
    .with_code(Code::Column)
    .fix(fix)
}

fn explain(error: DataFusionError, place: &str) -> Error {
    if let DataFusionError::SchemaError(inner, _) = error.find_root()
        && let SchemaError::FieldNotFound {
            field,
            valid_fields,
        } = inner.as_ref()
    {
        return missing(
            &field.name,
            valid_fields.iter().map(|f| f.name.clone()).collect(),
            place,
        );
    }
    Error::setup("configuration", "the expression can not be used")
        .at(place.to_owned())
        .because(error)
        .with_code(Code::Expression)
        .fix("write SQL over the columns of the source")
}

/// The names of the columns that an expression reads.
pub fn column_names(expression: &Expr) -> Vec<String> {
    expression
        .column_refs()
        .into_iter()
        .map(|column| column.name.clone())
        .collect()
}

/// An expression as the text that names something: a user, an app, a tag. What has none is null:
/// bytes that are no text, floats that are no certain integers.
pub fn as_text(expression: Expr, schema: &DFSchema) -> Expr {
    match expression.get_type(schema) {
        Ok(DataType::Utf8View) | Err(_) => expression,
        Ok(found) => match Origin::of(&found) {
            Some(Origin::Bytes | Origin::Float | Origin::Decimal | Origin::Date) => {
                ValueFunction::call(ValueType::String, expression)
            }
            _ => cast(expression, DataType::Utf8View),
        },
    }
}

/// The kind of value that a column of this type holds; `None` for lists, maps and the like.
pub fn value_type_of(data_type: &DataType) -> Option<ValueType> {
    Origin::of(data_type).map(Origin::dimension_type)
}

/// How a value of this type is exchanged.
pub fn arrow_type(value_type: ValueType) -> DataType {
    match value_type {
        ValueType::String => DataType::Utf8View,
        ValueType::Integer => DataType::Int64,
        ValueType::Double => DataType::Float64,
        ValueType::Date => DataType::Date32,
        ValueType::Boolean => DataType::Boolean,
    }
}

/// An expression as a value of the wanted use, and, where the conversion can fail, the condition
/// that it does, if only for one element of a list. What can not fail is left to the shard.
///
/// # Errors
/// Refused for a type that holds no such values.
pub fn cast_to(
    expression: Expr,
    used: Use,
    multi: bool,
    schema: &DFSchema,
    place: &str,
) -> Result<(Expr, Option<Expr>)> {
    let found = expression.get_type(schema).map_err(|e| explain(e, place))?;
    let item = item_of(&found).filter(|_| multi);
    let origin =
        Origin::of(item.unwrap_or(&found)).ok_or_else(|| no_value(&found, used, multi, place))?;
    let wanted = match used {
        Use::Tag(wanted) => wanted,
        _ => origin.dimension_type(),
    };
    match conversion(origin, used).how {
        How::Refused => Err(not_taken(&found, used, place)),
        How::Always => Ok((one_list(expression, &found, item), None)),
        How::Checked => {
            let value = ValueFunction::call(wanted, expression.clone());
            let fails = LostFunction::call(expression, value.clone());
            Ok((value, Some(fails)))
        }
    }
}

/// The shard takes lists of one kind.
fn one_list(expression: Expr, found: &DataType, item: Option<&DataType>) -> Expr {
    match (found, item) {
        (DataType::List(_), _) | (_, None) => expression,
        (_, Some(item)) => cast(expression, DataType::new_list(item.clone(), true)),
    }
}

fn no_value(found: &DataType, used: Use, multi: bool, place: &str) -> Error {
    let what = format!(
        "found {}, expected {}text, numbers, dates or booleans",
        in_words(found),
        if multi { "a list of " } else { "" }
    );
    let is_list = item_of(found).is_some_and(|item| Origin::of(item).is_some());
    let fix = match used {
        Use::Tag(_) if is_list && !multi => {
            "set multi = true: a user can have several values".to_owned()
        }
        _ => format!(
            "make it {} in its expression, with cast(... as ...)",
            noun(used)
        ),
    };
    Error::refused("scan", what)
        .at(place)
        .with_code(Code::Type)
        .fix(fix)
}

/// Dates are text or dates only: SQL would take a number for days since 1970, and a date of
/// 20261119 for one.
fn not_taken(found: &DataType, used: Use, place: &str) -> Error {
    let expected = match used {
        Use::Tag(ValueType::Date) => "a date or text",
        Use::Measure => "a number",
        _ => "a number or text",
    };
    let what = format!("found {}, expected {expected}", in_words(found));
    Error::refused("scan", what)
        .at(place)
        .with_code(Code::Type)
        .fix(format!(
            "make it {} in its expression, as with to_date or date_part",
            noun(used)
        ))
}

fn noun(used: Use) -> String {
    match used {
        Use::Tag(value_type) => value_type.to_string(),
        other => format!("a {other}"),
    }
}
