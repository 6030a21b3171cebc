//! What one night computes, fixed by the driver before any shard starts. Serialisable: an executor
//! elsewhere gets the same.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use chrono::NaiveDate;
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use tagmill_schemas::local_day::start_of;
use tagmill_schemas::manifest::{FileEntry, OverLimit};
use tagmill_schemas::value::ValueType;
use tagmill_schemas::{IdScope, Shards};

use super::audience::AudienceSpec;
use super::funnels::NightFunnels;
use super::kept_values::KeptValues;
use super::shape::{EventShape, MeasureShape};

/// One night, for every shard.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NightSpec {
    /// Name of the run; the same for the same parent, date, inputs, configuration and code.
    pub run: String,
    /// Which try of the run this is.
    pub attempt: u32,
    /// The run's date.
    pub date: NaiveDate,
    /// The warehouse's zone, which cuts instants into dates.
    #[serde(with = "zone_name")]
    pub time_zone: Tz,
    /// Number of shards.
    pub shards: Shards,
    /// Whether equal ids in two apps are one user.
    pub id_scope: IdScope,
    /// Url of the warehouse.
    pub store: String,
    /// A date before the head recomputes its behaviour only.
    pub is_backfill: bool,
    /// In a fixed order; those with `has_input` are the operator's children, in this order.
    pub sources: Vec<SourceSpec>,
    /// By app.
    pub limits: NightLimits,
    /// What dimensions beyond their limit keep, as the release before chose.
    pub kept_values: KeptValues,
    /// Tags whose values are not published, because there were too many of them.
    pub withheld: Withheld,
    /// Apps whose rows of tonight are not used, because too many of them are rejected: their last
    /// values are carried.
    pub set_aside: BTreeSet<String>,
    /// What earlier releases say.
    pub parent: ParentFiles,
    /// Tags known before the night, by app and name: registries, and what the parent release has.
    pub labels: BTreeMap<String, BTreeMap<String, LabelSpec>>,
    /// Tags of group-tags sources that the configuration names, for every app.
    pub shared_labels: BTreeMap<String, LabelSpec>,
    /// Tags that a registry declares in vain, by app and name.
    pub unused_labels: BTreeMap<String, BTreeMap<String, UnusedLabel>>,
    /// Apps that had more tags of their own than their limit: a tag that nobody knows is not taken.
    pub full_apps: BTreeSet<String>,
    /// Where the rules are, and the lists that they name.
    pub audience: AudienceSpec,
    /// What is computed of funnels.
    #[serde(default)]
    pub funnels: NightFunnels,
    /// Bytes that whoever runs the plan has reserved for each shard that runs; a shard reserves
    /// what it needs beyond.
    pub shard_budget: u64,
}

impl NightSpec {
    /// Whether an attributes source has a tag of this name, for every app.
    pub fn is_platform_tag(&self, name: &str) -> bool {
        self.platform_tags().any(|tag| tag.name == name)
    }

    /// The tag of a group-tags source, if it is known.
    pub fn label(&self, app: &str, tag: &str) -> Option<&LabelSpec> {
        self.shared_labels
            .get(tag)
            .or_else(|| self.labels.get(app)?.get(tag))
    }

    /// The tags of attributes sources.
    pub fn platform_tags(&self) -> impl Iterator<Item = &TagSpec> {
        self.sources.iter().flat_map(|source| match &source.rows {
            RowsSpec::Attributes { tags, .. } => tags.as_slice(),
            _ => &[],
        })
    }

    /// Rows that a shard can expect of this source, with some room: only to allocate.
    pub fn expected_rows(&self, source: &SourceSpec) -> usize {
        let share = source.expected_rows / u64::from(self.shards.get());
        (share + share / 32 + 64) as usize
    }

    /// Whether any events are read tonight.
    pub fn reads_events(&self) -> bool {
        self.sources
            .iter()
            .any(|source| source.has_input && matches!(source.rows, RowsSpec::Events { .. }))
    }

    /// Whether the date's behaviour is what this night says: its events are read, or there were none.
    pub fn decides_events(&self) -> bool {
        let mut sources = self.sources.iter();
        sources.any(|s| (s.has_input || s.is_empty) && matches!(s.rows, RowsSpec::Events { .. }))
    }

    /// The instants of the run's date, microseconds since 1970.
    pub fn micros(&self) -> Range<i64> {
        let start = |date: NaiveDate| start_of(date, self.time_zone).timestamp_micros();
        start(self.date)..start(self.date.succ_opt().unwrap_or(self.date))
    }

    /// Days from 1970-01-01 to the run's date.
    pub fn day(&self) -> i32 {
        self.date
            .signed_duration_since(NaiveDate::default())
            .num_days() as i32
    }
}

/// By app and tag the limit that the tag's values exceeded.
pub type Withheld = BTreeMap<String, BTreeMap<String, OverLimit>>;

/// The files of earlier releases that shards read, each at most once.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ParentFiles {
    /// The dictionary, of the newest release.
    pub users: Vec<FileEntry>,
    /// Of the newest release.
    pub universe: Vec<FileEntry>,
    /// Of the newest release of an earlier date, for sources that are carried or hold changes only;
    /// else empty.
    pub tags: Vec<FileEntry>,
    /// Of the newest release of this very date, for sources that this rerun does not read; else
    /// empty.
    pub tags_of_date: Vec<FileEntry>,
    /// Groups of the newest release of an earlier date.
    pub groups: Vec<FileEntry>,
    /// What the newest release has of this very date's behaviour, for apps that are set aside; else
    /// empty.
    pub behaviour: Vec<FileEntry>,
    /// The same of its counts and sums.
    pub behaviour_measures: Vec<FileEntry>,
}

/// One source.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SourceSpec {
    /// Its name.
    pub name: String,
    /// The app of all its rows, when the configuration gives it as a constant.
    pub app: Option<String>,
    /// Whether it is read tonight.
    pub has_input: bool,
    /// Whether nothing happened tonight: there is nothing to read.
    #[serde(default)]
    pub is_empty: bool,
    /// Rows of its files; only to make room.
    pub expected_rows: u64,
    /// Which published values stay.
    pub keeps: Keeps,
    /// Texts that mean null in JSON; elsewhere the scan made them null.
    pub nulls: Vec<String>,
    /// What its rows are.
    pub rows: RowsSpec,
}

/// The published values of a source that stay where tonight's rows, if there are any, say nothing
/// else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Keeps {
    /// None: tonight's rows are all.
    Nothing,
    /// Those of the night before: it is carried, or holds changes only.
    Earlier,
    /// Those of this very date: a rerun does not read it.
    OfDate,
}

/// What the rows of a source are.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum RowsSpec {
    /// One row a user, one column a tag.
    Attributes {
        /// In the order of the columns.
        tags: Vec<TagSpec>,
        /// Whether a column decides between duplicates.
        is_ordered: bool,
    },
    /// One row a user, tag and value.
    GroupTags {
        /// What a tag becomes that is not in the registry.
        undeclared: Undeclared,
        /// Whether a column decides between duplicates.
        is_ordered: bool,
    },
    /// One row an event.
    Events {
        /// Types of the dimension slots.
        dimensions: Vec<ValueType>,
        /// Number of measure slots.
        measures: usize,
        /// Whether a key drops repeated events.
        is_keyed: bool,
        /// Whether funnels need the times of events.
        #[serde(default)]
        is_timed: bool,
        /// Which slots an event has.
        shapes: EventShapes,
    },
}

/// One tag of an attributes source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TagSpec {
    /// Its name.
    pub name: String,
    /// Type of its values.
    pub value_type: ValueType,
    /// Whether a user can have several.
    pub multi: bool,
    /// Decimal digits of doubles in the bit-sliced index.
    pub scale: Option<u8>,
}

/// One tag of one app in a group-tags source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelSpec {
    /// The source that has it.
    pub source: String,
    /// Type of its values.
    pub value_type: ValueType,
    /// Whether a user can have several.
    pub multi: bool,
}

/// A tag that a registry declares and that is not indexed: as an undeclared one it could get
/// another type, for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnusedLabel {
    /// The source of the registry.
    pub source: String,
    /// The app has as many tags as its limit allows; else the row is wrong.
    pub is_over_limit: bool,
}

/// What becomes of rows with a tag that nobody declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Undeclared {
    /// It is a string tag with one value.
    String,
    /// Counted, not indexed.
    Ignore,
    /// Rejected.
    Reject,
}

/// Which slots the events of a source have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum EventShapes {
    /// The same dimensions for all; each measure for some events (none named: for all).
    Columns {
        /// In order of the name.
        dimensions: Vec<(String, usize)>,
        /// With the events that have it.
        measures: Vec<(MeasureShape, Vec<String>)>,
    },
    /// By registry: the events of each app, with the properties that fill the slots.
    Properties {
        /// app -> event -> what it is made of.
        events: BTreeMap<String, BTreeMap<String, CustomEvent>>,
        /// Whether rows of other events are rejected.
        rejects_undeclared: bool,
        /// Types of the dimension slots.
        slot_types: Vec<ValueType>,
    },
}

/// One event of one app.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomEvent {
    /// Its dimensions and measures.
    pub shape: EventShape,
    /// property -> where its value goes; `None` is ignored on purpose.
    pub properties: BTreeMap<String, Option<Slot>>,
}

/// Where a property goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Slot {
    /// A dimension slot.
    Dimension(usize),
    /// A measure slot, with its decimal digits.
    Measure(usize, u8),
}

impl EventShapes {
    /// What this event of this app is made of; `None` when it is not indexed.
    pub fn shape(&self, app: &str, event: &str) -> Option<EventShape> {
        match self {
            Self::Columns {
                dimensions,
                measures,
            } => {
                let has =
                    |events: &[String]| events.is_empty() || events.iter().any(|e| e == event);
                let measures = measures
                    .iter()
                    .filter(|(_, events)| has(events))
                    .map(|(m, _)| m.clone())
                    .collect();
                Some(EventShape {
                    dimensions: dimensions.clone(),
                    measures,
                })
            }
            Self::Properties { events, .. } => events.get(app)?.get(event).map(|e| e.shape.clone()),
        }
    }
}

/// Limits by app.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NightLimits {
    /// Of every other app.
    pub default: BehaviourLimits,
    /// Of some apps.
    pub apps: BTreeMap<String, BehaviourLimits>,
}

impl NightLimits {
    /// The limits of this app.
    pub fn of(&self, app: &str) -> BehaviourLimits {
        *self.apps.get(app).unwrap_or(&self.default)
    }
}

/// The limits of one app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BehaviourLimits {
    /// Combinations kept apart for one user and event.
    pub combinations: u32,
    /// Values kept apart in one dimension; see [`KeptValues`].
    pub values: usize,
    /// Events whose names only rows say.
    pub events: usize,
}

/// A zone as its IANA name.
mod zone_name {
    use chrono_tz::Tz;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(zone: &Tz, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(zone.name())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Tz, D::Error> {
        let name = String::deserialize(deserializer)?;
        name.parse()
            .map_err(|_| D::Error::custom(format!("found {name:?}, expected a time zone")))
    }
}
