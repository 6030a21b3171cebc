//! Local days as instants. Reads a spec, writes nothing. All generated data is local to Shanghai:
//! eight hours ahead of UTC, no summer time.

use chrono::NaiveDate;

use crate::population::Population;
use crate::spec::Spec;

/// The zone a generated configuration names.
pub const TIME_ZONE: &str = "Asia/Shanghai";

/// Microseconds of an hour.
pub const HOUR_US: i64 = 3_600_000_000;
const OFFSET_HOURS: i64 = 8;

/// Days of a spec.
#[derive(Debug, Clone, Copy)]
pub struct Calendar {
    first: NaiveDate,
}

impl Calendar {
    /// The days of `spec`.
    pub fn new(spec: &Spec) -> Self {
        Self {
            first: spec.first_day,
        }
    }

    /// Days between 1970-01-01 and day number `day`.
    pub fn days_since_1970(&self, day: u32) -> i32 {
        (self.first - NaiveDate::default()).num_days() as i32 + day as i32
    }

    /// The date of day number `day`.
    pub fn date(&self, day: u32) -> NaiveDate {
        self.first + chrono::Days::new(u64::from(day))
    }

    /// The instant a local day begins, in microseconds UTC.
    pub fn midnight(&self, day: u32) -> i64 {
        (i64::from(self.days_since_1970(day)) * 24 - OFFSET_HOURS) * HOUR_US
    }

    /// The date a user joined, for users that were not there on the first day.
    pub fn joined(&self, population: &Population, user: u64) -> Option<i32> {
        (user >= population.count(0)).then(|| {
            let day = (1..).find(|&day| user < population.count(day)).unwrap_or(0);
            self.days_since_1970(day)
        })
    }
}
