//! Times of wall clocks to instants, many at a time.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate};
use chrono_tz::Tz;
use tagmill_schemas::local_day::{instant_of, start_of};

/// Seconds in which clocks change once at most, and at an end.
const SPAN: i64 = 900;
/// Spans remembered: those of some months.
const MOST_SPANS: usize = 1 << 14;

/// The clock of one zone.
pub struct WallClock {
    zone: Tz,
    /// What is added to a time of a span, where that is the same for all of it.
    shifts: HashMap<i64, Option<i64>>,
    last: (i64, Option<i64>),
}

impl WallClock {
    /// The clock of a zone.
    pub fn new(zone: Tz) -> Self {
        Self {
            zone,
            shifts: HashMap::new(),
            last: (i64::MIN, None),
        }
    }

    /// The instant of a time on the clock, both since 1970, in units of which a second has
    /// `per_second`. Years that no calendar has stay as they are.
    pub fn instant(&mut self, time: i64, per_second: i64) -> i64 {
        let seconds = time.div_euclid(per_second);
        let shift = match self.shift_of_span(seconds.div_euclid(SPAN)) {
            Some(shift) => shift,
            None => shift_at(seconds, self.zone).unwrap_or(0),
        };
        time.saturating_add(shift.saturating_mul(per_second))
    }

    fn shift_of_span(&mut self, span: i64) -> Option<i64> {
        if self.last.0 == span {
            return self.last.1;
        }
        if self.shifts.len() > MOST_SPANS {
            self.shifts.clear();
        }
        let zone = self.zone;
        let shift = *self.shifts.entry(span).or_insert_with(|| {
            let first = span.checked_mul(SPAN)?;
            let shift = shift_at(first, zone)?;
            (shift_at(first + SPAN - 1, zone)? == shift).then_some(shift)
        });
        self.last = (span, shift);
        shift
    }

    /// The first instant of a day, in seconds since 1970.
    pub fn start(&self, days: i32) -> i64 {
        let date = NaiveDate::from_epoch_days(days);
        date.map_or(i64::from(days) * 86_400, |date| {
            start_of(date, self.zone).timestamp()
        })
    }
}

/// Seconds from what the clock shows to what a clock of UTC shows then.
fn shift_at(seconds: i64, zone: Tz) -> Option<i64> {
    let local = DateTime::from_timestamp(seconds, 0)?.naive_utc();
    Some(instant_of(local, zone).timestamp() - seconds)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use chrono::NaiveDateTime;

    /// Every minute of the days around both changes, against the calendar asked for each.
    #[test]
    fn spans_give_what_each_time_gives() {
        for zone in [
            Tz::America__New_York,
            Tz::Australia__Lord_Howe,
            Tz::Asia__Kathmandu,
        ] {
            let mut clock = WallClock::new(zone);
            for day in ["2026-03-08", "2026-04-05", "2026-10-04", "2026-11-01"] {
                let start: NaiveDateTime = format!("{day}T00:00:00").parse().unwrap();
                let start = start.and_utc().timestamp() - 3_600;
                for minute in 0..26 * 60 {
                    let local = start + minute * 60 + 7;
                    let naive = DateTime::from_timestamp(local, 0).unwrap().naive_utc();
                    let expected = instant_of(naive, zone).timestamp();
                    assert_eq!(clock.instant(local, 1), expected, "{naive} {zone}");
                    assert_eq!(
                        clock.instant(local * 1_000 + 5, 1_000),
                        expected * 1_000 + 5
                    );
                }
            }
        }
        assert_eq!(WallClock::new(Tz::UTC).instant(i64::MAX, 1_000), i64::MAX);
    }
}
