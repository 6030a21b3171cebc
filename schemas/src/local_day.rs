//! Where local days begin, and which instants wall clocks mean.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeDelta, TimeZone, Utc};
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

/// The instant of a time on a wall clock. One that clocks skipped is moved forward by what they
/// skipped; of one that they showed twice it is the earlier instant.
pub fn instant_of(local: NaiveDateTime, zone: Tz) -> DateTime<Utc> {
    if let Some(instant) = zone.from_local_datetime(&local).earliest() {
        return instant.to_utc();
    }
    let day_before = local.checked_sub_signed(TimeDelta::days(1));
    let offset = zone.offset_from_utc_datetime(&day_before.unwrap_or(local));
    let seconds = i64::from(offset.fix().local_minus_utc());
    local
        .checked_sub_signed(TimeDelta::seconds(seconds))
        .unwrap_or(local)
        .and_utc()
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

    #[test]
    fn a_skipped_time_moves_forward_and_a_doubled_one_is_the_earlier() {
        let instant = |local: &str, zone| instant_of(local.parse().unwrap(), zone).to_rfc3339();
        let york = Tz::America__New_York;
        for (local, expected) in [
            ("2026-03-08T01:59:59", "2026-03-08T06:59:59+00:00"),
            ("2026-03-08T02:30:00", "2026-03-08T07:30:00+00:00"),
            ("2026-03-08T03:30:00", "2026-03-08T07:30:00+00:00"),
            ("2026-11-01T01:30:00", "2026-11-01T05:30:00+00:00"),
            ("2026-11-01T02:00:00", "2026-11-01T07:00:00+00:00"),
        ] {
            assert_eq!(instant(local, york), expected, "{local}");
        }
        assert_eq!(
            instant("2011-12-30T12:00:00", Tz::Pacific__Apia),
            "2011-12-30T22:00:00+00:00"
        );
        assert_eq!(
            instant("0001-01-01T00:00:00", Tz::UTC),
            "0001-01-01T00:00:00+00:00"
        );
    }
}
