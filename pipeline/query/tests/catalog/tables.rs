//! The tables and views of a release.

use arrow::util::pretty::pretty_format_batches;
use tagmill_schemas::Artifact;

use crate::release::{Release, small};

async fn table(release: &Release, sql: &str) -> Vec<String> {
    let ctx = release.session().await;
    let batches = ctx.sql(sql).await.unwrap().collect().await.unwrap();
    let text = pretty_format_batches(&batches).unwrap().to_string();
    text.lines()
        .filter(|line| line.starts_with('|'))
        .skip(1)
        .map(|line| {
            line.split_whitespace()
                .filter(|word| *word != "|")
                .collect::<Vec<_>>()
                .join(" ")
        })
        .collect()
}

#[tokio::test]
async fn every_artifact_is_a_table_even_without_files() {
    let release = small().await;
    for artifact in Artifact::ALL {
        assert_eq!(
            table(&release, &format!("SELECT count(*) FROM {artifact}"))
                .await
                .len(),
            1
        );
    }
    assert!(table(&release, "SELECT * FROM rejects").await.is_empty());
    // Whatever stands above a scan of no files.
    for sql in [
        "SELECT event, sum(cardinality) FROM behaviour WHERE date = '2020-01-01' GROUP BY event",
        "SELECT user_id FROM users WHERE shard = 77 ORDER BY user_id",
        "SELECT DISTINCT reason FROM rejects WHERE source = 'x'",
        "SELECT t.app FROM tags t JOIN rejects r ON t.app = r.app",
    ] {
        assert!(table(&release, sql).await.is_empty(), "{sql}");
    }
}

#[tokio::test]
async fn views_have_one_typed_value_with_its_code() {
    let release = small().await;
    let sql = "SELECT value, code, sum(cardinality) AS users FROM tags_boolean WHERE app = 'shop' \
               AND tag = 'vip' GROUP BY value, code ORDER BY value";
    let users = crate::release::users();
    let count = |truth: bool| users.iter().filter(|user| user.vip == Some(truth)).count();
    let rows = table(&release, sql).await;
    assert_eq!(rows.len(), 2);
    assert!(
        rows[0].starts_with("false ") && rows[0].ends_with(&count(false).to_string()),
        "{rows:?}"
    );
    assert!(
        rows[1].starts_with("true ") && rows[1].ends_with(&count(true).to_string()),
        "{rows:?}"
    );
    for (view, types) in [
        ("tags_string", "Utf8View"),
        ("tags_integer", "Int64"),
        ("tags_double", "Float64"),
        ("tags_date", "Date32"),
    ] {
        let sql = format!("SELECT DISTINCT arrow_typeof(value), code IS NULL FROM {view}");
        assert_eq!(table(&release, &sql).await, [format!("{types} false")]);
    }
}

#[tokio::test]
async fn aggregates_over_bitmaps_count_users_once() {
    let release = small().await;
    let sql =
        "SELECT bitmap_cardinality(bitmap_or_agg(bitmap)) FROM tags WHERE tag IN ('gender', 'age')";
    let expected = crate::release::users()
        .iter()
        .filter(|user| user.gender.is_some() || user.age.is_some())
        .count();
    assert_eq!(table(&release, sql).await, [expected.to_string()]);
}

#[tokio::test]
async fn the_filter_is_in_the_scan_and_the_plan_names_few_files() {
    let release = small().await;
    let plan = table(
        &release,
        "EXPLAIN SELECT bitmap FROM tags WHERE tag = 'gender' AND value_string = 'F' AND shard = 3",
    )
    .await
    .join("\n");
    assert!(!plan.contains("FilterExec"), "{plan}");
    assert!(
        plan.contains("00003.parquet") && !plan.contains("00002.parquet"),
        "{plan}"
    );
}
