//! The raw sources of one date as tables of the schema `raw`: `SELECT * FROM raw.profiles`.
//!
//! Reads folders and footers when a table is first named, rows when it is queried; writes nothing.
//! A source without files for the date is a table that says so when it is queried, so that one
//! absent source does not spoil `SHOW COLUMNS` of the rest.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use async_trait::async_trait;
use chrono::NaiveDate;
use datafusion::catalog::{SchemaProvider, Session, TableProvider};
use datafusion::common::ScalarValue;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::metadata::DFParquetMetadata;
use datafusion::error::Result;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::SessionContext;
use futures::{StreamExt, TryStreamExt};
use object_store::ObjectMeta;
use tagmill_engine::external;
use tagmill_schemas::config::for_date;
use tagmill_schemas::{Config, Error};

use super::{FileTable, STAGE, failed};
use tagmill_warehouse::store::{Store, open_pattern, partitions_of};

/// The schema that holds the raw sources.
pub const RAW_SCHEMA: &str = "raw";

/// Footers read at a time.
const FOOTERS_AT_ONCE: usize = 16;

/// Registers the configuration's sources, as of `date`, as the tables of schema `raw`. Nothing is
/// read yet.
///
/// # Errors
/// Setup when `ctx` has no catalog to add a schema to.
pub fn register_raw(
    ctx: &SessionContext,
    config: &Config,
    date: NaiveDate,
) -> tagmill_schemas::Result<()> {
    let paths = config
        .sources
        .iter()
        .map(|source| (source.name.clone(), source.path.clone()))
        .collect();
    let schema = RawSchema {
        paths,
        date,
        runtime: ctx.runtime_env(),
        found: Mutex::default(),
    };
    let name = ctx.state().config_options().catalog.default_catalog.clone();
    let catalog = ctx
        .catalog(&name)
        .ok_or_else(|| Error::setup(STAGE, format!("found no catalog {name:?} in the session")))?;
    catalog
        .register_schema(RAW_SCHEMA, Arc::new(schema))
        .map_err(failed)?;
    Ok(())
}

#[derive(Debug)]
struct RawSchema {
    paths: BTreeMap<String, String>,
    date: NaiveDate,
    runtime: Arc<RuntimeEnv>,
    /// Tables already looked up: one listing per session, so two queries see the same files.
    found: Mutex<HashMap<String, Arc<dyn TableProvider>>>,
}

#[async_trait]
impl SchemaProvider for RawSchema {
    fn table_names(&self) -> Vec<String> {
        self.paths.keys().cloned().collect()
    }

    fn table_exist(&self, name: &str) -> bool {
        self.paths.contains_key(name)
    }

    async fn table_type(&self, name: &str) -> Result<Option<TableType>> {
        Ok(self.table_exist(name).then_some(TableType::Base))
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        let Some(path) = self.paths.get(name) else {
            return Ok(None);
        };
        if let Some(table) = self
            .found
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(name)
        {
            return Ok(Some(Arc::clone(table)));
        }
        let table: Arc<dyn TableProvider> = match self.look_up(path).await {
            Ok(table) => Arc::new(table),
            Err(error) => Arc::new(Absent::new(
                &format!("source {name} of {}", self.date),
                &error,
            )),
        };
        self.found
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(name.to_owned(), Arc::clone(&table));
        Ok(Some(table))
    }
}

impl RawSchema {
    async fn look_up(&self, path: &str) -> tagmill_schemas::Result<FileTable> {
        let (store, pattern) = open_pattern(&for_date(path, self.date))?;
        let found = store.list(&pattern).await?;
        let files = found.into_iter().filter(|file| file.size > 0).map(|file| {
            Ok(ObjectMeta {
                location: store.location(&file.path)?,
                last_modified: file.modified,
                size: file.size,
                e_tag: file.etag,
                version: None,
            })
        });
        let files: Vec<_> = files.collect::<tagmill_schemas::Result<_>>()?;
        if files.is_empty() {
            return Err(Error::retry(STAGE, "found no file").at(store.name_of(&pattern)));
        }
        let schema = merged_schema(&store, &files).await?;
        Ok(table(self.register_store(&store)?, &schema, files))
    }

    fn register_store(&self, store: &Store) -> tagmill_schemas::Result<ObjectStoreUrl> {
        if store.is_local() {
            return Ok(ObjectStoreUrl::local_filesystem());
        }
        let url = ObjectStoreUrl::parse(store.base()).map_err(failed)?;
        self.runtime
            .register_object_store(url.as_ref(), Arc::clone(store.objects()));
        Ok(url)
    }
}

async fn merged_schema(store: &Store, files: &[ObjectMeta]) -> tagmill_schemas::Result<Schema> {
    let footers: Vec<_> = files
        .iter()
        .map(|file| schema_of(store.clone(), file.clone()))
        .collect();
    let schemas: Vec<Schema> = futures::stream::iter(footers)
        .buffered(FOOTERS_AT_ONCE)
        .try_collect()
        .await?;
    Schema::try_merge(schemas)
        .map_err(|e| Error::refused(STAGE, "its files disagree on a column").because(e))
}

async fn schema_of(store: Store, file: ObjectMeta) -> tagmill_schemas::Result<Schema> {
    let schema = DFParquetMetadata::new(store.objects().as_ref(), &file)
        .fetch_schema()
        .await;
    let schema = schema.map_err(|e| {
        Error::refused(STAGE, "the footer can not be read")
            .at(file.location.to_string())
            .because(e)
    })?;
    // Writers' key-value metadata differs from file to file and is no part of a table.
    Ok(Schema::new(schema.fields))
}

/// The files with the `key=value` folders of their paths as columns, where no column of the files
/// has that name.
fn table(url: ObjectStoreUrl, schema: &Schema, files: Vec<ObjectMeta>) -> FileTable {
    let mut keys: Vec<String> = files
        .iter()
        .flat_map(|file| partitions_of(file.location.as_ref()))
        .map(|(key, _)| key)
        .collect();
    keys.sort();
    keys.dedup();
    keys.retain(|key| schema.index_of(key).is_err());
    let columns = keys
        .iter()
        .map(|key| -> FieldRef { Arc::new(Field::new(key, DataType::Utf8, true)) })
        .collect();
    let file = |meta: ObjectMeta| {
        let found: HashMap<_, _> = partitions_of(meta.location.as_ref()).into_iter().collect();
        let values = keys
            .iter()
            .map(|key| ScalarValue::Utf8(found.get(key).cloned().flatten()))
            .collect();
        PartitionedFile::new_from_meta(meta.clone()).with_partition_values(values)
    };
    FileTable::new(url, schema, columns, files.into_iter().map(file).collect())
}

/// What stands for a source that can not be read: one column, and the reason as the error of any
/// query.
#[derive(Debug)]
struct Absent {
    error: Error,
    schema: SchemaRef,
}

impl Absent {
    fn new(source: &str, error: &Error) -> Self {
        let cause = std::error::Error::source(error)
            .map(|cause| format!(": {cause}"))
            .unwrap_or_default();
        let what = format!("{source}: {}{cause}", error.what());
        let schema = Arc::new(Schema::new(vec![Field::new(
            "unavailable",
            DataType::Utf8,
            true,
        )]));
        let place = error.place().unwrap_or_default();
        Self {
            error: Error::new(error.kind(), "sql", what).at(place),
            schema,
        }
    }
}

#[async_trait]
impl TableProvider for Absent {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        _: &dyn Session,
        _: Option<&Vec<usize>>,
        _: &[Expr],
        _: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Err(external(self.error.clone()))
    }
}
