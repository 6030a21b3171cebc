//! The manifest of a release, version 1: the only thing that says which files count.
//!
//! Canonical JSON, so that equal manifests are equal bytes: one line, keys in the order of the
//! fields below, lists in the order of their keys, absent options left out. Nothing in it depends
//! on the clock or a random number.
//!
//! ```text
//! release ── parent
//!    ├── inputs   what was read: source, date, files
//!    ├── files    what was written by this or an earlier run: artifact, path, checksum
//!    ├── tags     which tags exist, with their types
//!    └── counts   read = accepted + filtered + rejected, per source and app
//! ```

mod check;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

pub(crate) use check::check_version;

use crate::artifact::Artifact;
use crate::error::{Error, Result};
use crate::shard::IdScope;
use crate::value::ValueType;

/// The version this program writes, and the only one it reads.
pub const VERSION: u32 = 1;

const STAGE: &str = "manifest";

/// A release: everything a reader needs to find and check its files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`VERSION`].
    pub version: u32,
    /// The number of the release, from 1; orders commits.
    pub release: u64,
    /// The release whose state this one continues; `None` for the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<u64>,
    /// The date of this run.
    pub date: NaiveDate,
    /// The newest night in the release; never before `date`.
    pub head_date: NaiveDate,
    /// The run's name.
    pub run: String,
    /// From 1.
    pub attempt: u32,
    /// [`crate::Config::hash`] of the configuration that was used.
    pub config_hash: String,
    /// The program's version.
    pub code_version: String,
    /// The warehouse's number of shards.
    pub shards: u32,
    /// The warehouse's id scope.
    pub id_scope: IdScope,
    /// What was read, by source.
    pub inputs: Vec<Input>,
    /// What the release consists of, by artifact, date, shard and path.
    pub files: Vec<FileEntry>,
    /// The tags that exist, by app and name.
    pub tags: Vec<TagEntry>,
    /// What became of the rows read, by source and app.
    pub counts: Vec<SourceCount>,
    /// Why a person published it, when one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What a run took from one source.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
#[serde(deny_unknown_fields)]
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
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    /// What it holds.
    pub artifact: Artifact,
    /// Relative to the warehouse.
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

/// The `over_limit` of a tag beyond the number of tags that its app may have: none of its values is
/// within the limit.
pub const BEYOND_TAGS: u64 = 0;

/// A tag that exists in an app.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
    /// The limit that its values exceeded when they were last counted, or [`BEYOND_TAGS`]: the next
    /// night does not publish them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over_limit: Option<u64>,
    /// Whether its values are not in this release, because they exceeded the limit before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_withheld: bool,
}

/// What became of a source's rows of one app.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
}

impl Manifest {
    /// The canonical bytes; lists are put in order first.
    ///
    /// # Errors
    /// Refused when an invariant is broken, as [`Manifest::from_json`] would find.
    pub fn to_json(&self) -> Result<Vec<u8>> {
        let mut sorted = self.clone();
        sorted.sort();
        sorted.check()?;
        let mut json = serde_json::to_vec(&sorted)
            .map_err(|e| Error::refused(STAGE, "can not be written as json").because(e))?;
        json.push(b'\n');
        Ok(json)
    }

    /// Reads a manifest; `place` is its path, for messages. The version is looked at before
    /// anything else.
    ///
    /// # Errors
    /// Setup for a version this program does not know; refused for anything that is not a sound
    /// manifest.
    pub fn from_json(json: &[u8], place: &str) -> Result<Self> {
        check_version(json, "version", VERSION, place)?;
        let manifest: Self = serde_json::from_slice(json)
            .map_err(|e| Error::refused(STAGE, "not a manifest").at(place).because(e))?;
        manifest.check().map_err(|e| e.at(place))?;
        Ok(manifest)
    }

    /// The files of one artifact, in the order of the manifest.
    pub fn files_of(&self, artifact: Artifact) -> impl Iterator<Item = &FileEntry> {
        self.files
            .iter()
            .filter(move |file| file.artifact == artifact)
    }

    fn sort(&mut self) {
        self.inputs.iter_mut().for_each(|input| input.files.sort());
        self.inputs.sort();
        self.files.sort_by(|a, b| {
            (a.artifact.name(), a.date, a.shard, &a.path).cmp(&(
                b.artifact.name(),
                b.date,
                b.shard,
                &b.path,
            ))
        });
        self.tags.sort();
        self.counts.sort();
    }
}

impl SourceCount {
    /// Whether read = accepted + filtered + rejected.
    pub fn is_balanced(&self) -> bool {
        let parts = [self.accepted, self.filtered, self.rejected];
        parts.into_iter().try_fold(0u64, u64::checked_add) == Some(self.read)
    }
}
