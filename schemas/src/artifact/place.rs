//! Where a file stands, as a path and as what the path says.
//!
//! ```text
//! <artifact>/2026-11-19/<run>-<attempt>/00003.parquet             a shard's file
//!                                      /all.parquet               of all shards together
//! <artifact>/date=2026-11-19/run=<run>-<attempt>/00003.parquet    the same, up to manifest version 2
//! ```

use std::fmt::Write;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::Artifact;

/// How the folders of an attempt are called.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// `date=<date>/run=<run>-<attempt>`, up to manifest version 2: pandas, pyarrow and others take
    /// such folders for columns, and files have columns of these names.
    #[default]
    Hive,
    /// `<date>/<run>-<attempt>`.
    Plain,
}

impl Layout {
    /// What stands before the date, and before the run.
    fn prefixes(self) -> (&'static str, &'static str) {
        match self {
            Self::Hive => ("date=", "run="),
            Self::Plain => ("", ""),
        }
    }

    /// Whether it is that of earlier versions.
    pub(crate) fn is_hive(&self) -> bool {
        *self == Self::Hive
    }
}

/// What the path of an artifact's file says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FilePlace {
    /// What the file holds.
    pub artifact: Artifact,
    /// The date its content is of.
    pub date: NaiveDate,
    /// The run that wrote it.
    pub run: String,
    /// Its attempt.
    pub attempt: u32,
    /// How its folders are called.
    pub layout: Layout,
    /// The shard; `None` for a file of all shards.
    pub shard: Option<u32>,
}

impl FilePlace {
    /// What a path says; `None` for one that [`FilePlace::path`] does not give.
    pub fn of(path: &str) -> Option<Self> {
        let mut parts = path.split('/');
        let artifact = Artifact::from_name(parts.next()?)?;
        let date = parts.next()?;
        let layout = match date.starts_with("date=") {
            true => Layout::Hive,
            false => Layout::Plain,
        };
        let (before_date, before_run) = layout.prefixes();
        let date = date.strip_prefix(before_date)?.parse().ok()?;
        let (run, attempt) = parts.next()?.strip_prefix(before_run)?.rsplit_once('-')?;
        let shard = match parts.next()?.strip_suffix(".parquet")? {
            "all" => None,
            number => Some(number.parse().ok()?),
        };
        let place = Self {
            artifact,
            date,
            run: unescaped(run)?,
            attempt: attempt.parse().ok()?,
            layout,
            shard,
        };
        (place.path() == path).then_some(place)
    }

    /// The place of another artifact's file of the same run and shard.
    pub fn beside(self, artifact: Artifact) -> Self {
        Self { artifact, ..self }
    }

    /// The path, relative to the warehouse. A run name's bytes other than ASCII letters, digits and
    /// `-` are written `_` and two hex digits, so that no run name leaves the folder and distinct
    /// names stay distinct.
    pub fn path(&self) -> String {
        let (before_date, before_run) = self.layout.prefixes();
        let (artifact, date) = (self.artifact.name(), self.date);
        let mut path = format!("{artifact}/{before_date}{date}/{before_run}");
        for byte in self.run.bytes() {
            // Writing to a String can not fail.
            let _ = match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' => {
                    write!(path, "{}", char::from(byte))
                }
                _ => write!(path, "_{byte:02x}"),
            };
        }
        let _ = write!(path, "-{}/{}", self.attempt, Self::name(self.shard));
        path
    }

    /// The file's name in its folder.
    pub fn name(shard: Option<u32>) -> String {
        shard.map_or_else(
            || "all.parquet".to_owned(),
            |shard| format!("{shard:05}.parquet"),
        )
    }
}

fn unescaped(escaped: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(escaped.len());
    let mut rest = escaped.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte == b'_' {
            let (digits, after) = rest.split_at_checked(2)?;
            rest = after;
            bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_reads_back_as_what_it_was_made_of() {
        for (run, attempt, layout, shard) in [
            ("0a1b2c3d", 1, Layout::Plain, Some(0)),
            ("0a1b2c3d", 1, Layout::Hive, Some(0)),
            ("2026-11-19", 12, Layout::Plain, None),
            ("../a b_é", 3, Layout::Hive, Some(100_000)),
            ("run=x", 3, Layout::Plain, None),
            ("", 1, Layout::Plain, Some(65_535)),
        ] {
            let place = FilePlace {
                artifact: Artifact::BehaviourMeasures,
                date: NaiveDate::default(),
                run: run.to_owned(),
                attempt,
                layout,
                shard,
            };
            assert_eq!(FilePlace::of(&place.path()), Some(place), "{run}");
        }
    }

    #[test]
    fn other_paths_say_nothing() {
        for path in [
            "users",
            "panes/2026-11-19/r-1/all.parquet",
            "users/2026-11-9/r-1/all.parquet",
            "users/date=2026-11-9/run=r-1/all.parquet",
            "users/2026-11-19/run=r-1/all.parquet",
            "users/date=2026-11-19/r-1/all.parquet",
            "users/2026-11-19/../../x",
            "users/date=2026-11-19/run=../../x",
            "users/2026-11-19/r-01/all.parquet",
            "users/2026-11-19/r-1/1.parquet",
            "users/2026-11-19/r-1/all.parquet/x",
            "users/2026-11-19/_2-1/all.parquet",
            "users/2026-11-19/_61-1/all.parquet",
        ] {
            assert_eq!(FilePlace::of(path), None, "{path}");
        }
    }
}
