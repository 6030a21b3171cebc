//! Merchants' custom events: event and properties as columns; what the properties mean is in a
//! registry.

use arrow::compute::can_cast_types;
use arrow::datatypes::DataType;
use datafusion::common::DFSchemaRef;
use datafusion::logical_expr::{Expr, ExprSchemable};
use tagmill_schemas::config::{Events, Source};
use tagmill_schemas::problem::Code;
use tagmill_schemas::{Error, Result};

use super::events::{EventColumns, event_columns};
use super::selected::Selected;
use crate::plan::columns::ExchangedColumn;
use crate::plan::spec::{EventShapes, RowsSpec};
use crate::scan::context::{ScanContext, place, plan_error};
use crate::scan::named::column_or_expression;
use crate::scan::type_names::in_words;

/// Event and properties. `shapes` are those of the source's registry.
pub(super) fn select(
    context: &ScanContext<'_>,
    source: &Source,
    events: &Events,
    shapes: Option<EventShapes>,
    schema: &DFSchemaRef,
) -> Result<Selected> {
    let EventColumns {
        event,
        time,
        mut columns,
    } = event_columns(context, source, events, schema)?;
    let properties = properties(context, source, events, schema)?;
    columns.push((ExchangedColumn::Properties, properties));
    Ok(Selected {
        columns,
        event: Some(event),
        time,
        rejects: Vec::new(),
        listed: None,
        rows: rows(source, events, shapes)?,
    })
}

/// The column of properties: JSON as text, or a map of what can be text.
fn properties(
    context: &ScanContext<'_>,
    source: &Source,
    events: &Events,
    schema: &DFSchemaRef,
) -> Result<Expr> {
    let name = events.properties.as_deref().unwrap_or("properties");
    let properties = column_or_expression(context, source, name, schema, "columns.properties")?;
    let found = properties.get_type(schema).map_err(plan_error)?;
    let refused = |what: String| {
        Error::refused("scan", what)
            .at(place(source, "columns.properties"))
            .with_code(Code::Type)
            .fix("deliver properties as MAP<string, string> or as JSON")
    };
    if !found.is_string() && !matches!(found, DataType::Map(..)) {
        return Err(refused(format!(
            "column {name:?} is {}, expected a map or JSON text",
            in_words(&found)
        )));
    }
    if let DataType::Map(entries, _) = &found
        && let DataType::Struct(fields) = entries.data_type()
        && let Some(nested) = fields
            .iter()
            .find(|field| !can_cast_types(field.data_type(), &DataType::Utf8View))
    {
        return Err(refused(format!(
            "column {name:?} is a map with {} inside, expected text, numbers or booleans",
            in_words(nested.data_type())
        )));
    }
    Ok(properties)
}

/// As many slots as the event with most of them needs; without a registry nothing is declared.
fn rows(source: &Source, events: &Events, shapes: Option<EventShapes>) -> Result<RowsSpec> {
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
    Ok(RowsSpec::Events {
        dimensions: slot_types.clone(),
        measures,
        is_keyed: !events.dedupe.is_empty(),
        is_timed: events.is_timed,
        shapes,
    })
}
