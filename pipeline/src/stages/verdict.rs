//! The seventh stage: what the gates say of a staged release.
//!
//! A gate looks at the release as readers would see it, and refuses by an error.

use tagmill_schemas::manifest::{Input, InputStatus, Manifest, SourceCount};
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

fn rows_are_accounted_for(manifest: &Manifest) -> Result<()> {
    every_row_has_a_fate(&manifest.inputs, &manifest.counts)
}

/// Every row of every footer was accepted, filtered or rejected.
fn every_row_has_a_fate(inputs: &[Input], counts: &[SourceCount]) -> Result<()> {
    let read = inputs
        .iter()
        .filter(|input| input.status == InputStatus::Read);
    for input in read {
        let expected: u64 = input.files.iter().map(|file| file.rows).sum();
        let counted: u64 = counts
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

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use chrono::NaiveDate;
    use tagmill_schemas::Kind;
    use tagmill_schemas::manifest::InputFile;

    use super::*;

    fn input(source: &str, status: InputStatus, rows: &[u64]) -> Input {
        let file = |&rows: &u64| InputFile {
            path: format!("raw/{source}.parquet"),
            size: 1,
            etag: None,
            rows,
        };
        Input {
            source: source.to_owned(),
            status,
            date: NaiveDate::default(),
            files: rows.iter().map(file).collect(),
        }
    }

    fn count(source: &str, app: &str, accepted: u64, rejected: u64) -> SourceCount {
        SourceCount {
            source: source.to_owned(),
            app: Some(app.to_owned()),
            read: accepted + rejected,
            accepted,
            filtered: 0,
            rejected,
        }
    }

    #[test]
    fn a_release_passes_when_every_row_of_every_footer_has_a_fate() {
        let inputs = [
            input("profiles", InputStatus::Read, &[3, 4]),
            input("labels", InputStatus::Carried, &[]),
            input("labels.registry", InputStatus::Read, &[0]),
        ];
        let counts = [count("profiles", "a", 4, 1), count("profiles", "b", 2, 0)];
        every_row_has_a_fate(&inputs, &counts).unwrap();
    }

    #[test]
    fn a_release_that_lost_or_gained_rows_is_stopped() {
        let inputs = [input("profiles", InputStatus::Read, &[3])];
        for counts in [
            vec![],
            vec![count("profiles", "a", 2, 0)],
            vec![count("profiles", "a", 3, 1)],
            vec![count("labels", "a", 3, 0)],
        ] {
            let error = every_row_has_a_fate(&inputs, &counts).unwrap_err();
            assert_eq!(error.kind(), Kind::Retry);
            assert!(error.what().contains("footers say 3"), "{error}");
        }
    }
}
