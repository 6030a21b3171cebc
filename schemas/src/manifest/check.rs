//! What a manifest has to fulfil, seen from the manifest alone; and the version, looked at before
//! anything else.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::{FileEntry, Manifest, STAGE, VERSION};
use crate::checksum::Checksum;
use crate::error::{Error, Result};

impl Manifest {
    /// The invariants of a release that can be seen in the manifest alone.
    pub(super) fn check(&self) -> Result<()> {
        let refuse = |what: String| Err(Error::refused(STAGE, what));
        if self.version != VERSION {
            return refuse(format!(
                "found version {}, expected {VERSION}",
                self.version
            ));
        }
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
        let mut paths = BTreeSet::new();
        for file in &self.files {
            self.check_file(file)?;
            if !paths.insert(&file.path) {
                return refuse(format!("file {:?} is listed twice", file.path));
            }
        }
        match self.counts.iter().find(|count| !count.is_balanced()) {
            Some(count) => refuse(format!(
                "counts of source {:?} do not add up: {count:?}",
                count.source
            )),
            None => Ok(()),
        }
    }

    fn check_file(&self, file: &FileEntry) -> Result<()> {
        let refuse = |what: String| {
            Err(Error::refused(
                STAGE,
                format!("file {:?}: {what}", file.path),
            ))
        };
        let folder = format!("{}/date={}/run=", file.artifact, file.date);
        let inside = file
            .path
            .strip_prefix(&folder)
            .is_some_and(|rest| rest.split('/').count() == 2 && !rest.contains(".."));
        if !inside {
            return refuse(format!("expected a file under {folder:?}"));
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

/// Looks at a JSON document's version alone, so that a newer format is named as such and not as a
/// broken one.
pub(crate) fn check_version(json: &[u8], key: &str, known: u32, place: &str) -> Result<()> {
    let document: Json = serde_json::from_slice(json)
        .map_err(|e| Error::refused(STAGE, "not json").at(place).because(e))?;
    match document.get(key) {
        Some(version) if version.as_u64() == Some(u64::from(known)) => Ok(()),
        Some(version) => Err(Error::setup(
            STAGE,
            format!("found {key} {version}, this program reads {known}"),
        )
        .at(place)
        .fix("use the program that wrote it, or a newer one")),
        None => Err(Error::refused(STAGE, format!("no {key:?} found, expected {known}")).at(place)),
    }
}
