//! The raw sources of one date as tables of the schema `raw`: `SELECT * FROM raw.profiles`.
//!
//! Reads folders and footers when a table is first named, rows when it is queried; writes nothing.
//! A source without files for the date is a table that says so when it is queried, so that one
//! absent source does not spoil `SHOW COLUMNS` of the rest. Floats are read as the night reads them
//! in expressions: not-a-number is null, -0.0 is 0.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use async_trait::async_trait;
use chrono::NaiveDate;
use datafusion::catalog::{SchemaProvider, Session, TableProvider};
use datafusion::common::ScalarValue;
use datafusion::datasource::ViewTable;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::metadata::DFParquetMetadata;
use datafusion::datasource::provider_as_source;
use datafusion::error::Result;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, TableType, ident};
use datafusion::parquet::errors::ParquetError;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::SessionContext;
use futures::{StreamExt, TryStreamExt};
use object_store::ObjectMeta;
use tagmill_engine::{PlainFloat, Work, external, of_datafusion};
use tagmill_schemas::config::{FileFormat, Source, for_date};
use tagmill_schemas::{Config, Error};

use super::{FileTable, STAGE, failed};
use tagmill_warehouse::artifact::decode_guarded;
use tagmill_warehouse::store::{Promise, Store, open_pattern, partitions_of, refuse_table_format};

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
    let sources = config
        .sources
        .iter()
        .map(|source| (source.name.clone(), source.clone()))
        .collect();
    let schema = RawSchema {
        sources,
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
    sources: BTreeMap<String, Source>,
    date: NaiveDate,
    runtime: Arc<RuntimeEnv>,
    /// Tables already looked up: one listing per session, so two queries see the same files.
    found: Mutex<HashMap<String, Arc<dyn TableProvider>>>,
}

#[async_trait]
impl SchemaProvider for RawSchema {
    fn table_names(&self) -> Vec<String> {
        self.sources.keys().cloned().collect()
    }

    fn table_exist(&self, name: &str) -> bool {
        self.sources.contains_key(name)
    }

    async fn table_type(&self, name: &str) -> Result<Option<TableType>> {
        Ok(self.table_exist(name).then_some(TableType::Base))
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        let Some(source) = self.sources.get(name) else {
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
        let table: Arc<dyn TableProvider> = match self.look_up(source).await {
            Ok(table) => table,
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
    async fn look_up(&self, source: &Source) -> tagmill_schemas::Result<Arc<dyn TableProvider>> {
        let (store, pattern) = open_pattern(&for_date(&source.path, self.date))?;
        refuse_table_format(&store).await?;
        let found = store.list(&pattern).await?;
        for file in &found {
            refuse_text(source, &store.name_of(&file.path))?;
        }
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
        with_plain_floats(table(self.register_store(&store)?, &schema, files)).map_err(failed)
    }

    fn register_store(&self, store: &Store) -> tagmill_schemas::Result<ObjectStoreUrl> {
        if store.is_local() {
            return Ok(ObjectStoreUrl::local_filesystem());
        }
        let url = ObjectStoreUrl::parse(store.base()).map_err(failed)?;
        self.runtime
            .register_object_store(url.as_ref(), store.explained(Promise::Listed));
        Ok(url)
    }
}

/// Tables are read by DataFusion alone, which ends at the first line that is no record.
fn refuse_text(source: &Source, file: &str) -> tagmill_schemas::Result<()> {
    let format = source.notation_of(file).format;
    match format {
        FileFormat::Parquet => Ok(()),
        FileFormat::Csv | FileFormat::Ndjson => {
            let word = format.name();
            let what = format!("found {word}, expected Parquet: tables of raw.* are Parquet only");
            Err(Error::setup(STAGE, what).at(file))
        }
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
    let mut widest: HashMap<String, DataType> = HashMap::new();
    for field in schemas.iter().flat_map(|schema| schema.fields().iter()) {
        let known = widest
            .entry(field.name().clone())
            .or_insert_with(|| field.data_type().clone());
        if let Some(wider) = wider(known, field.data_type()) {
            *known = wider;
        }
    }
    let widened = |schema: Schema| {
        let field = |field: &FieldRef| match widest.get(field.name()) {
            Some(wide) if is_number(field.data_type()) => {
                Arc::new(field.as_ref().clone().with_data_type(wide.clone()))
            }
            _ => Arc::clone(field),
        };
        Schema::new(schema.fields().iter().map(field).collect::<Vec<_>>())
    };
    Schema::try_merge(schemas.into_iter().map(widened))
        .map_err(|e| Error::refused(STAGE, "its files disagree on a column").because(e))
}

fn is_number(data_type: &DataType) -> bool {
    data_type.is_integer() || data_type.is_floating()
}

/// The type that holds the numbers of both columns.
fn wider(a: &DataType, b: &DataType) -> Option<DataType> {
    if a == b || !is_number(a) || !is_number(b) {
        return None;
    }
    Some(match (a.is_floating() || b.is_floating(), a, b) {
        (true, ..) => DataType::Float64,
        // No integer type holds both.
        (_, DataType::UInt64, other) | (_, other, DataType::UInt64)
            if other.is_signed_integer() =>
        {
            DataType::Decimal128(20, 0)
        }
        (_, DataType::UInt64, _) | (_, _, DataType::UInt64) => DataType::UInt64,
        _ => DataType::Int64,
    })
}

/// The table with its floats as they count. A filter on one of them is asked of every row:
/// statistics know nothing of not-a-number.
fn with_plain_floats(table: FileTable) -> Result<Arc<dyn TableProvider>> {
    let schema = table.schema();
    let floats = || {
        schema
            .fields()
            .iter()
            .filter(|f| f.data_type().is_floating())
    };
    let table = Arc::new(table);
    if floats().next().is_none() {
        return Ok(table);
    }
    let columns = schema.fields().iter().map(|field| {
        let column = ident(field.name());
        match field.data_type().is_floating() {
            true => PlainFloat::call(column).alias(field.name()),
            false => column,
        }
    });
    let plan = LogicalPlanBuilder::scan(RAW_SCHEMA, provider_as_source(table), None)?
        .project(columns)?
        .build()?;
    Ok(Arc::new(ViewTable::new(plan, None)))
}

async fn schema_of(store: Store, file: ObjectMeta) -> tagmill_schemas::Result<Schema> {
    let objects = store.explained(Promise::Listed);
    let read = async {
        let footer = DFParquetMetadata::new(objects.as_ref(), &file);
        let schema = footer.fetch_schema().await;
        schema.map_err(|e| ParquetError::External(Box::new(e)))
    };
    let schema = decode_guarded(read).await.map_err(|e| {
        let name = format!("{}/{}", store.base(), file.location);
        let error = of_datafusion(Work::RawData, STAGE, e);
        match error.place() {
            Some(_) => error,
            None => error.at(name),
        }
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
