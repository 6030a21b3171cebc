//! Attributes: one row a user, one expression a tag.

use arrow::datatypes::DataType;
use datafusion::common::DFSchemaRef;
use datafusion::logical_expr::{Expr, ExprSchemable, cast, lit};
use tagmill_schemas::Result;
use tagmill_schemas::config::{Source, Tag};
use tagmill_schemas::conversion::Use;
use tagmill_schemas::value::ValueType;

use super::ordering::ordering;
use super::selected::Selected;
use crate::plan::columns::ExchangedColumn;
use crate::plan::shape::LARGEST_SCALED;
use crate::plan::spec::{RowsSpec, TagSpec};
use crate::scan::clean::nulls_in;
use crate::scan::context::ScanContext;
use crate::scan::convert::ValueFunction;
use crate::scan::functions::date_of_text;
use crate::scan::lost::LostFunction;
use crate::scan::sql::{cast_to, parse};

/// The tags' values. A value that can not be cast, or is too large for its bit-sliced index,
/// rejects its row.
pub(super) fn select(
    context: &ScanContext<'_>,
    source: &Source,
    dedupe: Option<&str>,
    tags: &[&Tag],
    schema: &DFSchemaRef,
) -> Result<Selected> {
    let order = ordering(context, source, dedupe, schema)?;
    let mut columns: Vec<_> = order.into_iter().collect();
    let mut rejects = Vec::new();
    for (number, (tag, sql, value_type)) in valued(tags).enumerate() {
        let place = format!("tag {} value", tag.name);
        let parsed = parse(context.session, sql, schema, context.today(source), &place)?;
        let made = nulls_in(parsed, source, schema)?;
        let dates = match value_type {
            ValueType::Date => dates_of_text(context, source, &made, tag.multi, schema),
            _ => None,
        };
        let (value, fails) = match dates {
            Some((value, fails)) => (value, Some(fails)),
            None => cast_to(made, Use::Tag(value_type), tag.multi, schema, &place)?,
        };
        let too_large = tag
            .scale
            .filter(|_| !tag.multi)
            .map(|scale| beyond_64_bits(value.clone(), scale, schema));
        let fails = fails.into_iter().chain(too_large);
        rejects.extend(fails.map(|fails| (format!("bad_{}", tag.name), fails)));
        columns.push((ExchangedColumn::Tag(number), value));
    }
    Ok(Selected {
        columns,
        event: None,
        time: None,
        rejects,
        listed: None,
        rows: rows(tags, dedupe.is_some()),
    })
}

/// A text, or a list of texts, as dates, and when a text is none; `None` for what is no text.
fn dates_of_text(
    context: &ScanContext<'_>,
    source: &Source,
    value: &Expr,
    multi: bool,
    schema: &DFSchemaRef,
) -> Option<(Expr, Expr)> {
    let found = value.get_type(schema).ok()?;
    let naive = source.naive_zone(context.time_zone);
    let dates = date_of_text(value.clone(), naive, context.time_zone, false);
    match found {
        text if text.is_string() => {
            let fails = value.clone().is_not_null().and(dates.clone().is_null());
            Some((dates, fails))
        }
        DataType::List(item) if multi && item.data_type().is_string() => {
            let fails = LostFunction::call(value.clone(), dates.clone());
            Some((dates, fails))
        }
        _ => None,
    }
}

/// The rows that these tags make.
pub(super) fn rows(tags: &[&Tag], is_ordered: bool) -> RowsSpec {
    let spec = |(tag, _, value_type): (&Tag, _, ValueType)| TagSpec {
        name: tag.name.clone(),
        value_type,
        multi: tag.multi,
        scale: tag.scale,
    };
    RowsSpec::Attributes {
        tags: valued(tags).map(spec).collect(),
        is_ordered,
    }
}

/// Tags with their expressions and types: every tag of an attributes source has both.
fn valued<'a>(tags: &'a [&'a Tag]) -> impl Iterator<Item = (&'a Tag, &'a str, ValueType)> {
    tags.iter()
        .filter_map(|tag| Some((*tag, tag.value.as_deref()?, tag.value_type?)))
}

/// Whether a number is too large for its bit-sliced index; not-a-number and infinities are not in
/// it.
fn beyond_64_bits(value: Expr, scale: u8, schema: &DFSchemaRef) -> Expr {
    let value = match value.get_type(schema) {
        Ok(DataType::Float64) => value,
        Ok(found) if found.is_numeric() && !found.is_integer() => {
            ValueFunction::call(ValueType::Double, value)
        }
        _ => cast(value, DataType::Float64),
    };
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
