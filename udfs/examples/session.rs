//! A DataFusion session with the functions: two lines, the dependency and `register_all`.
//!
//! `cargo run -p tagmill-udfs --example session`

use datafusion::error::Result;
use datafusion::prelude::SessionContext;

#[tokio::main]
async fn main() -> Result<()> {
    let context = SessionContext::new();
    tagmill_udfs::register_all(&context)?;

    let visits = "CREATE VIEW visits AS \
                  SELECT value % 7 AS day, (value * 31) % 1000 AS user_id FROM generate_series(1, 5000)";
    context.sql(visits).await?.collect().await?;
    let days = "SELECT day, bitmap_build_agg(user_id) AS users FROM visits GROUP BY day";
    context
        .sql(&format!(
            "SELECT count(*) AS days, bitmap_or_cardinality_agg(users) AS users, \
             bitmap_cardinality(bitmap_and_agg(users)) AS every_day FROM ({days})"
        ))
        .await?
        .show()
        .await?;

    // What another system calls it, in that system's bytes.
    context
        .sql("SELECT bitmap_to_array(groupBitmapState(v)) AS users FROM (VALUES (3), (1), (3)) AS t (v)")
        .await?
        .show()
        .await
}
