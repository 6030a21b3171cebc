//! `[[source]]`: where raw rows come from and what they mean.

mod events;
mod format;
mod keys;
mod limits;
mod read;
mod times;

use std::time::Duration;

use serde::Serialize;

pub use format::{FileFormat, FileNotation, Packing};
pub use limits::RowLimits;

pub(super) use keys::{
    ATTRIBUTES, BEHAVIOUR_EVENTS, COLUMNS, CUSTOM_EVENTS, DAY, EVENT_KEY, EVERY_KIND, GROUP_TAGS,
    LATE, LATEST, MEASURE, READY,
};
pub(super) use read::{BEHAVIOUR, Sources, read_all};
pub use times::{Folders, NaiveTimes};

/// A source of one of four kinds. Expressions are SQL over the source's row; `$date` is the run's
/// date.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Source {
    /// Unique; an SQL identifier.
    pub name: String,
    /// A URL or path of files, with globs and `{date}`.
    pub path: String,
    /// How the files are written; `None`: each as its name ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<FileFormat>,
    /// What stands between the fields of CSV; `None`: a comma, or a tab in `.tsv`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<u8>,
    /// A file that exists when the date is complete; `None`: files at `path` are enough.
    pub ready: Option<String>,
    /// How many files must be at `ready`; `None`: one, or one in each folder that has files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ready_count: Option<u32>,
    /// What a row that is absent today means; always `Changes` for events, whose rows are only ever
    /// added.
    pub content: Content,
    /// What to do when the date is not there.
    pub late: Late,
    /// Whether a date without files is a day on which nothing happened, and no reason to wait.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub empty_days: bool,
    /// When its rows set an app aside, or refuse the night.
    #[serde(skip_serializing_if = "RowLimits::are_usual")]
    pub limits: RowLimits,
    /// The columns of every kind.
    pub columns: Columns,
    /// In which zone times without one are; `None`: see [`Source::naive_zone`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub naive_times: Option<NaiveTimes>,
    /// Text that means null, compared whole.
    pub nulls: Vec<String>,
    /// Rows for which this is false are filtered, and counted.
    pub filter: Option<String>,
    /// (reason, condition): rows for which one is true are rejected with the first such reason; in
    /// the order of the file.
    pub reject: Vec<(String, String)>,
    /// (column, expression): what replaces a column before anything else sees it; by column.
    pub clean: Vec<(String, String)>,
    /// What the rows are.
    pub kind: SourceKind,
}

/// What a row that is absent today means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Content {
    /// No value any more.
    Snapshot,
    /// The last value stays; null deletes.
    Changes,
}

/// What to do when a date's data is not there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Late {
    /// `Required` when not given.
    pub policy: LatePolicy,
    /// How old carried values may be; only with `Carry`; `None`: any age.
    pub max_days: Option<u32>,
    /// How long to wait first; `None`: not at all.
    pub wait: Option<Duration>,
}

/// What to do when a date's data is not there, after waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum LatePolicy {
    /// The night fails, to be tried again.
    Required,
    /// The last values are kept, marked stale with their date; not for events.
    Carry,
    /// The night does without.
    Skip,
}

/// Where the app's name stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum AppColumn {
    /// In this column, or what this expression gives.
    Column(String),
    /// Nowhere: it is always this text (`app = "'shop'"`).
    Constant(String),
}

/// The columns of every kind of source: each the name of one, or an expression over the row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Columns {
    /// The app.
    pub app: AppColumn,
    /// The user id.
    pub user: String,
}

/// What the rows of a source are.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum SourceKind {
    /// `attributes`: a row per user, a column per attribute.
    Attributes {
        /// Of several rows of a user the one with the greatest value in this column counts; `None`:
        /// ties go by the row's bytes.
        dedupe: Option<String>,
    },
    /// `group_tags`: a row per user and tag.
    GroupTags {
        /// The column of the tag's name.
        tag: String,
        /// The column of the value.
        value: String,
        /// Files of [`crate::registry::TagRow`].
        registry: Option<String>,
        /// What to do with a tag nobody declared.
        undeclared: UndeclaredTag,
        /// As for attributes, per user and tag.
        dedupe: Option<String>,
    },
    /// `behaviour`: the platform's events.
    Behaviour(Events),
    /// `custom_events`: merchants' events, declared by registry rows.
    CustomEvents(Events),
}

impl SourceKind {
    /// The kind's name in the configuration.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Attributes { .. } => "attributes",
            Self::GroupTags { .. } => "group_tags",
            Self::Behaviour(_) => "behaviour",
            Self::CustomEvents(_) => "custom_events",
        }
    }

    /// What event sources have.
    pub fn events(&self) -> Option<&Events> {
        match self {
            Self::Behaviour(events) | Self::CustomEvents(events) => Some(events),
            _ => None,
        }
    }

    /// The same, to be changed while the configuration is read.
    pub(in crate::config) fn events_mut(&mut self) -> Option<&mut Events> {
        match self {
            Self::Behaviour(events) | Self::CustomEvents(events) => Some(events),
            Self::Attributes { .. } | Self::GroupTags { .. } => None,
        }
    }
}

/// A tag that rows name and nobody declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum UndeclaredTag {
    /// Single-valued text.
    String,
    /// Not indexed, counted.
    Ignore,
    /// The row is rejected.
    Reject,
}

/// An event or property that rows name and nobody declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum UndeclaredEvent {
    /// Not indexed, counted per app.
    Ignore,
    /// The row is rejected.
    Reject,
}

/// What event sources have.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Events {
    /// The column of the event's name.
    pub event: String,
    /// The column of the event's time; `None` only where the path says the day.
    pub time: Option<String>,
    /// Which day an event belongs to.
    pub day: Day,
    /// Key columns: of rows with equal keys within the day one counts. Empty: all count.
    pub dedupe: Vec<String>,
    /// The events that are indexed; empty: all.
    pub events: Vec<String>,
    /// (name, expression), by name: combinations are tuples in this order.
    pub dimensions: Vec<(String, String)>,
    /// By name.
    pub measures: Vec<Measure>,
    /// The column of the properties, a map or JSON; always given for custom events, never for
    /// behaviour.
    pub properties: Option<String>,
    /// Files of [`crate::registry::EventRow`]; always given for custom events, never for behaviour.
    pub registry: Option<String>,
    /// What to do with events and properties nobody declared.
    pub undeclared: UndeclaredEvent,
    /// Whether funnels need the times of its rows; the funnels say so, which are part of the hash.
    #[serde(skip)]
    pub is_timed: bool,
}

/// Which day an event belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Day {
    /// `Time` when not given.
    pub by: DayBy,
    /// `Reject` when not given.
    pub late: LateEvent,
    /// Those of the date alone when not given.
    #[serde(skip_serializing_if = "Folders::is_one")]
    pub folders: Folders,
}

/// What the day is taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum DayBy {
    /// The event's time, in the warehouse's zone.
    Time,
    /// The path's `{date}`.
    Path,
}

/// An event whose time is not of the run's date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum LateEvent {
    /// Rejected.
    Reject,
    /// Counted on the run's date.
    Today,
}

/// A number of an event that is added up per user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Measure {
    /// Unique in the source, not `*`.
    pub name: String,
    /// SQL over the event's row.
    pub value: String,
    /// Decimal digits kept, 0 to [`super::MAX_SCALE`]; 0 when not given.
    pub scale: u8,
    /// The events that have it; empty: all.
    pub events: Vec<String>,
}
