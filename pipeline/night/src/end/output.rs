//! Where the rows of one shard go: one file an artifact, each byte written once.

use arrow::array::RecordBatch;
use datafusion::error::{DataFusionError, Result};
use tagmill_schemas::artifact::{Columns, funnel_state, rejects};
use tagmill_schemas::manifest::FileEntry;
use tagmill_schemas::{Artifact, Metric};

use super::user_index::UserIndex;
use crate::plan::spec::NightSpec;
use crate::take::accounting::Count;
use tagmill_engine::external;
use tagmill_warehouse::artifact::{ArtifactWriter, KeyedRows, Spare, TableRows};
use tagmill_warehouse::store::Store;

/// The artifacts that shards write: windows where rules ask for behaviour, those of funnels where
/// there are any.
const ARTIFACTS: [Artifact; 12] = [
    Artifact::Users,
    Artifact::UserIndex,
    Artifact::Universe,
    Artifact::Tags,
    Artifact::TagNumbers,
    Artifact::Behaviour,
    Artifact::BehaviourMeasures,
    Artifact::Groups,
    Artifact::Rejects,
    Artifact::Windows,
    Artifact::Funnels,
    Artifact::FunnelState,
];

/// The open files of one shard.
pub struct Output {
    /// Those of [`ARTIFACTS`] that the night writes, in their order.
    artifacts: Vec<Artifact>,
    /// In the same order.
    writers: Vec<ArtifactWriter>,
    /// Rows of `rejects`.
    pub rejects: TableRows<rejects::Column>,
    /// Rows of `funnel_state`.
    pub funnel_state: TableRows<funnel_state::Column>,
    /// Rows of `user_index`: one for each row of `users`.
    pub user_index: UserIndex,
    exceeded: Vec<Count>,
}

impl Output {
    /// Files without rows, in the memory of earlier shards.
    pub fn new(
        spec: &NightSpec,
        store: &Store,
        shard: u32,
        spare: &Spare,
        has_windows: bool,
    ) -> Result<Self> {
        let open = |artifact: Artifact| {
            let path = artifact.path(spec.date, &spec.run, spec.attempt, Some(shard));
            ArtifactWriter::in_spare(spare, store, path, artifact, spec.date, Some(shard))
                .map_err(external)
        };
        let has_funnels = !spec.funnels.is_empty();
        let is_written = |of: &Artifact| match of {
            Artifact::Windows => has_windows,
            Artifact::Funnels | Artifact::FunnelState => has_funnels,
            _ => true,
        };
        let artifacts: Vec<Artifact> = ARTIFACTS.into_iter().filter(is_written).collect();
        let writers = artifacts.iter().copied().map(open).collect::<Result<_>>()?;
        Ok(Self {
            artifacts,
            writers,
            rejects: TableRows::default(),
            funnel_state: TableRows::default(),
            user_index: UserIndex::default(),
            exceeded: Vec::new(),
        })
    }

    /// The rows of an artifact with bitmaps.
    pub fn rows<C: Columns>(&mut self) -> Result<KeyedRows<'_, C>> {
        let place = self.place_of(C::ARTIFACT);
        let writer = self.writers.get_mut(place);
        writer
            .and_then(ArtifactWriter::keyed_rows)
            .ok_or_else(no_rows::<C>)
    }

    /// The rows of two artifacts with bitmaps.
    pub fn rows_of_both<A: Columns, B: Columns>(
        &mut self,
    ) -> Result<(KeyedRows<'_, A>, KeyedRows<'_, B>)> {
        let places = [self.place_of(A::ARTIFACT), self.place_of(B::ARTIFACT)];
        let [a, b] = self
            .writers
            .get_disjoint_mut(places)
            .map_err(|_| no_rows::<A>())?;
        Ok((
            a.keyed_rows().ok_or_else(no_rows::<A>)?,
            b.keyed_rows().ok_or_else(no_rows::<B>)?,
        ))
    }

    /// Counts what of an app is beyond a limit, or left out.
    pub fn exceeded(&mut self, source: &str, app: &str, metric: Metric, value: u64) {
        if value > 0 {
            self.exceeded.push(Count {
                source: source.to_owned(),
                app: Some(app.to_owned()),
                metric,
                value,
            });
        }
    }

    /// What exceeded limits, so far.
    pub fn take_exceeded(&mut self) -> Vec<Count> {
        std::mem::take(&mut self.exceeded)
    }

    /// Writes a batch that was built elsewhere; not for rejects.
    ///
    /// # Errors
    /// Those of the store; internal for an artifact that no shard writes.
    pub async fn write(&mut self, artifact: Artifact, batch: &RecordBatch) -> Result<()> {
        self.writer(artifact)?.write(batch).await.map_err(external)
    }

    /// Sends what is left of an artifact that gets no more batches.
    ///
    /// # Errors
    /// As [`Output::write`].
    pub async fn end(&mut self, artifact: Artifact) -> Result<()> {
        self.writer(artifact)?.end_rows().await.map_err(external)
    }

    fn writer(&mut self, artifact: Artifact) -> Result<&mut ArtifactWriter> {
        let place = self.place_of(artifact);
        let writer = self.writers.get_mut(place);
        writer.ok_or_else(|| DataFusionError::Internal(format!("a shard writes no {artifact}")))
    }

    fn place_of(&self, artifact: Artifact) -> usize {
        let place = self.artifacts.iter().position(|of| *of == artifact);
        place.unwrap_or(self.artifacts.len())
    }

    /// Sends what is encoded.
    pub async fn flush(&mut self) -> Result<()> {
        for writer in &mut self.writers {
            writer.flush().await.map_err(external)?;
        }
        Ok(())
    }

    /// Gives the files up and removes what was uploaded of them, where the store lets it: there is
    /// an error to tell already.
    pub async fn abort(self) {
        for writer in self.writers {
            let _ = writer.abort().await;
        }
    }

    /// Writes the rest and ends every file.
    pub async fn finish(mut self) -> Result<Vec<FileEntry>> {
        for batch in self.rejects.take_all()? {
            self.write(Artifact::Rejects, &batch).await?;
        }
        for batch in self.funnel_state.take_all()? {
            self.write(Artifact::FunnelState, &batch).await?;
        }
        let mut entries = Vec::with_capacity(self.writers.len());
        let mut writers = std::mem::take(&mut self.writers).into_iter();
        while let Some(writer) = writers.next() {
            match writer.finish().await {
                Ok(entry) => entries.push(entry),
                Err(error) => {
                    self.writers = writers.collect();
                    self.abort().await;
                    return Err(external(error));
                }
            }
        }
        Ok(entries)
    }
}

fn no_rows<C: Columns>() -> DataFusionError {
    DataFusionError::Internal(format!("a shard writes no bitmaps of {}", C::ARTIFACT))
}
