//! What a manifest has to fulfil, seen from the manifest alone.

use std::collections::BTreeSet;

use super::format::STAGE;
use super::{FileEntry, ListKind, Manifest};
use crate::artifact::FilePlace;
use crate::checksum::Checksum;
use crate::error::{Error, Result};

fn refuse<T>(what: String) -> Result<T> {
    Err(Error::refused(STAGE, what))
}

impl Manifest {
    /// The invariants of a release that can be seen in the manifest alone.
    pub(super) fn check(&self) -> Result<()> {
        self.check_numbers()?;
        self.check_files(&self.files)?;
        self.check_lists()?;
        match self.counts.iter().find(|count| !count.is_balanced()) {
            Some(count) => refuse(format!(
                "counts of source {:?} do not add up: {count:?}",
                count.source
            )),
            None => Ok(()),
        }
    }

    /// Whether the manifest can have these files, of its own or of a list.
    ///
    /// # Errors
    /// Refused for a path that is not the file's, a shard that there is not, a checksum that is
    /// none, and a file that is there twice.
    pub fn check_files(&self, files: &[FileEntry]) -> Result<()> {
        let mut paths = BTreeSet::new();
        for file in files {
            self.check_file(file)?;
            if !paths.insert(&file.path) {
                return refuse(format!("file {:?} is listed twice", file.path));
            }
        }
        Ok(())
    }

    fn check_numbers(&self) -> Result<()> {
        if self.release == 0
            || self
                .parent
                .is_some_and(|parent| parent == 0 || parent >= self.release)
        {
            return refuse(format!(
                "found release {} with parent {:?}, expected a parent from 1 below the release",
                self.release, self.parent
            ));
        }
        if self.head_date < self.date {
            return refuse(format!(
                "found head date {} before the run's date {}",
                self.head_date, self.date
            ));
        }
        let pages = self.history.older.iter().flat_map(|p| [p.first, p.last]);
        let past: Vec<u64> = pages
            .chain(self.history.recent.iter().map(|past| past.release))
            .chain([self.release])
            .collect();
        match past.is_sorted() && past.iter().rev().nth(1) != Some(&self.release) {
            true => Ok(()),
            false => refuse(format!(
                "the history of release {} is not in the order of numbers",
                self.release
            )),
        }
    }

    fn check_lists(&self) -> Result<()> {
        let mut dates = BTreeSet::new();
        for list in &self.lists {
            let name = list.kind.name();
            if !dates.insert((list.kind, list.date)) {
                return refuse(format!("the list {name} of {} is there twice", list.date));
            }
            let is_other = |artifact| ListKind::of(artifact) != Some(list.kind);
            if let Some(other) = list.totals.keys().find(|artifact| is_other(**artifact)) {
                return refuse(format!("the list {name} of {} holds {other}", list.date));
            }
        }
        Ok(())
    }

    fn check_file(&self, file: &FileEntry) -> Result<()> {
        let refuse = |what: String| refuse(format!("file {:?}: {what}", file.path));
        let place = FilePlace::of(&file.path);
        let expected = (file.artifact, file.date, file.shard);
        if place.is_none_or(|place| (place.artifact, place.date, place.shard) != expected) {
            let name = FilePlace::name(file.shard);
            let folder = format!("{}/{}/<run>-<attempt>", file.artifact, file.date);
            return refuse(format!("expected a file \"{folder}/{name}\""));
        }
        if file.shard.is_some_and(|shard| shard >= self.shards) {
            return refuse(format!(
                "found shard {:?}, expected one below {}",
                file.shard, self.shards
            ));
        }
        match file.checksum.parse::<Checksum>() {
            Ok(_) => Ok(()),
            Err(error) => refuse(error),
        }
    }
}
