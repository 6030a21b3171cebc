//! What one raw file has: by its footer, or, of text, by reading it to its end.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::datatypes::Schema;
use chrono::NaiveDate;
use datafusion::error::DataFusionError;
use futures::future::BoxFuture;
use futures::{FutureExt, TryFutureExt};
use object_store::ObjectMeta;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::arrow::async_reader::MetadataFetch;
use parquet::file::metadata::ParquetMetaDataReader;
use tagmill_engine::{Work, of_datafusion};
use tagmill_schemas::config::{FileFormat, FileNotation};
use tagmill_schemas::{Error, Reason, Result};
use tagmill_warehouse::artifact::decode_guarded;
use tagmill_warehouse::store::{Found, Store, partitions_of};

use super::files::RawFile;
use super::physical::Physical;
use super::text_files::{Contents, contents};
use super::times::Times;

const STAGE: &str = "scan";
/// Covers the footer of all but the largest files.
const FOOTER_BYTES: usize = 64 << 10;

/// Looks at a file.
///
/// # Errors
/// Refused for a file that is not what it should be or is truncated; those of the store.
pub(super) async fn read_file(
    store: Store,
    found: Found,
    folder: NaiveDate,
    times: Times,
    notation: FileNotation,
) -> Result<RawFile> {
    let location = store.location(&found.path)?;
    let partitions = partitions_of(location.as_ref());
    let meta = ObjectMeta {
        location,
        last_modified: found.modified,
        size: found.size,
        e_tag: found.etag.clone(),
        version: None,
    };
    let mut file = RawFile {
        meta,
        rows: 0,
        schema: Arc::new(Schema::empty()),
        notation,
        coded: BTreeSet::new(),
        uuids: BTreeSet::new(),
        naive: BTreeSet::new(),
        beyond_double: BTreeSet::new(),
        as_bytes: BTreeSet::new(),
        partitions,
        folder,
        found,
    };
    match notation.format {
        FileFormat::Parquet => read_footer(&store, &mut file, &times).await?,
        FileFormat::Csv | FileFormat::Ndjson => read_text(&store, &mut file).await?,
    }
    Ok(file)
}

/// A file of text has no footer: it is read to its end, by a task of its own.
async fn read_text(store: &Store, file: &mut RawFile) -> Result<()> {
    let name = store.name_of(&file.found.path);
    let reading = tokio::spawn(contents(file.packed(store), file.notation));
    let joined = reading.await;
    let Contents { rows, schema } = joined.map_err(|e| {
        let error = DataFusionError::ExecutionJoin(Box::new(e));
        of_datafusion(Work::RawData, STAGE, error).at(name)
    })??;
    (file.rows, file.schema) = (rows, schema);
    Ok(())
}

async fn read_footer(store: &Store, file: &mut RawFile, times: &Times) -> Result<()> {
    let found = &file.found;
    let name = store.name_of(&found.path);
    if found.size == 0 {
        return Err(
            Error::refused(STAGE, "found an empty file, expected Parquet")
                .at(name)
                .fix("remove the file or write it again"),
        );
    }
    let read = async {
        let fetched = Footer {
            store,
            path: &found.path,
        };
        let reader = ParquetMetaDataReader::new().with_prefetch_hint(Some(FOOTER_BYTES));
        let footer = reader.load_and_finish(fetched, found.size).await?;
        ArrowReaderMetadata::try_new(Arc::new(footer), ArrowReaderOptions::new())
    };
    let metadata = decode_guarded(read)
        .await
        .map_err(|e| footer_error(e, &name))?;
    let physical = Physical::of(&metadata, times);
    let rows = metadata.metadata().file_metadata().num_rows();
    file.rows = u64::try_from(rows).unwrap_or(0);
    file.schema = physical.schema;
    file.coded = physical.coded;
    file.uuids = physical.uuids;
    file.naive = physical.naive;
    file.beyond_double = physical.beyond_double;
    Ok(())
}

/// Fetches ranges of one file.
struct Footer<'a> {
    store: &'a Store,
    path: &'a str,
}

impl MetadataFetch for Footer<'_> {
    fn fetch(
        &mut self,
        range: std::ops::Range<u64>,
    ) -> BoxFuture<'_, parquet::errors::Result<bytes::Bytes>> {
        let bytes = self.store.get_range(self.path, range);
        bytes
            .map_err(|e| parquet::errors::ParquetError::External(Box::new(e)))
            .boxed()
    }
}

fn footer_error(error: parquet::errors::ParquetError, name: &str) -> Error {
    let error = match error {
        parquet::errors::ParquetError::External(inner) => match inner.downcast::<Error>() {
            Ok(own) => return *own,
            Err(inner) => parquet::errors::ParquetError::External(inner),
        },
        other => other,
    };
    Error::refused(STAGE, "found a file that is not whole Parquet")
        .for_reason(Reason::Damaged)
        .at(name)
        .because(error)
        .fix("write the file again")
}
