//! Writes one artifact file as a stream of row groups; nothing is visible until `finish`.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use bytes::Bytes;
use chrono::NaiveDate;
use object_store::buffered::BufWriter;
use parquet::arrow::ArrowWriter;
use parquet::errors::ParquetError;
use tagmill_schemas::Artifact;
use tagmill_schemas::artifact::Columns;
use tagmill_schemas::error::{Error, Result};
use tagmill_schemas::manifest::FileEntry;
use tokio::io::AsyncWrite;

use super::batch_rows::push_batch;
use super::bitmap_rows::BitmapRows;
use super::chunks::Chunks;
use super::keyed_rows::KeyedRows;
use super::layout;
use super::spare::Spare;
use super::table;
use super::tap::{PART_BYTES, Tap};
use crate::store::Store;

/// Encoded bytes of a row group: what a writer of batches holds in memory.
const GROUP_BYTES: usize = 16 << 20;
/// Parts in flight: enough to overlap encoding with an upload.
const UPLOADS: usize = 2;
/// What a local file is written with at a time. For larger writes Linux takes larger blocks of free
/// memory for its page cache; in a virtual machine those are often blocks that the host has taken
/// back, and ten times slower to fill.
const WRITE_BYTES: usize = 64 << 10;

/// A file on its way into the store. Dropping it without `finish` leaves nothing that a reader
/// sees; on object stores `abort` also removes the parts.
pub struct ArtifactWriter {
    store: Store,
    entry: FileEntry,
    schema: SchemaRef,
    rows: RowEncoder,
    upload: BufWriter,
}

/// What makes bytes of rows.
enum RowEncoder {
    Bitmaps(Box<BitmapRows>),
    Batches(Chunks, Box<ArrowWriter<Tap>>),
}

impl ArtifactWriter {
    /// Starts a file at `path`. Nothing is written yet.
    ///
    /// # Errors
    /// Setup for a path that is not below the store's root.
    pub fn new(
        store: &Store,
        path: String,
        artifact: Artifact,
        date: NaiveDate,
        shard: Option<u32>,
    ) -> Result<Self> {
        Self::in_spare(&Spare::default(), store, path, artifact, date, shard)
    }

    /// [`ArtifactWriter::new`] in spare memory, which it gives back.
    ///
    /// # Errors
    /// As [`ArtifactWriter::new`].
    pub fn in_spare(
        spare: &Spare,
        store: &Store,
        path: String,
        artifact: Artifact,
        date: NaiveDate,
        shard: Option<u32>,
    ) -> Result<Self> {
        let location = store.location(&path)?;
        let upload = BufWriter::with_capacity(Arc::clone(store.objects()), location, PART_BYTES)
            .with_max_concurrency(UPLOADS);
        let schema = artifact.schema();
        let entry = FileEntry {
            artifact,
            path,
            date,
            shard,
            rows: 0,
            bytes: 0,
            checksum: String::new(),
            cardinality: 0,
        };
        let unfit = |e| unfit(store, &entry, e);
        let rows = match BitmapRows::new(artifact, &schema, spare).map_err(unfit)? {
            Some(rows) => RowEncoder::Bitmaps(Box::new(rows)),
            None => {
                let writer = ArrowWriter::try_new(
                    Tap::default(),
                    Arc::clone(&schema),
                    Some(layout::properties(artifact)),
                )
                .map_err(unfit)?;
                RowEncoder::Batches(Chunks::new(Arc::clone(&schema)), Box::new(writer))
            }
        };
        Ok(Self {
            store: store.clone(),
            entry,
            schema,
            rows,
            upload,
        })
    }

    /// Where rows are added one by one, in the order of the sort key; `None` for an artifact
    /// without bitmaps, and for another one than the columns'. What is encoded waits in memory
    /// until [`ArtifactWriter::flush`].
    pub fn keyed_rows<C: Columns>(&mut self) -> Option<KeyedRows<'_, C>> {
        match &mut self.rows {
            RowEncoder::Bitmaps(rows) if C::ARTIFACT == self.entry.artifact => {
                Some(KeyedRows::new(rows))
            }
            _ => None,
        }
    }

    /// Adds rows; they have the artifact's columns and stand in the order of its sort key.
    ///
    /// # Errors
    /// Refused for other columns, types or nulls where there may be none; else an error of the
    /// store (see [`crate::store::explain`]). After an error the file can only be dropped or
    /// aborted.
    pub async fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let batch = self.fitting(batch)?;
        match &mut self.rows {
            RowEncoder::Bitmaps(rows) => push_batch(rows, &batch),
            RowEncoder::Batches(chunks, writer) => {
                self.entry.rows += batch.num_rows() as u64;
                let full = chunks.push(&batch).map_err(ParquetError::from);
                full.and_then(|full| full.iter().try_for_each(|chunk| encode(writer, chunk)))
            }
        }
        .map_err(|e| self.unfit(e))?;
        self.flush().await
    }

    /// Sends what is encoded.
    ///
    /// # Errors
    /// An error of the store.
    pub async fn flush(&mut self) -> Result<()> {
        let parts = match &mut self.rows {
            RowEncoder::Bitmaps(rows) => rows.drain(),
            RowEncoder::Batches(_, writer) => writer.inner_mut().drain(),
        };
        send(&mut self.upload, parts)
            .await
            .map_err(|e| self.store.explain(&self.entry.path, "can not write", e))
    }

    /// Sends what is left: no rows follow, and what is open of them need not wait in memory for the
    /// end.
    ///
    /// # Errors
    /// As [`ArtifactWriter::write`].
    pub async fn end_rows(&mut self) -> Result<()> {
        if let RowEncoder::Batches(chunks, writer) = &mut self.rows {
            let last = chunks.take().map_err(ParquetError::from);
            let done = last
                .and_then(|last| last.iter().try_for_each(|chunk| encode(writer, chunk)))
                .and_then(|()| writer.flush());
            done.map_err(|e| self.unfit(e))?;
        }
        self.flush().await
    }

    /// Writes what is left and makes the file visible. A file without rows is a file.
    ///
    /// # Errors
    /// As [`ArtifactWriter::write`]; nothing is visible then.
    pub async fn finish(self) -> Result<FileEntry> {
        let Self {
            store,
            mut entry,
            rows,
            upload,
            ..
        } = self;
        let tap = match rows {
            RowEncoder::Bitmaps(rows) => {
                (entry.rows, entry.cardinality) = (rows.rows(), rows.cardinality());
                rows.finish()
            }
            RowEncoder::Batches(mut chunks, mut writer) => {
                let last = chunks.take().map_err(ParquetError::from);
                let done = last
                    .and_then(|last| last.iter().try_for_each(|chunk| encode(&mut writer, chunk)));
                done.and_then(|()| writer.finish())
                    .map(|_| std::mem::take(writer.inner_mut()))
            }
        };
        publish(store, entry, tap, upload).await
    }

    /// Writes all rows of a table that is there as a whole, on all threads, and makes the file
    /// visible.
    ///
    /// # Errors
    /// As [`ArtifactWriter::finish`].
    pub async fn finish_table(mut self, batches: &[RecordBatch]) -> Result<FileEntry> {
        let batches = batches
            .iter()
            .map(|batch| self.fitting(batch))
            .collect::<Result<Vec<_>>>()?;
        let RowEncoder::Batches(chunks, writer) = self.rows else {
            for batch in &batches {
                self.write(batch).await?;
            }
            return self.finish().await;
        };
        self.entry.rows = batches.iter().map(|batch| batch.num_rows() as u64).sum();
        publish(
            self.store,
            self.entry,
            table::encode(*writer, chunks, &batches),
            self.upload,
        )
        .await
    }

    /// Gives the file up and removes what was uploaded of it.
    ///
    /// # Errors
    /// An error of the store; nothing is visible either way.
    pub async fn abort(mut self) -> Result<()> {
        self.upload.abort().await.map_err(|e| {
            self.store
                .explain(&self.entry.path, "can not remove the parts of", e)
        })
    }

    /// The same columns under the artifact's schema.
    fn fitting(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        RecordBatch::try_new(Arc::clone(&self.schema), batch.columns().to_vec())
            .map_err(|e| self.unfit(e))
    }

    fn unfit(&self, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
        unfit(&self.store, &self.entry, cause)
    }
}

/// Sends the last bytes, and makes the file visible.
async fn publish(
    store: Store,
    mut entry: FileEntry,
    encoded: parquet::errors::Result<Tap>,
    mut upload: BufWriter,
) -> Result<FileEntry> {
    let (parts, checksum, bytes) = encoded.map_err(|e| unfit(&store, &entry, e))?.finish();
    (entry.checksum, entry.bytes) = (checksum.to_string(), bytes);
    let sent = async {
        send(&mut upload, parts).await?;
        poll_fn(|cx| Pin::new(&mut upload).poll_shutdown(cx))
            .await
            .map_err(object_error)
    };
    sent.await
        .map_err(|e| store.explain(&entry.path, "can not write", e))?;
    store.begin_sync(&entry.path);
    Ok(entry)
}

fn unfit(
    store: &Store,
    entry: &FileEntry,
    cause: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> Error {
    Error::refused(
        store.stage(),
        format!("rows of {} can not be encoded", entry.artifact),
    )
    .at(store.name_of(&entry.path))
    .because(cause)
}

fn encode(writer: &mut ArrowWriter<Tap>, chunk: &RecordBatch) -> parquet::errors::Result<()> {
    writer.write(chunk)?;
    if writer.in_progress_size() >= GROUP_BYTES {
        writer.flush()
    } else {
        Ok(())
    }
}

async fn send(upload: &mut BufWriter, parts: Vec<Bytes>) -> object_store::Result<()> {
    for mut part in parts {
        while !part.is_empty() {
            upload
                .put(part.split_to(part.len().min(WRITE_BYTES)))
                .await?;
        }
    }
    Ok(())
}

/// The store's error inside the io error that `poll_shutdown` makes of it.
fn object_error(error: std::io::Error) -> object_store::Error {
    let kind = error.kind();
    let unknown = |source: Box<dyn std::error::Error + Send + Sync>| object_store::Error::Generic {
        store: "upload",
        source,
    };
    match error.into_inner() {
        None => unknown(Box::new(std::io::Error::from(kind))),
        Some(inner) => inner
            .downcast::<object_store::Error>()
            .map_or_else(unknown, |e| *e),
    }
}
