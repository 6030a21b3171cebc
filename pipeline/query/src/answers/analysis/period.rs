//! Days, weeks and months: what cohorts are of.

use chrono::{Datelike, Days, Months, NaiveDate};

/// A period of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Period {
    Day,
    /// From Monday on.
    Week,
    Month,
}

impl Period {
    /// By the word for it.
    pub(super) const WORDS: [(&'static str, Self); 3] = [
        ("day", Self::Day),
        ("week", Self::Week),
        ("month", Self::Month),
    ];

    /// Its word.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }

    /// The first day of the period that has a day.
    pub(super) fn start(self, day: NaiveDate) -> NaiveDate {
        match self {
            Self::Day => day,
            Self::Week => day.week(chrono::Weekday::Mon).first_day(),
            Self::Month => day.with_day(1).unwrap_or(day),
        }
    }

    /// The first day of the next period.
    fn next(self, start: NaiveDate) -> NaiveDate {
        let next = match self {
            Self::Day => start.checked_add_days(Days::new(1)),
            Self::Week => start.checked_add_days(Days::new(7)),
            Self::Month => start.checked_add_months(Months::new(1)),
        };
        next.unwrap_or(NaiveDate::MAX)
    }

    /// The first days of the periods that have any of some days, ascending.
    pub(super) fn starts(self, (from, to): (NaiveDate, NaiveDate)) -> Vec<NaiveDate> {
        let first = Some(self.start(from));
        let all = std::iter::successors(first, |start| Some(self.next(*start)));
        all.take_while(|start| *start <= to).collect()
    }

    /// The days of the period that starts on a day.
    pub(super) fn days(self, start: NaiveDate) -> impl Iterator<Item = NaiveDate> {
        let end = self.next(start);
        start.iter_days().take_while(move |day| *day < end)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn weeks_begin_on_monday_and_months_on_the_first() {
        let days = (day("2026-11-25"), day("2026-12-02"));
        let starts = |period: Period| -> Vec<String> {
            period
                .starts(days)
                .iter()
                .map(NaiveDate::to_string)
                .collect()
        };
        assert_eq!(starts(Period::Week), ["2026-11-23", "2026-11-30"]);
        assert_eq!(starts(Period::Month), ["2026-11-01", "2026-12-01"]);
        assert_eq!(starts(Period::Day).len(), 8);
        assert_eq!(Period::Month.days(day("2026-02-01")).count(), 28);
        assert_eq!(Period::Week.days(day("2026-11-30")).count(), 7);
    }
}
