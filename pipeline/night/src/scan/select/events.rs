//! Events: what both kinds have (event, time, dedupe key), and the platform's, whose dimensions and
//! measures are expressions.

use arrow::datatypes::{DataType, TimeUnit};
use chrono::NaiveDate;
use chrono_tz::Tz;
use datafusion::common::DFSchemaRef;
use datafusion::logical_expr::{Expr, ExprSchemable, ScalarUDF, cast, ident, lit};
use tagmill_schemas::config::{DayBy, Events, LateEvent, Measure, Source};
use tagmill_schemas::conversion::{How, Origin, Use, conversion};
use tagmill_schemas::local_day::start_of;
use tagmill_schemas::problem::Code;
use tagmill_schemas::value::ValueType;
use tagmill_schemas::{Error, Result};

use super::selected::{EventTime, Selected};
use crate::plan::columns::{ExchangedColumn, FOLDER_COLUMN};
use crate::plan::shape::MeasureShape;
use crate::plan::spec::{EventShapes, RowsSpec};
use crate::scan::clean::nulls_in;
use crate::scan::context::{ScanContext, place, plan_error};
use crate::scan::functions::{DayBounds, FolderDays, KeyFunction, instant_of_text};
use crate::scan::named::column_or_expression;
use crate::scan::sql::{as_text, cast_to, parse, value_type_of};
use crate::scan::type_names::in_words;

/// What both kinds of event sources have.
pub(super) struct EventColumns {
    /// The event's name.
    pub event: Expr,
    /// Its time and when it is today, unless the path says the day.
    pub time: Option<EventTime>,
    /// The dedupe key, if there is one, and the event.
    pub columns: Vec<(ExchangedColumn, Expr)>,
}

/// Event, time and dedupe key.
pub(super) fn event_columns(
    context: &ScanContext<'_>,
    source: &Source,
    events: &Events,
    schema: &DFSchemaRef,
) -> Result<EventColumns> {
    let event = event_name(context, source, events, schema)?;
    let time = match (&events.time, events.day.by) {
        (None, _) | (_, DayBy::Path) => None,
        (Some(time), DayBy::Time) => {
            let time = event_time(context, source, time, schema)?;
            let found = time.get_type(schema).map_err(plan_error)?;
            let zone = zone_of_days(context, &found);
            let has_folders = !events.day.folders.is_one();
            let folders = || FolderDays::new(events.day.folders, context.date, zone);
            Some(EventTime {
                time,
                day: day_bounds(context.date, zone, events.day.late == LateEvent::Reject),
                folder: has_folders.then(|| ident(FOLDER_COLUMN)),
                folders: has_folders.then(folders),
            })
        }
    };
    let mut columns = Vec::new();
    if !events.dedupe.is_empty() {
        let keys = events
            .dedupe
            .iter()
            .map(|name| column_or_expression(context, source, name, schema, "dedupe.key"))
            .collect::<Result<Vec<_>>>()?;
        let key = ScalarUDF::from(KeyFunction::default()).call(keys);
        columns.push((ExchangedColumn::Key, key));
    }
    if let Some(time) = events.time.as_ref().filter(|_| events.is_timed) {
        let micros = micros(context, source, time, schema)?;
        columns.push((ExchangedColumn::Time, micros));
    }
    columns.push((ExchangedColumn::Event, event.clone()));
    Ok(EventColumns {
        event,
        time,
        columns,
    })
}

fn event_name(
    context: &ScanContext<'_>,
    source: &Source,
    events: &Events,
    schema: &DFSchemaRef,
) -> Result<Expr> {
    let event = column_or_expression(context, source, &events.event, schema, "columns.event")?;
    Ok(match event {
        Expr::Column(_) => event,
        made => as_text(made, schema),
    })
}

fn event_time(
    context: &ScanContext<'_>,
    source: &Source,
    name: &str,
    schema: &DFSchemaRef,
) -> Result<Expr> {
    let time = column_or_expression(context, source, name, schema, "columns.time")?;
    let local = context.time_zone;
    match time.get_type(schema).map_err(plan_error)? {
        DataType::Timestamp(..) | DataType::Date32 | DataType::Date64 => Ok(time),
        DataType::Null => Ok(cast(time, DataType::Date32)),
        text if text.is_string() => Ok(instant_of_text(
            time,
            source.naive_zone(local),
            local,
            false,
        )),
        other => {
            let found = in_words(&other);
            let what = format!("column {name:?} is {found}, expected a timestamp");
            Err(Error::refused("scan", what)
                .at(place(source, "columns.time"))
                .with_code(Code::Type)
                .fix("make it one with source.clean, as to_timestamp_millis(ts)"))
        }
    }
}

/// The time of an event in microseconds since 1970.
fn micros(
    context: &ScanContext<'_>,
    source: &Source,
    name: &str,
    schema: &DFSchemaRef,
) -> Result<Expr> {
    let time = event_time(context, source, name, schema)?;
    let zone = match time.get_type(schema).map_err(plan_error)? {
        DataType::Timestamp(_, zone) => zone,
        other => {
            let found = in_words(&other);
            let what = format!("column {name:?} is {found}, expected the time of day for funnels");
            return Err(Error::refused("scan", what)
                .at(place(source, "columns.time"))
                .with_code(Code::Type)
                .fix("name a column of timestamps, or leave [[funnel]] out"));
        }
    };
    let micros = DataType::Timestamp(TimeUnit::Microsecond, zone);
    Ok(cast(cast(time, micros), DataType::Int64))
}

/// A date is a day in any zone.
fn zone_of_days(context: &ScanContext<'_>, time: &DataType) -> Tz {
    match time {
        DataType::Date32 | DataType::Date64 => Tz::UTC,
        _ => context.time_zone,
    }
}

/// The day of a date; where a day has no midnight it begins with its first moment.
fn day_bounds(date: NaiveDate, zone: Tz, rejects_late: bool) -> DayBounds {
    let start = |date: NaiveDate| start_of(date, zone).timestamp();
    DayBounds {
        start: start(date),
        end: start(date.succ_opt().unwrap_or(date)),
        rejects_late,
    }
}

/// The platform's events. A dimension that can not be cast rejects its row.
pub(super) fn select(
    context: &ScanContext<'_>,
    source: &Source,
    events: &Events,
    schema: &DFSchemaRef,
) -> Result<Selected> {
    let EventColumns {
        event,
        time,
        mut columns,
    } = event_columns(context, source, events, schema)?;
    let (mut dimensions, mut rejects) = (Vec::new(), Vec::new());
    for (slot, (name, sql)) in events.dimensions.iter().enumerate() {
        let place = place(source, &format!("dimensions.{name}"));
        let dimension = dimension(context, source, sql, schema, &place)?;
        dimensions.push(dimension.value_type);
        columns.push((ExchangedColumn::Dimension(slot), dimension.value));
        let fails = dimension.fails.into_iter();
        rejects.extend(fails.map(|fails| (format!("bad_{name}"), fails)));
    }
    for (slot, measure) in events.measures.iter().enumerate() {
        let value = measure_value(context, source, measure, schema)?;
        columns.push((ExchangedColumn::Measure(slot), value));
    }
    let rows = RowsSpec::Events {
        dimensions,
        measures: events.measures.len(),
        is_keyed: !events.dedupe.is_empty(),
        is_timed: events.is_timed,
        shapes: shapes_of(events),
    };
    let listed = listed_events(&event, events);
    Ok(Selected {
        columns,
        event: Some(event),
        time,
        rejects,
        listed,
        rows,
    })
}

/// A dimension's value, its type, and when it can not be cast to it.
struct Dimension {
    value: Expr,
    value_type: ValueType,
    fails: Option<Expr>,
}

fn dimension(
    context: &ScanContext<'_>,
    source: &Source,
    sql: &str,
    schema: &DFSchemaRef,
    place: &str,
) -> Result<Dimension> {
    let parsed = parse(context.session, sql, schema, context.today(source), place)?;
    let made = nulls_in(parsed, source, schema)?;
    let found = made.get_type(schema).map_err(plan_error)?;
    let value_type = value_type_of(&found).ok_or_else(|| {
        Error::refused(
            "scan",
            format!(
                "found {}, expected text, a number, a date or a boolean",
                in_words(&found)
            ),
        )
        .at(place)
        .with_code(Code::Type)
        .fix("cast the dimension in its expression")
    })?;
    let (value, fails) = cast_to(made, Use::Dimension, false, schema, place)?;
    Ok(Dimension {
        value,
        value_type,
        fails,
    })
}

fn measure_value(
    context: &ScanContext<'_>,
    source: &Source,
    measure: &Measure,
    schema: &DFSchemaRef,
) -> Result<Expr> {
    let place = place(source, &format!("measures.{}", measure.name));
    let parsed = parse(
        context.session,
        &measure.value,
        schema,
        context.today(source),
        &place,
    )?;
    let parsed = nulls_in(parsed, source, schema)?;
    let found = parsed.get_type(schema).map_err(plan_error)?;
    let is_taken = Origin::of(&found)
        .is_some_and(|origin| conversion(origin, Use::Measure).how != How::Refused);
    if is_taken || found.is_null() {
        return Ok(parsed);
    }
    if found == DataType::Null {
        return Ok(cast(parsed, DataType::Int64));
    }
    Err(Error::refused(
        "scan",
        format!("found {}, expected a number", in_words(&found)),
    )
    .at(place)
    .with_code(Code::Type)
    .fix("cast the measure in its expression"))
}

/// Every event has every dimension; a slot is the number of its declaration.
fn shapes_of(events: &Events) -> EventShapes {
    let mut dimensions: Vec<(String, usize)> = events
        .dimensions
        .iter()
        .enumerate()
        .map(|(slot, (name, _))| (name.clone(), slot))
        .collect();
    dimensions.sort();
    let shape = |(slot, measure): (usize, &Measure)| {
        let shape = MeasureShape {
            name: measure.name.clone(),
            slot,
            scale: measure.scale,
        };
        (shape, measure.events.clone())
    };
    let mut measures: Vec<_> = events.measures.iter().enumerate().map(shape).collect();
    measures.sort_by(|a, b| a.0.name.cmp(&b.0.name));
    EventShapes::Columns {
        dimensions,
        measures,
    }
}

/// Whether a row's event is one that the source names; nothing is wrong with the others.
fn listed_events(event: &Expr, events: &Events) -> Option<Expr> {
    let names = || events.events.iter().map(|name| lit(name.clone())).collect();
    (!events.events.is_empty()).then(|| event.clone().in_list(names(), false))
}

/// The rows of a source that is not read: none, so no slot either.
pub(super) fn no_rows() -> RowsSpec {
    RowsSpec::Events {
        dimensions: Vec::new(),
        measures: 0,
        is_keyed: false,
        is_timed: false,
        shapes: EventShapes::Columns {
            dimensions: Vec::new(),
            measures: Vec::new(),
        },
    }
}
