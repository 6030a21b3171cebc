//! Lists that do not change: immutable objects named by their content, to which manifests refer
//! directly.
//!
//! ```text
//! lists/<XXH3-128 of the bytes, 32 hex digits>.json     created if absent, checked when read
//!
//! behaviour   a date: files of behaviour and behaviour_measures
//! accounts    a date: files of rejects, quality and runs
//! tags        which tags exist, with their types
//! history     64 releases of the past
//! ```
//! A release needs no other release's manifest, and a night writes only its own day's lists.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::compact::{Folder, files_of, folders_of};
use super::entries::{FileEntry, TagEntry};
use super::format::STAGE;
use super::history::Past;
use crate::artifact::Artifact;
use crate::checksum::Checksum;
use crate::error::{Error, Reason, Result};

/// The folder of the lists, relative to the warehouse.
pub const FOLDER: &str = "lists";

/// A list's bytes and their checksum, which is its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListObject {
    /// XXH3-128 of `bytes`.
    pub checksum: Checksum,
    /// Canonical JSON, one line.
    pub bytes: Vec<u8>,
}

/// Where the list with this checksum is, relative to the warehouse.
pub fn list_path(checksum: Checksum) -> String {
    format!("{FOLDER}/{:032x}.json", checksum.0)
}

/// What files a list holds of a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ListKind {
    /// `behaviour` and `behaviour_measures`.
    Behaviour,
    /// `rejects`, `quality` and `runs`.
    Accounts,
}

impl ListKind {
    /// The kind of list that holds the files of an artifact; `None` for one that manifests hold
    /// themselves.
    pub fn of(artifact: Artifact) -> Option<Self> {
        match artifact {
            Artifact::Behaviour | Artifact::BehaviourMeasures => Some(Self::Behaviour),
            Artifact::Rejects | Artifact::Quality | Artifact::Runs => Some(Self::Accounts),
            _ => None,
        }
    }

    /// The name in manifests.
    pub fn name(self) -> &'static str {
        match self {
            Self::Behaviour => "behaviour",
            Self::Accounts => "accounts",
        }
    }

    /// The kind with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Behaviour, Self::Accounts]
            .into_iter()
            .find(|kind| kind.name() == name)
    }
}

/// Files and their sums.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Files.
    pub files: u64,
    /// Rows of all files.
    pub rows: u64,
    /// Bytes of all files.
    pub bytes: u64,
    /// Cardinalities of all files.
    pub cardinality: u64,
}

/// By artifact.
pub type ArtifactTotals = BTreeMap<Artifact, Totals>;

/// Adds files to the totals of their artifacts.
pub fn add_files<'f>(totals: &mut ArtifactTotals, files: impl IntoIterator<Item = &'f FileEntry>) {
    for file in files {
        let sum = totals.entry(file.artifact).or_default();
        sum.add(Totals {
            files: 1,
            rows: file.rows,
            bytes: file.bytes,
            cardinality: file.cardinality,
        });
    }
}

impl Totals {
    /// Adds what other files have.
    pub fn add(&mut self, more: Self) {
        self.files += more.files;
        self.rows += more.rows;
        self.bytes += more.bytes;
        self.cardinality += more.cardinality;
    }
}

/// A reference to the list of a date's files, with what can be said without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayList {
    /// What it holds.
    pub kind: ListKind,
    /// The date of the files' content.
    pub date: NaiveDate,
    /// The list's checksum.
    pub list: Checksum,
    /// Of the listed files.
    pub totals: ArtifactTotals,
}

impl DayList {
    /// The list of some files of one date and kind, and the reference to it.
    ///
    /// # Errors
    /// Refused for a file whose path no run gives.
    pub fn of(kind: ListKind, date: NaiveDate, files: &[FileEntry]) -> Result<(Self, ListObject)> {
        let object = ListObject::of(&Listed::Files {
            version: 1,
            files: folders_of(files)?,
        })?;
        let mut totals = ArtifactTotals::new();
        add_files(&mut totals, files);
        let list = object.checksum;
        Ok((
            Self {
                kind,
                date,
                list,
                totals,
            },
            object,
        ))
    }

    /// The files of the list with these bytes.
    ///
    /// # Errors
    /// Refused for bytes that are not the list's, and for a list of other files.
    pub fn read(&self, bytes: &[u8]) -> Result<Vec<FileEntry>> {
        let Listed::Files { files, .. } = ListObject::read(self.list, bytes)? else {
            return Err(Error::refused(STAGE, "not a list of files"));
        };
        let files = files_of(files);
        let mut totals = ArtifactTotals::new();
        add_files(&mut totals, &files);
        let is_of = |file: &FileEntry| {
            file.date == self.date && ListKind::of(file.artifact) == Some(self.kind)
        };
        match totals == self.totals && files.iter().all(is_of) {
            true => Ok(files),
            false => Err(Error::refused(
                STAGE,
                "the listed files are not those that the manifest adds up",
            )),
        }
    }
}

/// What lists say of themselves.
#[derive(Serialize, Deserialize)]
#[serde(tag = "list", rename_all = "lowercase")]
enum Listed {
    Files { version: u32, files: Vec<Folder> },
    Tags { version: u32, tags: Vec<TagEntry> },
    History { version: u32, releases: Vec<Past> },
}

impl ListObject {
    /// The list of tags, which stand in order.
    ///
    /// # Errors
    /// None in practice; what serde reports.
    pub fn of_tags(tags: &[TagEntry]) -> Result<Self> {
        Self::of(&Listed::Tags {
            version: 1,
            tags: tags.to_vec(),
        })
    }

    /// The list of some releases of the past.
    ///
    /// # Errors
    /// None in practice; what serde reports.
    pub fn of_history(releases: &[Past]) -> Result<Self> {
        Self::of(&Listed::History {
            version: 1,
            releases: releases.to_vec(),
        })
    }

    fn of(listed: &Listed) -> Result<Self> {
        let mut bytes = serde_json::to_vec(listed)
            .map_err(|e| Error::refused(STAGE, "a list can not be written as json").because(e))?;
        bytes.push(b'\n');
        Ok(Self {
            checksum: Checksum::of(&bytes),
            bytes,
        })
    }

    /// Where it is, relative to the warehouse.
    pub fn path(&self) -> String {
        list_path(self.checksum)
    }

    /// The tags of the list with this checksum and these bytes.
    ///
    /// # Errors
    /// Refused for bytes that are not the list's, and for another list.
    pub fn tags(checksum: Checksum, bytes: &[u8]) -> Result<Vec<TagEntry>> {
        match Self::read(checksum, bytes)? {
            Listed::Tags { tags, .. } => Ok(tags),
            _ => Err(Error::refused(STAGE, "not a list of tags")),
        }
    }

    /// The releases of the list with this checksum and these bytes.
    ///
    /// # Errors
    /// Refused for bytes that are not the list's, and for another list.
    pub fn history(checksum: Checksum, bytes: &[u8]) -> Result<Vec<Past>> {
        match Self::read(checksum, bytes)? {
            Listed::History { releases, .. } => Ok(releases),
            _ => Err(Error::refused(STAGE, "not a list of releases")),
        }
    }

    fn read<T: DeserializeOwned>(checksum: Checksum, bytes: &[u8]) -> Result<T> {
        let found = Checksum::of(bytes);
        if found != checksum {
            return Err(Error::refused(
                STAGE,
                format!("the list is damaged: found checksum {found}, expected {checksum}"),
            )
            .for_reason(Reason::Damaged));
        }
        serde_json::from_slice(bytes).map_err(|e| Error::refused(STAGE, "not a list").because(e))
    }
}

/// A checksum as its 32 hex digits alone.
pub(super) mod hex {
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::checksum::Checksum;

    pub(in super::super) fn serialize<S: Serializer>(
        checksum: &Checksum,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:032x}", checksum.0))
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Checksum, D::Error> {
        let text = String::deserialize(deserializer)?;
        format!("xxh3-128:{text}")
            .parse()
            .map_err(serde::de::Error::custom)
    }
}
