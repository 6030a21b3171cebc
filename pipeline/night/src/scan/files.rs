//! The raw files of one source on one date: listed, their footers read, their columns agreed on. No
//! data page is read here.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use chrono::NaiveDate;
use chrono_tz::Tz;
use datafusion::common::DFSchema;
use futures::{StreamExt, TryStreamExt};
use object_store::ObjectMeta;
use tagmill_schemas::config::{FileFormat, FileNotation, Folders, Source, for_date, shifted};
use tagmill_schemas::{Error, Result};

use super::as_bytes::as_bytes;
use super::columns::{Conflict, Conflicts, agree};
use super::dictionary::dictionary_type;
use super::file::read_file;
use super::functions::is_more_than_a_cast;
use super::named::column_of;
use super::text_files::same_shapes;
use super::times::Times;
use tagmill_warehouse::store::{Found, Partition, Store, open_pattern, refuse_table_format};

const STAGE: &str = "scan";
const FOOTERS_AT_ONCE: usize = 16;

/// One raw file.
#[derive(Debug, Clone)]
pub struct RawFile {
    /// What the listing said; checked again after the scan.
    pub found: Found,
    /// Its place for the object store.
    pub meta: ObjectMeta,
    /// Rows, by its footer; of text, counted.
    pub rows: u64,
    /// Its own columns, in the types in which they are read.
    pub schema: SchemaRef,
    /// Values of the folders named `key=value`.
    pub partitions: Vec<Partition>,
    /// The date that its path was made with.
    pub folder: NaiveDate,
    /// How it is written.
    pub notation: FileNotation,
    /// Text columns of which every page is encoded by a dictionary.
    pub(super) coded: BTreeSet<String>,
    /// Columns of raw UUIDs.
    pub(super) uuids: BTreeSet<String>,
    /// Columns of times that name no zone.
    pub(super) naive: BTreeSet<String>,
    /// Columns of numbers that a double may not hold.
    pub(super) beyond_double: BTreeSet<String>,
    /// Columns of text that are read as bytes, because some of it is no UTF-8.
    pub(super) as_bytes: BTreeSet<String>,
}

impl RawFile {
    /// Whether it is CSV or NDJSON.
    pub fn is_text(&self) -> bool {
        self.notation.format != FileFormat::Parquet
    }

    /// Has its text read as bytes from here on: some of it is no UTF-8.
    pub fn read_as_bytes(&mut self) {
        (self.schema, self.as_bytes) = as_bytes(&self.schema);
        self.coded.clear();
    }

    /// Whether its text is read as bytes.
    pub fn is_read_as_bytes(&self) -> bool {
        !self.as_bytes.is_empty()
    }

    /// Whether its rows need not have all its columns.
    pub(super) fn is_open(&self) -> bool {
        self.notation.format == FileFormat::Ndjson
    }
}

/// The files of one source on one date.
#[derive(Debug, Clone)]
pub struct RawFiles {
    /// Where they are.
    pub store: Store,
    /// In order of the path.
    pub files: Vec<RawFile>,
    /// The columns of all files with rows, text as Utf8View.
    pub schema: SchemaRef,
    /// The zones of their times.
    pub times: Times,
    /// Whether events are told apart by the day of their folder, because those of several days are
    /// read.
    pub has_folders: bool,
    /// Paths of dates without a file, of those that are wanted, and whether they are of days before
    /// the run's.
    pub absent: Vec<(String, bool)>,
    /// Whether an expression that fails on a row costs the row: then it was seen that one does.
    pub rejects_failures: bool,
    /// Names of partition folders that all files have, without those that are columns too.
    pub partition_columns: Vec<String>,
    /// Columns that can not be read as one, with what is wrong and where: only who needs one of
    /// them is refused.
    conflicts: Conflicts,
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
            .filter(|&name| {
                let mut files = self.files.iter().filter(|file| file.rows > 0);
                files.all(|file| file.coded.contains(name))
            })
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

    /// The same files with a column of nothing for each of these names that no record has, where
    /// records need not have them all; and a note of each.
    pub(super) fn with_named(mut self, names: &BTreeSet<String>) -> (Self, Vec<String>) {
        if !self.files.iter().any(RawFile::is_open) {
            return (self, Vec::new());
        }
        let Ok(known) = DFSchema::try_from(Arc::clone(&self.schema)) else {
            return (self, Vec::new());
        };
        let is_absent = |name: &&String| {
            column_of(name, &known).is_none() && !self.partition_columns.contains(name)
        };
        let absent: Vec<&String> = names.iter().filter(is_absent).collect();
        let note = |name: &String| {
            let known = self
                .schema
                .fields()
                .iter()
                .map(|field| field.name().as_str());
            let near = tagmill_schemas::nearest::nearest(name, known);
            let near = near.map(|near| format!(", did you mean {near:?}"));
            let near = near.unwrap_or_default();
            format!("no record has {name:?}{near}: it is null")
        };
        let notes = absent.iter().map(|name| note(name)).collect();
        let none = |name: &String| Arc::new(Field::new(name, DataType::Null, true));
        let mut fields: Vec<Arc<Field>> = self.schema.fields().iter().cloned().collect();
        fields.extend(absent.into_iter().map(none));
        self.schema = Arc::new(Schema::new(fields));
        (self, notes)
    }

    /// In which formats the files are; `None` where all are Parquet.
    pub fn note_of_formats(&self) -> Option<String> {
        let texts: BTreeSet<&str> = self
            .files
            .iter()
            .filter(|file| file.is_text())
            .map(|file| file.notation.format.name())
            .collect();
        let texts: Vec<&str> = texts.into_iter().collect();
        let of = self.files.iter().filter(|file| file.is_text()).count();
        (of > 0).then(|| {
            let all = self.files.len();
            format!("{of} of {all} files are read as {}", texts.join(" and "))
        })
    }

    /// The files with rows by what is read of them in a way of its own: of each lot the columns
    /// that are, with their types in its files. Most sources have one lot without such columns.
    pub fn lots(&self) -> Vec<(Self, BTreeMap<String, DataType>)> {
        let mut lots: Vec<(Self, BTreeMap<String, DataType>)> = Vec::new();
        for file in self.files.iter().filter(|file| file.rows > 0) {
            let own = self.own_types(file);
            let is_same = |(lot, types): &&mut (Self, BTreeMap<String, DataType>)| {
                *types == own
                    && lot.are_text() == file.is_text()
                    && lot.bytes_columns() == &file.as_bytes
            };
            match lots.iter_mut().find(is_same) {
                Some((lot, _)) => lot.files.push(file.clone()),
                None => lots.push((self.lot(file, &own), own)),
            }
        }
        if lots.is_empty() {
            let nothing = Self {
                files: Vec::new(),
                ..self.clone()
            };
            lots.push((nothing, BTreeMap::new()));
        }
        lots
    }

    /// Whether these files, of one lot, are text.
    pub(super) fn are_text(&self) -> bool {
        self.files.first().is_some_and(RawFile::is_text)
    }

    /// Of files of one lot: the columns of text that are read as bytes.
    pub(super) fn bytes_columns(&self) -> &BTreeSet<String> {
        static NONE: BTreeSet<String> = BTreeSet::new();
        self.files.first().map_or(&NONE, |file| &file.as_bytes)
    }

    /// Whether some row may be none, which [`BROKEN_COLUMN`](crate::plan::columns::BROKEN_COLUMN)
    /// then says.
    pub(super) fn may_be_broken(&self) -> bool {
        let may_be = |file: &RawFile| file.is_text() || file.is_read_as_bytes();
        self.files.iter().any(may_be)
    }

    /// Columns of a file that no cast makes what they are in all files.
    fn own_types(&self, file: &RawFile) -> BTreeMap<String, DataType> {
        let wanted = self.schema.fields().iter();
        let wanted: HashMap<&str, &DataType> = wanted
            .map(|field| (field.name().as_str(), field.data_type()))
            .collect();
        let own = file.schema.fields().iter().filter(|field| {
            let is_bytes = file.as_bytes.contains(field.name());
            wanted
                .get(field.name().as_str())
                .is_some_and(|wanted| is_bytes || is_more_than_a_cast(field.data_type(), wanted))
        });
        own.map(|field| (field.name().clone(), field.data_type().clone()))
            .collect()
    }

    fn lot(&self, first: &RawFile, own: &BTreeMap<String, DataType>) -> Self {
        let field = |field: &Arc<Field>| match own.get(field.name()) {
            Some(data_type) => Arc::new(Field::new(field.name(), data_type.clone(), true)),
            None => Arc::clone(field),
        };
        let fields: Vec<_> = self.schema.fields().iter().map(field).collect();
        Self {
            files: vec![first.clone()],
            schema: Arc::new(Schema::new(fields)),
            ..self.clone()
        }
    }

    /// How the times of columns are read that name no zone; `None` without such a column.
    pub fn note_of_times(&self) -> Option<String> {
        let naive: Vec<&str> = self.naive_columns().into_iter().collect();
        let read = match self.times.are_instants {
            true => format!("read as {}", self.times.naive),
            false => "read as they are written".to_owned(),
        };
        let has = if naive.len() == 1 { "has" } else { "have" };
        (!naive.is_empty()).then(|| {
            let naive = naive.join(", ");
            format!("{naive} {has} no zone: {read}; naive_times says another one")
        })
    }

    /// Columns of times that name no zone in some file.
    pub fn naive_columns(&self) -> BTreeSet<&str> {
        let files = self.files.iter().filter(|file| file.rows > 0);
        files
            .flat_map(|file| file.naive.iter().map(String::as_str))
            .collect()
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

/// Lists the files and reads their footers; no file is an empty answer. `zone` is the warehouse's.
///
/// # Errors
/// Refused for a file that is not Parquet or is truncated, setup for a path that is a folder or in
/// a table of Delta, Hudi or Iceberg.
pub async fn find_files(source: &Source, date: NaiveDate, zone: Tz) -> Result<RawFiles> {
    let times = Times::of(source, zone);
    let folders = source
        .kind
        .events()
        .map_or_else(Folders::default, |events| events.day.folders);
    let (mut found, mut absent) = (BTreeMap::new(), Vec::new());
    let (store, patterns) = open_folders(&source.path, date, folders)?;
    refuse_table_format(&store).await?;
    for (pattern, days) in patterns {
        let files = list(&store, &pattern).await?;
        if files.is_empty() {
            absent.push((store.name_of(&pattern), days < 0));
        }
        for file in files {
            let folder = shifted(date, days);
            found.entry(file.path.clone()).or_insert((file, folder));
        }
    }
    let footers = found.into_values().map(|(found, folder)| {
        let notation = source.notation_of(&found.path);
        read_file(store.clone(), found, folder, times, notation)
    });
    let mut files: Vec<RawFile> = futures::stream::iter(footers)
        .buffered(FOOTERS_AT_ONCE)
        .try_collect()
        .await?;
    same_shapes(&mut files);
    let (schema, conflicts) = agree(&store, &files, &times);
    let schema = Arc::new(schema);
    let partition_columns = common_partitions(&files, &schema);
    Ok(RawFiles {
        store,
        files,
        schema,
        times,
        has_folders: !folders.is_one(),
        rejects_failures: false,
        absent,
        partition_columns,
        conflicts,
    })
}

/// The store that all folders are in, and the pattern of each with its days from the date.
fn open_folders(
    path: &str,
    date: NaiveDate,
    folders: Folders,
) -> Result<(Store, Vec<(String, i32)>)> {
    let path = path.trim_end_matches('/');
    if folders.is_one() {
        let (store, pattern) = open_pattern(&for_date(path, date))?;
        return Ok((store.for_stage(STAGE), vec![(pattern, 0)]));
    }
    // What is the same for every date ends where the first placeholder or wildcard begins.
    let same = path.find(['{', '*']).unwrap_or(path.len());
    let (store, name) = open_pattern(&format!("{}*", &path[..same]))?;
    let name = name.trim_end_matches('*');
    let pattern = |days| {
        let rest = for_date(&path[same..], shifted(date, days));
        (format!("{name}{rest}"), days)
    };
    let patterns = folders.days().map(pattern).collect();
    Ok((store.for_stage(STAGE), patterns))
}

async fn list(store: &Store, pattern: &str) -> Result<Vec<Found>> {
    let found = store.list(pattern).await?;
    if found.is_empty() {
        refuse_folder(store, pattern).await?;
    }
    Ok(found)
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
