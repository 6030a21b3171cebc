//! What a release consists of: one Parquet schema, sort key and place per artifact.
//!
//! Every file of a kind has exactly its schema; rows stand in the order of the sort key, nulls
//! first, strings by bytes. Bitmap cells are canonical portable 64-bit Roaring of uids; an empty
//! bitmap has no row.
//!
//! ```text
//! <artifact>/2026-11-19/<run>-<attempt>/00003.parquet   a shard's file
//!                                      /all.parquet     of all shards together
//! ```
//! A file never moves and no part of its path comes from data; which files count is said by the
//! manifest alone.

pub mod behaviour;
pub mod behaviour_measures;
mod columns;
pub mod funnel_state;
pub mod funnels;
pub mod group_status;
pub mod groups;
pub mod kept_values;
mod place;
pub mod quality;
pub mod rejects;
pub mod runs;
pub mod tag_numbers;
pub mod tag_values;
pub mod tags;
pub mod universe;
pub mod user_index;
pub mod users;
pub mod windows;

use std::fmt;

use arrow::datatypes::SchemaRef;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

pub use columns::{ColumnSpec, Columns, VALUE_COLUMNS, batch_of, value_column};
pub use place::{FilePlace, Layout};

/// A kind of file in a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Artifact {
    /// The dictionary.
    Users,
    /// Where a user id is in the dictionary, by hash.
    UserIndex,
    /// Every user accepted for an app.
    Universe,
    /// The distinct values of every tag, with codes.
    TagValues,
    /// Users per tag value.
    Tags,
    /// Users per binary digit of a numeric or date tag.
    TagNumbers,
    /// Users per event, dimension value and combination of a day.
    Behaviour,
    /// Users per binary digit of an event's counts and sums of a day.
    BehaviourMeasures,
    /// The values that a dimension beyond its limit keeps.
    KeptValues,
    /// What users did over windows of days.
    Windows,
    /// Who came how far in funnels.
    Funnels,
    /// Chains of funnels that can go on.
    FunnelState,
    /// The groups' members.
    Groups,
    /// How every group's night went.
    GroupStatus,
    /// Rows that were not accepted.
    Rejects,
    /// Counts per source and app.
    Quality,
    /// The attempts that made the release.
    Runs,
}

impl Artifact {
    /// Every artifact.
    pub const ALL: [Self; 17] = [
        Self::Users,
        Self::UserIndex,
        Self::Universe,
        Self::TagValues,
        Self::Tags,
        Self::TagNumbers,
        Self::Behaviour,
        Self::BehaviourMeasures,
        Self::KeptValues,
        Self::Windows,
        Self::Funnels,
        Self::FunnelState,
        Self::Groups,
        Self::GroupStatus,
        Self::Rejects,
        Self::Quality,
        Self::Runs,
    ];

    /// The name in paths, manifest and SQL.
    pub fn name(self) -> &'static str {
        match self {
            Self::Users => "users",
            Self::UserIndex => "user_index",
            Self::Universe => "universe",
            Self::TagValues => "tag_values",
            Self::Tags => "tags",
            Self::TagNumbers => "tag_numbers",
            Self::Behaviour => "behaviour",
            Self::BehaviourMeasures => "behaviour_measures",
            Self::KeptValues => "kept_values",
            Self::Windows => "windows",
            Self::Funnels => "funnels",
            Self::FunnelState => "funnel_state",
            Self::Groups => "groups",
            Self::GroupStatus => "group_status",
            Self::Rejects => "rejects",
            Self::Quality => "quality",
            Self::Runs => "runs",
        }
    }

    /// The artifact with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|artifact| artifact.name() == name)
    }

    /// The columns of its files, in order.
    pub fn columns(self) -> &'static [ColumnSpec] {
        match self {
            Self::Users => <users::Column as Columns>::SPECS,
            Self::UserIndex => <user_index::Column as Columns>::SPECS,
            Self::Universe => <universe::Column as Columns>::SPECS,
            Self::TagValues => <tag_values::Column as Columns>::SPECS,
            Self::Tags => <tags::Column as Columns>::SPECS,
            Self::TagNumbers => <tag_numbers::Column as Columns>::SPECS,
            Self::Behaviour => <behaviour::Column as Columns>::SPECS,
            Self::BehaviourMeasures => <behaviour_measures::Column as Columns>::SPECS,
            Self::KeptValues => <kept_values::Column as Columns>::SPECS,
            Self::Windows => <windows::Column as Columns>::SPECS,
            Self::Funnels => <funnels::Column as Columns>::SPECS,
            Self::FunnelState => <funnel_state::Column as Columns>::SPECS,
            Self::Groups => <groups::Column as Columns>::SPECS,
            Self::GroupStatus => <group_status::Column as Columns>::SPECS,
            Self::Rejects => <rejects::Column as Columns>::SPECS,
            Self::Quality => <quality::Column as Columns>::SPECS,
            Self::Runs => <runs::Column as Columns>::SPECS,
        }
    }

    /// The schema of its files.
    pub fn schema(self) -> SchemaRef {
        columns::schema_of(self.columns())
    }

    /// Columns that files of earlier versions have beside today's, and that nobody reads any more.
    pub fn retired_columns(self) -> &'static [ColumnSpec] {
        match self {
            Self::Users => users::RETIRED,
            _ => &[],
        }
    }

    /// What it holds, in a sentence.
    pub fn what(self) -> &'static str {
        match self {
            Self::Users => users::WHAT,
            Self::UserIndex => user_index::WHAT,
            Self::Universe => universe::WHAT,
            Self::TagValues => tag_values::WHAT,
            Self::Tags => tags::WHAT,
            Self::TagNumbers => tag_numbers::WHAT,
            Self::Behaviour => behaviour::WHAT,
            Self::BehaviourMeasures => behaviour_measures::WHAT,
            Self::KeptValues => kept_values::WHAT,
            Self::Windows => windows::WHAT,
            Self::Funnels => funnels::WHAT,
            Self::FunnelState => funnel_state::WHAT,
            Self::Groups => groups::WHAT,
            Self::GroupStatus => group_status::WHAT,
            Self::Rejects => rejects::WHAT,
            Self::Quality => quality::WHAT,
            Self::Runs => runs::WHAT,
        }
    }

    /// What its readers have to know beside its columns; often empty.
    pub fn note(self) -> &'static str {
        match self {
            Self::Users => users::NOTE,
            Self::UserIndex => user_index::NOTE,
            Self::Universe => universe::NOTE,
            Self::TagValues => tag_values::NOTE,
            Self::Tags => tags::NOTE,
            Self::TagNumbers => tag_numbers::NOTE,
            Self::Behaviour => behaviour::NOTE,
            Self::BehaviourMeasures => behaviour_measures::NOTE,
            Self::KeptValues => kept_values::NOTE,
            Self::Windows => windows::NOTE,
            Self::Funnels => funnels::NOTE,
            Self::FunnelState => funnel_state::NOTE,
            Self::Groups => groups::NOTE,
            Self::GroupStatus => group_status::NOTE,
            Self::Rejects => rejects::NOTE,
            Self::Quality => quality::NOTE,
            Self::Runs => runs::NOTE,
        }
    }

    /// The columns its rows are sorted by, ascending, nulls first; a prefix of a file's rows never
    /// repeats a whole key, except in rejects.
    pub fn sort_key(self) -> &'static [&'static str] {
        match self {
            Self::Users => users::SORT_KEY,
            Self::UserIndex => user_index::SORT_KEY,
            Self::Universe => universe::SORT_KEY,
            Self::TagValues => tag_values::SORT_KEY,
            Self::Tags => tags::SORT_KEY,
            Self::TagNumbers => tag_numbers::SORT_KEY,
            Self::Behaviour => behaviour::SORT_KEY,
            Self::BehaviourMeasures => behaviour_measures::SORT_KEY,
            Self::KeptValues => kept_values::SORT_KEY,
            Self::Windows => windows::SORT_KEY,
            Self::Funnels => funnels::SORT_KEY,
            Self::FunnelState => funnel_state::SORT_KEY,
            Self::Groups => groups::SORT_KEY,
            Self::GroupStatus => group_status::SORT_KEY,
            Self::Rejects => rejects::SORT_KEY,
            Self::Quality => quality::SORT_KEY,
            Self::Runs => runs::SORT_KEY,
        }
    }

    /// Where a file of today's layout stands, relative to the warehouse; `shard` is `None` for a file
    /// of all shards. See [`FilePlace::path`].
    pub fn path(self, date: NaiveDate, run: &str, attempt: u32, shard: Option<u32>) -> String {
        FilePlace {
            artifact: self,
            date,
            run: run.to_owned(),
            attempt,
            layout: Layout::Plain,
            shard,
        }
        .path()
    }
}

impl fmt::Display for Artifact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
