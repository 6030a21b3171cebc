//! [`FileTable`]: a DataFusion table over an explicit list of Parquet files.
//!
//! Reads footers, page indexes and the pages that a query's filters leave; writes nothing. It lists
//! no folder: a file that is not named does not exist.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::config::TableParquetOptions;
use datafusion::common::stats::Precision;
use datafusion::common::{DFSchema, Statistics, project_schema};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::CachedParquetFileReaderFactory;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::error::Result;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use tagmill_schemas::Artifact;

use super::listed::ListedFiles;
use super::prune;
use super::user_lookup::UserLookup;

/// Bytes asked of a file's end in the first request: the footer of most artifact files, far less
/// than a large bitmap.
const FOOTER_HINT: usize = 64 << 10;

/// A table over exactly the given files, and those of the lists given.
///
/// Filters reach the Parquet reader: files are skipped by their statistics before any request, row
/// groups and pages by theirs, and the columns that only the result needs are read for matching
/// rows alone. String and binary columns are served as views.
pub struct FileTable {
    store: ObjectStoreUrl,
    schema: TableSchema,
    files: Vec<PartitionedFile>,
    /// More files, which are looked up when a query can need them.
    listed: Option<ListedFiles>,
    /// What finds the rows of a user id.
    lookup: Option<UserLookup>,
    /// What a release's table holds, and the release's number.
    artifact: Option<(Artifact, u64)>,
}

impl FileTable {
    /// A table of `files` in `store`, each with the columns `file_schema` (missing ones read as
    /// null) and, appended, the values of `partition_columns` that the file carries.
    pub fn new(
        store: ObjectStoreUrl,
        file_schema: &Schema,
        partition_columns: Vec<FieldRef>,
        files: Vec<PartitionedFile>,
    ) -> Self {
        let schema = TableSchema::builder(Arc::new(as_views(file_schema)))
            .with_table_partition_cols(partition_columns)
            .build();
        Self {
            store,
            schema,
            files,
            listed: None,
            lookup: None,
            artifact: None,
        }
    }

    /// The table as that of an artifact of a release.
    pub(super) fn of_artifact(self, artifact: Artifact, release: u64) -> Self {
        Self {
            artifact: Some((artifact, release)),
            ..self
        }
    }

    /// Which artifact of a release the table is; `None` for other files.
    pub(crate) fn artifact(&self) -> Option<Artifact> {
        self.artifact.map(|(artifact, _)| artifact)
    }

    /// The number of the release that the table is of.
    pub(crate) fn release(&self) -> Option<u64> {
        self.artifact.map(|(_, release)| release)
    }

    /// The table with the files of lists as well.
    pub(super) fn with_listed(self, listed: ListedFiles) -> Self {
        Self {
            listed: Some(listed),
            ..self
        }
    }

    /// The table with a look-up by user id.
    pub(super) fn with_lookup(self, lookup: UserLookup) -> Self {
        Self {
            lookup: Some(lookup),
            ..self
        }
    }

    /// Of files of users those that can hold the ids that the filters name, with what more is true
    /// of such rows.
    async fn looked_up(
        &self,
        state: &dyn Session,
        filters: &[Expr],
        mut files: Vec<PartitionedFile>,
    ) -> Result<(Vec<PartitionedFile>, Option<Arc<dyn PhysicalExpr>>)> {
        let Some(lookup) = &self.lookup else {
            return Ok((files, None));
        };
        let Some(found) = lookup.candidates(state, filters).await? else {
            return Ok((files, None));
        };
        let has_file = |file: &PartitionedFile| {
            let path = file.object_meta.location.as_ref();
            found.files.iter().any(|f| path.ends_with(&f.path))
        };
        files.retain(has_file);
        let schema = DFSchema::try_from(self.schema())?;
        let rows = found.rows.filter(|_| !files.is_empty());
        let rows = rows.map(|rows| state.create_physical_expr(rows, &schema));
        Ok((files, rows.transpose()?))
    }

    fn source(&self, state: &dyn Session) -> Result<ParquetSource> {
        let mut global = state.config_options().execution.parquet.clone();
        // The cache widens what it keeps to whole batches: a filter on bitmaps would fetch
        // thousands to look at one.
        global.max_predicate_cache_size = Some(0);
        let store = state.runtime_env().object_store(&self.store)?;
        let footers = state.runtime_env().cache_manager.get_file_metadata_cache();
        Ok(ParquetSource::new(self.schema.clone())
            .with_table_parquet_options(TableParquetOptions {
                global,
                ..Default::default()
            })
            .with_pushdown_filters(true)
            .with_reorder_filters(true)
            .with_enable_page_index(true)
            .with_metadata_size_hint(FOOTER_HINT)
            .with_parquet_file_reader_factory(Arc::new(CachedParquetFileReaderFactory::new(
                store, footers,
            ))))
    }
}

impl fmt::Debug for FileTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileTable")
            .field("store", &self.store)
            .field("files", &self.files.len())
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl TableProvider for FileTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(self.schema.table_schema())
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn statistics(&self) -> Option<Statistics> {
        let mut total = totals(&self.files, self.schema.table_schema());
        if let Some(listed) = &self.listed {
            let (rows, bytes) = listed.size();
            total.num_rows = total.num_rows.add(&Precision::Exact(rows));
            total.total_byte_size = total.total_byte_size.add(&Precision::Inexact(bytes));
        }
        Some(total)
    }

    /// Inexact for all: `scan` only skips files; the physical optimiser then hands the same filters
    /// to the Parquet reader, which applies them to rows.
    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let mut files = self.files.clone();
        if let Some(listed) = &self.listed {
            files.extend(listed.matching(state, self.schema(), filters).await?);
        }
        let files = prune::matching(state, self.schema(), filters, files)?;
        let (files, rows) = self.looked_up(state, filters, files).await?;
        if files.is_empty() {
            // A scan of no partitions has no distribution that a plan above could rest on.
            return Ok(Arc::new(EmptyExec::new(project_schema(
                self.schema.table_schema(),
                projection,
            )?)));
        }
        let mut source = self.source(state)?;
        if let Some(rows) = rows {
            source = source.with_predicate(rows);
        }
        let statistics = totals(&files, self.schema.table_schema());
        let groups = FileGroup::new(files).split_files(state.config().target_partitions());
        let config = FileScanConfigBuilder::new(self.store.clone(), Arc::new(source))
            .with_file_groups(groups)
            .with_statistics(statistics)
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .build();
        Ok(DataSourceExec::from_data_source(config))
    }
}

/// Rows and bytes of all files together, exact where every file's are known.
fn totals(files: &[PartitionedFile], schema: &Schema) -> Statistics {
    let mut total = Statistics::new_unknown(schema);
    let rows = |file: &PartitionedFile| {
        file.statistics
            .as_ref()
            .map_or(Precision::Absent, |known| known.num_rows)
    };
    total.num_rows = files
        .iter()
        .map(rows)
        .fold(Precision::Exact(0), |sum, more| sum.add(&more));
    let bytes: u64 = files.iter().map(PartitionedFile::effective_size).sum();
    total.total_byte_size = Precision::Inexact(usize::try_from(bytes).unwrap_or(usize::MAX));
    total
}

/// The schema with strings and binaries as views: no copy for a filtered bitmap, and no 2 GiB limit
/// for a batch of them.
fn as_views(schema: &Schema) -> Schema {
    let view = |field: &FieldRef| -> FieldRef {
        let data_type = match field.data_type() {
            DataType::Utf8 | DataType::LargeUtf8 => DataType::Utf8View,
            DataType::Binary | DataType::LargeBinary => DataType::BinaryView,
            _ => return Arc::clone(field),
        };
        Arc::new(Field::new(field.name(), data_type, field.is_nullable()))
    };
    Schema::new(schema.fields().iter().map(view).collect::<Vec<_>>())
}
