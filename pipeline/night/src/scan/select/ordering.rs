//! The column that decides between duplicates, as an integer.

use arrow::datatypes::DataType;
use datafusion::common::DFSchemaRef;
use datafusion::logical_expr::{Expr, ExprSchemable, cast, lit, try_cast, when};
use tagmill_schemas::config::Source;
use tagmill_schemas::problem::Code;
use tagmill_schemas::{Error, Result};

use crate::plan::columns::ExchangedColumn;
use crate::scan::context::{ScanContext, place, plan_error};
use crate::scan::named::column_or_expression;
use crate::scan::type_names::in_words;

/// The exchanged column `order`, when the source names a column that orders duplicates. Null is
/// before all; what does not fit into 64 bits is above what does.
///
/// # Errors
/// Refused for a column that is missing, or neither a timestamp, a date nor an integer.
pub(super) fn ordering(
    context: &ScanContext<'_>,
    source: &Source,
    by: Option<&str>,
    schema: &DFSchemaRef,
) -> Result<Option<(ExchangedColumn, Expr)>> {
    let Some(by) = by else { return Ok(None) };
    let order = column_or_expression(context, source, by, schema, "dedupe.by")?;
    let found = order.get_type(schema).map_err(plan_error)?;
    let is_ordered = found.is_integer()
        || matches!(
            found,
            DataType::Timestamp(..) | DataType::Date32 | DataType::Date64 | DataType::Null
        );
    if !is_ordered {
        let what = format!(
            "column {by:?} is {}, expected a timestamp, date or integer that orders \
             duplicates",
            in_words(&found)
        );
        return Err(Error::refused("scan", what)
            .with_code(Code::Type)
            .at(place(source, "dedupe.by"))
            .fix("name another column, or make it one with source.clean"));
    }
    let order = if found == DataType::Date32 {
        cast(order, DataType::Int32)
    } else {
        order
    };
    let as_integer = try_cast(order.clone(), DataType::Int64);
    let others = when(order.is_null(), lit(i64::MIN))
        .otherwise(lit(i64::MAX))
        .map_err(plan_error)?;
    let present = when(as_integer.clone().is_not_null(), as_integer)
        .otherwise(others)
        .map_err(plan_error)?;
    Ok(Some((ExchangedColumn::Order, present)))
}
