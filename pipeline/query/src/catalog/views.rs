//! The views by type over `tags`: one `value` column of the tag's own type, joined with the value's
//! code.
//!
//! `tags_string`, `tags_integer`, `tags_double`, `tags_date`, `tags_boolean`: app, tag, value,
//! code, shard, bitmap, cardinality.

use datafusion::error::Result;
use datafusion::prelude::SessionContext;

/// Type name as it stands in the `type` column, which names both the view and the value column.
const TYPES: [&str; 5] = ["string", "integer", "double", "date", "boolean"];

pub(super) async fn register(ctx: &SessionContext) -> Result<()> {
    for name in TYPES {
        let plan = ctx.state().create_logical_plan(&definition(name)).await?;
        ctx.execute_logical_plan(plan).await?;
    }
    Ok(())
}

/// The join repeats the filter on `type` for both sides, so that either prunes its own pages.
fn definition(name: &str) -> String {
    format!(
        "CREATE OR REPLACE VIEW tags_{name} AS \
         SELECT t.app, t.tag, t.value_{name} AS value, v.code, t.shard, t.bitmap, t.cardinality \
         FROM tags t JOIN tag_values v ON v.app = t.app AND v.tag = t.tag AND v.value_{name} = \
         t.value_{name} \
         WHERE t.type = '{name}' AND v.type = '{name}'"
    )
}
