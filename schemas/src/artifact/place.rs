//! Where a file stands, as a path and as what the path says.
//!
//! ```text
//! <artifact>/date=2026-11-19/run=<run>-<attempt>/00003.parquet   a shard's file
//!                                               /all.parquet     of all shards together
//! ```

use std::fmt::Write;

use chrono::NaiveDate;

use super::Artifact;

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
    /// The shard; `None` for a file of all shards.
    pub shard: Option<u32>,
}

impl FilePlace {
    /// What a path says; `None` for one that [`FilePlace::path`] does not give.
    pub fn of(path: &str) -> Option<Self> {
        let mut parts = path.split('/');
        let artifact = Artifact::from_name(parts.next()?)?;
        let date = parts.next()?.strip_prefix("date=")?.parse().ok()?;
        let (run, attempt) = parts.next()?.strip_prefix("run=")?.rsplit_once('-')?;
        let shard = match parts.next()?.strip_suffix(".parquet")? {
            "all" => None,
            number => Some(number.parse().ok()?),
        };
        let place = Self {
            artifact,
            date,
            run: unescaped(run)?,
            attempt: attempt.parse().ok()?,
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
        let mut path = format!("{}/date={}/run=", self.artifact.name(), self.date);
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
        for (run, attempt, shard) in [
            ("0a1b2c3d", 1, Some(0)),
            ("2026-11-19", 12, None),
            ("../a b_é", 3, Some(100_000)),
            ("", 1, Some(65_535)),
        ] {
            let place = FilePlace {
                artifact: Artifact::BehaviourMeasures,
                date: NaiveDate::default(),
                run: run.to_owned(),
                attempt,
                shard,
            };
            assert_eq!(FilePlace::of(&place.path()), Some(place), "{run}");
        }
    }

    #[test]
    fn other_paths_say_nothing() {
        for path in [
            "users",
            "windows/date=2026-11-19/run=r-1/all.parquet",
            "users/date=2026-11-9/run=r-1/all.parquet",
            "users/date=2026-11-19/run=../../x",
            "users/date=2026-11-19/run=r-01/all.parquet",
            "users/date=2026-11-19/run=r-1/1.parquet",
            "users/date=2026-11-19/run=r-1/all.parquet/x",
            "users/date=2026-11-19/run=_2-1/all.parquet",
            "users/date=2026-11-19/run=_61-1/all.parquet",
        ] {
            assert_eq!(FilePlace::of(path), None, "{path}");
        }
    }
}
