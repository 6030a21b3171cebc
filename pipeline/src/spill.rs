//! Where a run spills: a folder of its own below `run.spill`, gone with the run. What runs that
//! were killed left there is removed by the next one.
//!
//! ```text
//! spill/gate            locked for a moment by whoever makes or removes folders
//! spill/run-XXXXXX/lock locked as long as the run lives
//! ```

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tagmill_schemas::{Error, Result};
use tempfile::TempDir;

const GATE: &str = "gate";
const LOCK: &str = "lock";
const PREFIX: &str = "run-";

/// The folder of one run.
pub struct SpillFolder {
    folder: TempDir,
    /// Unlocked when the process ends, however it ends.
    _lock: File,
    left: usize,
}

impl SpillFolder {
    /// Makes a folder below `spill`, and removes those of runs that do not live any more. On a file
    /// system without locks nothing is removed.
    ///
    /// # Errors
    /// Setup when `spill` can not be written.
    pub fn open(spill: &Path) -> Result<Self> {
        Self::make(spill).map_err(|e| {
            Error::setup("run", "the spill folder can not be used")
                .at(spill.display().to_string())
                .because(e)
                .fix("set run.spill to a folder that can be written")
        })
    }

    fn make(spill: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(spill)?;
        let gate = open_gate(&spill.join(GATE))?;
        let left = if gate.lock().is_ok() {
            remove_left(spill)?
        } else {
            0
        };
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(spill)?;
        let lock = File::create(folder.path().join(LOCK))?;
        // Where locks do not work nobody removes this folder either.
        let _ = lock.try_lock();
        Ok(Self {
            folder,
            _lock: lock,
            left,
        })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// How many folders of runs that were killed were removed.
    pub fn left(&self) -> usize {
        self.left
    }

    /// Removes the folder of a run that failed. Threads that have not stopped yet may put a file
    /// into it meanwhile: then it is tried again for a second; what is left after that the next run
    /// removes.
    pub async fn remove(self) {
        for _ in 0..50 {
            if std::fs::remove_dir_all(self.folder.path()).is_ok() || !self.folder.path().exists() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Bytes that may still be written; `None` where the system does not say.
    pub fn free_bytes(&self) -> Option<u64> {
        let found = rustix::fs::statvfs(self.path()).ok()?;
        found.f_bavail.checked_mul(found.f_frsize)
    }
}

/// Opens the gate, which is a file of ours: in a shared folder a link may stand in its place, and
/// nothing is written through one.
fn open_gate(path: &Path) -> io::Result<File> {
    let opened = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits() as i32)
        .open(path);
    opened.map_err(|e| match path.is_symlink() {
        true => io::Error::other(format!(
            "found a link in the place of {}, expected a file: remove it",
            path.display()
        )),
        false => e,
    })
}

/// Removes the folders whose lock nobody holds.
fn remove_left(spill: &Path) -> io::Result<usize> {
    let mut removed = 0;
    for entry in std::fs::read_dir(spill)? {
        let path: PathBuf = entry?.path();
        let is_run = !path.is_symlink()
            && path
                .file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with(PREFIX));
        let is_left = || File::open(path.join(LOCK)).is_ok_and(|lock| lock.try_lock().is_ok());
        if is_run && is_left() && std::fs::remove_dir_all(&path).is_ok() {
            removed += 1;
        }
    }
    Ok(removed)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn what_dead_runs_left_goes_and_what_lives_or_is_not_ours_stays() {
        let spill = tempfile::tempdir().unwrap();
        let living = SpillFolder::open(spill.path()).unwrap();
        let dead = spill.path().join("run-dead");
        std::fs::create_dir(&dead).unwrap();
        std::fs::write(dead.join(LOCK), "").unwrap();
        std::fs::write(dead.join("rows.arrow"), "spilled").unwrap();
        let foreign = spill.path().join("run-by-hand");
        std::fs::create_dir(&foreign).unwrap();
        let next = SpillFolder::open(spill.path()).unwrap();
        assert_eq!((living.left(), next.left()), (0, 1));
        assert!(
            !dead.exists()
                && foreign.exists()
                && living.path().exists()
                && next.path() != living.path()
        );
        assert!(next.free_bytes().unwrap() > 0);
        let path = next.path().to_owned();
        drop(next);
        assert!(!path.exists() && living.path().exists());
    }

    #[test]
    fn nothing_is_written_through_a_link_in_the_place_of_the_gate() {
        let spill = tempfile::tempdir().unwrap();
        let other = spill.path().join("other");
        std::fs::write(&other, "kept").unwrap();
        std::os::unix::fs::symlink(&other, spill.path().join(GATE)).unwrap();
        let error = SpillFolder::open(spill.path()).err().unwrap();
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().contains("found a link"), "{error}");
        assert_eq!(std::fs::read_to_string(&other).unwrap(), "kept");
    }
}
