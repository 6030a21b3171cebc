//! What every part of planning a source needs: the night's settings, and how an error says where.

use chrono::NaiveDate;
use chrono_tz::Tz;
use datafusion::error::DataFusionError;
use datafusion::prelude::SessionContext;
use tagmill_schemas::config::Source;
use tagmill_schemas::{Error, IdScope, Shards};

use crate::exchange::Exchange;

/// What does not depend on the source.
pub struct ScanContext<'a> {
    /// Functions and settings.
    pub session: &'a SessionContext,
    /// The run's date.
    pub date: NaiveDate,
    /// Where days begin and end.
    pub time_zone: Tz,
    /// Whether ids are scoped by app.
    pub id_scope: IdScope,
    /// Number of shards.
    pub shards: Shards,
    /// Who moves rows to their shards.
    pub exchange: Exchange,
}

/// The day that expressions speak of.
#[derive(Debug, Clone, Copy)]
pub struct Today {
    /// `$date`.
    pub date: NaiveDate,
    /// In which it begins and ends: `$day_start`, `$day_end`.
    pub zone: Tz,
    /// That of times without one, in the source that is read.
    pub naive: Tz,
}

impl ScanContext<'_> {
    /// The run's date in the warehouse's zone, for expressions of a source.
    pub fn today(&self, source: &Source) -> Today {
        Today {
            date: self.date,
            zone: self.time_zone,
            naive: source.naive_zone(self.time_zone),
        }
    }
}

pub(super) fn plan_error(error: DataFusionError) -> Error {
    tagmill_engine::of_datafusion(tagmill_engine::Work::RawData, "plan", error)
}

/// The key of a source's configuration, as errors name it.
pub(super) fn place(source: &Source, what: &str) -> String {
    format!("source {} {what}", source.name)
}
