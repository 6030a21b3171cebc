//! The operator as a DataFusion plan: its metrics, its way through bytes, and the exchange that
//! Ballista's executors would write.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use chrono::NaiveDate;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::display::DisplayableExecutionPlan;
use datafusion::physical_plan::expressions::Column;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::{ExecutionPlan, collect_partitioned};
use datafusion::prelude::SessionContext;
use datafusion_proto::bytes::{
    physical_plan_from_bytes_with_extension_codec, physical_plan_to_bytes_with_extension_codec,
};
use tagmill_night::codec::NightCodec;
use tagmill_night::exchange::routing_values;
use tagmill_night::{NightExec, ShardReport};
use tagmill_pipeline::{Inputs, NightPlan, Request, Resources, Silent, Tonight, night_session};
use tagmill_testdata::spec::Preset;

use crate::fixture::{Generated, init, request, run, warehouse};

/// The plan of a night, as far as the driver takes it before shards start.
pub async fn planned(
    config: &str,
    date: NaiveDate,
    memory: Option<u64>,
) -> (NightPlan, SessionContext) {
    let request = Request {
        memory,
        ..request(config, date)
    };
    let night = Tonight::open(&request, &Silent).await.unwrap();
    let planned = Inputs::find(&night).await.unwrap().plan().await.unwrap();
    let (mut plan, session) = planned.into_plan();
    (plan.spec.run, plan.spec.attempt) = ("test".to_owned(), 1);
    plan.write_audience(&warehouse(config)).await.unwrap();
    (plan, session)
}

/// The plan of the second night of generated data.
pub async fn second_night(data: &Generated, memory: Option<u64>) -> (NightPlan, SessionContext) {
    init(&data.config).await;
    run(&data.config, data.date(0)).await.unwrap();
    planned(&data.config, data.date(1), memory).await
}

/// The rows of every partition.
pub async fn rows(plan: Arc<dyn ExecutionPlan>, session: &SessionContext) -> Vec<RecordBatch> {
    let partitions = collect_partitioned(plan, session.task_ctx()).await.unwrap();
    partitions.into_iter().flatten().collect()
}

/// The reports of a plan that runs here, by shard, without what a clock says.
pub async fn reports(
    exec: &Arc<NightExec>,
    session: &SessionContext,
) -> BTreeMap<u32, ShardReport> {
    let rows = rows(exec.clone(), session).await;
    by_shard(exec.read_reports(&rows).await.unwrap())
}

pub fn by_shard(reports: Vec<ShardReport>) -> BTreeMap<u32, ShardReport> {
    let timeless = |report: ShardReport| ShardReport {
        seconds: Vec::new(),
        ..report
    };
    let reports = reports.into_iter().map(timeless);
    reports.map(|report| (report.shard, report)).collect()
}

/// A session that planned nothing: functions and stores are found by name.
pub fn other_session() -> SessionContext {
    let resources = Resources {
        memory: None,
        threads: 3,
        shards: 4,
        spill: "spill".into(),
    };
    night_session(&resources, None).unwrap()
}

pub fn decoded(bytes: &[u8], session: &SessionContext) -> Arc<dyn ExecutionPlan> {
    let context = session.task_ctx();
    physical_plan_from_bytes_with_extension_codec(bytes, &context, &NightCodec).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_plan_survives_the_way_through_bytes_and_gives_the_same_reports() {
    let data = Generated::small(Preset::Demo);
    let (plan, session) = second_night(&data, Some(1 << 30)).await;
    let store = warehouse(&data.config);
    let here = plan.operator(&store).unwrap();
    let here = reports(&here, &session).await;
    assert_eq!(here.len(), 4);

    let exec = plan.operator_to_send(&store).unwrap();
    let bytes = physical_plan_to_bytes_with_extension_codec(exec.clone(), &NightCodec).unwrap();
    let other = other_session();
    let rows = rows(decoded(&bytes, &other), &other).await;
    let there = by_shard(exec.read_reports(&rows).await.unwrap());
    assert_eq!(
        serde_json::to_value(&there).unwrap(),
        serde_json::to_value(&here).unwrap()
    );
}

/// Two columns of one type in the wrong order would give a valid file with wrong values.
#[tokio::test(flavor = "multi_thread")]
async fn refuses_an_input_with_two_columns_swapped() {
    let data = Generated::small(Preset::Demo);
    let (plan, _) = second_night(&data, None).await;
    let store = warehouse(&data.config);
    let exec = plan.operator(&store).unwrap();
    let mut children: Vec<_> = exec.children().into_iter().map(Arc::clone).collect();
    for number in 0..children.len() {
        let child = Arc::clone(&children[number]);
        let schema = child.schema();
        let column = |(at, name): (usize, &String)| {
            let column: Arc<dyn PhysicalExpr> = Arc::new(Column::new(name, at));
            (column, name.clone())
        };
        let names: Vec<String> = schema.fields().iter().map(|f| f.name().clone()).collect();
        let mut columns: Vec<_> = names.iter().enumerate().map(column).collect();
        let last = columns.len() - 1;
        columns.swap(last - 1, last);
        let swapped = ProjectionExec::try_new(columns, Arc::clone(&child)).unwrap();
        children[number] = Arc::new(swapped);
        let spec = Arc::clone(exec.spec());
        let refused = NightExec::try_new(spec, store.clone(), exec.numbers(), children.clone());
        let error = refused.unwrap_err().to_string();
        let expected = format!("is {:?}, expected {:?}", names[last], names[last - 1]);
        assert!(error.contains(&expected), "{error}");
        children[number] = child;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn explain_analyze_shows_what_each_shard_did() {
    let data = Generated::small(Preset::Demo);
    let (plan, session) = second_night(&data, None).await;
    let exec = plan.operator(&warehouse(&data.config)).unwrap();
    let reports = reports(&exec, &session).await;
    let text = DisplayableExecutionPlan::with_metrics(exec.as_ref())
        .indent(true)
        .to_string();
    let line = text
        .lines()
        .find(|line| line.contains("NightExec"))
        .unwrap();
    for name in [
        "input_rows",
        "new_users",
        "bytes_written",
        "peak_memory",
        "load_time",
        "take_time",
        "finish_time",
        "write_time",
    ] {
        assert!(
            line.contains(&format!("{name}=")),
            "{name} is not in {line}"
        );
    }
    let metrics = exec.metrics().unwrap();
    let sum = |name: &str| metrics.sum_by_name(name).unwrap().as_usize() as u64;
    let counted = reports
        .values()
        .flat_map(|r| &r.counts)
        .filter(|c| c.metric.is_fate());
    assert_eq!(sum("input_rows"), counted.map(|c| c.value).sum::<u64>());
    assert_eq!(
        sum("new_users"),
        reports.values().map(|r| r.new_users).sum::<u64>()
    );
    assert_eq!(
        sum("bytes_written"),
        reports
            .values()
            .flat_map(|r| &r.files)
            .map(|f| f.bytes)
            .sum::<u64>()
    );
    assert!(
        text.contains("ShardExchangeExec: shards=4")
            && text.contains("route_time=")
            && text.contains("DataSourceExec"),
        "{text}"
    );
}

/// A version of DataFusion that hashes otherwise changes these numbers, and nothing that is
/// published: each partition has one still.
#[test]
fn routing_values_are_pinned_for_this_version() {
    assert_eq!(routing_values(4).unwrap().as_slice(), PINNED);
}

const PINNED: [u64; 4] = [2, 1, 10, 0];
