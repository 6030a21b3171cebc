//! The raw files of one source on one date: listed, their footers read, their columns agreed on. No
//! data page is read here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use chrono::NaiveDate;
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, TryFutureExt, TryStreamExt};
use object_store::ObjectMeta;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::arrow::async_reader::MetadataFetch;
use parquet::basic::{ConvertedType, Encoding, EncodingMask};
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData, ParquetMetaDataReader};
use parquet::schema::types::ColumnDescriptor;
use tagmill_schemas::config::Source;
use tagmill_schemas::{Error, Reason, Result};

use super::dictionary::dictionary_type;
use tagmill_warehouse::artifact::decode_guarded;
use tagmill_warehouse::store::{
    Found, Partition, Store, open_pattern, partitions_of, refuse_table_format,
};

const STAGE: &str = "scan";
const FOOTERS_AT_ONCE: usize = 16;
/// Covers the footer of all but the largest files.
const FOOTER_BYTES: usize = 64 << 10;

/// One raw file.
#[derive(Debug, Clone)]
pub struct RawFile {
    /// What the listing said; checked again after the scan.
    pub found: Found,
    /// Its place for the object store.
    pub meta: ObjectMeta,
    /// Rows, by its footer.
    pub rows: u64,
    /// Its own columns.
    pub schema: SchemaRef,
    /// Text columns of which every page is encoded by a dictionary.
    coded: BTreeSet<String>,
    /// Values of the folders named `key=value`.
    pub partitions: Vec<Partition>,
}

/// The files of one source on one date.
#[derive(Debug, Clone)]
pub struct RawFiles {
    /// Where they are.
    pub store: Store,
    /// In order of the path.
    pub files: Vec<RawFile>,
    /// The columns of all files, text as Utf8View.
    pub schema: SchemaRef,
    /// Names of partition folders that all files have, without those that are columns too.
    pub partition_columns: Vec<String>,
    /// Columns that can not be read as one, with what is wrong and where: only who needs one of
    /// them is refused.
    conflicts: BTreeMap<String, Conflict>,
}

/// What is wrong with a column, the file, and what to do.
#[derive(Debug, Clone)]
struct Conflict {
    what: String,
    place: String,
    fix: &'static str,
}

impl RawFiles {
    /// Rows of all files, by their footers.
    pub fn rows(&self) -> u64 {
        self.files.iter().map(|file| file.rows).sum()
    }

    /// Bytes of all files.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.found.size).sum()
    }

    /// The same files with these columns read as the dictionaries that they are in the files, where
    /// they are so in all of them.
    pub fn with_dictionaries(mut self, columns: &BTreeSet<String>) -> Self {
        let coded: BTreeSet<&String> = columns
            .iter()
            .filter(|&name| self.files.iter().all(|file| file.coded.contains(name)))
            .collect();
        let as_dictionary = |schema: &Schema| {
            let field = |field: &Arc<Field>| match coded.contains(field.name()) {
                true => Arc::new(field.as_ref().clone().with_data_type(dictionary_type())),
                false => Arc::clone(field),
            };
            Arc::new(Schema::new(
                schema.fields().iter().map(field).collect::<Vec<_>>(),
            ))
        };
        let schema = as_dictionary(&self.schema);
        let files: Vec<SchemaRef> = self
            .files
            .iter()
            .map(|file| as_dictionary(&file.schema))
            .collect();
        self.schema = schema;
        self.files
            .iter_mut()
            .zip(files)
            .for_each(|(file, schema)| file.schema = schema);
        self
    }

    /// Refuses a column that its files do not agree on.
    ///
    /// # Errors
    /// Refused, naming file, column, what was found and expected.
    pub fn check_agreed(&self, column: &str) -> Result<()> {
        match self.conflicts.get(column) {
            None => Ok(()),
            Some(Conflict { what, place, fix }) => Err(Error::refused(STAGE, what.clone())
                .at(place.clone())
                .fix(*fix)),
        }
    }

    /// The columns that are read as dictionaries.
    pub fn dictionaries(&self) -> BTreeSet<String> {
        let coded = self
            .schema
            .fields()
            .iter()
            .filter(|field| *field.data_type() == dictionary_type());
        coded.map(|field| field.name().clone()).collect()
    }

    /// Refuses when a file changed since it was listed.
    ///
    /// # Errors
    /// Retry, naming the file.
    pub async fn check_unchanged(&self) -> Result<()> {
        // Owned all through: a future that borrows in a stream's closure can not be spawned.
        let looks = self
            .files
            .clone()
            .into_iter()
            .map(|file| check_file(self.store.clone(), file));
        futures::stream::iter(looks)
            .buffered(FOOTERS_AT_ONCE)
            .try_collect::<Vec<()>>()
            .await
            .map(drop)
    }
}

async fn check_file(store: Store, file: RawFile) -> Result<()> {
    let now = store.head(&file.found.path).await?;
    let is_same = now.is_some_and(|now| {
        now.size == file.found.size
            && now.etag == file.found.etag
            && now.modified == file.found.modified
    });
    if is_same {
        return Ok(());
    }
    Err(Error::retry(STAGE, "the file changed while it was read")
        .at(store.name_of(&file.found.path))
        .fix("run again when its writer is done"))
}

/// The pattern with the date in place of `{date}`.
pub fn for_date(pattern: &str, date: NaiveDate) -> String {
    pattern.replace("{date}", &date.to_string())
}

/// Lists the files and reads their footers; no file is an empty answer.
///
/// # Errors
/// Refused for a file that is not Parquet or is truncated, setup for a path that is a folder or in
/// a table of Delta, Hudi or Iceberg.
pub async fn find_files(source: &Source, date: NaiveDate) -> Result<RawFiles> {
    let (store, pattern) = open_pattern(for_date(&source.path, date).trim_end_matches('/'))?;
    let store = store.for_stage(STAGE);
    refuse_table_format(&store).await?;
    let found = store.list(&pattern).await?;
    if found.is_empty() {
        refuse_folder(&store, &pattern).await?;
    }
    let footers = found
        .into_iter()
        .map(|found| read_footer(store.clone(), found));
    let files: Vec<RawFile> = futures::stream::iter(footers)
        .buffered(FOOTERS_AT_ONCE)
        .try_collect()
        .await?;
    let (schema, conflicts) = agree(&store, &files);
    let schema = Arc::new(schema);
    let partition_columns = common_partitions(&files, &schema);
    Ok(RawFiles {
        store,
        files,
        schema,
        partition_columns,
        conflicts,
    })
}

/// A path that names a folder would have no files on any date: waiting for them helps nobody.
async fn refuse_folder(store: &Store, path: &str) -> Result<()> {
    if path.contains('*') || store.walk(path).try_next().await?.is_none() {
        return Ok(());
    }
    Err(Error::setup(
        STAGE,
        "found a folder, expected a file or a pattern of files",
    )
    .at(store.name_of(path))
    .fix("end the path with /*.parquet"))
}

async fn read_footer(store: Store, found: Found) -> Result<RawFile> {
    let name = store.name_of(&found.path);
    let location = store.location(&found.path)?;
    if found.size == 0 {
        return Err(
            Error::refused(STAGE, "found an empty file, expected Parquet")
                .at(name)
                .fix("remove the file or write it again"),
        );
    }
    let read = async {
        let fetched = Footer {
            store: &store,
            path: &found.path,
        };
        let reader = ParquetMetaDataReader::new().with_prefetch_hint(Some(FOOTER_BYTES));
        let footer = reader.load_and_finish(fetched, found.size).await?;
        ArrowReaderMetadata::try_new(Arc::new(footer), ArrowReaderOptions::new())
    };
    let metadata = decode_guarded(read)
        .await
        .map_err(|e| footer_error(e, &name))?;
    let rows = u64::try_from(metadata.metadata().file_metadata().num_rows()).unwrap_or(0);
    let partitions = partitions_of(location.as_ref());
    let meta = ObjectMeta {
        location,
        last_modified: found.modified,
        size: found.size,
        e_tag: found.etag.clone(),
        version: None,
    };
    let coded = coded_columns(metadata.metadata());
    Ok(RawFile {
        meta,
        rows,
        schema: Arc::clone(metadata.schema()),
        coded,
        partitions,
        found,
    })
}

/// Top-level text columns without a plain page. Where a writer fell back to plain pages a
/// dictionary would have to be made.
fn coded_columns(metadata: &ParquetMetaData) -> BTreeSet<String> {
    let columns = metadata
        .file_metadata()
        .schema_descr()
        .columns()
        .iter()
        .enumerate();
    let is_text = |column: &ColumnDescriptor| {
        column.path().parts().len() == 1 && column.converted_type() == ConvertedType::UTF8
    };
    let coded = columns.filter(|(at, column)| {
        is_text(column)
            && metadata
                .row_groups()
                .iter()
                .all(|group| is_coded(group.column(*at)))
    });
    coded.map(|(_, column)| column.name().to_owned()).collect()
}

fn is_coded(chunk: &ColumnChunkMetaData) -> bool {
    let is_dictionary = |mask: &EncodingMask| {
        mask.is_only(Encoding::RLE_DICTIONARY) || mask.is_only(Encoding::PLAIN_DICTIONARY)
    };
    chunk.dictionary_page_offset().is_some()
        && chunk.page_encoding_stats_mask().is_some_and(is_dictionary)
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

fn common_partitions(files: &[RawFile], schema: &Schema) -> Vec<String> {
    let Some(first) = files.first() else {
        return Vec::new();
    };
    let everywhere = |key: &str| {
        files
            .iter()
            .all(|file| file.partitions.iter().any(|(k, _)| k == key))
    };
    first
        .partitions
        .iter()
        .map(|(key, _)| key.clone())
        .filter(|key| schema.index_of(key).is_err() && everywhere(key))
        .collect()
}

/// The columns of all files; a column that some files lack is null there, unless a rule of the
/// source needs it.
fn agree(store: &Store, files: &[RawFile]) -> (Schema, BTreeMap<String, Conflict>) {
    let mut fields: Vec<Field> = Vec::new();
    let mut seen: BTreeMap<String, (usize, &RawFile)> = BTreeMap::new();
    let mut conflicts = BTreeMap::new();
    for file in files {
        let mut own = BTreeSet::new();
        for field in file.schema.fields() {
            let mut refuse = |what: String, fix| {
                let place = store.name_of(&file.found.path);
                conflicts
                    .entry(field.name().clone())
                    .or_insert(Conflict { what, place, fix });
            };
            if !own.insert(field.name()) {
                refuse(
                    format!(
                        "column {:?} is there twice, expected one of each name",
                        field.name()
                    ),
                    "write the file again with names of their own",
                );
                continue;
            }
            let Some(&(at, first)) = seen.get(field.name()) else {
                seen.insert(field.name().clone(), (fields.len(), file));
                fields.push(Field::new(field.name(), readable(field.data_type()), true));
                continue;
            };
            let (known, found) = (fields[at].data_type().clone(), field.data_type());
            match common_type(&known, &readable(found)) {
                Some(wanted) => fields[at] = Field::new(field.name(), wanted, true),
                None => {
                    let what = format!(
                        "column {:?} is {found}, expected {known} as in {}",
                        field.name(),
                        store.name_of(&first.found.path)
                    );
                    refuse(what, "write the file again with the type of the others");
                }
            }
        }
    }
    (Schema::new(fields), conflicts)
}

/// The type in which a column is read: text as views.
fn readable(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => DataType::Utf8View,
        DataType::Dictionary(_, value) => readable(value),
        other => other.clone(),
    }
}

/// The type that holds both: the same one, or the wider of two integers or floats, or the finer of
/// two times.
fn common_type(a: &DataType, b: &DataType) -> Option<DataType> {
    match (a, b) {
        _ if a == b => Some(a.clone()),
        (DataType::Null, other) | (other, DataType::Null) => Some(other.clone()),
        _ if a.is_unsigned_integer() && b.is_unsigned_integer() => Some(DataType::UInt64),
        // No integer type holds both.
        (DataType::UInt64, other) | (other, DataType::UInt64) if other.is_integer() => {
            Some(DataType::Decimal128(20, 0))
        }
        _ if a.is_integer() && b.is_integer() => Some(DataType::Int64),
        _ if a.is_numeric() && b.is_numeric() && (a.is_floating() || b.is_floating()) => {
            Some(DataType::Float64)
        }
        (DataType::Timestamp(a, _), DataType::Timestamp(b, _)) => {
            Some(DataType::Timestamp(*a.max(b), Some("UTC".into())))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_are_joined_and_kinds_are_not() {
        assert_eq!(
            common_type(&DataType::Int32, &DataType::UInt8),
            Some(DataType::Int64)
        );
        assert_eq!(
            common_type(&DataType::Int32, &DataType::Float32),
            Some(DataType::Float64)
        );
        assert_eq!(common_type(&DataType::Int32, &DataType::Utf8View), None);
    }
}
