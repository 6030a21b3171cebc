//! The seventh stage: what the gates say of a staged release.
//!
//! A gate looks at the release as readers would see it, and refuses by an error.

use tagmill_schemas::manifest::{InputStatus, Manifest};
use tagmill_schemas::{Error, Result};

use super::Staged;

/// A gate: `Ok` lets a staged release pass.
type Gate = fn(&Manifest) -> Result<()>;

/// Every gate, in the order in which they are asked.
const GATES: [Gate; 1] = [rows_are_accounted_for];

/// A staged release that passed every gate: the only thing that can be committed.
pub struct Verdict<'n> {
    staged: Staged<'n>,
}

impl<'n> Staged<'n> {
    /// Asks every gate.
    ///
    /// # Errors
    /// That of the first gate that does not let the release pass. Nothing is published then.
    pub fn judge(self) -> Result<Verdict<'n>> {
        GATES.iter().try_for_each(|gate| gate(&self.manifest))?;
        Ok(Verdict { staged: self })
    }
}

impl<'n> Verdict<'n> {
    /// The release that passed.
    pub(super) fn into_passed(self) -> Staged<'n> {
        self.staged
    }
}

/// Every row of every footer was accepted, filtered or rejected.
fn rows_are_accounted_for(manifest: &Manifest) -> Result<()> {
    let read = manifest
        .inputs
        .iter()
        .filter(|input| input.status == InputStatus::Read);
    for input in read {
        let expected: u64 = input.files.iter().map(|file| file.rows).sum();
        let counted: u64 = manifest
            .counts
            .iter()
            .filter(|count| count.source == input.source)
            .map(|count| count.read)
            .sum();
        if counted != expected {
            let what = format!(
                "source {}: {counted} rows were read, its files' footers say {expected}",
                input.source
            );
            return Err(
                Error::retry("shards", what).fix("run again when the writer of the files is done")
            );
        }
    }
    Ok(())
}
