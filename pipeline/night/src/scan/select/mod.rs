//! What each kind of source asks of its files: the expressions of its exchanged columns, and why
//! rows are rejected.

mod attributes;
mod custom_events;
mod events;
mod group_tags;
mod ordering;
mod selected;

use datafusion::common::DFSchemaRef;
use tagmill_schemas::Result;
use tagmill_schemas::config::{Source, SourceKind, Tag};

use super::context::ScanContext;
use crate::plan::spec::{EventShapes, RowsSpec};

pub(super) use selected::{EventTime, Selected};

/// The expressions of one source over its cleaned columns. `properties` are the shapes of its
/// events, when they come from a registry.
///
/// # Errors
/// Refused for columns that are missing or of a wrong type; as [`super::sql::parse`].
pub(super) fn select(
    context: &ScanContext<'_>,
    source: &Source,
    tags: &[&Tag],
    properties: Option<EventShapes>,
    schema: &DFSchemaRef,
) -> Result<Selected> {
    match &source.kind {
        SourceKind::Attributes { dedupe } => {
            attributes::select(context, source, dedupe.as_deref(), tags, schema)
        }
        SourceKind::GroupTags {
            tag, value, dedupe, ..
        } => {
            let named = group_tags::Named {
                tag,
                value,
                order: dedupe.as_deref(),
            };
            group_tags::select(context, source, named, rows_of(source, tags), schema)
        }
        SourceKind::Behaviour(events) => events::select(context, source, events, schema),
        SourceKind::CustomEvents(events) => {
            custom_events::select(context, source, events, properties, schema)
        }
    }
}

/// What the rows of a source are as far as the configuration alone tells: for a source that is not
/// read tonight.
pub fn rows_of(source: &Source, tags: &[&Tag]) -> RowsSpec {
    match &source.kind {
        SourceKind::Attributes { dedupe } => attributes::rows(tags, dedupe.is_some()),
        SourceKind::GroupTags {
            undeclared, dedupe, ..
        } => group_tags::rows(tags, *undeclared, dedupe.is_some()),
        SourceKind::Behaviour(_) | SourceKind::CustomEvents(_) => events::no_rows(),
    }
}
