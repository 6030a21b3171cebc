//! The raw files of one source as a DataFusion table: exactly the files that were listed, split
//! into equal byte ranges.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::catalog::TableProvider;
use datafusion::common::ScalarValue;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::object_store::ObjectStoreUrl;
use datafusion::datasource::physical_plan::{
    FileGroup, FileGroupPartitioner, FileScanConfigBuilder, ParquetSource,
};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::error::Result;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;
use tagmill_schemas::Error;

use super::as_bytes::BytesReaders;
use super::files::{RawFile, RawFiles};
use crate::plan::columns::FOLDER_COLUMN;
use tagmill_engine::external;
use tagmill_warehouse::store::{Promise, Store};

/// Byte ranges smaller than this are not worth a task of their own.
const SMALLEST_RANGE: usize = 1 << 20;

/// Raw files as a table.
#[derive(Debug)]
pub struct RawTable {
    files: RawFiles,
    columns: TableSchema,
}

impl RawTable {
    /// The table of these files.
    pub fn new(files: RawFiles) -> Self {
        let schema = Arc::clone(&files.schema);
        let mut partitions: Vec<Arc<Field>> = files
            .partition_columns
            .iter()
            .map(|name| Arc::new(Field::new(name, DataType::Utf8, true)))
            .collect();
        let folder = Field::new(FOLDER_COLUMN, DataType::Int32, false);
        partitions.extend(files.has_folders.then(|| Arc::new(folder)));
        let columns = TableSchema::builder(schema)
            .with_table_partition_cols(partitions)
            .build();
        Self { files, columns }
    }

    fn partitioned(&self, file: &RawFile) -> PartitionedFile {
        let mut partitioned = PartitionedFile::new_from_meta(file.meta.clone())
            .with_arrow_schema(Arc::clone(&file.schema));
        let value = |name: &String| {
            file.partitions
                .iter()
                .find(|(key, _)| key == name)
                .and_then(|(_, value)| value.clone())
        };
        partitioned.partition_values = self
            .files
            .partition_columns
            .iter()
            .map(|name| ScalarValue::Utf8(value(name)))
            .collect();
        if self.files.has_folders {
            let day = ScalarValue::Int32(Some(file.folder.to_epoch_days()));
            partitioned.partition_values.push(day);
        }
        partitioned
    }

    fn groups(&self, partitions: usize) -> Vec<FileGroup> {
        let files: Vec<PartitionedFile> = self
            .files
            .files
            .iter()
            .map(|file| self.partitioned(file))
            .collect();
        let whole = vec![FileGroup::new(files)];
        let partitioner = FileGroupPartitioner::new()
            .with_target_partitions(partitions)
            .with_repartition_file_min_size(SMALLEST_RANGE);
        partitioner.repartition_file_groups(&whole).unwrap_or(whole)
    }
}

/// Makes a store known to plans that read from it; its errors name the file.
///
/// # Errors
/// Setup when its base is not a url.
pub fn register_store(store: &Store, runtime: &RuntimeEnv) -> tagmill_schemas::Result<()> {
    let url = url::Url::parse(&format!("{}/", store.base())).map_err(|e| {
        Error::setup("scan", "not a url")
            .at(store.base())
            .because(e)
    })?;
    runtime.register_object_store(&url, store.explained(Promise::Listed));
    Ok(())
}

#[async_trait]
impl TableProvider for RawTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(self.columns.table_schema())
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let store = &self.files.store;
        register_store(store, state.runtime_env()).map_err(external)?;
        let url = ObjectStoreUrl::parse(format!("{}/", store.base()))?;
        let mut options = state.table_options().parquet.clone();
        options.global.pushdown_filters = false;
        let mut source =
            ParquetSource::new(self.columns.clone()).with_table_parquet_options(options);
        if !self.files.bytes_columns().is_empty() {
            let objects = self.files.store.explained(Promise::Listed);
            source = source.with_parquet_file_reader_factory(Arc::new(BytesReaders::new(objects)));
        }
        let config = FileScanConfigBuilder::new(url, Arc::new(source))
            .with_file_groups(self.groups(state.config().target_partitions()))
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .build();
        Ok(DataSourceExec::from_data_source(config))
    }
}
