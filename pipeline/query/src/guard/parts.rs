//! An answer whose rows are parts of sets without saying so.

use datafusion::logical_expr::{LogicalPlan, Projection};

use super::Notes;
use super::conditions::Conditions;
use super::origin::{Origin, SHARD, origin_of, origins_in};
use super::sets::has_sets;

/// Tells of an answer with users or sizes of a release's rows, and without their shard.
pub(super) fn check(plan: &LogicalPlan, notes: &Notes) {
    let Some(projection) = answer(plan) else {
        return;
    };
    let rows = &*projection.input;
    let mut parts: Vec<Origin<'_>> = Vec::new();
    for expression in &projection.expr {
        let is_shard = origin_of(rows, expression).is_some_and(|origin| origin.column == SHARD);
        if is_shard {
            return;
        }
        parts.extend(origins_in(rows, expression));
    }
    let conditions = Conditions::of(rows, None);
    let part = parts.iter().find(|part| {
        part.is_part_of_set() && has_sets(part.artifact) && !conditions.is_fixed(part, SHARD)
    });
    if let Some(part) = part {
        notes.say(format!(
            "a row of {} is a part of a set, in one shard; sum(cardinality) and \
             bitmap_or_agg(bitmap) ... GROUP BY give whole sets",
            part.artifact.name()
        ));
    }
}

/// What the rows of a statement are made of, below their order.
fn answer(plan: &LogicalPlan) -> Option<&Projection> {
    match plan {
        LogicalPlan::Projection(projection) => Some(projection),
        LogicalPlan::Sort(sort) => answer(&sort.input),
        LogicalPlan::Limit(limit) => answer(&limit.input),
        _ => None,
    }
}
