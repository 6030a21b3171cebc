//! The zone of times without one, and the folders that a local day needs.

use chrono_tz::Tz;
use serde::{Serialize, Serializer};

use super::Source;
use crate::config::entry::Entry;
use crate::config::template::DatePlaceholder;
use crate::config::warehouse::parse_zone;
use crate::error::Result;

/// Folders of more days than this around the date are no folders of one local day.
const FARTHEST: i32 = 7;
const LOCAL: &str = "local";

/// In which zone times without one are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NaiveTimes {
    /// In the warehouse's.
    Local,
    /// In this one.
    Zone(Tz),
}

impl NaiveTimes {
    pub(super) fn parse(text: &str) -> std::result::Result<Self, String> {
        if text == LOCAL {
            return Ok(Self::Local);
        }
        parse_zone(text)
            .map(Self::Zone)
            .map_err(|why| format!("{why}, \"UTC\" or \"local\""))
    }

    /// The zone, in a warehouse of zone `local`.
    pub fn zone(self, local: Tz) -> Tz {
        match self {
            Self::Local => local,
            Self::Zone(zone) => zone,
        }
    }
}

impl Serialize for NaiveTimes {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_str(match self {
            Self::Local => LOCAL,
            Self::Zone(zone) => zone.name(),
        })
    }
}

impl Source {
    /// The zone of times without one, in a warehouse of zone `local`. Unless the source says it:
    /// UTC for events, which machines write; the warehouse's for what people keep, whose dates and
    /// times then are as they are written.
    pub fn naive_zone(&self, local: Tz) -> Tz {
        match self.naive_times {
            Some(naive) => naive.zone(local),
            None if self.kind.events().is_some() => Tz::UTC,
            None => local,
        }
    }
}

/// The days, counted from the run's date, whose folders the events of a local day are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Folders {
    /// The first day; negative: before the date.
    pub first: i32,
    /// The last day.
    pub last: i32,
}

impl Folders {
    /// Whether it is the date's folder alone.
    pub fn is_one(&self) -> bool {
        (self.first, self.last) == (0, 0)
    }

    /// The days from the first to the last.
    pub fn days(&self) -> impl Iterator<Item = i32> {
        self.first..=self.last
    }

    /// `["{date-1}", "{date}"]`: neighbours, in any order.
    pub(super) fn read(entry: &Entry<'_>) -> Result<Self> {
        let mut days = Vec::new();
        for element in entry.elements()? {
            let text = element.text()?;
            let day = text
                .strip_prefix('{')
                .and_then(|rest| rest.strip_suffix('}'))
                .filter(|name| !name.contains(':'))
                .and_then(DatePlaceholder::parse)
                .filter(|placeholder| placeholder.days.abs() <= FARTHEST);
            let day = day.ok_or_else(|| {
                element.expected("{date}, {date-1} for the day before, up to {date+7}")
            })?;
            days.push(day.days);
        }
        days.sort_unstable();
        let are_neighbours = days.windows(2).all(|pair| pair[1] == pair[0] + 1);
        match (days.first(), days.last()) {
            (Some(&first), Some(&last)) if are_neighbours && (first..=last).contains(&0) => {
                Ok(Self { first, last })
            }
            _ => Err(entry.expected("each day once, {date} among them, without a gap")),
        }
    }
}
