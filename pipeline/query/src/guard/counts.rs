//! Counts, and other aggregates that take a row of a release for a set.

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::error::Result;
use datafusion::logical_expr::LogicalPlan;
use tagmill_engine::external;
use tagmill_schemas::{Artifact, Error};

use super::conditions::Conditions;
use super::origin::{BITMAP, CARDINALITY, Origin, SHARD, artifact_of, origins_in};
use super::scalars::not_buckets;
use super::sets::has_sets;
use super::{Call, Changed, Context};

/// Aggregates of a size that are of one shard where rows are.
const OF_ONE_ROW: [&str; 6] = ["min", "max", "avg", "median", "first_value", "last_value"];

/// Refuses to count different bitmaps, and tells of counts of rows and of sizes of one row.
pub(super) fn of_rows(call: &Call<'_>, context: &mut Context<'_>) -> Result<Option<Changed>> {
    let name = call.function.name();
    let origins: Vec<Origin<'_>> = call
        .args
        .iter()
        .flat_map(|argument| origins_in(call.rows, argument))
        .collect();
    if name.starts_with("spark_bitmap_") && origins.iter().any(|o| o.column == BITMAP) {
        return Err(not_buckets(name));
    }
    let counts_different = name == "approx_distinct" || name == "count" && call.is_distinct;
    if counts_different && origins.iter().any(|origin| origin.column == BITMAP) {
        return Err(external(
            Error::setup(
                "sql",
                format!("{name}: found a count of different bitmaps, expected one of users"),
            )
            .fix("count users with bitmap_or_cardinality_agg(bitmap)"),
        ));
    }
    if OF_ONE_ROW.contains(&name) {
        let sizes = origins.iter().find(|origin| origin.column == CARDINALITY);
        if let Some(size) = sizes.filter(|size| is_cut(call, size)) {
            context.notes.say(format!(
                "{name}: a row of {table} is a part of a set, in one shard; add the parts first: \
                 sum(cardinality) ... GROUP BY what names the set",
                table = size.artifact.name()
            ));
        }
    }
    if name == "count" && !call.is_distinct {
        note_rows(call, context);
    }
    Ok(None)
}

/// Whether the rows of a group may be of several shards.
fn is_cut(call: &Call<'_>, origin: &Origin<'_>) -> bool {
    !call.is_grouped_by(origin, SHARD)
        && !Conditions::of(call.rows, call.filter).is_fixed(origin, SHARD)
}

/// Tells what is counted where rows of a release are.
fn note_rows(call: &Call<'_>, context: &Context<'_>) {
    let Some(rows) = only_sets(call.rows).filter(|rows| is_cut(call, rows)) else {
        return;
    };
    let table = rows.artifact.name();
    let sets = match rows.artifact {
        Artifact::Groups => "count(DISTINCT \"group\") counts groups",
        Artifact::Tags => "the table tag_values has one for each value",
        _ => "count(DISTINCT ...) counts what names a set",
    };
    context.notes.say(format!(
        "count: {table} has a row for each set and shard; {sets}"
    ));
}

/// The table of sets whose rows a plan has, each once; `None` for others, and for joins of several.
fn only_sets(plan: &LogicalPlan) -> Option<Origin<'_>> {
    let mut found = Vec::new();
    // Walking a plan does not fail.
    let _ = plan.apply(|node| {
        match node {
            LogicalPlan::TableScan(scan) => {
                let artifact = artifact_of(scan);
                found.push(artifact.map(|artifact| Origin {
                    scan,
                    artifact,
                    column: SHARD,
                }));
            }
            LogicalPlan::Aggregate(_) | LogicalPlan::Distinct(_) | LogicalPlan::Unnest(_) => {
                found.push(None);
                return Ok(TreeNodeRecursion::Jump);
            }
            _ => {}
        }
        Ok(TreeNodeRecursion::Continue)
    });
    let mut sets = found
        .iter()
        .flatten()
        .filter(|rows| has_sets(rows.artifact));
    let first = sets.next()?;
    let is_alone = sets.next().is_none() && found.iter().all(Option::is_some);
    is_alone.then_some(*first)
}
