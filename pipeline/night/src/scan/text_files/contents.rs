//! What a file of text has, as a footer would say it: its records, counted, and its columns.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::error::Result as DataFusionResult;
use tagmill_engine::{Work, of_datafusion};
use tagmill_schemas::config::{FileFormat, FileNotation};
use tagmill_schemas::{Error, Result};

use super::chunks::Packed;
use super::ndjson::{Shape, shapes_of};
use super::records::{Found, Records};
use crate::scan::files::RawFile;

const STAGE: &str = "scan";
const OTHER_ENCODINGS: [&[u8]; 2] = [b"\xff\xfe", b"\xfe\xff"];

/// The records and columns of a file.
#[derive(Debug)]
pub struct Contents {
    /// Records, and lines that are none.
    pub rows: u64,
    /// Every column: of CSV text, in the order of the file; of NDJSON text, a list of texts, or
    /// null, in the order in which lines name them.
    pub schema: SchemaRef,
}

/// Reads a file to its end.
///
/// # Errors
/// Refused for a file whose line of names can not be read, in another encoding or that can not be unpacked;
/// those of the store.
pub async fn contents(file: Packed, notation: FileNotation) -> Result<Contents> {
    let mut records = Records::of(&file, notation).map_err(failed)?;
    match notation.format {
        FileFormat::Csv => of_csv(&file, &mut records).await,
        _ => of_ndjson(&file, &mut records).await,
    }
}

fn failed(error: datafusion::error::DataFusionError) -> Error {
    of_datafusion(Work::RawData, STAGE, error)
}

fn refused(file: &Packed, what: impl Into<String>, fix: &'static str) -> Error {
    Error::refused(STAGE, what).at(file.name.clone()).fix(fix)
}

async fn of_csv(file: &Packed, records: &mut Records) -> Result<Contents> {
    let fix = "write the file again, with the names of its columns in the first line, in UTF-8";
    let line = match records.next().await.map_err(failed)? {
        Some(Found::Record(line)) => line,
        // A file of nothing has no rows, of whatever columns.
        None => {
            return Ok(Contents {
                rows: 0,
                schema: Arc::new(Schema::empty()),
            });
        }
        Some(Found::Unreadable(_) | Found::Nothing) => {
            return Err(refused(
                file,
                "found no line of names, expected CSV whose first line names its columns",
                fix,
            ));
        }
    };
    check_encoding(file, records.text(line))?;
    let names = (0..records.fields()).map(|at| std::str::from_utf8(records.field(at)));
    let names: Vec<String> = names
        .map(|name| name.map(|name| name.trim().to_owned()))
        .collect::<std::result::Result<_, _>>()
        .map_err(|e| refused(file, "found names of columns that are not UTF-8", fix).because(e))?;
    records.expect_fields(names.len());
    let rows = count(records, |_| {}).await.map_err(failed)?;
    let text = |name: String| Field::new(name, DataType::Utf8View, true);
    let fields: Vec<Field> = names.into_iter().map(text).collect();
    Ok(Contents {
        rows,
        schema: Arc::new(Schema::new(fields)),
    })
}

async fn of_ndjson(file: &Packed, records: &mut Records) -> Result<Contents> {
    let (mut names, mut shapes) = (Vec::new(), BTreeMap::<String, Shape>::new());
    let mut first: Option<Vec<u8>> = None;
    let rows = count(records, |line| {
        first.get_or_insert_with(|| line[..line.len().min(2)].to_vec());
        for (name, shape) in shapes_of(line).unwrap_or_default() {
            match shapes.get_mut(&name) {
                Some(known) => *known = known.or(shape),
                None => {
                    names.push(name.clone());
                    shapes.insert(name, shape);
                }
            }
        }
    });
    let rows = rows.await.map_err(failed)?;
    let first = first.unwrap_or_default();
    check_encoding(file, &first)?;
    if first.starts_with(b"[") && names.is_empty() {
        let fix = "write one object a line, as with jq -c '.[]'";
        return Err(refused(
            file,
            "found a JSON list, expected an object a line",
            fix,
        ));
    }
    let fields: Vec<Field> = names
        .into_iter()
        .map(|name| {
            let shape = shapes.get(&name).copied().unwrap_or_default();
            Field::new(name, type_of(shape), true)
        })
        .collect();
    Ok(Contents {
        rows,
        schema: Arc::new(Schema::new(fields)),
    })
}

/// The records that follow, and lines that are none; each record is shown.
async fn count(records: &mut Records, mut each: impl FnMut(&[u8])) -> DataFusionResult<u64> {
    let mut rows = 0;
    while let Some(found) = records.next().await? {
        if let Found::Record(text) = found {
            each(records.text(text));
        }
        rows += 1;
    }
    Ok(rows)
}

fn check_encoding(file: &Packed, beginning: &[u8]) -> Result<()> {
    match OTHER_ENCODINGS
        .iter()
        .any(|mark| beginning.starts_with(mark))
    {
        false => Ok(()),
        true => Err(refused(
            file,
            "found UTF-16, expected UTF-8",
            "write the file again, in UTF-8",
        )),
    }
}

fn type_of(shape: Shape) -> DataType {
    match shape {
        Shape::Nothing => DataType::Null,
        Shape::List => DataType::new_list(DataType::Utf8, true),
        Shape::Text => DataType::Utf8View,
    }
}

/// Makes a column text in all files of NDJSON where it is text in one of them.
pub fn same_shapes(files: &mut [RawFile]) {
    let is_ndjson = |file: &RawFile| file.notation.format == FileFormat::Ndjson;
    let texts: std::collections::BTreeSet<String> = files
        .iter()
        .filter(|file| is_ndjson(file))
        .flat_map(|file| file.schema.fields().iter())
        .filter(|field| field.data_type().is_string())
        .map(|field| field.name().clone())
        .collect();
    for file in files.iter_mut().filter(|file| is_ndjson(file)) {
        let fields = file.schema.fields().iter().map(|field| {
            match texts.contains(field.name()) && matches!(field.data_type(), DataType::List(_)) {
                true => Arc::new(field.as_ref().clone().with_data_type(DataType::Utf8View)),
                false => Arc::clone(field),
            }
        });
        file.schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    }
}
