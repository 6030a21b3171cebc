//! Codes of tag values: those of the newest release, and the next ones for values that are new
//! tonight.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, AsArray, BooleanBuilder, Date32Builder, Float64Builder, Int64Builder, RecordBatch,
    StringBuilder, UInt32Builder,
};
use arrow::datatypes::UInt32Type;
use arrow::error::ArrowError;
use futures::TryStreamExt;
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use rayon::slice::ParallelSlice;
use tagmill_engine::{Work, of_datafusion};
use tagmill_schemas::artifact::tag_values::Column;
use tagmill_schemas::artifact::{Columns, batch_of};
use tagmill_schemas::manifest::{FileEntry, Manifest};
use tagmill_schemas::{Artifact, Result, Value};

use super::tags_of_night::TagOfNight;
use super::unread::in_order;
use tagmill_night::TypedValues;
use tagmill_warehouse::artifact::{absorbed_parts, read_columns, typed_value};
use tagmill_warehouse::store::Store;

/// By app and tag the codes of its values.
pub type Codes = BTreeMap<(String, String), BTreeMap<Value, u32>>;

/// The codes that the newest release gave, and the files that they are in.
#[derive(Default)]
pub struct KnownCodes {
    /// All of them.
    pub codes: Codes,
    files: Vec<(FileEntry, Vec<RecordBatch>)>,
}

/// Reads the codes that the newest release gave.
///
/// # Errors
/// As [`read_columns`].
pub async fn load_codes(newest: Option<&Manifest>, store: &Store) -> Result<KnownCodes> {
    let mut known = KnownCodes::default();
    for file in newest
        .iter()
        .flat_map(|m| m.direct_files(Artifact::TagValues))
    {
        let batches: Vec<RecordBatch> = read_columns::<Column>(store, file, &[])
            .await?
            .try_collect()
            .await?;
        for batch in &batches {
            known.add(batch)?;
        }
        known.files.push((file.clone(), batches));
    }
    Ok(known)
}

impl KnownCodes {
    fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        let column = |column: Column| column.of(batch).map_err(failed);
        let (apps, tags) = (column(Column::App)?, column(Column::Tag)?);
        let (apps, tags) = (apps.as_string::<i32>(), tags.as_string::<i32>());
        let numbers = column(Column::Code)?.as_primitive::<UInt32Type>();
        for row in 0..batch.num_rows() {
            let Some(value) = typed_value(batch, row) else {
                continue;
            };
            self.codes
                .entry((apps.value(row).to_owned(), tags.value(row).to_owned()))
                .or_default()
                .insert(value, numbers.value(row));
        }
        Ok(())
    }

    /// The rows of the next file: `new` ones, and those of the smallest files as
    /// [`absorbed_parts`] has it, in the order of the key. Returns the paths of these files too.
    ///
    /// # Errors
    /// None in practice: more rows than a batch can hold.
    pub fn merge(mut self, new: Vec<RecordBatch>) -> Result<(Vec<RecordBatch>, Vec<String>)> {
        let rows = new.iter().map(|batch| batch.num_rows() as u64).sum();
        if rows == 0 {
            return Ok((new, Vec::new()));
        }
        self.files.sort_by_key(|(file, _)| file.rows);
        let absorbed = absorbed_parts(rows, self.files.iter().map(|(file, _)| file.rows));
        self.files.truncate(absorbed);
        let (files, batches): (Vec<_>, Vec<_>) = self.files.into_iter().unzip();
        if files.is_empty() {
            return Ok((new, Vec::new()));
        }
        let all: Vec<RecordBatch> = batches.into_iter().flatten().chain(new).collect();
        let paths = files.into_iter().map(|file| file.path).collect();
        Ok((in_order(Artifact::TagValues, &all)?, paths))
    }
}

/// Tags whose new values make a batch.
const TAGS: usize = 256;

/// New values get the next codes of their tag, in typed order: rows of `tag_values`.
///
/// # Errors
/// None in practice: more rows than a batch can hold.
pub fn new_codes(tags: &[TagOfNight<'_>], known: &Codes) -> Result<Vec<RecordBatch>, ArrowError> {
    let published: Vec<&TagOfNight<'_>> = tags.iter().filter(|tag| !tag.is_withheld()).collect();
    // Sources share the codes of a tag.
    let same: Vec<&[&TagOfNight<'_>]> = published.chunk_by(|a, b| a.key() == b.key()).collect();
    let new: Vec<NewValues<'_>> = same
        .par_iter()
        .filter_map(|tags| NewValues::of(tags, known))
        .collect();
    new.par_chunks(TAGS).map(rows_of).collect()
}

/// The values of one tag that have no code yet.
struct NewValues<'t> {
    key: [&'t str; 3],
    first: u32,
    values: TypedValues,
}

impl<'t> NewValues<'t> {
    fn of(tags: &[&TagOfNight<'t>], known: &Codes) -> Option<Self> {
        let tag = tags.first()?;
        let mut values =
            TypedValues::union(tag.value_type, tags.iter().flat_map(|tag| tag.values()));
        let codes = known.get(&(tag.app.to_owned(), tag.tag.to_owned()));
        if let Some(codes) = codes {
            values.retain(|value| !codes.contains_key(value));
        }
        let first = codes
            .and_then(|codes| codes.values().max())
            .map_or(0, |most| most + 1);
        Some(Self {
            key: [tag.app, tag.tag, tag.value_type.name()],
            first,
            values,
        })
    }
}

/// A column of each type at a time: most rows differ in one of them only.
fn rows_of(tags: &[NewValues<'_>]) -> Result<RecordBatch, ArrowError> {
    let mut keys = [
        StringBuilder::new(),
        StringBuilder::new(),
        StringBuilder::new(),
    ];
    let mut codes = UInt32Builder::new();
    let (mut strings, mut integers, mut doubles, mut dates, mut booleans) = (
        StringBuilder::new(),
        Int64Builder::new(),
        Float64Builder::new(),
        Date32Builder::new(),
        BooleanBuilder::new(),
    );
    for NewValues { key, first, values } in tags {
        let rows = values.count();
        keys.iter_mut()
            .zip(key)
            .for_each(|(column, text)| (0..rows).for_each(|_| column.append_value(text)));
        (*first..)
            .take(rows)
            .for_each(|code| codes.append_value(code));
        match values {
            TypedValues::String(values) => {
                values.iter().for_each(|value| strings.append_value(value))
            }
            _ => strings.append_nulls(rows),
        }
        match values {
            TypedValues::Integer(values) => integers.append_slice(values),
            _ => integers.append_nulls(rows),
        }
        match values {
            TypedValues::Double(values) => values
                .iter()
                .for_each(|bits| doubles.append_value(f64::from_bits(*bits))),
            _ => doubles.append_nulls(rows),
        }
        match values {
            TypedValues::Date(values) => dates.append_slice(values),
            _ => dates.append_nulls(rows),
        }
        match values {
            TypedValues::Boolean(values) => booleans.append_slice(values),
            _ => booleans.append_nulls(rows),
        }
    }
    let [mut apps, mut names, mut types] = keys;
    let columns: [(Column, ArrayRef); 9] = [
        (Column::App, Arc::new(apps.finish())),
        (Column::Tag, Arc::new(names.finish())),
        (Column::Type, Arc::new(types.finish())),
        (Column::ValueString, Arc::new(strings.finish())),
        (Column::ValueInteger, Arc::new(integers.finish())),
        (Column::ValueDouble, Arc::new(doubles.finish())),
        (Column::ValueDate, Arc::new(dates.finish())),
        (Column::ValueBoolean, Arc::new(booleans.finish())),
        (Column::Code, Arc::new(codes.finish())),
    ];
    batch_of(columns)
}

fn failed(error: ArrowError) -> tagmill_schemas::Error {
    of_datafusion(Work::Release, "roll-up", error)
}
