//! Where local days begin.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

/// The first instant of a local day. Where it has no midnight, because clocks were put forward, it
/// is the first moment that exists; of a day that a zone left out, that of the day after.
pub fn start_of(date: NaiveDate, zone: Tz) -> DateTime<Utc> {
    let midnight = date.and_time(NaiveTime::MIN);
    let first = (0..=48).find_map(|halves| {
        zone.from_local_datetime(&(midnight + TimeDelta::minutes(30 * halves)))
            .earliest()
    });
    first.map_or_else(|| midnight.and_utc(), |local| local.to_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start(date: &str, zone: Tz) -> String {
        start_of(date.parse().unwrap(), zone).to_rfc3339()
    }

    #[test]
    fn days_begin_when_clocks_say_so() {
        assert_eq!(
            start("2026-11-19", Tz::Asia__Shanghai),
            "2026-11-18T16:00:00+00:00"
        );
        // No midnight, and midnight twice.
        assert_eq!(
            start("2018-11-04", Tz::America__Sao_Paulo),
            "2018-11-04T03:00:00+00:00"
        );
        assert_eq!(
            start("2026-11-01", Tz::America__Havana),
            "2026-11-01T04:00:00+00:00"
        );
        // Samoa had no 30 December 2011.
        assert_eq!(
            start("2011-12-30", Tz::Pacific__Apia),
            start("2011-12-31", Tz::Pacific__Apia)
        );
    }
}
