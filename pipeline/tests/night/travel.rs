//! A night whose shards run elsewhere: what passes through a scheduler stays small, a shard knows
//! its number whatever an engine calls its partition, and rules are read once a process.

use std::fmt;
use std::sync::Arc;

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::Result;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::execution_plan::reset_plan_states;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties, ReplaceChildrenOptions,
};
use datafusion_proto::bytes::physical_plan_to_bytes_with_extension_codec;
use object_store::ObjectStore;
use tagmill_night::codec::NightCodec;
use tagmill_night::exchange::shard_numbers;
use tagmill_night::{NightExec, ShardNumbers};
use tagmill_testdata::spec::Preset;
use tagmill_warehouse::store::testing::CountingStore;

use crate::fixture::{Generated, warehouse};
use crate::hand::{DAY, GROUPS, Hand, PROFILE_TAGS, PROFILES, day};
use crate::operator::{by_shard, decoded, other_session, planned, reports, rows, second_night};

/// What Ballista's scheduler accepts of a message before it must be told otherwise.
const MOST_BYTES: usize = 1 << 20;

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_rules_of_fifty_apps_pass_a_scheduler_in_a_megabyte() {
    let hand = Hand::new(&[PROFILES, PROFILE_TAGS, GROUPS]);
    let apps: Vec<String> = (0..50).map(|app| format!("shop-{app:02}")).collect();
    let cities: Vec<String> = (0..20_000)
        .map(|city| format!("city number {city}"))
        .collect();
    let users: Vec<_> = (0..20_000)
        .map(|user| {
            (
                apps[user % 50].as_str(),
                format!("user-{user}"),
                cities[user].as_str(),
            )
        })
        .collect();
    let profiles: Vec<_> = users
        .iter()
        .map(|(app, user, city)| (*app, Some(user.as_str()), Some(*city), Some(30)))
        .collect();
    hand.write_profiles(DAY, &profiles);
    let ids: String = (0..30_000).map(|user| format!("user-{user}\n")).collect();
    let mut rules = String::new();
    for app in &apps {
        hand.write_bytes(&format!("lists/{app}/vip.csv"), &ids);
        for group in 0..200 {
            let name = format!("customers of the campaign number {group:03}");
            let rule = format!(
                "in_list('vip') AND (age BETWEEN {group} AND 90 OR city IN ('city number {group}', \
                 'city number {}')) AND NOT in_split('campaign {group}', 0, 10)",
                group + 7
            );
            rules += &format!("{{\"app\":\"{app}\",\"group\":\"{name}\",\"rule\":\"{rule}\"}}\n");
        }
    }
    hand.write_bytes("conf/a.ndjson", rules);
    hand.init().await;
    let (plan, _) = planned(&hand.config, day(DAY), Some(1 << 30)).await;
    assert_eq!(plan.spec.audience.rules, 10_000);
    let written = plan.spec.audience.file.as_ref().unwrap();
    assert!(written.bytes > 4 << 20, "{written:?} proves nothing");

    let exec = plan.operator_to_send(&warehouse(&hand.config)).unwrap();
    let bytes = physical_plan_to_bytes_with_extension_codec(exec.clone(), &NightCodec).unwrap();
    let session = other_session();
    let rows = rows(decoded(&bytes, &session), &session).await;
    let returned: usize = rows.iter().map(|batch| batch.get_array_memory_size()).sum();
    println!(
        "{} bytes of plan, {returned} of rows, {} of rules",
        bytes.len(),
        written.bytes
    );
    assert!(bytes.len() + returned < MOST_BYTES / 10);

    let reports = exec.read_reports(&rows).await.unwrap();
    let groups: usize = reports[0].groups.len();
    assert_eq!((reports.len(), groups), (2, 10_000));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_counts_on_its_partitions_does_not_travel() {
    let data = Generated::small(Preset::Demo);
    let (plan, _) = second_night(&data, Some(1 << 30)).await;
    let exec = plan.operator(&warehouse(&data.config)).unwrap();
    let error = physical_plan_to_bytes_with_extension_codec(exec, &NightCodec).unwrap_err();
    assert!(
        error.to_string().contains("numbered by partition"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn shards_know_their_numbers_when_partitions_are_numbered_anew() {
    let data = Generated::small(Preset::Demo);
    let (mut plan, session) = second_night(&data, Some(1 << 30)).await;
    let store = warehouse(&data.config);
    let here = reports(&plan.operator(&store).unwrap(), &session).await;
    // An exchange runs once.
    let again = std::mem::take(&mut plan.children)
        .into_iter()
        .map(reset_plan_states);
    plan.children = again.collect::<Result<_, _>>().unwrap();
    let exec = plan.operator_to_send(&store).unwrap();
    let there = reports(&renumbered(&exec), &session).await;
    assert_eq!(
        serde_json::to_value(&there).unwrap(),
        serde_json::to_value(&here).unwrap()
    );
}

/// The night's own rows are all in other shards, so that nothing but the numbers' own row tells.
#[tokio::test(flavor = "multi_thread")]
async fn a_shard_without_rows_knows_its_number_too() {
    let data = Generated::small(Preset::Demo);
    let (plan, session) = second_night(&data, Some(1 << 30)).await;
    let store = warehouse(&data.config);
    let numbers = shard_numbers(plan.spec.shards).unwrap();
    let partitions = plan.spec.shards.get() as usize;
    let empty = plan.children.iter().map(|child| {
        Arc::new(EmptyExec::new(child.schema()).with_partitions(partitions))
            as Arc<dyn ExecutionPlan>
    });
    let children = std::iter::once(numbers).chain(empty).collect();
    let spec = Arc::new(plan.spec.clone());
    let exec = NightExec::try_new(spec, store.clone(), ShardNumbers::OfRow, children).unwrap();
    let exec = renumbered(&Arc::new(exec));
    let rows = rows(exec.clone(), &session).await;
    let reports = by_shard(exec.read_reports(&rows).await.unwrap());
    assert!(reports.keys().copied().eq(0..4));
    for (shard, report) in reports {
        // The users of the night before, of this shard and no other.
        let users = plan
            .spec
            .parent
            .users
            .iter()
            .filter(|file| file.shard == Some(shard));
        assert_eq!(report.users, users.map(|file| file.rows).sum::<u64>());
        assert!(report.users > 0 && report.new_users == 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partition_that_no_row_tells_its_shard_is_an_error() {
    let data = Generated::small(Preset::Demo);
    let (plan, session) = second_night(&data, Some(1 << 30)).await;
    let numbers = shard_numbers(plan.spec.shards).unwrap();
    let nobody = EmptyExec::new(numbers.schema()).with_partitions(plan.spec.shards.get() as usize);
    let nobody: Arc<dyn ExecutionPlan> = Arc::new(nobody);
    let children = std::iter::once(nobody).chain(plan.children.iter().cloned());
    let exec = NightExec::try_new(
        Arc::new(plan.spec.clone()),
        warehouse(&data.config),
        ShardNumbers::OfRow,
        children.collect(),
    );
    let mut rows = exec.unwrap().execute(1, session.task_ctx()).unwrap();
    let error = futures::StreamExt::next(&mut rows)
        .await
        .unwrap()
        .unwrap_err();
    assert!(
        error.to_string().contains("0 rows say which shard"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_reads_the_rules_once_however_many_plans_it_decodes() {
    let data = Generated::small(Preset::Demo);
    let (plan, session) = second_night(&data, None).await;
    let counting = Arc::new(CountingStore::new(Arc::clone(
        warehouse(&data.config).objects(),
    )));
    let store = warehouse(&data.config).wrapped(|_| Arc::clone(&counting) as Arc<dyn ObjectStore>);
    let exec = plan.operator(&store).unwrap();
    // Another plan of the same attempt, as another task decodes it.
    let twin = plan.operator(&store).unwrap();
    reports(&exec, &session).await;
    drop(twin);
    let file = plan.spec.audience.file.as_ref().unwrap();
    assert_eq!(counting.bytes_fetched("audience.json"), file.bytes);
}

/// The operator over children whose partitions an engine calls by other numbers.
fn renumbered(exec: &Arc<NightExec>) -> Arc<NightExec> {
    let children = exec
        .children()
        .into_iter()
        .map(|child| Arc::new(Renumbered(Arc::clone(child))) as Arc<dyn ExecutionPlan>);
    let spec = Arc::clone(exec.spec());
    let store = tagmill_warehouse::store::Store::open(&spec.store).unwrap();
    let exec = NightExec::try_new(spec, store, exec.numbers(), children.collect());
    Arc::new(exec.unwrap())
}

/// Partition `i` is partition `i + 1` of the child.
#[derive(Debug)]
struct Renumbered(Arc<dyn ExecutionPlan>);

impl DisplayAs for Renumbered {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Renumbered")
    }
}

impl ExecutionPlan for Renumbered {
    fn name(&self) -> &'static str {
        "Renumbered"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.0.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.0]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(Self(children.remove(0))))
    }

    fn with_new_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(Self(children.remove(0))))
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let partitions = self.properties().output_partitioning().partition_count();
        self.0.execute((partition + 1) % partitions, context)
    }
}
