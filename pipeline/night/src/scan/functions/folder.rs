//! Which night counts an event whose source names the folders of several days.
//!
//! ```text
//! folders of a night: date-1, date        event of the 18th in the folder of the 19th
//!   night of the 18th reads 17, 18          not read there, so the night of the 19th, whose own
//!   night of the 19th reads 18, 19          folder it is in, judges it: late
//! event of the 18th in the folder of the 18th: the night of the 18th counts it, that of the 19th
//! passes it over as of another day
//! ```

use chrono::NaiveDate;
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use tagmill_schemas::config::{Folders, shifted};
use tagmill_schemas::local_day::start_of;

/// The days that folders are of, and when the days around begin.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FolderDays {
    /// Days from the run's date of the first folder.
    first: i32,
    /// And of the last.
    last: i32,
    /// The run's date, in days since 1970.
    today: i32,
    /// When days begin, in seconds since 1970: those whose events some night finds in the folders
    /// that this night reads, and the one behind them.
    starts: Vec<i64>,
}

impl FolderDays {
    /// The folders of the night of `today`, whose days begin in `zone`.
    pub fn new(folders: Folders, today: NaiveDate, zone: Tz) -> Self {
        let span = folders.last - folders.first;
        let start = |days| start_of(shifted(today, days), zone).timestamp();
        Self {
            first: folders.first,
            last: folders.last,
            today: today.to_epoch_days(),
            starts: (-span..=span + 1).map(start).collect(),
        }
    }

    /// Whether another night than this one decides what becomes of an event at this second (`None`:
    /// at no time) in the folder of this day.
    pub fn is_of_another_night(&self, second: Option<i64>, folder: i32) -> bool {
        let is_own = folder == self.today;
        let Some(second) = second else {
            return !is_own;
        };
        let behind = self.starts.partition_point(|&start| start <= second);
        let day = match behind {
            0 => return !is_own,
            behind if behind == self.starts.len() => return !is_own,
            behind => self.today - (self.last - self.first) + behind as i32 - 1,
        };
        if day == self.today {
            return false;
        }
        (self.first..=self.last).contains(&(folder - day)) || !is_own
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    /// Over many nights every event is decided by one: that of its day where it reads the folder,
    /// else that of the folder.
    #[test]
    fn every_event_is_of_one_night() {
        for zone in [Tz::Asia__Shanghai, Tz::America__New_York, Tz::UTC] {
            for (first, last) in [(-1, 0), (0, 1), (-1, 1), (-2, 0)] {
                let folders = Folders { first, last };
                let date = |days| shifted("2026-11-01".parse().unwrap(), days);
                for (folder, hours) in (-3..=3).flat_map(|f| (-96..96).map(move |h| (f, h))) {
                    let second = start_of(date(0), zone).timestamp() + hours * 3_600;
                    let folder = date(folder);
                    let nights = (-12..=12).map(date).filter(|&night| {
                        let distance = (folder - night).num_days() as i32;
                        let is_read = (first..=last).contains(&distance);
                        let days = FolderDays::new(folders, night, zone);
                        is_read && !days.is_of_another_night(Some(second), folder.to_epoch_days())
                    });
                    let nights: Vec<NaiveDate> = nights.collect();
                    assert_eq!(nights.len(), 1, "{zone} {first} {last} {folder} {hours}");
                }
            }
        }
    }

    #[test]
    fn an_event_without_a_time_is_of_its_folders_night() {
        let today = "2026-11-19".parse().unwrap();
        let days = FolderDays::new(Folders { first: -1, last: 0 }, today, Tz::UTC);
        assert!(!days.is_of_another_night(None, today.to_epoch_days()));
        assert!(days.is_of_another_night(None, today.to_epoch_days() - 1));
    }
}
