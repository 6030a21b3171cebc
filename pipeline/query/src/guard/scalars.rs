//! Functions of bitmaps of two tables of a release: they are right where rows of one shard meet.

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::error::Result;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{Expr, LogicalPlan};
use tagmill_engine::external;
use tagmill_schemas::{Artifact, Error};

use super::Notes;
use super::conditions::Conditions;
use super::origin::{BITMAP, Origin, SHARD, origins_in};

/// Parts of the names of functions whose answer for a part says nothing of the whole, unless it is
/// given the parts of one shard, and all of them.
const OF_WHOLE: [&str; 8] = [
    "_or", "_xor", "_and_not", "_andnot", "_jaccard", "_overlap", "_changes", "_not",
];
/// A function that takes a missing part as an empty one, as a FULL JOIN gives it.
const TAKES_MISSING: [&str; 2] = ["null_as_empty", "_changes"];
/// Functions of Spark's own bitmaps, which are other bytes.
const OF_BUCKETS: &str = "spark_bitmap_";

/// Refuses functions that a node's rows can not answer, and tells of those that may leave users out.
pub(super) fn check(node: &LogicalPlan, notes: &Notes) -> Result<()> {
    let inputs = node.inputs();
    let [rows] = inputs.as_slice() else {
        return Ok(());
    };
    node.apply_expressions(|expression| {
        expression.apply(|part| {
            if let Expr::ScalarFunction(call) = part {
                check_call(call, rows, notes)?;
            }
            Ok(TreeNodeRecursion::Continue)
        })
    })?;
    Ok(())
}

fn check_call(call: &ScalarFunction, rows: &LogicalPlan, notes: &Notes) -> Result<()> {
    let name = call.func.name();
    let bitmaps: Vec<Origin<'_>> = call
        .args
        .iter()
        .flat_map(|argument| origins_in(rows, argument))
        .filter(|origin| origin.column == BITMAP)
        .collect();
    if name.starts_with(OF_BUCKETS) && !bitmaps.is_empty() {
        return Err(not_buckets(name));
    }
    let Some((first, others)) = bitmaps.split_first() else {
        return Ok(());
    };
    let Some(other) = others.iter().find(|other| !other.is_beside(first)) else {
        return Ok(());
    };
    let conditions = Conditions::of(rows, None);
    note_other_events(name, first, other, &conditions, notes);
    if !OF_WHOLE.iter().any(|part| name.contains(part)) {
        return Ok(());
    }
    if !conditions.are_joined_on(first, other, SHARD) {
        let what =
            format!("{name}: found rows of different shards put together, expected those of one");
        return Err(external(Error::setup("sql", what).fix(
            "join on shard as well, or use bitmap_rule_cardinality_agg(bitmap, name, 'a-b'), which \
             needs no join",
        )));
    }
    if !TAKES_MISSING.iter().any(|part| name.contains(part)) {
        notes.say(format!(
            "{name}: a join leaves out shards in which one of the two sets has no row; \
             bitmap_rule_cardinality_agg(bitmap, name, 'a-b') needs no join"
        ));
    }
    Ok(())
}

/// Refuses Spark's functions over what is no bucket of Spark.
///
/// # Errors
/// Always.
pub(super) fn not_buckets(name: &str) -> datafusion::error::DataFusionError {
    let name = name.trim_start_matches("spark_");
    external(
        Error::setup(
            "sql",
            format!("{name}: found a bitmap of a release, expected a bucket of Spark's bitmaps"),
        )
        .fix("SET tagmill.dialect = 'tagmill'"),
    )
}

/// Users of two dimension values need not have had them in one event.
fn note_other_events(
    name: &str,
    first: &Origin<'_>,
    other: &Origin<'_>,
    conditions: &Conditions<'_>,
    notes: &Notes,
) {
    let is_event = |origin: &Origin<'_>| origin.artifact == Artifact::Behaviour;
    if is_event(first)
        && is_event(other)
        && !conditions.are_joined_on(first, other, "combination")
        && !conditions.is_null(first, "dimension")
        && !conditions.is_null(other, "dimension")
    {
        notes.say(format!(
            "{name}: users of two dimension values need not have had them in one event; for that, \
             join on combination as well"
        ));
    }
}
