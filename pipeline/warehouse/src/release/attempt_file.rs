//! Files of an attempt that are no part of a release: what the driver hands to the shards, and what
//! they hand back. A plan and its rows hold only where such a file is and what must be in it.
//!
//! ```text
//! attempts/run=<run>/<10 digits>/<name>
//! ```
//! A run removes its own when its release is published; what a run that stopped left is nobody's.

use bytes::Bytes;
use futures::TryStreamExt;
use serde::{Deserialize, Serialize};
use tagmill_schemas::checksum::Checksum;
use tagmill_schemas::error::{Error, Result};

use super::attempt::folder_of;
use crate::store::Store;

/// A file of an attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptFile {
    /// Below the root of the warehouse.
    pub path: String,
    /// Its size.
    pub bytes: u64,
    /// Of its bytes.
    pub checksum: Checksum,
}

impl AttemptFile {
    /// Writes a file of this attempt; a task that is tried again writes it anew.
    ///
    /// # Errors
    /// An error of the store.
    pub async fn write(
        store: &Store,
        (run, attempt): (&str, u32),
        name: &str,
        bytes: Vec<u8>,
    ) -> Result<Self> {
        let file = Self {
            path: format!("{}/{name}", folder_of_files(run, attempt)),
            bytes: bytes.len() as u64,
            checksum: Checksum::of(&bytes),
        };
        store.put(&file.path, bytes).await?;
        Ok(file)
    }

    /// The bytes of the file, checked.
    ///
    /// # Errors
    /// Retry when it is gone or holds other bytes than were written; else an error of the store.
    pub async fn read(&self, store: &Store) -> Result<Bytes> {
        let bytes = store.get(&self.path).await?;
        let refuse = |what: String| {
            let error = Error::retry(store.stage(), what).at(store.name_of(&self.path));
            Err(error.fix("run again: another attempt writes it anew"))
        };
        if bytes.len() as u64 != self.bytes {
            let found = bytes.len();
            return refuse(format!("found {found} bytes, expected {}", self.bytes));
        }
        match Checksum::of(&bytes) {
            found if found != self.checksum => refuse(format!(
                "found checksum {found}, expected {}",
                self.checksum
            )),
            _ => Ok(bytes),
        }
    }

    /// Removes the file; nothing there is fine.
    ///
    /// # Errors
    /// An error of the store.
    pub async fn remove(&self, store: &Store) -> Result<()> {
        store.delete(&self.path).await
    }
}

/// Removes the files of one attempt; its claim stays, and what other attempts at the run wrote.
///
/// # Errors
/// An error of the store; some files may be gone then.
pub async fn remove_attempt_files(store: &Store, (run, attempt): (&str, u32)) -> Result<()> {
    let files: Vec<_> = store
        .walk(&folder_of_files(run, attempt))
        .try_collect()
        .await?;
    for file in files {
        store.delete(&file.path).await?;
    }
    Ok(())
}

fn folder_of_files(run: &str, attempt: u32) -> String {
    format!("{}/{attempt:010}", folder_of(run))
}
