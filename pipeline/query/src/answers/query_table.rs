//! The rows of a query over a release's tables, which is made when it is known what there is.

use std::fmt::Debug;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::error::Result;
use datafusion::execution::{SessionState, SessionStateBuilder};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, TableType, ident};
use datafusion::physical_plan::ExecutionPlan;
use tagmill_schemas::ReleaseName;

use super::released::{Released, Releases, told};
use crate::one_value::with_one_value;

/// A query that is made for one release.
#[async_trait]
pub(super) trait Query: Debug + Send + Sync + 'static {
    /// Its columns, the same in every release.
    fn columns(&self) -> Vec<(&'static str, DataType)>;

    /// Those of its columns that have one value in all rows.
    fn fixed_columns(&self) -> Vec<&'static str> {
        Vec::new()
    }

    /// The query.
    ///
    /// # Errors
    /// Setup for a name that is not there; those of reading.
    async fn plan(&self, release: &Released) -> Result<LogicalPlan>;
}

/// The rows of a query as a table.
#[derive(Debug)]
pub(super) struct QueryTable {
    query: Box<dyn Query>,
    releases: Arc<Releases>,
    release: Option<ReleaseName>,
    schema: SchemaRef,
}

impl QueryTable {
    /// The rows of a query in a release; in the one that is shown, without a name.
    pub(super) fn of(
        query: impl Query,
        releases: &Arc<Releases>,
        release: Option<ReleaseName>,
    ) -> Arc<dyn TableProvider> {
        let (columns, fixed) = (query.columns().into_iter(), query.fixed_columns());
        let field = |(name, data_type)| {
            let field = Field::new(name, data_type, true);
            match fixed.contains(&name) {
                true => with_one_value(field),
                false => field,
            }
        };
        let fields: Vec<Field> = columns.map(field).collect();
        Arc::new(Self {
            query: Box::new(query),
            releases: Arc::clone(releases),
            release,
            schema: Arc::new(Schema::new(fields)),
        })
    }
}

#[async_trait]
impl TableProvider for QueryTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Temporary
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _: &[Expr],
        _: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let release = told(self.releases.get(self.release).await)?;
        let mut plan = LogicalPlanBuilder::from(self.query.plan(&release).await?);
        if let Some(projection) = projection {
            let names = projection.iter().map(|at| self.schema.field(*at).name());
            plan = plan.project(names.map(ident))?;
        }
        unoptimised(state, release.as_ref(), &plan.build()?).await
    }
}

/// The physical plan before any rule: those of the statement run over the whole of it, and some can
/// not run twice.
async fn unoptimised(
    state: &dyn Session,
    release: &Released,
    plan: &LogicalPlan,
) -> Result<Arc<dyn ExecutionPlan>> {
    let own = release.ctx.state();
    let state = state.as_any().downcast_ref::<SessionState>();
    let state = SessionStateBuilder::new_from_existing(state.unwrap_or(&own).clone());
    let state = state.with_physical_optimizer_rules(Vec::new()).build();
    state.create_physical_plan(plan).await
}

/// A text of SQL.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
