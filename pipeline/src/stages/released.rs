//! The last stage: the release is committed, and its date is marked as done.

use tagmill_schemas::Result;
use tagmill_warehouse::release::{commit, mark_success};

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
    /// Retry when another run published first; as [`commit`] otherwise. When only the mark fails,
    /// the release is published nevertheless.
    pub async fn commit(self) -> Result<Released> {
        let Staged {
            night,
            manifest,
            mut report,
        } = self.into_passed();
        report.release = Some(commit(night.store(), &manifest).await?.committed()?);
        mark_success(night.store(), &manifest).await?;
        Ok(Released { report })
    }
}

impl Released {
    /// What the run answers, without the seconds of its stages.
    pub fn into_report(self) -> Report {
        self.report
    }
}
