//! Where the rows of one shard go: one file an artifact, opened by its first row, each byte written once.

use std::collections::BTreeMap;

use arrow::array::RecordBatch;
use datafusion::error::Result;
use tagmill_schemas::Artifact;
use tagmill_schemas::manifest::FileEntry;

use super::accounting::Count;
use super::exec::external;
use super::rows::Rows;
use super::spec::NightSpec;
use crate::artifact::ArtifactWriter;
use crate::store::Store;

/// The artifacts that shards write.
const ARTIFACTS: [Artifact; 8] = [
    Artifact::Users,
    Artifact::Universe,
    Artifact::Tags,
    Artifact::TagNumbers,
    Artifact::Behaviour,
    Artifact::BehaviourMeasures,
    Artifact::Groups,
    Artifact::Rejects,
];

/// The open files of one shard.
pub struct Output<'a> {
    spec: &'a NightSpec,
    store: &'a Store,
    shard: u32,
    files: BTreeMap<Artifact, (Rows, Option<ArtifactWriter>)>,
    exceeded: Vec<Count>,
}

impl<'a> Output<'a> {
    /// No file yet.
    pub fn new(spec: &'a NightSpec, store: &'a Store, shard: u32) -> Self {
        let files = ARTIFACTS.map(|artifact| (artifact, (Rows::new(artifact.schema()), None)));
        Self { spec, store, shard, files: files.into(), exceeded: Vec::new() }
    }

    /// The rows of one artifact.
    pub fn rows(&mut self, artifact: Artifact) -> &mut Rows {
        let new = || (Rows::new(artifact.schema()), None);
        &mut self.files.entry(artifact).or_insert_with(new).0
    }

    /// Rows of `behaviour` and `behaviour_measures`, taken out for a while.
    pub fn take_behaviour(&mut self) -> (Rows, Rows) {
        let take = |rows: &mut Rows, artifact: Artifact| std::mem::replace(rows, Rows::new(artifact.schema()));
        (take(self.rows(Artifact::Behaviour), Artifact::Behaviour), take(self.rows(Artifact::BehaviourMeasures), Artifact::BehaviourMeasures))
    }

    /// Gives them back.
    pub fn put_behaviour(&mut self, (behaviour, measures): (Rows, Rows)) {
        *self.rows(Artifact::Behaviour) = behaviour;
        *self.rows(Artifact::BehaviourMeasures) = measures;
    }

    /// Counts the (user, event) pairs of an app with more combinations than its limit.
    pub fn exceeded(&mut self, source: &str, app: &str, combinations: u64) {
        if combinations > 0 {
            let metric = "over_limit:combinations".to_owned();
            self.exceeded.push(Count { source: source.to_owned(), app: Some(app.to_owned()), metric, value: combinations });
        }
    }

    /// What exceeded limits, so far.
    pub fn take_exceeded(&mut self) -> Vec<Count> {
        std::mem::take(&mut self.exceeded)
    }

    /// Writes a batch that was built elsewhere; not for artifacts that have rows here.
    pub async fn write(&mut self, artifact: Artifact, batch: &RecordBatch) -> Result<()> {
        let (_, writer) = self.files.entry(artifact).or_insert_with(|| (Rows::new(artifact.schema()), None));
        open(writer, self.spec, self.store, artifact, self.shard)?.write(batch).await.map_err(external)
    }

    /// Writes the batches that are full.
    pub async fn flush_full(&mut self) -> Result<()> {
        for (artifact, (rows, writer)) in &mut self.files {
            for batch in rows.take_full() {
                let writer = open(writer, self.spec, self.store, *artifact, self.shard)?;
                writer.write(&batch).await.map_err(external)?;
            }
        }
        Ok(())
    }

    /// Writes the rest and ends every file.
    pub async fn finish(mut self) -> Result<Vec<FileEntry>> {
        self.flush_full().await?;
        let mut entries = Vec::new();
        for (artifact, (mut rows, mut writer)) in std::mem::take(&mut self.files) {
            open(&mut writer, self.spec, self.store, artifact, self.shard)?;
            for batch in rows.take_all()? {
                open(&mut writer, self.spec, self.store, artifact, self.shard)?.write(&batch).await.map_err(external)?;
            }
            if let Some(writer) = writer {
                entries.push(writer.finish().await.map_err(external)?);
            }
        }
        Ok(entries)
    }
}

fn open<'w>(writer: &'w mut Option<ArtifactWriter>, spec: &NightSpec, store: &Store, artifact: Artifact, shard: u32) -> Result<&'w mut ArtifactWriter> {
    if writer.is_none() {
        let path = artifact.path(spec.date, &spec.run, spec.attempt, Some(shard));
        *writer = Some(ArtifactWriter::new(store, path, artifact, spec.date, Some(shard)).map_err(external)?);
    }
    writer.as_mut().ok_or_else(|| datafusion::error::DataFusionError::Internal("a file that was just opened is not open".into()))
}
