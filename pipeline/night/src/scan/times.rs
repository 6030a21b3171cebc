//! The zones of one source's times.

use std::sync::Arc;

use chrono_tz::Tz;
use tagmill_schemas::config::Source;

/// In which zones a source's times are, and in which they are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// The warehouse's: it cuts days.
    pub local: Tz,
    /// That of times without one.
    pub naive: Tz,
    /// Whether they are made instants even where no file of the column has a zone.
    pub are_instants: bool,
    /// Whether the source says the zone itself.
    pub is_said: bool,
}

impl Times {
    /// Those of a source in a warehouse of zone `local`.
    pub fn of(source: &Source, local: Tz) -> Self {
        let is_said = source.naive_times.is_some();
        Self {
            local,
            naive: source.naive_zone(local),
            are_instants: is_said || source.kind.events().is_some(),
            is_said,
        }
    }

    /// The zone of 96-bit times, which writers count from midnight in UTC unless the source says
    /// otherwise.
    pub fn int96(&self) -> Tz {
        if self.is_said { self.naive } else { Tz::UTC }
    }

    /// The warehouse's zone as Arrow names it.
    pub fn local_name(&self) -> Arc<str> {
        self.local.name().into()
    }
}
