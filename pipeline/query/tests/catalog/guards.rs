//! What functions answer over the rows of a release: what they would over sets.

use arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::logical_expr::AggregateUDF;
use datafusion::prelude::SessionContext;

use crate::release::{small, users};

/// The first cell of an answer, or the error.
async fn cell(ctx: &SessionContext, sql: &str) -> Result<String, String> {
    let rows = async { ctx.sql(sql).await?.collect().await };
    let batches = rows.await.map_err(|e| e.to_string())?;
    let column = batches[0].column(0);
    let shown = ArrayFormatter::try_new(column, &FormatOptions::default()).unwrap();
    Ok(shown.value(0).to_string())
}

/// Two sets that overlap, as rows of shards, and as a table of their own with a row a set.
const ROWS: &str =
    "tags WHERE tag = 'gender' AND value_string = 'F' OR tag = 'vip' AND value_boolean";

async fn session() -> SessionContext {
    let ctx = small().await.session().await;
    let sets = format!(
        "CREATE TABLE sets AS SELECT bitmap_or_agg(bitmap) AS bitmap FROM {ROWS} GROUP BY tag"
    );
    ctx.sql(&sets).await.unwrap().collect().await.unwrap();
    ctx
}

/// Names under which an aggregate of one bitmap is known.
async fn of_bitmaps(ctx: &SessionContext) -> Vec<String> {
    let mut found = Vec::new();
    for function in tagmill_udfs::aggregate_functions() {
        let names = std::iter::once(function.name().to_owned());
        for name in names.chain(AggregateUDF::aliases(&function).iter().cloned()) {
            let call = format!("SELECT \"{name}\"(bitmap) FROM sets");
            if cell(ctx, &call).await.is_ok() {
                found.push(name);
            }
        }
    }
    found
}

#[tokio::test]
async fn every_aggregate_of_bitmaps_is_over_sets_whatever_their_shards() {
    let ctx = session().await;
    let names = of_bitmaps(&ctx).await;
    assert!(names.len() > 30, "{names:?}");
    for name in names.iter().filter(|name| !name.starts_with("spark_")) {
        let over =
            async |rows: &str| cell(&ctx, &format!("SELECT \"{name}\"(bitmap) FROM {rows}")).await;
        let expected = over("sets").await.unwrap();
        assert_eq!(over(ROWS).await.unwrap(), expected, "{name}");
        let through = format!("(SELECT b AS bitmap FROM (SELECT bitmap AS b FROM {ROWS}))");
        assert_eq!(
            over(&through).await.unwrap(),
            expected,
            "{name} over a subquery"
        );
        let united = "(SELECT bitmap FROM tags WHERE tag = 'gender' AND value_string = 'F' UNION \
                      ALL SELECT bitmap FROM tags_boolean WHERE tag = 'vip' AND value)";
        assert_eq!(
            over(united).await.unwrap(),
            expected,
            "{name} over UNION ALL"
        );
    }
}

#[tokio::test]
async fn a_set_that_is_named_and_has_no_row_is_empty() {
    let ctx = session().await;
    let women = users()
        .iter()
        .filter(|user| user.gender == Some("F"))
        .count()
        .to_string();
    for (condition, expected) in [
        ("tag = 'gender' AND value_string IN ('F', 'nobody')", "0"),
        ("(tag = 'vip' AND value_boolean OR tag = 'nothing')", "0"),
        ("tag = 'gender' AND value_string IN ('F', 'F')", &women),
        ("tag = 'gender' AND value_string = 'F'", &women),
        (
            "tag = 'gender' AND value_string = 'F' AND app IN ('shop', 'none')",
            "0",
        ),
    ] {
        let sql = format!("SELECT bitmap_and_cardinality_agg(bitmap) FROM tags WHERE {condition}");
        assert_eq!(cell(&ctx, &sql).await.unwrap(), expected, "{condition}");
        let filtered = format!(
            "SELECT bitmap_and_cardinality_agg(bitmap) FILTER (WHERE {condition}) FROM tags"
        );
        assert_eq!(
            cell(&ctx, &filtered).await.unwrap(),
            expected,
            "{condition} as FILTER"
        );
    }
}

#[tokio::test]
async fn an_intersection_by_shard_is_refused() {
    let ctx = session().await;
    let sql = format!("SELECT groupBitmapAnd(bitmap) FROM {ROWS} GROUP BY shard");
    let error = cell(&ctx, &sql).await.unwrap_err();
    assert!(
        error.contains("found shard in what rows are grouped by"),
        "{error}"
    );
    let plain = "SELECT bitmap_and_cardinality_agg(b) FROM (SELECT 1 AS shard, bitmap AS b FROM sets) \
                 GROUP BY shard";
    assert!(cell(&ctx, plain).await.is_ok());
}
