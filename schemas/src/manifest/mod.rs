//! The manifest of a release: the only thing that says which files count.
//!
//! One form in memory, one form a version on disk. Canonical JSON, so that equal manifests are
//! equal bytes: one line, keys in a fixed order, lists in the order of their keys, absent options
//! left out. Nothing in it depends on the clock or a random number.
//!
//! ```text
//! release ── parent
//!    ├── history  the releases before it
//!    ├── inputs   what was read: source, date, files
//!    ├── files    what was written by this or an earlier run and is replaced as a whole
//!    ├── lists    a date each: files that never change, by reference
//!    ├── tags     which tags exist, with their types
//!    └── counts   read = accepted + filtered + rejected, per source and app
//!
//! version 1    ──► v1 ┐                                  ┌─► releases/<20 digits>.json, sealed
//! version 2, 3 ──► v2 ┴─► Stored ─► with tags: Manifest ─┴─► lists/<checksum>.json
//! ```

mod behaviour;
mod check;
mod compact;
mod decisions;
mod entries;
mod format;
mod history;
mod lists;
mod summary;
mod v1;
mod v2;

use chrono::NaiveDate;

use crate::artifact::Artifact;
use crate::checksum::Checksum;
use crate::error::{Error, Result};
use crate::shard::IdScope;

pub use behaviour::{BehaviourDays, DayOfWindows, MissingEvents, StateOfApps};
pub use decisions::{
    CARRIED_APP, CarriedScope, Decisions, LEFT_OUT_APP, MissingDay, Outcome, ReleaseKind, Verdict,
};
pub use entries::{FileEntry, Input, InputFile, InputStatus, OverLimit, SourceCount, TagEntry};
pub use format::VERSION;
pub(crate) use format::check_version;
use format::{STAGE, readable_version};
pub use history::{History, PAGE, Page, Past};
pub use lists::{
    ArtifactTotals, DayList, FOLDER as LISTS_FOLDER, ListKind, ListObject, Totals, add_files,
    list_path,
};
pub use summary::Summary;

/// The `numbering` of a run that numbered its new users by app, then by the bytes of their ids.
pub const NUMBERED_BY_USER_ID: u32 = 1;

/// The `numbering` of a run that numbered its new users by app, class of activity, common tags, then
/// by the bytes of their ids.
pub const NUMBERED_BY_ACTIVITY: u32 = 2;

/// A release: everything a reader needs to find and check its files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// The version that it was read from; what is written is [`VERSION`].
    pub version: u32,
    /// The number of the release, from 1; orders commits.
    pub release: u64,
    /// The release whose state this one continues; `None` for the first.
    pub parent: Option<u64>,
    /// Why there is one.
    pub kind: ReleaseKind,
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
    /// The warehouse's IANA zone; `None` in releases of programs that did not keep it.
    pub time_zone: Option<String>,
    /// The order that this run numbered its new users in: [`NUMBERED_BY_USER_ID`] or
    /// [`NUMBERED_BY_ACTIVITY`].
    pub numbering: u32,
    /// What was read, by source.
    pub inputs: Vec<Input>,
    /// The files that the manifest holds itself, by artifact, date, shard and path. Those of an
    /// artifact that has a [`ListKind`] are found through `lists` as well.
    pub files: Vec<FileEntry>,
    /// The lists of the other files, by kind and date.
    pub lists: Vec<DayList>,
    /// The tags that exist, by app and name.
    pub tags: Vec<TagEntry>,
    /// What became of the rows read, by source and app.
    pub counts: Vec<SourceCount>,
    /// The releases before this one.
    pub history: History,
    /// Which days of behaviour are missing, and what windows were made of.
    pub behaviour: BehaviourDays,
    /// What checks and people decided.
    pub decisions: Decisions,
    /// Why a person published it, when one did.
    pub reason: Option<String>,
}

/// A manifest as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    /// The manifest's canonical bytes.
    pub json: Vec<u8>,
    /// The list of its tags, which has to be there first.
    pub tags: ListObject,
}

/// A manifest as its own bytes have it: all but the tags, when they are a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    manifest: Manifest,
    tags: Option<Checksum>,
}

/// A sound manifest of a newer program may hold what this one has no word for.
fn not_understood(version: u32, place: &str, error: serde_json::Error) -> Error {
    let error = if version > VERSION {
        Error::setup(
            STAGE,
            format!(
                "made by a newer tagmill (format {version}) and holds what this program, of format \
                 {VERSION}, does not know"
            ),
        )
        .fix("use the program that made it, or a newer one")
        .because(error)
    } else {
        Error::refused(STAGE, "not a manifest").because(error)
    };
    error.at(place)
}

impl Stored {
    /// Reads a manifest; `place` is its path, for messages. Its checksum and its version are looked
    /// at before anything else.
    ///
    /// # Errors
    /// Setup for one that needs a newer reader; refused for anything that is not a sound manifest.
    pub fn parse(json: &[u8], place: &str) -> Result<Self> {
        let version = readable_version(json, place)?;
        let broken = |e| not_understood(version, place, e);
        let stored = match version {
            1 => Self {
                manifest: serde_json::from_slice::<v1::ManifestV1>(json)
                    .map_err(broken)?
                    .into(),
                tags: None,
            },
            _ => {
                let read: v2::ManifestV2 = serde_json::from_slice(json).map_err(broken)?;
                let (manifest, tags) = read.into_parts();
                Self {
                    manifest,
                    tags: Some(tags),
                }
            }
        };
        stored.manifest.check().map_err(|e| e.at(place))?;
        Ok(stored)
    }

    /// The number of the release.
    pub fn release(&self) -> u64 {
        self.manifest.release
    }

    /// The list that holds the tags; `None` when the manifest itself does.
    pub fn tags_list(&self) -> Option<Checksum> {
        self.tags
    }

    /// The manifest; `listed` are the tags of [`Stored::tags_list`], nothing when there is none.
    pub fn with_tags(mut self, listed: Vec<TagEntry>) -> Manifest {
        if self.tags.is_some() {
            self.manifest.tags = listed;
        }
        self.manifest
    }
}

impl Manifest {
    /// The canonical bytes; lists are put in order first.
    ///
    /// # Errors
    /// Refused when an invariant is broken, as [`Stored::parse`] would find, and for a manifest of
    /// a newer program, which holds what this one does not know.
    pub fn encode(&self) -> Result<Encoded> {
        self.check_is_continued()?;
        let mut sorted = self.clone();
        sorted.sort();
        sorted.check()?;
        v2::encode(sorted)
    }

    /// Whether this program can go on from here: what it does not know it would lose.
    ///
    /// # Errors
    /// Setup for a manifest of a newer program.
    pub fn check_is_continued(&self) -> Result<()> {
        match self.version <= VERSION {
            true => Ok(()),
            false => Err(Error::setup(
                STAGE,
                format!(
                    "release {} was made by a newer tagmill ({}, format {}): this program reads \
                     it, but can not continue it",
                    self.release, self.code_version, self.version
                ),
            )
            .fix("run the newer program")),
        }
    }

    /// The files of one artifact that the manifest holds itself, in its order: not those of lists.
    pub fn direct_files(&self, artifact: Artifact) -> impl Iterator<Item = &FileEntry> {
        self.files
            .iter()
            .filter(move |file| file.artifact == artifact)
    }

    /// The lists that hold files of an artifact.
    pub fn lists_of(&self, artifact: Artifact) -> impl Iterator<Item = &DayList> {
        self.lists
            .iter()
            .filter(move |list| list.totals.contains_key(&artifact))
    }

    /// Files, rows and bytes by artifact, those of lists included.
    pub fn totals(&self) -> ArtifactTotals {
        let mut totals = ArtifactTotals::new();
        add_files(&mut totals, &self.files);
        for (artifact, more) in self.lists.iter().flat_map(|list| &list.totals) {
            totals.entry(*artifact).or_default().add(*more);
        }
        totals
    }

    /// The release as the histories of later ones name it.
    pub fn past(&self) -> Past {
        Past {
            release: self.release,
            date: self.date,
            head_date: self.head_date,
            kind: self.kind,
        }
    }

    fn sort(&mut self) {
        self.inputs.iter_mut().for_each(|input| input.files.sort());
        self.inputs.sort();
        FileEntry::sort(&mut self.files);
        self.lists.sort_by_key(|list| (list.kind, list.date));
        self.tags.sort();
        self.counts.sort();
        self.behaviour.sort();
    }
}
