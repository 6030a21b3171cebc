//! Members above a GROUP BY: DataFusion 55 takes a key that GROUP BY made unique for unique above
//! `unnest` too, where a row has become many (apache/datafusion#24787). `ORDER BY key, uid` is then
//! ordered by the key, DISTINCT does nothing, a join gives a row a key.
//!
//! ```text
//! FROM (subquery), view, CTE ── planned, then forgotten ─► GROUP BY adds no column of its own accord
//! optimizer: forget, rule, forget, rule, ...             ─► rules compute schemas anew, and believe them
//! ```
//!
//! `stock_datafusion_still_keeps_uniqueness` falls when this is no longer needed.

use datafusion::common::FunctionalDependencies;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::error::Result;
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::planner::{
    PlannedRelation, RelationPlanner, RelationPlannerContext, RelationPlanning,
};
use datafusion::logical_expr::{LogicalPlan, Unnest};
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};
use datafusion::sql::sqlparser::ast::TableFactor;
use std::cell::Cell;
use std::sync::Arc;

/// The session with the guard, once.
///
/// # Errors
/// Those of making it.
pub(super) fn guarded(state: SessionState) -> Result<SessionState> {
    let rules = state.optimizers();
    if rules
        .iter()
        .any(|rule| rule.name() == ForgetUniqueness.name())
    {
        return Ok(state);
    }
    let forget: Arc<dyn OptimizerRule + Send + Sync> = Arc::new(ForgetUniqueness);
    let guarded = rules
        .iter()
        .flat_map(|rule| [Arc::clone(&forget), Arc::clone(rule)]);
    let guarded = guarded.collect();
    let id = state.session_id().to_owned();
    let mut state = SessionStateBuilder::new_from_existing(state)
        .with_session_id(id)
        .with_optimizer_rules(guarded)
        .build();
    state.register_relation_planner(Arc::new(ForgettingRelations))?;
    Ok(state)
}

/// Before each rule of the optimizer: an [`Unnest`] makes nothing unique.
#[derive(Debug)]
struct ForgetUniqueness;

impl OptimizerRule for ForgetUniqueness {
    fn name(&self) -> &'static str {
        "forget_uniqueness"
    }

    fn supports_rewrite(&self) -> bool {
        true
    }

    fn rewrite(
        &self,
        plan: LogicalPlan,
        _: &dyn OptimizerConfig,
    ) -> Result<Transformed<LogicalPlan>> {
        forgotten(plan)
    }
}

/// Relations of a statement, planned by whoever plans them.
#[derive(Debug)]
struct ForgettingRelations;

thread_local! {
    /// Whether the next relation is one that is being planned already.
    static IS_BEING_PLANNED: Cell<bool> = const { Cell::new(false) };
}

impl RelationPlanner for ForgettingRelations {
    fn plan_relation(
        &self,
        relation: TableFactor,
        context: &mut dyn RelationPlannerContext,
    ) -> Result<RelationPlanning> {
        let may_unnest = matches!(
            relation,
            TableFactor::Derived { .. } | TableFactor::Table { args: None, .. }
        );
        if IS_BEING_PLANNED.take() || !may_unnest {
            return Ok(RelationPlanning::Original(Box::new(relation)));
        }
        IS_BEING_PLANNED.set(true);
        let plan = context.plan(relation);
        IS_BEING_PLANNED.set(false);
        let plan = forgotten(plan?)?.data;
        Ok(RelationPlanning::Planned(Box::new(PlannedRelation::new(
            plan, None,
        ))))
    }
}

/// The plan without what its unnests keep and must not.
fn forgotten(plan: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    let mut keeps = false;
    plan.apply_with_subqueries(|node| {
        keeps |= is_keeping(node);
        Ok(match keeps {
            true => TreeNodeRecursion::Stop,
            false => TreeNodeRecursion::Continue,
        })
    })?;
    match keeps {
        true => forget(plan),
        false => Ok(Transformed::no(plan)),
    }
}

fn is_keeping(plan: &LogicalPlan) -> bool {
    matches!(plan, LogicalPlan::Unnest(unnest) if !unnest.schema.functional_dependencies().is_empty())
}

/// From below: what stands above an unnest computes its schema anew.
fn forget(plan: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    let below = plan
        .map_subqueries(forget)?
        .transform_sibling(|plan| plan.map_children(forget))?;
    if let LogicalPlan::Unnest(unnest) = below.data {
        let schema = unnest.schema.as_ref().clone();
        let schema = schema.with_functional_dependencies(FunctionalDependencies::empty())?;
        let unnest = Unnest {
            schema: Arc::new(schema),
            ..unnest
        };
        return Ok(Transformed::yes(LogicalPlan::Unnest(unnest)));
    }
    match below.transformed {
        true => below.map_data(LogicalPlan::recompute_schema),
        false => Ok(below),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use datafusion::prelude::SessionContext;

    /// Members of two keys above a GROUP BY, their number by key.
    const BY_KEY: &str = "SELECT count(*) FROM (VALUES (0), (1)) AS n(k) JOIN (SELECT k, unnest(ids) AS \
                          id FROM (SELECT value % 2 AS k, array_agg(value) AS ids FROM \
                          generate_series(1, 10) GROUP BY 1)) AS m ON m.k = n.k";

    async fn rows(ctx: &SessionContext, sql: &str) -> String {
        let batches = ctx.sql(sql).await.unwrap().collect().await.unwrap();
        let text = arrow::util::pretty::pretty_format_batches(&batches).unwrap();
        text.to_string()
    }

    #[tokio::test]
    async fn stock_datafusion_still_keeps_uniqueness() {
        let stock = SessionContext::new();
        assert!(
            rows(&stock, BY_KEY).await.contains("| 2 "),
            "cured: remove this guard"
        );
        crate::register_all(&stock).unwrap();
        assert!(rows(&stock, BY_KEY).await.contains("| 10 "));
    }

    #[tokio::test]
    async fn a_session_is_guarded_once_and_keeps_what_it_had() {
        let ctx = SessionContext::new();
        let id = ctx.state().session_id().to_owned();
        ctx.sql("CREATE TABLE t AS VALUES (1)")
            .await
            .unwrap()
            .collect()
            .await
            .unwrap();
        crate::register_all(&ctx).unwrap();
        let rules = ctx.state().optimizers().len();
        crate::register_all(&ctx).unwrap();
        assert_eq!(ctx.state().optimizers().len(), rules);
        assert_eq!(ctx.state().session_id(), id);
        assert!(rows(&ctx, "SELECT * FROM t").await.contains("| 1 "));
    }
}
