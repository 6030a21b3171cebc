//! Reads the columns of an artifact file, after its bytes have been checked against the checksum that
//! the manifest gives it: what a run builds on is what was published.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::FieldRef;
use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{GetOptions, GetRange, ObjectStoreExt};
use parquet::arrow::arrow_reader::ArrowReaderOptions;
use parquet::arrow::async_reader::AsyncFileReader;
use parquet::arrow::{ParquetRecordBatchStreamBuilder, ProjectionMask};
use parquet::errors::ParquetError;
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};
use tagmill_schemas::artifact::{ColumnSpec, Columns};
use tagmill_schemas::checksum::Checksum;
use tagmill_schemas::error::{Error, Result};
use tagmill_schemas::manifest::FileEntry;
use xxhash_rust::xxh3::Xxh3;

use super::cure::cure_of;
use crate::store::{Store, damaged};

/// Record batches of one file in its order.
pub type BatchStream = BoxStream<'static, Result<RecordBatch>>;

/// Big enough to make a page of text or hashes one copy, small enough for a cache.
const BATCH_ROWS: usize = 16 * 1024;
/// Rows of a megabyte each that a column of text can hold.
const FEW_ROWS: usize = 1 << 10;
const MANY_BYTES: i64 = 512 << 20;
/// Covers the footer of all but the largest files.
const FOOTER_BYTES: u64 = 64 << 10;
/// A file up to this size is fetched once, checked and decoded in memory; a larger one is read twice,
/// to check and to decode.
const WHOLE_BYTES: u64 = 32 << 20;
/// What is held of a larger file while it is checked.
const PART_BYTES: u64 = 4 << 20;

/// [`read_artifact`] of columns by name.
///
/// # Errors
/// As [`read_artifact`]; setup for a file of another artifact.
pub async fn read_columns<C: Columns>(
    store: &Store,
    entry: &FileEntry,
    columns: &[C],
) -> Result<BatchStream> {
    if entry.artifact != C::ARTIFACT {
        let what = format!(
            "found a file of {}, expected {}",
            entry.artifact,
            C::ARTIFACT
        );
        return Err(Error::setup(store.stage(), what).at(store.name_of(&entry.path)));
    }
    let names: Vec<&str> = columns.iter().map(|column| column.name()).collect();
    read_artifact(store, entry, &names).await
}

/// Streams the named columns (all of them for an empty list) of a published file, in the file's
/// order, once all its bytes have been checked.
///
/// # Errors
/// Refused when the file is missing, damaged or not what the manifest says: a person must restore
/// it. Else an error of the store.
pub async fn read_artifact(
    store: &Store,
    entry: &FileEntry,
    projection: &[&str],
) -> Result<BatchStream> {
    let named = Named {
        store: store.clone(),
        path: entry.path.clone(),
    };
    let source = open_checked(store, entry, &named).await?;
    let builder = ParquetRecordBatchStreamBuilder::new(source)
        .await
        .map_err(|e| named.explain(e))?;
    let rows = builder.metadata().file_metadata().num_rows();
    if u64::try_from(rows) != Ok(entry.rows) {
        return Err(named.damaged(format!("found {rows} rows, expected {}", entry.rows)));
    }
    let expected = entry.artifact.schema();
    let retired = entry.artifact.retired_columns();
    let is_retired = |field: &&FieldRef| retired.iter().any(|c| is_column(c, field));
    let found = builder
        .schema()
        .fields()
        .iter()
        .filter(|field| !is_retired(field));
    if !found.eq(expected.fields()) {
        return Err(named.damaged(format!("the columns are not those of {}", entry.artifact)));
    }
    if let Some(unknown) = projection
        .iter()
        .find(|name| expected.index_of(name).is_err())
    {
        return Err(Error::setup(
            store.stage(),
            format!("{} has no column {unknown:?}", entry.artifact),
        ));
    }
    let mask = match projection {
        [] => ProjectionMask::all(),
        _ => ProjectionMask::columns(builder.parquet_schema(), projection.iter().copied()),
    };
    let rows = batch_rows(builder.metadata());
    let stream = builder
        .with_projection(mask)
        .with_batch_size(rows)
        .build()
        .map_err(|e| named.explain(e))?;
    Ok(stream.map_err(move |e| named.explain(e)).boxed())
}

/// The file, when its bytes are those that were published.
async fn open_checked(store: &Store, entry: &FileEntry, named: &Named) -> Result<Source> {
    let mut source = Source {
        store: store.clone(),
        location: store.location(&entry.path)?,
        size: entry.bytes,
        tail: None,
    };
    let found = source.checksum().await.map_err(|e| named.explain(e))?;
    match found.to_string() == entry.checksum {
        true => Ok(source),
        false => Err(named.damaged(format!(
            "found checksum {found}, expected {}",
            entry.checksum
        ))),
    }
}

fn is_column(column: &ColumnSpec, field: &FieldRef) -> bool {
    column.name == field.name() && column.data_type == *field.data_type()
}

/// Rows of a batch: few where ids of a megabyte may make a column of text longer than the two
/// gigabytes that it can hold. A window of [`BATCH_ROWS`] over row groups that are all small and
/// short has at most three times [`MANY_BYTES`].
fn batch_rows(file: &ParquetMetaData) -> usize {
    let is_long = |bytes: i64, rows: i64| {
        bytes > MANY_BYTES || bytes / rows.max(1) > MANY_BYTES / BATCH_ROWS as i64
    };
    match file
        .row_groups()
        .iter()
        .any(|group| is_long(group.total_byte_size(), group.num_rows()))
    {
        true => FEW_ROWS,
        false => BATCH_ROWS,
    }
}

/// A file with its name for messages.
struct Named {
    store: Store,
    path: String,
}

impl Named {
    fn damaged(&self, what: String) -> Error {
        damaged(self.store.stage(), &self.store.name_of(&self.path), what).fix(cure_of(&self.path))
    }

    fn explain(&self, error: ParquetError) -> Error {
        match error {
            ParquetError::External(inner) => match inner.downcast::<object_store::Error>() {
                Ok(error) if matches!(*error, object_store::Error::NotFound { .. }) => {
                    self.damaged("not found".to_owned())
                }
                Ok(error) => self.store.explain(&self.path, "can not read", *error),
                Err(other) => self.damaged(other.to_string()),
            },
            other => self.damaged(other.to_string()),
        }
    }
}

/// Ranges of any Parquet file of a known size.
pub(super) fn file_reader(
    store: &Store,
    location: Path,
    size: u64,
) -> impl AsyncFileReader + Unpin + 'static {
    Source {
        store: store.clone(),
        location,
        size,
        tail: None,
    }
}

/// Ranges of one file of a known size.
struct Source {
    store: Store,
    location: Path,
    size: u64,
    /// What was read from here to the end: the footer, of a checked file that fits everything.
    tail: Option<(u64, Bytes)>,
}

impl Source {
    async fn fetch(&self, range: Range<u64>) -> parquet::errors::Result<Bytes> {
        let options = GetOptions {
            range: Some(GetRange::Bounded(range)),
            ..GetOptions::default()
        };
        match self.store.objects().get_opts(&self.location, options).await {
            Ok(result) => {
                self.check_size(result.meta.size)?;
                Ok(result.bytes().await?)
            }
            // A range past the end of a cut file is an error of each store's own making.
            Err(error) => {
                let now = self.store.objects().head(&self.location).await;
                now.map_or(Ok(()), |meta| self.check_size(meta.size))?;
                Err(error.into())
            }
        }
    }

    /// The checksum of all bytes; those of a file that fits are kept.
    async fn checksum(&mut self) -> parquet::errors::Result<Checksum> {
        if self.size <= WHOLE_BYTES {
            let bytes = self.fetch(0..self.size).await?;
            let checksum = Checksum::of(&bytes);
            self.tail = Some((0, bytes));
            return Ok(checksum);
        }
        let mut hash = Box::new(Xxh3::new());
        let mut start = 0;
        while start < self.size {
            let end = self.size.min(start + PART_BYTES);
            hash.update(&self.fetch(start..end).await?);
            start = end;
        }
        Ok(Checksum(hash.digest128()))
    }

    /// The range, if it is in the tail.
    fn in_tail(&self, range: &Range<u64>) -> Option<Bytes> {
        let (start, tail) = self.tail.as_ref()?;
        let from = usize::try_from(range.start.checked_sub(*start)?).ok()?;
        let to = usize::try_from(range.end.checked_sub(*start)?).ok()?;
        (from <= to && to <= tail.len()).then(|| tail.slice(from..to))
    }

    fn check_size(&self, found: u64) -> parquet::errors::Result<()> {
        match found == self.size {
            true => Ok(()),
            false => Err(ParquetError::General(format!(
                "found {found} bytes, expected {}",
                self.size
            ))),
        }
    }
}

impl AsyncFileReader for Source {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, parquet::errors::Result<Bytes>> {
        async move {
            if let Some(bytes) = self.in_tail(&range) {
                return Ok(bytes);
            }
            let bytes = self.fetch(range.clone()).await?;
            if self.tail.is_none() && range.end == self.size && bytes.len() as u64 <= FOOTER_BYTES {
                self.tail = Some((range.start, bytes.clone()));
            }
            Ok(bytes)
        }
        .boxed()
    }

    fn get_byte_ranges(
        &mut self,
        ranges: Vec<Range<u64>>,
    ) -> BoxFuture<'_, parquet::errors::Result<Vec<Bytes>>> {
        async move {
            if let Some(found) = ranges.iter().map(|range| self.in_tail(range)).collect() {
                return Ok(found);
            }
            Ok(self
                .store
                .objects()
                .get_ranges(&self.location, &ranges)
                .await?)
        }
        .boxed()
    }

    fn get_metadata<'a>(
        &'a mut self,
        _options: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, parquet::errors::Result<Arc<ParquetMetaData>>> {
        let size = self.size;
        async move {
            let hint = usize::try_from(FOOTER_BYTES.min(size)).ok();
            let metadata = ParquetMetaDataReader::new()
                .with_prefetch_hint(hint)
                .load_and_finish(self, size)
                .await?;
            Ok(Arc::new(metadata))
        }
        .boxed()
    }
}
