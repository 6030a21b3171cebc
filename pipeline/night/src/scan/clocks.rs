//! Times that expressions make, of texts, of numbers, of times without a zone: instants, of which
//! days and hours are those of the warehouse's clock, as of the times that files have.
//!
//! ```text
//! date_part('hour', text)       the text's instant, then the local hour
//! cast(text as date)            the local date of its instant
//! to_timestamp_millis(number)   an instant, shown by the local clock
//! ```

use std::sync::Arc;

use arrow::datatypes::{DataType, TimeUnit};
use chrono_tz::Tz;
use datafusion::common::DFSchema;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::error::Result;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{Expr, ExprSchemable, cast};

use super::context::Today;
use super::functions::{date_of_text, instant_of_text, read_as};

/// Functions that take a time apart, and where it stands among their arguments.
const CUTS: [(&str, usize); 4] = [
    ("date_part", 1),
    ("date_trunc", 1),
    ("date_bin", 1),
    ("to_char", 0),
];

/// Functions that make times, without a zone, of what is counted from 1970 in UTC.
const MAKES: [&str; 6] = [
    "from_unixtime",
    "to_timestamp",
    "to_timestamp_micros",
    "to_timestamp_millis",
    "to_timestamp_nanos",
    "to_timestamp_seconds",
];

/// The expression with the clocks of its source and of the warehouse. `AT TIME ZONE` of a time
/// without a zone never fails: see [`read_as`].
///
/// # Errors
/// Those of types.
pub(super) fn with_clocks(expression: Expr, schema: &DFSchema, today: Today) -> Result<Expr> {
    let replaced = expression.transform_up(|node| match &node {
        Expr::Cast(of) => {
            let made = cast_by_clock(&of.expr, &node, true, schema, today)?;
            Ok(changed(made, node))
        }
        Expr::TryCast(of) => {
            let made = cast_by_clock(&of.expr, &node, false, schema, today)?;
            Ok(changed(made, node))
        }
        Expr::ScalarFunction(function) => {
            let made = called_by_clock(function, &node, schema, today)?;
            Ok(changed(made, node))
        }
        _ => Ok(Transformed::no(node)),
    });
    replaced.map(|replaced| replaced.data)
}

fn changed(made: Option<Expr>, node: Expr) -> Transformed<Expr> {
    made.map_or_else(|| Transformed::no(node), Transformed::yes)
}

fn cast_by_clock(
    inner: &Expr,
    node: &Expr,
    is_strict: bool,
    schema: &DFSchema,
    today: Today,
) -> Result<Option<Expr>> {
    let found = inner.get_type(schema)?;
    let is_written = matches!(inner, Expr::Literal(..));
    Ok(match (&found, &node.get_type(schema)?) {
        (DataType::Timestamp(unit, None), DataType::Timestamp(_, Some(name))) => {
            let Ok(zone) = name.parse::<Tz>() else {
                return Ok(None);
            };
            // SQL's nanoseconds end in 2262.
            let wanted = DataType::Timestamp(*unit, Some(Arc::clone(name)));
            Some(read_as(inner.clone(), &wanted, zone, zone)?)
        }
        (text, DataType::Date32) if text.is_string() && !is_written => {
            let text = inner.clone();
            Some(date_of_text(text, today.naive, today.zone, is_strict))
        }
        (text, DataType::Timestamp(_, None)) if text.is_string() && !is_written => {
            Some(local_instant(inner.clone(), is_strict, today))
        }
        (number, DataType::Timestamp(unit, None)) if number.is_integer() => {
            Some(by_local_clock(node.clone(), *unit, today))
        }
        _ => None,
    })
}

fn called_by_clock(
    function: &ScalarFunction,
    node: &Expr,
    schema: &DFSchema,
    today: Today,
) -> Result<Option<Expr>> {
    let name = function.func.name();
    if let Some((_, at)) = CUTS.iter().find(|(cuts, _)| *cuts == name) {
        let mut called = function.clone();
        let Some(time) = called.args.get_mut(*at) else {
            return Ok(None);
        };
        if !time.get_type(schema)?.is_string() || matches!(time, Expr::Literal(..)) {
            return Ok(None);
        }
        *time = local_instant(time.clone(), true, today);
        return Ok(Some(Expr::ScalarFunction(called)));
    }
    if !MAKES.contains(&name) {
        return Ok(None);
    }
    let DataType::Timestamp(unit, None) = node.get_type(schema)? else {
        return Ok(None);
    };
    Ok(match function.args.as_slice() {
        [text] if text.get_type(schema)?.is_string() && !matches!(text, Expr::Literal(..)) => {
            Some(local_instant(text.clone(), true, today))
        }
        [number] if number.get_type(schema)?.is_numeric() => {
            Some(by_local_clock(node.clone(), unit, today))
        }
        _ => None,
    })
}

/// A text as an instant that the warehouse's clock shows.
fn local_instant(text: Expr, is_strict: bool, today: Today) -> Expr {
    let instant = instant_of_text(text, today.naive, today.zone, is_strict);
    let local = Some(today.zone.name().into());
    cast(instant, DataType::Timestamp(TimeUnit::Microsecond, local))
}

/// A time of UTC as the warehouse's clock shows it.
fn by_local_clock(time: Expr, unit: TimeUnit, today: Today) -> Expr {
    let instant = cast(time, DataType::Timestamp(unit, Some("UTC".into())));
    let local = Some(today.zone.name().into());
    cast(instant, DataType::Timestamp(unit, local))
}
