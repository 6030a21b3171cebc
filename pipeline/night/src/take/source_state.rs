//! What a shard keeps of each source, by the kind of its rows.

use tagmill_schemas::value::ValueType;

use super::attributes::{Attributes, TagColumn};
use super::events::EventRows;
use super::labels::Labels;
use super::properties::PropertyReader;
use super::values::Values;
use crate::plan::spec::{EventShapes, RowsSpec, SourceSpec, TagSpec};

/// What is kept of one source.
pub enum SourceState {
    /// Attributes.
    Attributes(Attributes),
    /// Group tags.
    Labels(Labels),
    /// Events, and for those with properties what finds them.
    Events(EventRows, Option<PropertyReader>),
}

impl SourceState {
    /// Nothing yet.
    pub fn new(spec: &SourceSpec) -> Self {
        match &spec.rows {
            RowsSpec::Attributes { tags, .. } => {
                Self::Attributes(Attributes::new(tags.iter().map(column_of).collect()))
            }
            RowsSpec::GroupTags { .. } => Self::Labels(Labels::default()),
            RowsSpec::Events {
                dimensions,
                measures,
                shapes,
                ..
            } => {
                let rows = EventRows::new(
                    Values::new(ValueType::String),
                    dimensions.iter().map(|&t| Values::new(t)).collect(),
                    *measures,
                );
                let reader =
                    matches!(shapes, EventShapes::Properties { .. }).then(PropertyReader::default);
                Self::Events(rows, reader)
            }
        }
    }

    /// Heap bytes held.
    pub fn size(&self) -> usize {
        match self {
            Self::Attributes(state) => state.size(),
            Self::Labels(state) => state.size(),
            Self::Events(state, _) => state.size(),
        }
    }
}

fn column_of(tag: &TagSpec) -> TagColumn {
    TagColumn::new(tag.name.clone(), tag.value_type, tag.multi, tag.scale)
}

/// The first source that says the same things of the same events; a dedupe key belongs to one
/// source.
pub fn shared_state(sources: &[SourceSpec], source: usize) -> usize {
    let Some(own) = what_events_say(&sources[source]) else {
        return source;
    };
    sources[..source]
        .iter()
        .position(|other| what_events_say(other) == Some(own))
        .unwrap_or(source)
}

fn what_events_say(source: &SourceSpec) -> Option<(&[ValueType], &EventShapes)> {
    match &source.rows {
        RowsSpec::Events {
            is_keyed: false,
            shapes,
            dimensions,
            ..
        } => Some((dimensions, shapes)),
        _ => None,
    }
}
