//! How a person names a release (`7`, `current`, `@2026-11-19`) and where its manifest is.

use std::fmt;
use std::str::FromStr;

use chrono::NaiveDate;

/// The folder of the manifests, relative to the warehouse.
pub const FOLDER: &str = "releases";

/// The path of a release's manifest: `releases/<20 digits>.json`, so that names sort as numbers do.
pub fn path(release: u64) -> String {
    format!("{FOLDER}/{release:020}.json")
}

/// The release a manifest path belongs to; `None` for anything [`path`] would not write.
pub fn number_of(manifest_path: &str) -> Option<u64> {
    let name = manifest_path.strip_prefix(FOLDER)?.strip_prefix('/')?;
    let release = name.strip_suffix(".json")?.parse().ok()?;
    (path(release) == manifest_path).then_some(release)
}

/// The folder of the dates' markers, relative to the warehouse.
pub const SUCCESS_FOLDER: &str = "success";

/// The path of a date's marker: `success/date=2026-11-19/_SUCCESS`.
pub fn success_path(date: NaiveDate) -> String {
    format!("{SUCCESS_FOLDER}/date={date}/_SUCCESS")
}

/// The date that a marker is of; `None` for anything [`success_path`] would not write.
pub fn marked_date(marker_path: &str) -> Option<NaiveDate> {
    let name = marker_path.strip_prefix(SUCCESS_FOLDER)?;
    let date = name.strip_prefix("/date=")?.strip_suffix("/_SUCCESS")?;
    let date = date.parse().ok()?;
    (success_path(date) == marker_path).then_some(date)
}

/// A release as named on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReleaseName {
    /// This very release.
    Number(u64),
    /// The highest number there is.
    Current,
    /// The newest release that is this night: its run was for the date, and nothing newer is in it.
    /// Without one, the newest whose run was for this date.
    At(NaiveDate),
}

impl FromStr for ReleaseName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refuse = || {
            format!(
                "found release {text:?}, expected a number from 1, current, or @ and a date like \
                 @2026-11-19"
            )
        };
        match text.strip_prefix('@') {
            Some(date) => date
                .parse::<NaiveDate>()
                .ok()
                .filter(|found| found.to_string() == date)
                .map(Self::At)
                .ok_or_else(refuse),
            None if text == "current" => Ok(Self::Current),
            None => text
                .parse()
                .ok()
                .filter(|number| *number > 0)
                .map(Self::Number)
                .ok_or_else(refuse),
        }
    }
}

impl fmt::Display for ReleaseName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Current => f.write_str("current"),
            Self::At(date) => write!(f, "@{date}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_back_what_it_prints() {
        for text in ["1", "18446744073709551615", "current", "@2026-11-19"] {
            assert_eq!(
                text.parse::<ReleaseName>().map(|name| name.to_string()),
                Ok(text.to_owned())
            );
        }
    }

    #[test]
    fn refuses_anything_else_and_says_what_is_expected() {
        for text in [
            "",
            "0",
            "-1",
            "Current",
            "@",
            "@2026-1-9",
            "@2026-02-30",
            "2026-11-19",
        ] {
            assert!(
                text.parse::<ReleaseName>()
                    .is_err_and(|error| error.contains("expected a number")),
                "{text:?}"
            );
        }
    }

    #[test]
    fn manifest_paths_sort_as_their_numbers_and_read_back() {
        assert_eq!(path(7), "releases/00000000000000000007.json");
        assert!(path(9) < path(10) && path(10) < path(u64::MAX));
        assert_eq!(number_of(&path(u64::MAX)), Some(u64::MAX));
        for other in [
            "releases/7.json",
            "releases/00000000000000000007.json.tmp",
            "00000000000000000007.json",
        ] {
            assert_eq!(number_of(other), None, "{other}");
        }
    }
}
