//! Writes one artifact file as a stream of row groups; nothing is visible until `finish`.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;

use arrow::array::{Array, RecordBatch, UInt64Array};
use arrow::datatypes::SchemaRef;
use bytes::Bytes;
use chrono::NaiveDate;
use object_store::buffered::BufWriter;
use parquet::arrow::ArrowWriter;
use tagmill_schemas::Artifact;
use tagmill_schemas::error::{Error, Result};
use tagmill_schemas::manifest::FileEntry;
use tokio::io::AsyncWrite;

use super::chunks::Chunks;
use super::layout;
use super::tap::{PART_BYTES, Tap};
use crate::store::Store;

/// Encoded bytes of a row group: what a writer of bitmaps holds in memory.
const GROUP_BYTES: usize = 16 << 20;
/// Chunks looked at before it is decided whether bitmaps are compressed.
const SAMPLE_CHUNKS: usize = 16;
const SAMPLE_BYTES: usize = 8 << 20;
/// Parts in flight: enough to overlap encoding with an upload.
const UPLOADS: usize = 2;

/// A file on its way into the store. Dropping it without `finish` leaves nothing that a reader sees; on object stores
/// `abort` also removes the parts.
pub struct ArtifactWriter {
    store: Store,
    entry: FileEntry,
    schema: SchemaRef,
    bitmap: Option<usize>,
    cardinality: Option<usize>,
    chunks: Chunks,
    state: State,
    upload: BufWriter,
}

enum State {
    /// Bitmaps: waiting for enough of them to choose a compression.
    Sampling(Vec<RecordBatch>, usize),
    Writing(Box<ArrowWriter<Tap>>),
}

impl ArtifactWriter {
    /// Starts a file at `path`. Nothing is written yet.
    ///
    /// # Errors
    /// Setup for a path that is not below the store's root.
    pub fn new(store: &Store, path: String, artifact: Artifact, date: NaiveDate, shard: Option<u32>) -> Result<Self> {
        let location = store.location(&path)?;
        let upload = BufWriter::with_capacity(Arc::clone(store.objects()), location, PART_BYTES).with_max_concurrency(UPLOADS);
        let schema = artifact.schema();
        let bitmap = layout::bitmap_column(artifact);
        let entry = FileEntry { artifact, path, date, shard, rows: 0, bytes: 0, checksum: String::new(), cardinality: 0 };
        Ok(Self {
            store: store.clone(),
            entry,
            bitmap,
            cardinality: schema.index_of("cardinality").ok(),
            chunks: Chunks::new(Arc::clone(&schema), bitmap),
            schema,
            state: State::Sampling(Vec::new(), 0),
            upload,
        })
    }

    /// Rows accepted so far.
    pub fn rows(&self) -> u64 {
        self.entry.rows
    }

    /// Bytes held in memory: rows not encoded yet, the open row group, a part of the upload.
    pub fn memory_size(&self) -> usize {
        match &self.state {
            State::Sampling(_, bytes) => *bytes,
            State::Writing(writer) => writer.memory_size() + PART_BYTES,
        }
    }

    /// Adds rows; they have the artifact's columns and stand in the order of its sort key.
    ///
    /// # Errors
    /// Refused for other columns, types or nulls where there may be none; else an error of the store (see [`crate::store::explain`]).
    /// After an error the file can only be dropped or aborted.
    pub async fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), batch.columns().to_vec()).map_err(|e| self.unfit(e))?;
        self.entry.rows += batch.num_rows() as u64;
        self.entry.cardinality += self.cardinality_of(&batch);
        for chunk in self.chunks.push(&batch).map_err(|e| self.unfit(e))? {
            self.accept(chunk).await?;
        }
        Ok(())
    }

    /// Writes what is left and makes the file visible. A file without rows is a file.
    ///
    /// # Errors
    /// As [`ArtifactWriter::write`]; nothing is visible then.
    pub async fn finish(mut self) -> Result<FileEntry> {
        if let Some(chunk) = self.chunks.take().map_err(|e| self.unfit(e))? {
            self.accept(chunk).await?;
        }
        self.start().await?;
        let State::Writing(mut writer) = self.state else {
            return Err(Error::refused(self.store.stage(), "the writer has not started").at(self.store.name_of(&self.entry.path)));
        };
        let place = self.store.name_of(&self.entry.path);
        writer.finish().map_err(|e| Error::refused(self.store.stage(), "can not be encoded").at(place).because(e))?;
        let (parts, checksum, bytes) = std::mem::take(writer.inner_mut()).finish();
        let mut entry = self.entry;
        (entry.checksum, entry.bytes) = (checksum.to_string(), bytes);
        let sent = async {
            send(&mut self.upload, parts).await?;
            poll_fn(|cx| Pin::new(&mut self.upload).poll_shutdown(cx)).await.map_err(object_error)
        };
        sent.await.map_err(|e| self.store.explain(&entry.path, "can not write", e))?;
        self.store.begin_sync(&entry.path);
        Ok(entry)
    }

    /// Gives the file up and removes what was uploaded of it.
    ///
    /// # Errors
    /// An error of the store; nothing is visible either way.
    pub async fn abort(mut self) -> Result<()> {
        self.upload.abort().await.map_err(|e| self.store.explain(&self.entry.path, "can not remove the parts of", e))
    }

    async fn accept(&mut self, chunk: RecordBatch) -> Result<()> {
        let Some(bitmap) = self.bitmap else {
            self.start().await?;
            return self.encode(&chunk).await;
        };
        if let State::Sampling(chunks, bytes) = &mut self.state {
            *bytes += chunk.column(bitmap).get_array_memory_size();
            chunks.push(chunk);
            let is_enough = chunks.len() == SAMPLE_CHUNKS || *bytes >= SAMPLE_BYTES;
            return if is_enough { self.start().await } else { Ok(()) };
        }
        self.encode(&chunk).await
    }

    /// Chooses the layout and encodes what waited for it.
    async fn start(&mut self) -> Result<()> {
        let State::Sampling(chunks, _) = &mut self.state else {
            return Ok(());
        };
        let chunks = std::mem::take(chunks);
        let is_compressed = match self.bitmap {
            Some(bitmap) if !chunks.is_empty() => layout::is_worth_compressing(&chunks, bitmap).map_err(|e| self.unfit(e))?,
            _ => false,
        };
        let properties = layout::properties(self.entry.artifact, is_compressed);
        let writer = ArrowWriter::try_new(Tap::default(), Arc::clone(&self.schema), Some(properties)).map_err(|e| self.unfit(e))?;
        self.state = State::Writing(Box::new(writer));
        for chunk in chunks {
            self.encode(&chunk).await?;
        }
        Ok(())
    }

    async fn encode(&mut self, chunk: &RecordBatch) -> Result<()> {
        let State::Writing(writer) = &mut self.state else {
            return Ok(());
        };
        let encoded = writer.write(chunk).and_then(|()| if writer.in_progress_size() >= GROUP_BYTES { writer.flush() } else { Ok(()) });
        let parts = writer.inner_mut().drain();
        encoded.map_err(|e| self.unfit(e))?;
        send(&mut self.upload, parts).await.map_err(|e| self.store.explain(&self.entry.path, "can not write", e))
    }

    fn cardinality_of(&self, batch: &RecordBatch) -> u64 {
        let column = self.cardinality.and_then(|column| batch.column(column).as_any().downcast_ref::<UInt64Array>());
        column.map_or(0, |counts| counts.values().iter().sum())
    }

    fn unfit(&self, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
        Error::refused(self.store.stage(), format!("rows of {} can not be encoded", self.entry.artifact))
            .at(self.store.name_of(&self.entry.path))
            .because(cause)
    }
}

async fn send(upload: &mut BufWriter, parts: Vec<Bytes>) -> object_store::Result<()> {
    for part in parts {
        upload.put(part).await?;
    }
    Ok(())
}

/// The store's error inside the io error that `poll_shutdown` makes of it.
fn object_error(error: std::io::Error) -> object_store::Error {
    let kind = error.kind();
    let unknown = |source: Box<dyn std::error::Error + Send + Sync>| object_store::Error::Generic { store: "upload", source };
    match error.into_inner() {
        None => unknown(Box::new(std::io::Error::from(kind))),
        Some(inner) => inner.downcast::<object_store::Error>().map_or_else(unknown, |e| *e),
    }
}
