//! The seventh stage: what the gates say of a staged release.
//!
//! A gate looks at the release as readers would see it, and refuses by an error.

use arrow::array::{Array, AsArray, RecordBatch};
use futures::TryStreamExt;
use tagmill_engine::{Work, of_datafusion};
use tagmill_schemas::artifact::Columns;
use tagmill_schemas::artifact::rejects::Column;
use tagmill_schemas::manifest::{Input, InputStatus, Manifest, SourceCount};
use tagmill_schemas::{Artifact, Error, Result};
use tagmill_warehouse::artifact::read_columns;
use tagmill_warehouse::release::files_where;

use super::Staged;
use crate::row_limits::{Beyond, Rows};

/// Of a rejected row that an error shows.
const SAMPLE_CHARS: usize = 300;

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
    pub async fn judge(self) -> Result<Verdict<'n>> {
        GATES.iter().try_for_each(|gate| gate(&self.manifest))?;
        let rows = Rows::new(&self.manifest.counts, &self.rejected);
        match rows
            .without(&self.aside.names())
            .beyond(self.night.config(), self.state.as_ref())
        {
            None => Ok(Verdict { staged: self }),
            Some(beyond) => {
                let sample = self.sample(&beyond).await?;
                Err(beyond.refusal(sample.as_deref()))
            }
        }
    }

    /// The first rejected row of what is beyond a limit, cut to a line.
    async fn sample(&self, beyond: &Beyond) -> Result<Option<String>> {
        let (store, date) = (self.night.store(), self.manifest.date);
        let is_of_night = |artifact, of| artifact == Artifact::Rejects && of == date;
        for file in &files_where(store, &self.manifest, is_of_night).await? {
            let mut batches = read_columns::<Column>(store, file, &[]).await?;
            while let Some(batch) = batches.try_next().await? {
                if let Some(row) = first_row(&batch, beyond)? {
                    return Ok(Some(row.chars().take(SAMPLE_CHARS).collect()));
                }
            }
        }
        Ok(None)
    }
}

impl<'n> Verdict<'n> {
    /// The release that passed.
    pub(super) fn into_passed(self) -> Staged<'n> {
        self.staged
    }
}

/// The first row of the source, app and reason.
fn first_row(batch: &RecordBatch, beyond: &Beyond) -> Result<Option<String>> {
    let column = |column: Column| {
        let array = column.of(batch);
        let array = array.map_err(|e| of_datafusion(Work::Release, "verdict", e))?;
        Ok::<_, Error>(array.as_string::<i32>())
    };
    let (sources, apps) = (column(Column::Source)?, column(Column::App)?);
    let (reasons, rows) = (column(Column::Reason)?, column(Column::Row)?);
    let app = |row: usize| apps.is_valid(row).then(|| apps.value(row));
    let is_of = |&row: &usize| {
        sources.value(row) == beyond.source
            && beyond
                .reason
                .as_deref()
                .is_none_or(|reason| reasons.value(row) == reason)
            && (beyond.app.is_none() || app(row) == beyond.app.as_deref())
    };
    let found = (0..batch.num_rows()).find(is_of);
    Ok(found.map(|row| rows.value(row).to_owned()))
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
            superseded: 0,
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
