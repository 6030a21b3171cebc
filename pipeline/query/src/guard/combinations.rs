//! Joins on numbers of combinations: a number means something within one app, date and event only.

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::error::Result;
use datafusion::logical_expr::LogicalPlan;
use tagmill_engine::external;
use tagmill_schemas::Error;

use super::conditions::Conditions;
use super::origin::Origin;

/// What a number is within.
const WITHIN: [&str; 3] = ["date", "event", "shard"];

/// Refuses a join of two tables of a release on combination alone.
///
/// # Errors
/// Setup, with the columns that are lacking.
pub(super) fn check(statement: &LogicalPlan) -> Result<()> {
    let conditions = Conditions::of(statement, None);
    for (left, right) in conditions.joined_on("combination") {
        check_join(&left, &right, &conditions)?;
    }
    statement.apply(|node| {
        node.apply_subqueries(|inner| {
            check(inner)?;
            Ok(TreeNodeRecursion::Jump)
        })
    })?;
    Ok(())
}

fn check_join(left: &Origin<'_>, right: &Origin<'_>, conditions: &Conditions<'_>) -> Result<()> {
    let is_met = |column: &&&str| {
        conditions.are_joined_on(left, right, column)
            || conditions.is_computed(left, column)
            || conditions.is_computed(right, column)
            || conditions.is_fixed(left, column) && conditions.is_fixed(right, column)
    };
    let lacking: Vec<&str> = WITHIN
        .iter()
        .filter(|column| !is_met(column))
        .copied()
        .collect();
    if lacking.is_empty() {
        return Ok(());
    }
    let what = "found a join on combination, whose numbers are counted anew for each user, date \
                and event";
    let fix = format!("join on {} as well", lacking.join(" and "));
    Err(external(Error::setup("sql", what).fix(fix)))
}
