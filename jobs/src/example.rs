//! A small project that works: a configuration, a rule and the customers of a shop on one day. Always
//! the same bytes.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use datafusion::parquet::arrow::ArrowWriter;
use tagmill_schemas::{Error, Result};

const STAGE: &str = "init";

/// The day that has data.
pub const DATE: &str = "2026-01-15";
/// The only app.
pub const APP: &str = "shop";
/// A rule that is not the one in the file.
pub const RULE: &str = "city = 'Bergen' AND age BETWEEN 30 AND 50";

const CONFIGURATION: &str = r#"version = 1

[warehouse]
url       = "warehouse"               # a folder, beside this file; or s3://bucket/prefix
shards    = 1                         # 16 when not given: 1 to 8 million users each
time_zone = "Europe/Oslo"             # what a day is
id_scope  = "app"                     # equal ids in two apps are two users

[groups]
rules = "groups/*.ndjson"             # one JSON object a line

[[source]]
name    = "customers"
kind    = "attributes"                # a row per user
path    = "raw/customers/dt={date}/*.parquet"
columns = { app = "'shop'", user = "customer" }

[[tag]]
name   = "city"
source = "customers"
type   = "string"                     # string, integer, double, date or boolean
value  = "city"                       # SQL over the file's columns

[[tag]]
name   = "age"
source = "customers"
type   = "integer"
value  = "age"
"#;

const RULES: &str =
    "{\"app\":\"shop\",\"group\":\"young_in_oslo\",\"rule\":\"city = 'Oslo' AND age < 40\"}\n";

const CUSTOMERS: i64 = 60;
const CITIES: [&str; 4] = ["Oslo", "Bergen", "Oslo", "Tromsø"];

/// Writes the project into a folder that is empty or not there.
///
/// # Errors
/// Setup for a folder that has something, or that can not be written.
pub fn write(folder: &Path) -> Result<()> {
    let is_empty = fs::read_dir(folder).map_or(true, |mut entries| entries.next().is_none());
    if !is_empty {
        let what = "found files, expected a folder that is empty or not there";
        return Err(Error::setup(STAGE, what)
            .at(folder.display().to_string())
            .fix("name another folder"));
    }
    let raw = format!("raw/customers/dt={DATE}/part-0.parquet");
    put(folder, &raw, &customers()?)?;
    put(folder, "groups/shop.ndjson", RULES.as_bytes())?;
    put(folder, "warehouse.toml", CONFIGURATION.as_bytes())
}

fn put(folder: &Path, name: &str, bytes: &[u8]) -> Result<()> {
    let path = folder.join(name);
    let parents = path.parent().map_or(Ok(()), fs::create_dir_all);
    parents.and_then(|()| fs::write(&path, bytes)).map_err(|e| {
        Error::setup(STAGE, "the example can not be written")
            .at(path.display().to_string())
            .because(e)
    })
}

/// Parquet with customer, city and age; some cities are not known.
fn customers() -> Result<Vec<u8>> {
    let ids = (0..CUSTOMERS).map(|i| format!("c{i:03}"));
    let city = |i: i64| (i % 12 != 11).then(|| CITIES[((i * 7 + i / 5) % 4) as usize]);
    let columns: [(&str, ArrayRef); 3] = [
        ("customer", Arc::new(StringArray::from_iter_values(ids))),
        (
            "city",
            Arc::new((0..CUSTOMERS).map(city).collect::<StringArray>()),
        ),
        (
            "age",
            Arc::new(Int64Array::from_iter_values(
                (0..CUSTOMERS).map(|i| 18 + i * 13 % 50),
            )),
        ),
    ];
    let columns = columns.map(|(name, values)| (name, values, true));
    let failed = |e: String| Error::setup(STAGE, "the example can not be made").because(e);
    let batch =
        RecordBatch::try_from_iter_with_nullable(columns).map_err(|e| failed(e.to_string()))?;
    let mut bytes = Vec::new();
    let written = ArrowWriter::try_new(&mut bytes, batch.schema(), None).and_then(|mut writer| {
        writer.write(&batch)?;
        writer.close()
    });
    written.map_err(|e| failed(e.to_string()))?;
    Ok(bytes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_has_something_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        write(&folder.path().join("new")).unwrap();
        let before = fs::read(folder.path().join("new/warehouse.toml")).unwrap();
        let error = write(&folder.path().join("new")).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("expected a folder that is empty"),
            "{error}"
        );
        assert_eq!(
            fs::read(folder.path().join("new/warehouse.toml")).unwrap(),
            before
        );
    }

    #[test]
    fn the_data_is_the_same_every_time() {
        assert_eq!(customers().unwrap(), customers().unwrap());
    }
}
