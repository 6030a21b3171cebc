//! Aggregates whose groups do not fit the memory limit spill them, and answer as without a limit.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use datafusion::arrow::array::{AsArray, RecordBatch};
use datafusion::arrow::datatypes::Int64Type;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::physical_plan::{ExecutionPlan, collect};
use datafusion::prelude::{SessionConfig, SessionContext};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Bytes; too few for the groups, enough to merge what was spilled.
const MEMORY: usize = 12 << 20;
/// Twenty rows a group; the group is `g`, its members are `v`, or the bitmap `s` of two of them.
const ROWS: &str =
    "CREATE VIEW rows AS SELECT value % 40000 AS g, (value * 7919) % 1000003 AS v, value % 3 AS k,
  bitmap_from_array([(value * 7919) % 1000003, value % 1000]) AS s FROM generate_series(1, 800000)";

fn session(memory: Option<usize>) -> SessionContext {
    let mut runtime = RuntimeEnvBuilder::new();
    if let Some(bytes) = memory {
        runtime = runtime.with_memory_limit(bytes, 1.0);
    }
    let config = SessionConfig::new()
        .with_target_partitions(2)
        .with_batch_size(500);
    let context = SessionContext::new_with_config_rt(config, runtime.build_arc().unwrap());
    tagmill_udfs::register_all(&context).unwrap();
    context
}

fn spills(plan: &Arc<dyn ExecutionPlan>) -> usize {
    let own = plan
        .metrics()
        .and_then(|metrics| metrics.spill_count())
        .unwrap_or(0);
    own + plan.children().into_iter().map(spills).sum::<usize>()
}

/// The values of every group, and how often something was spilled.
async fn answers(
    context: &SessionContext,
    aggregates: &str,
) -> (BTreeMap<i64, Vec<String>>, usize) {
    context.sql(ROWS).await.unwrap().collect().await.unwrap();
    let sql = format!("SELECT g, {aggregates} FROM rows GROUP BY g");
    let plan = context
        .sql(&sql)
        .await
        .unwrap()
        .create_physical_plan()
        .await
        .unwrap();
    let batches = collect(Arc::clone(&plan), context.task_ctx())
        .await
        .unwrap();
    let groups = batches.iter().flat_map(|batch| {
        let groups = batch
            .column(0)
            .as_primitive::<Int64Type>()
            .values()
            .iter()
            .copied();
        groups.zip(texts(batch)).collect::<Vec<_>>()
    });
    (groups.collect(), spills(&plan))
}

fn texts(batch: &RecordBatch) -> Vec<Vec<String>> {
    let options = FormatOptions::default();
    let columns: Vec<_> = batch.columns()[1..]
        .iter()
        .map(|column| ArrayFormatter::try_new(column, &options).unwrap())
        .collect();
    (0..batch.num_rows())
        .map(|row| {
            columns
                .iter()
                .map(|column| column.value(row).to_string())
                .collect()
        })
        .collect()
}

async fn spills_and_agrees(aggregates: &str) {
    let (expected, none) = answers(&session(None), aggregates).await;
    assert_eq!((expected.len(), none), (40_000, 0));
    let (found, spilled) = answers(&session(Some(MEMORY)), aggregates).await;
    assert!(spilled > 0, "{aggregates}");
    assert!(found == expected, "{aggregates}");
}

#[tokio::test]
async fn built_bitmaps() {
    spills_and_agrees("bitmap_build_agg(v), bitmap_build_cardinality_agg(v)").await;
}

#[tokio::test]
async fn bitmaps_of_bitmaps() {
    spills_and_agrees("bitmap_or_agg(s)").await;
    spills_and_agrees("bitmap_and_agg(s), bitmap_xor_agg(s)").await;
}

#[tokio::test]
async fn keyed_bitmaps() {
    spills_and_agrees("bitmap_rule_agg(s, cast(k AS varchar), '0 | (1 & 2)')").await;
    spills_and_agrees("bitmap_intersect_cardinality_agg(s, cast(k AS varchar), '1', '2')").await;
}

#[tokio::test]
async fn bit_sliced_numbers() {
    spills_and_agrees("bsi_count_agg(k - 1, s), bsi_top_agg(k - 1, s, 3)").await;
}
