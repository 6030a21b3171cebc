//! The rows of an analysis as a table: names are checked when a statement is planned, artifacts are
//! read when it runs.

use std::fmt;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{Field, Schema, SchemaRef};
use async_trait::async_trait;
use chrono::NaiveDate;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{internal_err, project_schema};
use datafusion::error::Result;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties,
    ReplaceChildrenOptions,
};
use tagmill_schemas::{ReleaseName, Result as OurResult};

use super::super::released::{Released, Releases, told};
use super::question::tell_missing_days;

/// A question that reads artifacts of one release.
#[async_trait]
pub(super) trait Analysis: fmt::Debug + Send + Sync + 'static {
    /// Its columns, the same in every release.
    fn fields(&self) -> Vec<Field>;

    /// The first and the last day that is asked for.
    fn days(&self) -> (NaiveDate, NaiveDate);

    /// Checks its names in a release, and fixes what is read.
    ///
    /// # Errors
    /// Setup for a name that is not there; those of reading.
    async fn prepare(
        &self,
        release: &Arc<Released>,
        releases: &Arc<Releases>,
    ) -> OurResult<Arc<dyn Prepared>>;
}

/// A question whose names are there.
#[async_trait]
pub(super) trait Prepared: fmt::Debug + Send + Sync + 'static {
    /// What is asked and read, on one line.
    fn shape(&self) -> String;

    /// All columns of the answer.
    ///
    /// # Errors
    /// Those of reading; refused for numbers that do not fit.
    async fn columns(&self) -> OurResult<Vec<ArrayRef>>;
}

/// An analysis as a table.
#[derive(Debug)]
pub(super) struct AnalysisTable {
    analysis: Box<dyn Analysis>,
    releases: Arc<Releases>,
    release: Option<ReleaseName>,
    schema: SchemaRef,
}

impl AnalysisTable {
    /// The rows in a release; in the one that is shown, without a name.
    pub(super) fn of(
        analysis: impl Analysis,
        releases: &Arc<Releases>,
        release: Option<ReleaseName>,
    ) -> Arc<dyn TableProvider> {
        Arc::new(Self {
            schema: Arc::new(Schema::new(analysis.fields())),
            analysis: Box::new(analysis),
            releases: Arc::clone(releases),
            release,
        })
    }
}

#[async_trait]
impl TableProvider for AnalysisTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Temporary
    }

    async fn scan(
        &self,
        _: &dyn Session,
        projection: Option<&Vec<usize>>,
        _: &[Expr],
        _: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let release = told(self.releases.get(self.release).await)?;
        tell_missing_days(self.analysis.days(), &release.manifest);
        let prepared = told(self.analysis.prepare(&release, &self.releases).await)?;
        let schema = project_schema(&self.schema, projection)?;
        Ok(Arc::new(AnalysisExec {
            prepared,
            all: Arc::clone(&self.schema),
            projection: projection.cloned(),
            properties: Arc::new(PlanProperties::new(
                EquivalenceProperties::new(Arc::clone(&schema)),
                Partitioning::UnknownPartitioning(1),
                EmissionType::Final,
                Boundedness::Bounded,
            )),
        }))
    }
}

/// Works an analysis out.
struct AnalysisExec {
    prepared: Arc<dyn Prepared>,
    all: SchemaRef,
    projection: Option<Vec<usize>>,
    properties: Arc<PlanProperties>,
}

impl fmt::Debug for AnalysisExec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnalysisExec")
            .field("prepared", &self.prepared)
            .finish_non_exhaustive()
    }
}

impl DisplayAs for AnalysisExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AnalysisExec: {}", self.prepared.shape())
    }
}

impl ExecutionPlan for AnalysisExec {
    fn name(&self) -> &'static str {
        "AnalysisExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        match children.as_slice() {
            [] => Ok(self),
            _ => internal_err!("AnalysisExec has no child"),
        }
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        match children.as_slice() {
            [] => Ok(self),
            _ => internal_err!("AnalysisExec has no child"),
        }
    }

    fn execute(&self, _: usize, _: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let (prepared, all) = (Arc::clone(&self.prepared), Arc::clone(&self.all));
        let projection = self.projection.clone();
        let answer = async move {
            let batch = RecordBatch::try_new(all, told(prepared.columns().await)?)?;
            match projection {
                Some(columns) => Ok(batch.project(&columns)?),
                None => Ok(batch),
            }
        };
        let schema = self.schema();
        let rows = futures::stream::once(answer);
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, rows)))
    }
}
