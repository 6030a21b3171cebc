//! `funnel(app, name[, release])`: how many users came how far, by the day on which they began.

use std::sync::Arc;

use arrow::datatypes::DataType;
use async_trait::async_trait;
use datafusion::catalog::{TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion::error::Result;
use datafusion::logical_expr::{LogicalPlan, ident, lit};
use datafusion::prelude::SessionContext;
use tagmill_schemas::Result as OurResult;

use super::arguments::Arguments;
use super::query_table::{Query, QueryTable, quoted};
use super::released::{Released, Releases, told};
use crate::catalog::failed;

pub(super) const FUNNEL: &str = "funnel(app, name[, release])";

/// Registers it.
pub(super) fn register(ctx: &SessionContext, releases: &Arc<Releases>) {
    let releases = Arc::clone(releases);
    ctx.register_udtf("funnel", Arc::new(OfFunnel(releases)));
}

#[derive(Debug)]
struct OfFunnel(Arc<Releases>);

impl TableFunctionImpl for OfFunnel {
    fn call_with_args(&self, args: TableFunctionArgs<'_, '_>) -> Result<Arc<dyn TableProvider>> {
        let arguments = Arguments::of(FUNNEL, args.exprs(), 2, 3)?;
        let query = StepsOfFunnel {
            app: arguments.text(0)?,
            name: arguments.text(1)?,
        };
        Ok(QueryTable::of(query, &self.0, arguments.release(2)?))
    }
}

/// A row a day and step that somebody reached.
#[derive(Debug)]
struct StepsOfFunnel {
    app: String,
    name: String,
}

#[async_trait]
impl Query for StepsOfFunnel {
    fn columns(&self) -> Vec<(&'static str, DataType)> {
        vec![
            ("day", DataType::Date32),
            ("step", DataType::UInt32),
            ("event", DataType::Utf8View),
            ("users", DataType::UInt64),
            ("of_first", DataType::Float64),
            ("of_before", DataType::Float64),
            ("final", DataType::Boolean),
            ("complete", DataType::Boolean),
        ]
    }

    async fn plan(&self, release: &Released) -> Result<LogicalPlan> {
        told(self.check(release).await)?;
        let (app, name) = (quoted(&self.app), quoted(&self.name));
        let sql = format!(
            "SELECT day, step, event, users, \
             CAST(users AS DOUBLE) / CAST(first_value(users) OVER steps AS DOUBLE) AS of_first, \
             CAST(users AS DOUBLE) / CAST(lag(users) OVER steps AS DOUBLE) AS of_before, \
             \"final\", complete FROM (SELECT date AS day, step, event, \
             sum(cardinality) AS users, bool_and(\"final\") AS \"final\", \
             bool_and(complete) AS complete FROM funnels \
             WHERE app = {app} AND funnel = {name} GROUP BY date, step, event) AS found \
             WINDOW steps AS (PARTITION BY day ORDER BY step)"
        );
        release.ctx.state().create_logical_plan(&sql).await
    }
}

impl StepsOfFunnel {
    /// Refuses an app or funnel that is not there.
    async fn check(&self, release: &Released) -> OurResult<()> {
        release.names(&self.app).await?;
        let of_app = ident("app").eq(lit(self.app.as_str()));
        let known = release.texts("funnels", of_app, "funnel").await;
        let known = known.map_err(failed)?;
        if known.contains(&self.name) {
            return Ok(());
        }
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let of = format!("app {:?}", self.app);
        Err(release.unknown("funnel", &self.name, &of, &known))
    }
}
