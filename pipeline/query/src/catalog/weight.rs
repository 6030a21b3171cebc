//! The column `weight` of the tables of bit slices: computed, see [`crate::computed`].

use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::datasource::{ViewTable, provider_as_source};
use datafusion::error::Result;
use datafusion::logical_expr::{LogicalPlanBuilder, ident};
use tagmill_schemas::Artifact;

use super::FileTable;
use crate::computed::{WEIGHT, weight};

/// The table of an artifact of bit slices, with `weight` behind its columns.
///
/// # Errors
/// None that can happen: the columns are the artifact's.
pub(super) fn with_weight(
    artifact: Artifact,
    table: Arc<FileTable>,
) -> Result<Arc<dyn TableProvider>> {
    let schema = table.schema();
    let own = schema.fields().iter().map(|field| ident(field.name()));
    let columns = own.chain([weight()?.alias(WEIGHT)]);
    let plan = LogicalPlanBuilder::scan(artifact.name(), provider_as_source(table), None)?
        .project(columns)?
        .build()?;
    Ok(Arc::new(ViewTable::new(plan, None)))
}
