//! Rows of a query as Rust values, cell by cell.

use arrow::array::{AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, UInt64Type};
use datafusion::prelude::SessionContext;
use tagmill_schemas::Result;

use crate::catalog::failed;

/// The answer to a query: texts and whole numbers.
pub(super) struct Rows(Vec<RecordBatch>);

impl Rows {
    /// Asks; every `$app` in the statement is the app.
    ///
    /// # Errors
    /// Those of reading the release.
    pub(super) async fn ask(ctx: &SessionContext, sql: &str, app: Option<&str>) -> Result<Self> {
        let asked = async {
            let frame = ctx.sql(sql).await?;
            let frame = match app {
                Some(app) => frame.with_param_values(vec![("app", app.into())])?,
                None => frame,
            };
            frame.collect().await
        };
        asked.await.map(Self).map_err(failed)
    }

    /// The texts of a column; `None` for null.
    pub(super) fn texts(&self, column: usize) -> Result<Vec<Option<String>>> {
        let mut all = Vec::new();
        for batch in &self.0 {
            let cells =
                cast(batch.column(column), &DataType::Utf8).map_err(|e| failed(e.into()))?;
            let cells = cells.as_string::<i32>();
            all.extend(cells.iter().map(|cell| cell.map(str::to_owned)));
        }
        Ok(all)
    }

    /// The numbers of a column; `None` for null.
    pub(super) fn numbers(&self, column: usize) -> Result<Vec<Option<u64>>> {
        let mut all = Vec::new();
        for batch in &self.0 {
            let cells =
                cast(batch.column(column), &DataType::UInt64).map_err(|e| failed(e.into()))?;
            all.extend(cells.as_primitive::<UInt64Type>().iter());
        }
        Ok(all)
    }
}
