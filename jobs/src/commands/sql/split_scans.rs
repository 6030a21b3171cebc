//! Aggregates over few but large rows read their file on all threads.
//!
//! DataFusion splits the input of an operator only if it has more rows than a batch. 7,000 bitmaps
//! are one batch, and 100 MiB: here what an aggregate reads is split by its bytes, from
//! `datafusion.optimizer.repartition_file_min_size` on; within row groups where their pages are
//! known, between them otherwise.
//!
//! Bench: `or of all` in `bench/bitmaps.py`, beside `or of all, scans whole`, where
//! `datafusion.optimizer.repartition_file_scans = false` switches this off.

use std::ops::Range;
use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::metadata::CachedParquetMetaData;
use datafusion::datasource::physical_plan::parquet::{ParquetAccessPlan, ParquetRowSelection};
use datafusion::datasource::physical_plan::{
    FileGroup, FileScanConfig, FileScanConfigBuilder, FileSource, ParquetSource,
};
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::Result;
use datafusion::execution::cache::cache_manager::FileMetadataCache;
use datafusion::parquet::arrow::arrow_reader::{RowSelection, RowSelector};
use datafusion::parquet::file::metadata::ParquetMetaData;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};

use super::pieces::pieces;

/// Streams beyond one a thread: while they wait for their bytes, all threads have work.
const WAITING: usize = 1;

/// The rule; it comes before the one that gives operators the distribution they ask for.
#[derive(Debug)]
pub(super) struct SplitScans {
    /// What is known of files that have been opened before, as those of a query are when its
    /// columns are looked up.
    pub(super) footers: Arc<FileMetadataCache>,
}

impl PhysicalOptimizerRule for SplitScans {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let threads = config.execution.target_partitions;
        if threads < 2 || !config.optimizer.repartition_file_scans {
            return Ok(plan);
        }
        let split = plan.transform_down(|plan| {
            if plan.is::<AggregateExec>() {
                self.split_leaves(plan, threads, config)
            } else {
                Ok(Transformed::no(plan))
            }
        })?;
        Ok(split.data)
    }

    fn name(&self) -> &str {
        "split_scans"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

impl SplitScans {
    fn split_leaves(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        threads: usize,
        config: &ConfigOptions,
    ) -> Result<Transformed<Arc<dyn ExecutionPlan>>> {
        plan.transform_up(|plan| {
            let is_whole =
                plan.children().is_empty() && plan.output_partitioning().partition_count() == 1;
            let split = match is_whole {
                false => None,
                true => match self.split_within_row_groups(&plan, threads, config) {
                    None => plan.repartitioned(threads, config)?,
                    split => split,
                },
            };
            Ok(split.map_or_else(|| Transformed::no(plan), Transformed::yes))
        })
    }

    /// The scan of one file, read in pieces, of which each thread takes the next when it is done
    /// with one.
    fn split_within_row_groups(
        &self,
        plan: &Arc<dyn ExecutionPlan>,
        threads: usize,
        config: &ConfigOptions,
    ) -> Option<Arc<dyn ExecutionPlan>> {
        let (scan, source) = plan
            .downcast_ref::<DataSourceExec>()?
            .downcast_to_file_source::<ParquetSource>()?;
        let [group] = scan.file_groups.as_slice() else {
            return None;
        };
        let [file] = group.files() else { return None };
        let is_plain = scan.limit.is_none()
            && file.range.is_none()
            && file.extension::<ParquetAccessPlan>().is_none();
        if !is_plain
            || plan.output_ordering().is_some()
            || file.object_meta.size < config.optimizer.repartition_file_min_size as u64
        {
            return None;
        }
        let footer = self.footer(file)?;
        let rows = usize::try_from(footer.file_metadata().num_rows()).ok()?;
        let pieces = pieces(
            &footer,
            &columns(scan, source, &footer),
            config.execution.batch_size.get(),
            threads,
        )?;
        let size = i64::try_from(file.object_meta.size).ok()?;
        let part = |piece: &Range<usize>| {
            let selectors = [
                RowSelector::skip(piece.start),
                RowSelector::select(piece.len()),
                RowSelector::skip(rows - piece.end),
            ];
            let selection = RowSelection::from(
                selectors
                    .into_iter()
                    .filter(|selector| selector.row_count > 0)
                    .collect::<Vec<_>>(),
            );
            // With a range, though it is all, nobody splits the file again.
            file.clone()
                .with_range(0, size)
                .with_extension(ParquetRowSelection::new(selection))
        };
        let groups = pieces
            .chunks(pieces.len().div_ceil(threads + WAITING))
            .map(|pieces| FileGroup::new(pieces.iter().map(part).collect()))
            .collect();
        // An order of columns that are not read is of no use; it would bind each piece to a thread.
        let split = FileScanConfigBuilder::from(scan.clone())
            .with_file_groups(groups)
            .with_output_ordering(Vec::new())
            .with_preserve_order(false);
        Some(DataSourceExec::from_data_source(split.build()))
    }

    fn footer(&self, file: &PartitionedFile) -> Option<Arc<ParquetMetaData>> {
        let known = self
            .footers
            .get(&file.object_meta.location)
            .filter(|known| known.is_valid_for(&file.object_meta))?;
        Some(Arc::clone(
            known
                .file_metadata
                .as_any()
                .downcast_ref::<CachedParquetMetaData>()?
                .parquet_metadata(),
        ))
    }
}

/// The numbers of the leaf columns that a scan reads.
fn columns(scan: &FileScanConfig, source: &ParquetSource, footer: &ParquetMetaData) -> Vec<usize> {
    let schema = scan.file_source().table_schema().table_schema();
    let wanted = source
        .projection()
        .map(|projection| projection.column_indices());
    let is_wanted = |name: &str| {
        wanted.as_ref().is_none_or(|wanted| {
            wanted.iter().any(|at| {
                schema
                    .fields()
                    .get(*at)
                    .is_some_and(|field| field.name() == name)
            })
        })
    };
    let leaves = footer.file_metadata().schema_descr();
    (0..leaves.num_columns())
        .filter(|leaf| is_wanted(leaves.get_column_root(*leaf).name()))
        .collect()
}
