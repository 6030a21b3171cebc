//! Which files can hold a row that a query's filters accept, by what is known of each file without
//! opening it.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::catalog::Session;
use datafusion::common::pruning::PrunableStatistics;
use datafusion::common::{DFSchema, Statistics};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::error::Result;
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::utils::conjunction;
use datafusion::physical_optimizer::pruning::PruningPredicateBuilder;

/// The files of `files` whose statistics do not exclude every row; all of them when the filters say
/// nothing about that.
pub(super) fn matching(
    state: &dyn Session,
    schema: SchemaRef,
    filters: &[Expr],
    files: Vec<PartitionedFile>,
) -> Result<Vec<PartitionedFile>> {
    let unknown = Arc::new(Statistics::new_unknown(&schema));
    let known = files.iter().map(|file| {
        let known = file.statistics.clone();
        known.unwrap_or_else(|| Arc::clone(&unknown))
    });
    let keep = keeps(state, schema, filters, known.collect())?;
    Ok(files
        .into_iter()
        .zip(keep)
        .filter_map(|(file, keep)| keep.then_some(file))
        .collect())
}

/// Which of several parts of a table, of which these statistics are known, can hold a row that the
/// filters accept.
pub(super) fn keeps(
    state: &dyn Session,
    schema: SchemaRef,
    filters: &[Expr],
    known: Vec<Arc<Statistics>>,
) -> Result<Vec<bool>> {
    let all = vec![true; known.len()];
    let Some(filter) = conjunction(filters.to_vec()) else {
        return Ok(all);
    };
    let predicate =
        state.create_physical_expr(filter, &DFSchema::try_from(Arc::clone(&schema))?)?;
    let Ok(pruning) = PruningPredicateBuilder::new()
        .with_file_schema(Arc::clone(&schema))
        .try_build(predicate)
    else {
        return Ok(all);
    };
    pruning.prune(&PrunableStatistics::new(known, schema))
}
