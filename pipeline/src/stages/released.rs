//! The last stage: the release is committed, and its date is marked as done.

use tagmill_schemas::{Manifest, Result};
use tagmill_warehouse::release::{AttemptFile, commit, mark_success, remove_attempt_files};
use tagmill_warehouse::store::Store;

use super::{Staged, Verdict};
use crate::report::Report;

/// A release that readers see.
pub struct Released {
    report: Report,
}

impl Verdict<'_> {
    /// Creates the manifest in the store, which is what makes a release.
    ///
    /// # Errors
    /// Retry when another run published first; as [`commit`] otherwise. What fails once the release is
    /// there is a warning.
    pub async fn commit(self) -> Result<Released> {
        let Staged {
            night,
            manifest,
            mut report,
            audience,
            ..
        } = self.into_passed();
        report.release = Some(commit(night.store(), &manifest).await?.committed()?);
        if let Err(error) = mark_success(night.store(), &manifest).await {
            night.observer().warn(&format!(
                "release {} is published, but the mark of its date is not written: {error}",
                manifest.release
            ));
        }
        if let Err(error) = remove_files(night.store(), &manifest, audience).await {
            let line = format!("rules and reports of the run are left in attempts/: {error}");
            night.observer().warn(&line);
        }
        Ok(Released { report })
    }
}

/// Removes what shards were handed and handed back: nobody needs it once the release is there.
async fn remove_files(
    store: &Store,
    manifest: &Manifest,
    audience: Option<AttemptFile>,
) -> Result<()> {
    // An earlier attempt of this run may have written it.
    if let Some(file) = audience {
        file.remove(store).await?;
    }
    remove_attempt_files(store, (&manifest.run, manifest.attempt)).await
}

impl Released {
    /// What the run answers, without the seconds of its stages.
    pub fn into_report(self) -> Report {
        self.report
    }
}
