//! What a manifest lists: inputs, files, tags, counts. The same in memory whatever version a
//! manifest is written in.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::artifact::Artifact;
use crate::value::ValueType;

/// What a run took from one source.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Input {
    /// The source's name.
    pub source: String,
    /// Whether it was read.
    pub status: InputStatus,
    /// The date the values are of: the run's, or an earlier one when carried.
    pub date: NaiveDate,
    /// The files, by path; none when carried or skipped.
    pub files: Vec<InputFile>,
}

/// Whether a source was read, or what was done instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InputStatus {
    /// Its files were read.
    Read,
    /// Its last values were kept, marked stale.
    Carried,
    /// The release does without it.
    Skipped,
}

/// A raw file as it was when read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct InputFile {
    /// Its URL or path.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// The store's version tag, where it has one that depends on the content alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// Rows according to its footer.
    pub rows: u64,
}

/// A file of the release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// What it holds.
    pub artifact: Artifact,
    /// Relative to the warehouse; what [`Artifact::path`] gives.
    pub path: String,
    /// The date its content is of.
    pub date: NaiveDate,
    /// The shard; `None` for a file of all shards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<u32>,
    /// Rows.
    pub rows: u64,
    /// Size in bytes.
    pub bytes: u64,
    /// XXH3-128 of the bytes, as [`crate::checksum::Checksum`] prints it.
    pub checksum: String,
    /// The sum of the cardinality column; 0 for artifacts without bitmaps.
    pub cardinality: u64,
}

impl FileEntry {
    /// Puts files in the order of manifests and lists: artifact, date, shard, path.
    pub fn sort(files: &mut [Self]) {
        files.sort_by(|a, b| {
            (a.artifact.name(), a.date, a.shard, &a.path).cmp(&(
                b.artifact.name(),
                b.date,
                b.shard,
                &b.path,
            ))
        });
    }
}

/// The limit that a tag exceeded when it was last counted: the next night does not publish its
/// values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OverLimit {
    /// It had more distinct values than this many.
    Values(u64),
    /// It was beyond the number of tags that its app may have.
    Tags,
}

impl OverLimit {
    /// How many of the tag's values are within the limit.
    pub fn most_values(self) -> u64 {
        match self {
            Self::Values(most) => most,
            Self::Tags => 0,
        }
    }
}

/// A tag that exists in an app.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TagEntry {
    /// The app.
    pub app: String,
    /// The tag's name.
    pub tag: String,
    /// Fixed: a later run with another type is refused.
    #[serde(rename = "type")]
    pub value_type: ValueType,
    /// Whether a user can have several values.
    pub multi: bool,
    /// The source it comes from.
    pub source: String,
    /// `None` within all limits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over_limit: Option<OverLimit>,
    /// Whether its values are not in this release, because they exceeded the limit before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_withheld: bool,
}

/// What became of a source's rows of one app.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SourceCount {
    /// The source's name.
    pub source: String,
    /// `None` for rows without an app.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app: Option<String>,
    /// Rows read; the sum of the next three.
    pub read: u64,
    /// Rows used.
    pub accepted: u64,
    /// Rows the source's filter left out.
    pub filtered: u64,
    /// Rows with something wrong.
    pub rejected: u64,
    /// Of the rows used, those of which another row of their user took the place.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub superseded: u64,
}

/// Whether a count is left out: of releases before it was counted it is not known.
#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl SourceCount {
    /// Whether read = accepted + filtered + rejected.
    pub fn is_balanced(&self) -> bool {
        let parts = [self.accepted, self.filtered, self.rejected];
        parts.into_iter().try_fold(0u64, u64::checked_add) == Some(self.read)
    }
}
