//! The plan that reads one source: nulls, clean, filter, reject rules and casts as SQL expressions,
//! then the exchange.
//!
//! ```text
//! scan ─► cleaned columns ─► status and values ─► hash ─► exchange by shard
//! ```

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::NaiveDate;
use chrono_tz::Tz;
use datafusion::common::{DFSchema, DFSchemaRef, ScalarValue};
use datafusion::datasource::provider_as_source;
use datafusion::logical_expr::{
    Expr, ExprSchemable, LogicalPlanBuilder, ScalarUDF, ident, lit, when,
};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::SessionContext;
use tagmill_schemas::Shards;
use tagmill_schemas::config::{
    AppColumn, DayBy, Events, LateEvent, Measure, Source, SourceKind, Tag,
};
use tagmill_schemas::local_day::start_of;
use tagmill_schemas::{Error, IdScope, Result};

use super::by_value::over_dictionaries;
use super::clean::{clean, cleaned_schema};
use super::files::RawFiles;
use super::functions::{DayBounds, HashFunction, KeyFunction, StatusFunction, StatusSpec};
use super::one_dictionary::OneDictionary;
use super::sql::{cast_to, column, parse, parse_condition, value_type_of};
use super::table::RawTable;
use crate::exchange::{Exchange, HASH_COLUMN};
use crate::{EventShapes, LARGEST_SCALED, MeasureShape, RowsSpec, TagSpec, Undeclared};

const STATUS_COLUMN: &str = "__status";
const APP_COLUMN: &str = "__app";
const USER_COLUMN: &str = "__user";

/// What does not depend on the source.
pub struct ScanContext<'a> {
    /// Functions and settings.
    pub session: &'a SessionContext,
    /// The run's date.
    pub date: NaiveDate,
    /// Where days begin and end.
    pub time_zone: Tz,
    /// Whether ids are scoped by app.
    pub id_scope: IdScope,
    /// Number of shards.
    pub shards: Shards,
    /// Who moves rows to their shards.
    pub exchange: Exchange,
}

/// The plan of one source.
pub struct Scan {
    /// Exchanged: partition `i` holds shard `i`.
    pub plan: Arc<dyn ExecutionPlan>,
    /// What its rows are.
    pub rows: RowsSpec,
}

/// The expressions of one source, over its cleaned columns.
struct Selected {
    values: Vec<(String, Expr)>,
    event: Option<Expr>,
    time: Option<(Expr, DayBounds)>,
    /// (reason, condition)
    rejects: Vec<(String, Expr)>,
    /// Rows for which it is not true are left out, as by the source's filter.
    listed: Option<Expr>,
    rows: RowsSpec,
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
    let raw = raw_schema(source, &files)?;
    let schema = cleaned_schema(context, source, &raw)?;
    let Wanted {
        selected,
        app,
        user,
        rejects,
        filter,
    } = Wanted::of(context, source, tags, properties, &schema)?;
    let every = selected
        .values
        .iter()
        .map(|(_, e)| e)
        .chain(rejects.iter().map(|(_, e)| e))
        .chain(&filter)
        .chain(&app)
        .chain(&selected.event);
    let every: Vec<&Expr> = every.chain(selected.time.iter().map(|(e, _)| e)).collect();
    let needed: BTreeSet<String> = every
        .iter()
        .copied()
        .chain([&user])
        .flat_map(column_names)
        .collect();
    let cleaned = clean(context, source, &needed, &raw)?;
    check_columns(source, &files, &cleaned)?;
    let files = files.with_dictionaries(&stand_alone(&every, &user, &cleaned));

    // What is written as SQL sees text; from here on text can be dictionaries.
    let raw_coded = files.dictionaries();
    let mut coded = BTreeSet::new();
    let mut first = Vec::new();
    for (name, value) in cleaned {
        let (value, is_coded) =
            over_dictionaries(context.session, value, &raw_coded).map_err(plan_error)?;
        coded.extend(is_coded.then(|| name.clone()));
        first.push(value.alias(name));
    }
    let over = |expression: Expr| {
        over_dictionaries(context.session, expression, &coded).map_err(plan_error)
    };
    let (mut values, mut exchanged) = (Vec::new(), BTreeSet::new());
    for (name, value) in selected.values {
        let (value, is_coded) = over(value)?;
        exchanged.extend(is_coded.then(|| name.clone()));
        values.push((name, value));
    }
    let app = app.map(over).transpose()?.map(|(app, is_coded)| {
        exchanged.extend(is_coded.then(|| APP_COLUMN.to_owned()));
        app
    });
    let over = |expression: Expr| over(expression).map(|(expression, _)| expression);
    let named = |(name, value): (String, Expr)| Ok((name, over(value)?));
    let rejects = rejects.into_iter().map(named).collect::<Result<Vec<_>>>()?;
    let filter = filter.map(over).transpose()?;
    let event = selected.event.map(over).transpose()?;
    let time = selected
        .time
        .map(|(time, day)| Ok::<_, Error>((over(time)?, day)))
        .transpose()?;
    let status = status_of(
        &needed,
        &user,
        app.as_ref(),
        event.as_ref(),
        time.as_ref(),
        filter.as_ref(),
        &rejects,
    )?;

    let mut second = vec![status.alias(STATUS_COLUMN)];
    second.extend(app.clone().map(|app| app.alias(APP_COLUMN)));
    second.push(as_text(user, &schema).alias(USER_COLUMN));
    second.extend(values.iter().map(|(name, value)| value.clone().alias(name)));
    let names: Vec<String> = values.into_iter().map(|(name, _)| name).collect();
    let scoped = context.id_scope == IdScope::App;
    let mut hash_arguments = vec![ident(USER_COLUMN), ident(STATUS_COLUMN)];
    if scoped {
        hash_arguments.push(match &source.columns.app {
            AppColumn::Column(_) => ident(APP_COLUMN),
            AppColumn::Constant(name) => lit(name.clone()),
        });
    }
    let hash = ScalarUDF::from(HashFunction::default()).call(hash_arguments);
    let mut third = vec![hash.alias(HASH_COLUMN), ident(STATUS_COLUMN)];
    let ready = |name: &str| match exchanged.contains(name) {
        true => ScalarUDF::from(OneDictionary::default())
            .call(vec![ident(name)])
            .alias(name),
        false => ident(name),
    };
    third.extend(app.map(|_| ready(APP_COLUMN)));
    third.push(ident(USER_COLUMN));
    third.extend(names.iter().map(|name| ready(name)));

    let projected = [first, second, third]
        .into_iter()
        .try_fold(raw_scan(source, &files)?, LogicalPlanBuilder::project);
    let logical = projected
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
    Ok(Scan {
        plan,
        rows: selected.rows,
    })
}

/// Whether values of this type name users. Numbers that are not whole are what a tool made of
/// integers with a null among them, and would be other users than before.
fn is_id(data_type: &arrow::datatypes::DataType) -> bool {
    use arrow::datatypes::DataType;
    match data_type {
        DataType::Dictionary(_, values) => is_id(values),
        DataType::Boolean | DataType::Null => false,
        DataType::Decimal32(_, scale)
        | DataType::Decimal64(_, scale)
        | DataType::Decimal128(_, scale)
        | DataType::Decimal256(_, scale) => *scale <= 0,
        other => {
            !other.is_floating()
                && !other.is_nested()
                && arrow::compute::can_cast_types(other, &DataType::Utf8View)
        }
    }
}

fn raw_scan(source: &Source, files: &RawFiles) -> Result<LogicalPlanBuilder> {
    let table = Arc::new(RawTable::new(files.clone()));
    LogicalPlanBuilder::scan(source.name.clone(), provider_as_source(table), None)
        .map_err(plan_error)
}

fn raw_schema(source: &Source, files: &RawFiles) -> Result<DFSchemaRef> {
    Ok(Arc::clone(raw_scan(source, files)?.schema()))
}

/// Everything that a source is asked for, over its cleaned columns.
struct Wanted {
    selected: Selected,
    app: Option<Expr>,
    user: Expr,
    rejects: Vec<(String, Expr)>,
    filter: Option<Expr>,
}

impl Wanted {
    fn of(
        context: &ScanContext<'_>,
        source: &Source,
        tags: &[&Tag],
        properties: Option<EventShapes>,
        schema: &DFSchemaRef,
    ) -> Result<Self> {
        let selected = select(context, source, tags, properties, schema)?;
        let app = match &source.columns.app {
            AppColumn::Column(name) => Some(column(name, schema, &place(source, "columns.app"))?),
            AppColumn::Constant(_) => None,
        };
        let user = column(&source.columns.user, schema, &place(source, "columns.user"))?;
        let found = user.get_type(schema).map_err(plan_error)?;
        if !is_id(&found) {
            let what = format!(
                "column {:?} is {found}, expected text or an integer",
                source.columns.user
            );
            return Err(Error::refused("scan", what)
                .at(place(source, "columns.user"))
                .fix("make it text with source.clean, as encode(id, 'hex')"));
        }
        let mut rejects = declared_rejects(context, source, schema)?;
        rejects.extend(selected.rejects.iter().cloned());
        let filter = source
            .filter
            .as_ref()
            .map(|sql| {
                parse_condition(
                    context.session,
                    sql,
                    schema,
                    context.date,
                    &place(source, "filter"),
                )
            })
            .transpose()?;
        let filter = filter
            .into_iter()
            .chain(selected.listed.clone())
            .reduce(Expr::and);
        Ok(Self {
            selected,
            app,
            user,
            rejects,
            filter,
        })
    }
}

/// Columns that expressions use alone: those can be dictionaries, of which an expression is
/// computed value by value.
fn stand_alone(every: &[&Expr], user: &Expr, cleaned: &[(String, Expr)]) -> BTreeSet<String> {
    let mut together: BTreeSet<String> = column_names(user).into_iter().collect();
    let mut all = BTreeSet::new();
    for expression in every
        .iter()
        .copied()
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

pub(super) fn plan_error(error: datafusion::error::DataFusionError) -> Error {
    tagmill_engine::of_datafusion(tagmill_engine::Work::RawData, "plan", error)
}

pub(super) fn place(source: &Source, what: &str) -> String {
    format!("source {} {what}", source.name)
}

fn column_names(expression: &Expr) -> Vec<String> {
    expression
        .column_refs()
        .into_iter()
        .map(|column| column.name.clone())
        .collect()
}

fn as_text(expression: Expr, schema: &DFSchema) -> Expr {
    use arrow::datatypes::DataType;
    match expression.get_type(schema) {
        Ok(DataType::Utf8View) | Err(_) => expression,
        // Bytes that are no text are no id: null.
        Ok(DataType::Binary | DataType::LargeBinary | DataType::BinaryView) => {
            datafusion::logical_expr::try_cast(expression, DataType::Utf8View)
        }
        Ok(_) => datafusion::logical_expr::cast(expression, DataType::Utf8View),
    }
}

/// A column that the configuration needs has to be in every file.
fn check_columns(source: &Source, files: &RawFiles, cleaned: &[(String, Expr)]) -> Result<()> {
    let used: BTreeSet<String> = cleaned
        .iter()
        .flat_map(|(_, expression)| column_names(expression))
        .collect();
    used.iter().try_for_each(|name| files.check_agreed(name))?;
    for file in &files.files {
        let lacks = |name: &&String| {
            file.schema.index_of(name).is_err() && !files.partition_columns.contains(name)
        };
        if let Some(name) = used.iter().find(lacks) {
            let found: Vec<&str> = file
                .schema
                .fields()
                .iter()
                .map(|f| f.name().as_str())
                .collect();
            let what = format!(
                "missing column {name:?}, which source {} needs: found {}",
                source.name,
                found.join(", ")
            );
            return Err(Error::refused("scan", what)
                .at(files.store.name_of(&file.found.path))
                .fix("deliver the column or change the configuration"));
        }
    }
    Ok(())
}

fn declared_rejects(
    context: &ScanContext<'_>,
    source: &Source,
    schema: &DFSchemaRef,
) -> Result<Vec<(String, Expr)>> {
    let parse_one = |(reason, sql): &(String, String)| {
        Ok((
            reason.clone(),
            parse_condition(
                context.session,
                sql,
                schema,
                context.date,
                &place(source, &format!("reject.{reason}")),
            )?,
        ))
    };
    source.reject.iter().map(parse_one).collect()
}

fn status_of(
    needed: &BTreeSet<String>,
    user: &Expr,
    app: Option<&Expr>,
    event: Option<&Expr>,
    time: Option<&(Expr, DayBounds)>,
    filter: Option<&Expr>,
    rejects: &[(String, Expr)],
) -> Result<Expr> {
    let spec = StatusSpec {
        has_app: app.is_some(),
        has_event: event.is_some(),
        day: time.map(|(_, day)| *day),
        has_filter: filter.is_some(),
        reasons: rejects.iter().map(|(reason, _)| reason.clone()).collect(),
        columns: needed.iter().cloned().collect(),
    };
    let json = serde_json::to_string(&spec)
        .map_err(|e| Error::setup("plan", "the status can not be described").because(e))?;
    let mut arguments = vec![
        Expr::Literal(ScalarValue::Utf8(Some(json)), None),
        user.clone(),
    ];
    arguments.extend(app.into_iter().chain(event).cloned());
    arguments.extend(time.map(|(time, _)| time.clone()));
    arguments.extend(filter.cloned());
    arguments.extend(rejects.iter().map(|(_, condition)| condition.clone()));
    arguments.extend(needed.iter().map(ident));
    Ok(ScalarUDF::from(StatusFunction::default()).call(arguments))
}

fn select(
    context: &ScanContext<'_>,
    source: &Source,
    tags: &[&Tag],
    properties: Option<EventShapes>,
    schema: &DFSchemaRef,
) -> Result<Selected> {
    match &source.kind {
        SourceKind::Attributes { dedupe } => {
            select_attributes(context, source, tags, dedupe.as_deref(), schema)
        }
        SourceKind::GroupTags {
            tag, value, dedupe, ..
        } => {
            let mut values = ordering(source, dedupe.as_deref(), schema)?;
            let rows = rows_of(source, tags);
            let tag = column(tag, schema, &place(source, "columns.tag"))?;
            let value = column(value, schema, &place(source, "columns.value"))?;
            let rejects = vec![(
                "no_tag".to_owned(),
                tag.clone()
                    .is_null()
                    .or(as_text(tag.clone(), schema).eq(lit(""))),
            )];
            values.push(("tag".into(), tag));
            values.push(("value".into(), as_text(value, schema)));
            Ok(Selected {
                values,
                event: None,
                time: None,
                rejects,
                listed: None,
                rows,
            })
        }
        SourceKind::Behaviour(events) => select_behaviour(context, source, events, schema),
        SourceKind::CustomEvents(events) => {
            select_custom(context, source, events, properties, schema)
        }
    }
}

/// What the rows of a source are as far as the configuration alone tells: for a source that is not
/// read tonight.
pub fn rows_of(source: &Source, tags: &[&Tag]) -> RowsSpec {
    match &source.kind {
        SourceKind::Attributes { dedupe } => RowsSpec::Attributes {
            tags: tags.iter().filter_map(|tag| tag_spec(tag)).collect(),
            is_ordered: dedupe.is_some(),
        },
        SourceKind::GroupTags {
            undeclared, dedupe, ..
        } => {
            let takes_all = tags
                .iter()
                .any(|tag| tag.name == tagmill_schemas::config::EVERY_TAG);
            let undeclared = match undeclared {
                tagmill_schemas::config::UndeclaredTag::Reject => Undeclared::Reject,
                tagmill_schemas::config::UndeclaredTag::String if takes_all => Undeclared::String,
                _ => Undeclared::Ignore,
            };
            RowsSpec::GroupTags {
                undeclared,
                is_ordered: dedupe.is_some(),
            }
        }
        SourceKind::Behaviour(_) | SourceKind::CustomEvents(_) => {
            let shapes = EventShapes::Columns {
                dimensions: Vec::new(),
                measures: Vec::new(),
            };
            RowsSpec::Events {
                dimensions: Vec::new(),
                measures: 0,
                is_keyed: false,
                shapes,
            }
        }
    }
}

fn tag_spec(tag: &Tag) -> Option<TagSpec> {
    Some(TagSpec {
        name: tag.name.clone(),
        value_type: tag.value_type?,
        multi: tag.multi,
        scale: tag.scale,
    })
}

/// The column that decides between duplicates, as an integer.
fn ordering(
    source: &Source,
    by: Option<&str>,
    schema: &DFSchemaRef,
) -> Result<Vec<(String, Expr)>> {
    use arrow::datatypes::DataType;
    let Some(by) = by else { return Ok(Vec::new()) };
    let order = column(by, schema, &place(source, "dedupe.by"))?;
    let found = order.get_type(schema).map_err(plan_error)?;
    let is_ordered = found.is_integer()
        || matches!(
            found,
            DataType::Timestamp(..) | DataType::Date32 | DataType::Date64
        );
    if !is_ordered {
        let what = format!(
            "column {by:?} is {found}, expected a timestamp, date or integer that orders \
             duplicates"
        );
        return Err(Error::refused("scan", what)
            .at(place(source, "dedupe.by"))
            .fix("name another column, or make it one with source.clean"));
    }
    let order = if found == DataType::Date32 {
        datafusion::logical_expr::cast(order, DataType::Int32)
    } else {
        order
    };
    // Null is before all; what does not fit is above what does.
    let as_integer = datafusion::logical_expr::try_cast(order.clone(), DataType::Int64);
    let others = when(order.is_null(), lit(i64::MIN))
        .otherwise(lit(i64::MAX))
        .map_err(plan_error)?;
    let present = when(as_integer.clone().is_not_null(), as_integer)
        .otherwise(others)
        .map_err(plan_error)?;
    Ok(vec![("order".into(), present)])
}

fn select_attributes(
    context: &ScanContext<'_>,
    source: &Source,
    tags: &[&Tag],
    dedupe: Option<&str>,
    schema: &DFSchemaRef,
) -> Result<Selected> {
    let mut values = ordering(source, dedupe, schema)?;
    let mut rejects = Vec::new();
    for tag in tags {
        let (Some(sql), Some(value_type)) = (&tag.value, tag.value_type) else {
            continue;
        };
        let place = format!("tag {} value", tag.name);
        let parsed = parse(context.session, sql, schema, context.date, &place)?;
        let (value, fails) = cast_to(parsed, value_type, tag.multi, schema, &place)?;
        let too_large = tag
            .scale
            .filter(|_| !tag.multi)
            .map(|scale| beyond_64_bits(&value, scale));
        rejects.extend(
            fails
                .into_iter()
                .chain(too_large)
                .map(|fails| (format!("bad_{}", tag.name), fails)),
        );
        values.push((format!("tag:{}", tag.name), value));
    }
    Ok(Selected {
        values,
        event: None,
        time: None,
        rejects,
        listed: None,
        rows: rows_of(source, tags),
    })
}

/// Whether a number is too large for its bit-sliced index; not-a-number and infinities are not in
/// it.
fn beyond_64_bits(value: &Expr, scale: u8) -> Expr {
    let value = datafusion::logical_expr::cast(value.clone(), arrow::datatypes::DataType::Float64);
    let most = LARGEST_SCALED / 10f64.powi(i32::from(scale));
    let above = value
        .clone()
        .gt_eq(lit(most))
        .and(value.clone().lt(lit(f64::INFINITY)));
    above.or(value
        .clone()
        .lt_eq(lit(-most))
        .and(value.clone().gt(lit(f64::NEG_INFINITY))))
}

/// The event, its time with the day's bounds, and the first columns of the exchange.
type EventColumns = (Expr, Option<(Expr, DayBounds)>, Vec<(String, Expr)>);

/// Event, time and dedupe key, which both kinds of event sources have.
fn event_columns(
    context: &ScanContext<'_>,
    source: &Source,
    events: &Events,
    schema: &DFSchemaRef,
) -> Result<EventColumns> {
    let event = column(&events.event, schema, &place(source, "columns.event"))?;
    let time = match events.day.by {
        DayBy::Path => None,
        DayBy::Time => {
            let time = event_time(source, events, schema)?;
            let bounds = day_bounds(
                context,
                &time.get_type(schema).map_err(plan_error)?,
                events.day.late == LateEvent::Reject,
            );
            Some((time, bounds))
        }
    };
    let mut values = Vec::new();
    if !events.dedupe.is_empty() {
        let keys = events
            .dedupe
            .iter()
            .map(|name| column(name, schema, &place(source, "dedupe.key")))
            .collect::<Result<Vec<_>>>()?;
        values.push((
            "key".into(),
            ScalarUDF::from(KeyFunction::default()).call(keys),
        ));
    }
    values.push(("event".into(), event.clone()));
    Ok((event, time, values))
}

fn event_time(source: &Source, events: &Events, schema: &DFSchemaRef) -> Result<Expr> {
    use arrow::datatypes::{DataType, TimeUnit};
    let time = column(&events.time, schema, &place(source, "columns.time"))?;
    match time.get_type(schema).map_err(plan_error)? {
        DataType::Timestamp(..) | DataType::Date32 | DataType::Date64 => Ok(time),
        t if t.is_string() => Ok(datafusion::logical_expr::try_cast(
            time,
            DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        )),
        other => {
            let what = format!("column {:?} is {other}, expected a timestamp", events.time);
            Err(Error::refused("scan", what)
                .at(place(source, "columns.time"))
                .fix("make it one with source.clean, as to_timestamp_millis(ts)"))
        }
    }
}

/// The local day of the run's date; where a day has no midnight it begins with its first moment. A
/// date is a day in any zone.
fn day_bounds(
    context: &ScanContext<'_>,
    time: &arrow::datatypes::DataType,
    rejects_late: bool,
) -> DayBounds {
    use arrow::datatypes::DataType;
    let zone = if matches!(time, DataType::Date32 | DataType::Date64) {
        Tz::UTC
    } else {
        context.time_zone
    };
    let start = |date: NaiveDate| start_of(date, zone).timestamp();
    DayBounds {
        start: start(context.date),
        end: start(context.date.succ_opt().unwrap_or(context.date)),
        rejects_late,
    }
}

fn select_behaviour(
    context: &ScanContext<'_>,
    source: &Source,
    events: &Events,
    schema: &DFSchemaRef,
) -> Result<Selected> {
    let (event, time, mut values) = event_columns(context, source, events, schema)?;
    let (mut types, mut rejects) = (Vec::new(), Vec::new());
    for (name, sql) in &events.dimensions {
        let place = place(source, &format!("dimensions.{name}"));
        let parsed = parse(context.session, sql, schema, context.date, &place)?;
        let found = parsed.get_type(schema).map_err(plan_error)?;
        let value_type = value_type_of(&found).ok_or_else(|| {
            Error::refused(
                "scan",
                format!("found {found}, expected text, a number, a date or a boolean"),
            )
            .at(place.clone())
            .fix("cast the dimension in its expression")
        })?;
        let (value, fails) = cast_to(parsed, value_type, false, schema, &place)?;
        types.push(value_type);
        values.push((format!("dimension:{name}"), value));
        rejects.extend(fails.map(|fails| (format!("bad_{name}"), fails)));
    }
    for measure in &events.measures {
        let place = place(source, &format!("measures.{}", measure.name));
        let parsed = parse(
            context.session,
            &measure.value,
            schema,
            context.date,
            &place,
        )?;
        let found = parsed.get_type(schema).map_err(plan_error)?;
        if !found.is_numeric() {
            return Err(
                Error::refused("scan", format!("found {found}, expected a number"))
                    .at(place)
                    .fix("cast the measure in its expression"),
            );
        }
        values.push((format!("measure:{}", measure.name), parsed));
    }
    let mut dimensions: Vec<(String, usize)> = events
        .dimensions
        .iter()
        .enumerate()
        .map(|(slot, (name, _))| (name.clone(), slot))
        .collect();
    dimensions.sort();
    let shape = |(slot, m): (usize, &Measure)| {
        (
            MeasureShape {
                name: m.name.clone(),
                slot,
                scale: m.scale,
            },
            m.events.clone(),
        )
    };
    let mut measures: Vec<_> = events.measures.iter().enumerate().map(shape).collect();
    measures.sort_by(|a, b| a.0.name.cmp(&b.0.name));
    let shapes = EventShapes::Columns {
        dimensions,
        measures,
    };
    let rows = RowsSpec::Events {
        dimensions: types,
        measures: events.measures.len(),
        is_keyed: !events.dedupe.is_empty(),
        shapes,
    };
    let listed = listed_events(&event, events);
    Ok(Selected {
        values,
        event: Some(event),
        time,
        rejects,
        listed,
        rows,
    })
}

/// Whether a row's event is one that the source names; nothing is wrong with the others.
fn listed_events(event: &Expr, events: &Events) -> Option<Expr> {
    let names = || events.events.iter().map(|name| lit(name.clone())).collect();
    (!events.events.is_empty()).then(|| event.clone().in_list(names(), false))
}

fn select_custom(
    context: &ScanContext<'_>,
    source: &Source,
    events: &Events,
    shapes: Option<EventShapes>,
    schema: &DFSchemaRef,
) -> Result<Selected> {
    let (event, time, mut values) = event_columns(context, source, events, schema)?;
    let name = events.properties.as_deref().unwrap_or("properties");
    let properties = column(name, schema, &place(source, "columns.properties"))?;
    let found = properties.get_type(schema).map_err(plan_error)?;
    if !found.is_string() && !matches!(found, arrow::datatypes::DataType::Map(..)) {
        let what = format!("column {name:?} is {found}, expected a map or JSON text");
        return Err(Error::refused("scan", what)
            .at(place(source, "columns.properties"))
            .fix("deliver properties as MAP<string, string> or as JSON"));
    }
    if let arrow::datatypes::DataType::Map(entries, _) = &found
        && let arrow::datatypes::DataType::Struct(fields) = entries.data_type()
        && let Some(nested) = fields.iter().find(|field| {
            !arrow::compute::can_cast_types(
                field.data_type(),
                &arrow::datatypes::DataType::Utf8View,
            )
        })
    {
        let what = format!(
            "column {name:?} is a map with {} inside, expected text, numbers or booleans",
            nested.data_type()
        );
        return Err(Error::refused("scan", what)
            .at(place(source, "columns.properties"))
            .fix("deliver properties as MAP<string, string> or as JSON"));
    }
    values.push(("properties".into(), properties));
    let shapes = shapes.unwrap_or(EventShapes::Properties {
        events: Default::default(),
        rejects_undeclared: false,
        slot_types: Vec::new(),
    });
    let EventShapes::Properties {
        slot_types,
        events: declared,
        ..
    } = &shapes
    else {
        return Err(
            Error::setup("plan", "custom events need a registry").at(place(source, "registry"))
        );
    };
    let measures = declared
        .values()
        .flat_map(|events| events.values())
        .flat_map(|e| e.shape.measures.iter().map(|m| m.slot + 1))
        .max()
        .unwrap_or(0);
    let rows = RowsSpec::Events {
        dimensions: slot_types.clone(),
        measures,
        is_keyed: !events.dedupe.is_empty(),
        shapes,
    };
    Ok(Selected {
        values,
        event: Some(event),
        time,
        rejects: Vec::new(),
        listed: None,
        rows,
    })
}
