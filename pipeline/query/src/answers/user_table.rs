//! Users as rows: `uid`, `user_id`. Only counted, their sets are not read where their sizes are
//! known; without `user_id`, the dictionary is not read.
//!
//! ```text
//! sets by shard ─► per shard: the dictionary's files of the shard ─ pages with any of them ─ their rows
//! ```

use std::fmt::Debug;
use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{DFSchema, project_schema};
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::error::Result;
use datafusion::logical_expr::{Expr, TableType, ident, lit};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::streaming::StreamingTableExec;
use datafusion::physical_plan::union::UnionExec;
use tagmill_schemas::ReleaseName;
use tagmill_schemas::artifact::{Columns, users};

use super::ordinals::{Ordinals, Uids};
use super::released::{Released, Releases, told};
use crate::catalog::uid;

/// The columns of a table of users.
const UID: &str = "uid";
const USER_ID: &str = "user_id";

/// A set of users of a release.
#[async_trait]
pub(super) trait UserSet: Debug + Send + Sync + 'static {
    /// How many they are.
    ///
    /// # Errors
    /// Setup for a name that is not there; those of reading.
    async fn count(&self, release: &Released) -> tagmill_schemas::Result<u64>;

    /// Who they are, by shard; each shard once.
    ///
    /// # Errors
    /// Setup for a name that is not there; those of reading.
    async fn sets(&self, release: &Released) -> tagmill_schemas::Result<Vec<Ordinals>>;
}

/// The users of a set as a table.
#[derive(Debug)]
pub(super) struct UserTable {
    set: Box<dyn UserSet>,
    releases: Arc<Releases>,
    release: Option<ReleaseName>,
    schema: SchemaRef,
}

impl UserTable {
    /// The users of a set in a release; in the one that is shown, without a name.
    pub(super) fn of(
        set: impl UserSet,
        releases: &Arc<Releases>,
        release: Option<ReleaseName>,
    ) -> Arc<dyn TableProvider> {
        Arc::new(Self {
            set: Box::new(set),
            releases: Arc::clone(releases),
            release,
            schema: Arc::new(Schema::new(vec![
                Field::new(UID, DataType::UInt64, false),
                Field::new(USER_ID, DataType::Utf8View, false),
            ])),
        })
    }
}

#[async_trait]
impl TableProvider for UserTable {
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
        let schema = project_schema(&self.schema, projection)?;
        if schema.fields().is_empty() {
            return counted(told(self.set.count(&release).await)?, schema);
        }
        let mut sets = told(self.set.sets(&release).await)?;
        sets.retain(|set| set.count() > 0);
        if sets.is_empty() {
            return Ok(Arc::new(EmptyExec::new(schema)));
        }
        if schema.index_of(USER_ID).is_err() {
            return numbers(sets, schema);
        }
        let mut shards = Vec::with_capacity(sets.len());
        for set in sets {
            shards.push(ids_of_shard(state, &release, &set, &schema).await?);
        }
        UnionExec::try_new(shards)
    }
}

/// So many rows of no column.
fn counted(users: u64, schema: SchemaRef) -> Result<Arc<dyn ExecutionPlan>> {
    let rows = usize::try_from(users).unwrap_or(usize::MAX);
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    let batch = RecordBatch::try_new_with_options(Arc::clone(&schema), vec![], &options)?;
    let plan: Arc<dyn ExecutionPlan> =
        MemorySourceConfig::try_new_exec(&[vec![batch]], schema, None)?;
    Ok(plan)
}

/// The numbers of users, a stream a shard.
fn numbers(sets: Vec<Ordinals>, schema: SchemaRef) -> Result<Arc<dyn ExecutionPlan>> {
    let streams = sets.into_iter().map(
        |users| -> Arc<dyn datafusion::physical_plan::streaming::PartitionStream> {
            Arc::new(Uids {
                schema: Arc::clone(&schema),
                users,
            })
        },
    );
    let streams = streams.collect();
    let columns = Arc::clone(&schema);
    Ok(Arc::new(StreamingTableExec::try_new(
        columns,
        streams,
        None,
        vec![],
        false,
        None,
    )?))
}

/// The rows of the dictionary that are users of one shard, in the columns asked for.
async fn ids_of_shard(
    state: &dyn Session,
    release: &Released,
    set: &Ordinals,
    schema: &SchemaRef,
) -> Result<Arc<dyn ExecutionPlan>> {
    let files = &release.users;
    let own = files.schema();
    let columns = [users::Column::Ordinal, users::Column::UserId].map(|column| column.name());
    let places: Vec<usize> = columns
        .iter()
        .map(|name| own.index_of(name))
        .collect::<Result<_, _>>()?;
    let of_shard = ident(users::Column::Shard.name()).eq(lit(set.shard));
    let rows = files.scan(state, Some(&places), &[of_shard], None).await?;
    let found = DFSchema::try_from(rows.schema())?;
    let expr = |expr: Expr| state.create_physical_expr(expr, &found);
    let rows: Arc<dyn ExecutionPlan> = match set.filter() {
        Some(filter) => Arc::new(FilterExec::try_new(expr(filter)?, rows)?),
        None => rows,
    };
    let columns = schema.fields().iter().map(|field| {
        let column = match field.name().as_str() {
            UID => uid(lit(set.shard), ident(users::Column::Ordinal.name()))?,
            other => ident(other),
        };
        Ok((expr(column)?, field.name().clone()))
    });
    let columns: Vec<_> = columns.collect::<Result<_>>()?;
    Ok(Arc::new(ProjectionExec::try_new(columns, rows)?))
}
