//! A filter that asks of one column both `IS NULL` and a value keeps no row: nothing is read for it.
//!
//! The views over events are two queries, of the events and of their dimensions' values. A condition
//! on `dimension` leaves one of them; DataFusion 55 does not see that the other is empty.
//!
//! ```text
//! Filter: dimension IS NOT NULL AND dimension IS NULL     ─►  EmptyRelation
//! ```

use std::sync::Arc;

use datafusion::common::tree_node::Transformed;
use datafusion::error::Result;
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{EmptyRelation, Expr, Filter, LogicalPlan, Operator};
use datafusion::optimizer::optimizer::ApplyOrder;
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};

/// The rule; it finds what the pushing down of filters has brought together, in the next pass.
#[derive(Debug, Default)]
pub struct NeverRows;

impl OptimizerRule for NeverRows {
    fn name(&self) -> &'static str {
        "never_rows"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::TopDown)
    }

    fn rewrite(
        &self,
        plan: LogicalPlan,
        _: &dyn OptimizerConfig,
    ) -> Result<Transformed<LogicalPlan>> {
        match &plan {
            LogicalPlan::Filter(filter) if is_never(filter) => {
                let schema = Arc::clone(filter.input.schema());
                Ok(Transformed::yes(LogicalPlan::EmptyRelation(
                    EmptyRelation {
                        produce_one_row: false,
                        schema,
                    },
                )))
            }
            _ => Ok(Transformed::no(plan)),
        }
    }
}

fn is_never(filter: &Filter) -> bool {
    let conditions = split_conjunction(&filter.predicate);
    let mut nulls = conditions.iter().filter_map(|condition| match condition {
        Expr::IsNull(of) => Some(&**of),
        _ => None,
    });
    nulls.any(|null| conditions.iter().any(|other| needs_value(other, null)))
}

/// Whether a condition holds for no row in which an expression is null.
fn needs_value(condition: &Expr, of: &Expr) -> bool {
    match condition {
        Expr::IsNotNull(inner) => **inner == *of,
        Expr::BinaryExpr(both) => {
            let is_comparison = matches!(
                both.op,
                Operator::Eq
                    | Operator::NotEq
                    | Operator::Lt
                    | Operator::LtEq
                    | Operator::Gt
                    | Operator::GtEq
            );
            is_comparison && (*both.left == *of || *both.right == *of)
        }
        Expr::InList(list) => *list.expr == *of,
        Expr::Between(between) => *between.expr == *of,
        Expr::Like(like) => *like.expr == *of,
        _ => false,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use datafusion::prelude::SessionContext;

    use super::*;

    async fn plan(sql: &str, rule: bool) -> String {
        let mut state = SessionContext::new().state();
        if rule {
            state = datafusion::execution::SessionStateBuilder::new_from_existing(state)
                .with_optimizer_rule(Arc::new(NeverRows))
                .build();
        }
        let ctx = SessionContext::new_with_state(state);
        ctx.sql("CREATE TABLE t AS VALUES ('a', 1), (NULL, NULL)")
            .await
            .unwrap();
        let plan = ctx.state().create_logical_plan(sql).await.unwrap();
        let plan = ctx.state().optimize(&plan).unwrap();
        plan.display_indent().to_string()
    }

    const BOTH: &str = "SELECT * FROM (SELECT column1, sum(column2) FROM t \
                        WHERE column1 IS NOT NULL GROUP BY column1) WHERE column1 IS NULL";

    #[tokio::test]
    async fn null_and_a_value_is_nothing() {
        let found = plan(BOTH, true).await;
        assert!(found.starts_with("EmptyRelation"), "{found}");
        for value in ["= 'a'", "> 'a'", "IN ('a', 'b', 'c', 'd')", "LIKE '%a%'"] {
            let sql = format!(
                "SELECT * FROM (SELECT * FROM t WHERE column1 IS NULL) WHERE column1 {value}"
            );
            let found = plan(&sql, true).await;
            assert!(found.starts_with("EmptyRelation"), "{found}");
        }
        for other in [
            "column1 IS NULL",
            "column1 IS NOT NULL AND column2 IS NULL",
            "column1 IS NULL AND column1 IS DISTINCT FROM 'a'",
        ] {
            let found = plan(&format!("SELECT * FROM t WHERE {other}"), true).await;
            assert!(!found.contains("EmptyRelation"), "{found}");
        }
    }

    #[tokio::test]
    async fn stock_datafusion_still_reads() {
        let found = plan(BOTH, false).await;
        assert!(
            !found.contains("EmptyRelation"),
            "cured: remove this: {found}"
        );
    }
}
