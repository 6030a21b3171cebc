//! Files as they are written: those of one artifact, date, run and attempt share one entry, with a
//! row a shard. The path is not written: [`FilePlace::path`] derives it.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::entries::FileEntry;
use super::format::STAGE;
use crate::artifact::{Artifact, FilePlace, Layout};
use crate::checksum::Checksum;
use crate::error::{Error, Result};

/// Files of one folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Folder {
    /// A newer writer's artifact may be unknown here.
    artifact: String,
    date: NaiveDate,
    run: String,
    attempt: u32,
    /// From version 3 on.
    #[serde(default, skip_serializing_if = "Layout::is_hive")]
    layout: Layout,
    parts: Vec<Part>,
}

/// Shard, rows, bytes, checksum, cardinality.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Part(
    Option<u32>,
    u64,
    u64,
    #[serde(with = "super::lists::hex")] Checksum,
    u64,
);

/// The folders of files that stand in the order of [`FileEntry::sort`]; folders in the order of
/// their names.
pub(super) fn folders_of(files: &[FileEntry]) -> Result<Vec<Folder>> {
    let mut places = files
        .iter()
        .map(|file| {
            let place = FilePlace::of(&file.path).ok_or_else(|| strange(file, "path"))?;
            Ok((place, file))
        })
        .collect::<Result<Vec<_>>>()?;
    places.sort_by(|(a, _), (b, _)| a.cmp(b));
    let mut folders = Vec::<Folder>::new();
    for (place, file) in places {
        let checksum = file
            .checksum
            .parse()
            .map_err(|_| strange(file, "checksum"))?;
        let part = Part(
            place.shard,
            file.rows,
            file.bytes,
            checksum,
            file.cardinality,
        );
        match folders.last_mut() {
            Some(folder) if folder.holds(&place) => folder.parts.push(part),
            _ => folders.push(Folder {
                artifact: place.artifact.name().to_owned(),
                date: place.date,
                run: place.run,
                attempt: place.attempt,
                layout: place.layout,
                parts: vec![part],
            }),
        }
    }
    Ok(folders)
}

fn strange(file: &FileEntry, what: &str) -> Error {
    Error::refused(
        STAGE,
        format!("file {:?} has a {what} that no run gives", file.path),
    )
}

/// The files of the folders, in the order of [`FileEntry::sort`]. Artifacts that this program does
/// not know are left out.
pub(super) fn files_of(folders: Vec<Folder>) -> Vec<FileEntry> {
    let mut files: Vec<FileEntry> = folders.into_iter().flat_map(Folder::files).collect();
    FileEntry::sort(&mut files);
    files
}

impl Folder {
    fn holds(&self, place: &FilePlace) -> bool {
        self.artifact == place.artifact.name()
            && (self.date, &self.run, self.attempt, self.layout)
                == (place.date, &place.run, place.attempt, place.layout)
    }

    fn files(self) -> Vec<FileEntry> {
        let Some(artifact) = Artifact::from_name(&self.artifact) else {
            return Vec::new();
        };
        let place = |shard| FilePlace {
            artifact,
            date: self.date,
            run: self.run.clone(),
            attempt: self.attempt,
            layout: self.layout,
            shard,
        };
        let entry = |Part(shard, rows, bytes, checksum, cardinality)| FileEntry {
            artifact,
            path: place(shard).path(),
            date: self.date,
            shard,
            rows,
            bytes,
            checksum: checksum.to_string(),
            cardinality,
        };
        self.parts.into_iter().map(entry).collect()
    }
}
