//! Rows of registry files: NDJSON, CSV with a header, Parquet; one JSON object each, whatever the
//! file's format.

use std::collections::HashSet;
use std::str;

use serde_json::{Map, Value as Json};
use tagmill_schemas::registry::{Placed, RowError};
use tagmill_schemas::{Error, Result};

use super::csv::{Record, Records};
use super::{Take, parquet};

/// What a file, or several, had in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rows<T> {
    /// The rows, in file order.
    pub rows: Vec<Placed<T>>,
    /// The rows that were not accepted, in file order.
    pub faults: Vec<Fault>,
}

/// A row that was not accepted, with as much of its identity as can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The file's path.
    pub file: String,
    /// The line, or the row number of a Parquet file, from 1.
    pub line: u64,
    /// The row's app, if it has one.
    pub app: Option<String>,
    /// The row's group, if it has one.
    pub group: Option<String>,
    /// The row's tag, if it has one.
    pub tag: Option<String>,
    /// What was found and what was expected.
    pub reason: String,
}

/// Reads a file whose format its name tells: `.ndjson`, `.jsonl`, `.json`, `.csv` or `.parquet`.
/// `parse` makes a row of an object, for example
/// [`GroupRow::from_json`](tagmill_schemas::registry::GroupRow::from_json). In CSV an empty field
/// is an absent key and everything else is text.
///
/// # Errors
/// A name with another ending, a CSV file without header, a Parquet file that can not be read.
pub fn read_rows<T>(
    file: &str,
    bytes: &[u8],
    parse: impl Fn(&Map<String, Json>) -> std::result::Result<T, RowError>,
) -> Result<Rows<T>> {
    let mut rows = Rows {
        rows: Vec::new(),
        faults: Vec::new(),
    };
    let mut take = |line: u64, object: std::result::Result<Map<String, Json>, String>| {
        let name = |key: &str| {
            object
                .as_ref()
                .ok()
                .and_then(|row| row.get(key)?.as_str())
                .filter(|name| !name.is_empty())
                .map(str::to_owned)
        };
        let parsed = object
            .as_ref()
            .map_err(Clone::clone)
            .and_then(|object| parse(object).map_err(|error| error.to_string()));
        match parsed {
            Ok(row) => rows.rows.push(Placed {
                row,
                file: file.to_owned(),
                line,
            }),
            Err(reason) => rows.faults.push(Fault {
                file: file.to_owned(),
                line,
                app: name("app"),
                group: name("group"),
                tag: name("tag"),
                reason,
            }),
        }
    };
    match file
        .rsplit_once('.')
        .map(|(_, ending)| ending.to_ascii_lowercase())
        .as_deref()
    {
        Some("ndjson" | "jsonl" | "json") => read_ndjson(bytes, &mut take),
        Some("csv") => read_csv(file, bytes, &mut take)?,
        Some("parquet") => parquet::read(file, bytes, &mut take)?,
        _ => {
            let error = Error::setup("registry", "unknown kind of file").at(file);
            return Err(error.fix("name it .ndjson, .csv or .parquet"));
        }
    }
    Ok(rows)
}

fn read_ndjson(bytes: &[u8], take: &mut Take<'_>) {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let object = match serde_json::from_slice(line) {
            Ok(Json::Object(object)) => Ok(object),
            Ok(_) => Err("expected a JSON object".to_owned()),
            Err(error) => Err(format!("expected a JSON object: {}", without_line(&error))),
        };
        take(index as u64 + 1, object);
    }
}

/// The parser counts lines from ours, where there is only one.
fn without_line(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let message = text
        .rsplit_once(" at line ")
        .map_or(text.as_str(), |(message, _)| message);
    format!("{message} at column {}", error.column())
}

/// The first columns of a header that may have thousands.
fn beginning(header: &[String]) -> String {
    let text: String = header.join(",").chars().take(200).collect();
    match header.len() {
        count if count > 20 => format!("{text:?} and so on, {count} columns"),
        _ => format!("{text:?}"),
    }
}

fn read_csv(file: &str, bytes: &[u8], take: &mut Take<'_>) -> Result<()> {
    let mut records = Records::of(bytes);
    let header = match records.next() {
        None => return Ok(()),
        Some(Record { fields, .. }) => fields.map_err(|reason| {
            Error::refused("registry", format!("the header has {reason}")).at(file)
        })?,
    };
    let mut names = HashSet::with_capacity(header.len());
    if let Some(name) = header.iter().find(|name| !names.insert(name.as_str())) {
        return Err(Error::refused("registry", format!("the header has {name:?} twice")).at(file));
    }
    if !header.iter().any(|name| name == "app") {
        take(
            1,
            Err(format!(
                "expected a header with the column app, found {}",
                beginning(&header)
            )),
        );
    }
    for Record { line, fields } in records {
        let object = match fields {
            Err(reason) => Err(format!("found {reason}")),
            Ok(fields) if fields.len() != header.len() => Err(format!(
                "found {} fields, expected {}",
                fields.len(),
                header.len()
            )),
            Ok(fields) => {
                let cells = header
                    .iter()
                    .zip(fields)
                    .filter(|(_, field)| !field.is_empty());
                Ok(cells
                    .map(|(name, field)| (name.clone(), Json::String(field)))
                    .collect())
            }
        };
        take(line, object);
    }
    Ok(())
}
