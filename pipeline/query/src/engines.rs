//! Ready statements for other engines: exactly the files of one artifact in one release, since
//! globbing would mix releases.
//!
//! ```text
//! ClickHouse  CREATE OR REPLACE VIEW tags AS SELECT `app`, … FROM file('/w/tags/{a,b}', 'Parquet')
//! DuckDB      CREATE OR REPLACE VIEW tags AS SELECT "app", … FROM read_parquet(['…', '…'], hive_partitioning = false)
//! Spark       spark.read.parquet("…", "…").selectExpr("`app`", …).createOrReplaceTempView("tags")      (Python and Scala)
//! ```
//! Folders of older releases have the form `key=value`: engines must not take them for columns.

use arrow::datatypes::{DataType, Field, FieldRef};
use tagmill_schemas::Artifact;
use tagmill_schemas::error::{Error, Result};
use tagmill_schemas::manifest::FileEntry;

use tagmill_warehouse::store::Store;

use crate::computed::{WEIGHT, has_weight, weight_text};

const STAGE: &str = "files";

/// An engine that reads Parquet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// ClickHouse, clickhouse-local, chDB.
    ClickHouse,
    /// DuckDB.
    DuckDb,
    /// Spark, in Python or Scala.
    Spark,
}

/// One statement that makes a view of an artifact's files, which are among `files`. Without a file it is a view
/// without rows: one of an earlier release must not answer in its place.
///
/// # Errors
/// Setup when the engine can not name files of this store.
pub fn statement(
    store: &Store,
    files: &[FileEntry],
    artifact: Artifact,
    engine: Engine,
) -> Result<String> {
    let paths: Vec<&str> = files
        .iter()
        .filter(|file| file.artifact == artifact)
        .map(|file| file.path.as_str())
        .collect();
    let place = Place::of(store)?;
    let name = artifact.name();
    if paths.is_empty() {
        return Ok(without_rows(artifact, engine));
    }
    Ok(match engine {
        Engine::DuckDb => {
            let files: Vec<String> = paths
                .iter()
                .map(|path| sql_text(&place.duckdb(path)))
                .collect();
            format!(
                "CREATE OR REPLACE VIEW {name} AS SELECT {} FROM read_parquet([{}], \
                 hive_partitioning = false);",
                columns_of(artifact, engine).join(", "),
                files.join(", ")
            )
        }
        Engine::Spark => {
            let files: Vec<String> = paths
                .iter()
                .map(|path| json_text(&place.spark(path)))
                .collect();
            format!(
                "spark.read.parquet({}).selectExpr({}).createOrReplaceTempView(\"{name}\")",
                files.join(", "),
                columns_of(artifact, engine)
                    .iter()
                    .map(|column| json_text(column))
                    .collect::<Vec<_>>()
                    .join(", ")
            )
        }
        Engine::ClickHouse => {
            let source = place.clickhouse(&paths)?;
            format!(
                "CREATE OR REPLACE VIEW {name} AS SELECT {} FROM {source} SETTINGS \
                 use_hive_partitioning = 0;",
                columns_of(artifact, engine).join(", ")
            )
        }
    })
}

/// The artifact's columns by name, as files of older versions can have more, and what is computed
/// from them.
fn columns_of(artifact: Artifact, engine: Engine) -> Vec<String> {
    let (quote, double) = match engine {
        Engine::ClickHouse => ('`', "Float64"),
        Engine::DuckDb => ('"', "DOUBLE"),
        Engine::Spark => ('`', "DOUBLE"),
    };
    let own = artifact
        .columns()
        .iter()
        .map(|column| format!("{quote}{}{quote}", column.name));
    let weight = has_weight(artifact).then(|| weight_text(quote, double));
    let uid = uid_of(artifact, engine).map(|uid| format!("{uid} AS uid"));
    own.chain(weight).chain(uid).collect()
}

/// A user's number of its halves, in 64 bits: engines that shift in the operand's own width would lose
/// the shard.
fn uid_of(artifact: Artifact, engine: Engine) -> Option<&'static str> {
    (artifact == Artifact::Users).then_some(match engine {
        Engine::ClickHouse => "bitOr(bitShiftLeft(toUInt64(shard), 32), toUInt64(ordinal))",
        Engine::DuckDb => "(CAST(shard AS UBIGINT) << 32) | CAST(ordinal AS UBIGINT)",
        Engine::Spark => "shiftleft(CAST(shard AS BIGINT), 32) | CAST(ordinal AS BIGINT)",
    })
}

/// A view with the columns of the artifact and no rows.
fn without_rows(artifact: Artifact, engine: Engine) -> String {
    let (name, schema) = (artifact.name(), artifact.schema());
    let weight: FieldRef = Field::new(WEIGHT, DataType::Float64, true).into();
    let weight = has_weight(artifact).then_some(&weight);
    let uid: FieldRef = Field::new("uid", DataType::UInt64, true).into();
    let uid = uid_of(artifact, engine).map(|_| &uid);
    let column = |field: &FieldRef| {
        let (clickhouse, duckdb, spark) = types_of(field.data_type());
        match engine {
            Engine::ClickHouse => {
                format!("CAST(NULL AS Nullable({clickhouse})) AS {}", field.name())
            }
            Engine::DuckDb => format!("CAST(NULL AS {duckdb}) AS {}", field.name()),
            Engine::Spark => format!("CAST(NULL AS {spark}) AS {}", field.name()),
        }
    };
    let select = format!(
        "SELECT {} WHERE 1 = 0",
        schema
            .fields()
            .iter()
            .chain(weight)
            .chain(uid)
            .map(column)
            .collect::<Vec<_>>()
            .join(", ")
    );
    match engine {
        Engine::ClickHouse | Engine::DuckDb => {
            format!("CREATE OR REPLACE VIEW {name} AS {select};")
        }
        Engine::Spark => format!(
            "spark.sql({}).createOrReplaceTempView(\"{name}\")",
            json_text(&select)
        ),
    }
}

/// A type as ClickHouse, DuckDB and Spark read it from Parquet. Spark has no unsigned integers.
fn types_of(data_type: &DataType) -> (&'static str, &'static str, &'static str) {
    match data_type {
        DataType::Boolean => ("Bool", "BOOLEAN", "BOOLEAN"),
        DataType::Int8 => ("Int8", "TINYINT", "TINYINT"),
        DataType::Int16 => ("Int16", "SMALLINT", "SMALLINT"),
        DataType::Int32 => ("Int32", "INTEGER", "INT"),
        DataType::Int64 => ("Int64", "BIGINT", "BIGINT"),
        DataType::UInt8 => ("UInt8", "UTINYINT", "SMALLINT"),
        DataType::UInt16 => ("UInt16", "USMALLINT", "INT"),
        DataType::UInt32 => ("UInt32", "UINTEGER", "BIGINT"),
        DataType::UInt64 => ("UInt64", "UBIGINT", "DECIMAL(20, 0)"),
        DataType::Float64 => ("Float64", "DOUBLE", "DOUBLE"),
        DataType::Date32 => ("Date32", "DATE", "DATE"),
        DataType::Timestamp(..) => ("DateTime64(6, 'UTC')", "TIMESTAMPTZ", "TIMESTAMP"),
        DataType::FixedSizeBinary(_) | DataType::Binary => ("String", "BLOB", "BINARY"),
        _ => ("String", "VARCHAR", "STRING"),
    }
}

/// Where a store is, as engines spell it.
enum Place {
    Local(String),
    S3 { bucket: String, key: String },
    Gcs { bucket: String, key: String },
    Http(String),
}

impl Place {
    fn of(store: &Store) -> Result<Self> {
        let root = store.root().as_ref();
        let key = if root.is_empty() {
            String::new()
        } else {
            format!("{root}/")
        };
        match store.base().split_once("://") {
            Some(("file", _)) => Ok(Self::Local(format!("/{key}"))),
            Some(("s3", bucket)) => Ok(Self::S3 {
                bucket: bucket.to_owned(),
                key,
            }),
            Some(("gs", bucket)) => Ok(Self::Gcs {
                bucket: bucket.to_owned(),
                key,
            }),
            Some(("http" | "https", _)) => Ok(Self::Http(format!("{}/{key}", store.base()))),
            _ => {
                Err(Error::setup(STAGE, "other engines can not read this store")
                    .at(store.name_of("")))
            }
        }
    }

    fn duckdb(&self, path: &str) -> String {
        match self {
            Self::Local(root) | Self::Http(root) => format!("{root}{path}"),
            Self::S3 { bucket, key } => format!("s3://{bucket}/{key}{path}"),
            Self::Gcs { bucket, key } => format!("gs://{bucket}/{key}{path}"),
        }
    }

    fn spark(&self, path: &str) -> String {
        match self {
            Self::Local(root) => format!("file://{root}{path}"),
            Self::Http(root) => format!("{root}{path}"),
            Self::S3 { bucket, key } => format!("s3a://{bucket}/{key}{path}"),
            Self::Gcs { bucket, key } => format!("gs://{bucket}/{key}{path}"),
        }
    }

    /// A table function over one path with alternatives: `prefix{a,b}`.
    fn clickhouse(&self, paths: &[&str]) -> Result<String> {
        let (function, prefix) = match self {
            Self::Local(root) => ("file", root.clone()),
            Self::Http(root) => ("url", root.clone()),
            Self::S3 { bucket, key } => ("s3", format!("{}/{key}", s3_endpoint(bucket))),
            Self::Gcs { bucket, key } => (
                "gcs",
                format!("https://storage.googleapis.com/{bucket}/{key}"),
            ),
        };
        if prefix.contains(['{', '}', '*', '?', ',']) {
            return Err(Error::setup(
                STAGE,
                "ClickHouse takes characters of this path for wildcards",
            )
            .at(prefix)
            .fix("use a warehouse path without { } * ? ,"));
        }
        let files = match paths {
            [path] => (*path).to_owned(),
            _ => format!("{{{}}}", paths.join(",")),
        };
        Ok(format!(
            "{function}({}, 'Parquet')",
            sql_text(&format!("{prefix}{files}").replace('\\', "\\\\"))
        ))
    }
}

/// The endpoint the bucket is reached by: the one in the environment, or Amazon's.
fn s3_endpoint(bucket: &str) -> String {
    let custom = ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"]
        .iter()
        .find_map(|name| std::env::var(name).ok());
    match custom {
        Some(endpoint) => format!("{}/{bucket}", endpoint.trim_end_matches('/')),
        None => format!("https://{bucket}.s3.amazonaws.com"),
    }
}

/// A literal of standard SQL; ClickHouse wants backslashes doubled besides.
fn sql_text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn json_text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
