//! Aggregates over the views and table functions that have a row a set: their numbers are of one set
//! each, and what is added over several counts users in each.
//!
//! ```text
//! group_sets  name      tag_sets, tag_stats  tag, value      event_sets, event_stats  date, event, dimension, value, measure
//! sum(users)            users of two sets may be the same ones
//! sum(sum)              an event counts once for each dimension, and once without
//! avg(avg), sum(max)    no number of any set
//! ```

use std::collections::BTreeSet;

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::error::Result;
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{Expr, LogicalPlan, Operator};

use super::origin::{artifact_of, traced_of};
use super::{Call, Changed, Context};
use crate::one_value::has_one_value;

/// Numbers of users' numbers, which say nothing when they are put together.
const OF_USERS: [&str; 6] = ["avg", "min", "p25", "median", "p75", "max"];

/// What rows are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sets {
    Groups,
    Tags,
    TagNumbers,
    Events,
    EventNumbers,
}

/// A column of rows that are sets.
#[derive(Debug, Clone, Copy)]
struct Seen<'a> {
    rows: &'a LogicalPlan,
    sets: Sets,
    column: &'a str,
}

/// Columns of such rows that have one value in all rows that are added.
struct One<'a> {
    columns: BTreeSet<&'a str>,
    /// Of these it is null.
    nulls: BTreeSet<&'a str>,
    /// The tag that a condition names.
    tag: Option<String>,
}

/// Tells of numbers of several sets that are put together.
pub(super) fn of_one_set(call: &Call<'_>, context: &mut Context<'_>) -> Result<Option<Changed>> {
    let name = call.function.name();
    let [value] = call.args else {
        return Ok(None);
    };
    let Some(seen) = seen_of(call.rows, value) else {
        return Ok(None);
    };
    let one = One::of(call, &seen);
    let told = match (name, seen.column) {
        ("sum", "users" | "came" | "went") => several_users(&seen, &one, context).map(|several| {
            format!(
                "sum: users of several {several} are added, and count in each; \
                 bitmap_or_cardinality_agg(bitmap) counts a user once"
            )
        }),
        ("sum", "sum") => several_sums(&seen, &one).map(|why| format!("sum: {why}")),
        ("sum" | "avg" | "median", column) if OF_USERS.contains(&column) => Some(format!(
            "{name}: {column} is a number of one set's users; of several sets together it is \
             none: sum(sum) / sum(users) is an average of sets without users in common"
        )),
        _ => several_meanings(&seen, &one),
    };
    if let Some(told) = told {
        context.notes.say(told);
    }
    Ok(None)
}

/// Sets whose users are added.
fn several_users(seen: &Seen<'_>, one: &One<'_>, context: &Context<'_>) -> Option<&'static str> {
    let several = |column: &str| !one.columns.contains(column);
    let multi = &context.facts.multi;
    let is_multi = || {
        one.tag
            .as_ref()
            .map_or(!multi.is_empty(), |tag| multi.contains(tag))
    };
    match seen.sets {
        _ if context.facts.is_global && several("app") => Some("apps"),
        Sets::Groups => several("name").then_some("groups"),
        Sets::Tags | Sets::TagNumbers if several("tag") => Some("tags"),
        Sets::Tags if several("value") && is_multi() => Some("values of a tag"),
        Sets::Tags | Sets::TagNumbers => None,
        Sets::Events | Sets::EventNumbers if several("date") => Some("dates"),
        Sets::Events | Sets::EventNumbers if several("event") => Some("events"),
        Sets::EventNumbers if several("measure") => Some("measures"),
        Sets::Events | Sets::EventNumbers if several("dimension") => Some("dimensions"),
        Sets::Events | Sets::EventNumbers => {
            let is_of_value = !one.nulls.contains("dimension");
            (is_of_value && several("value")).then_some("values of a dimension")
        }
    }
}

/// Why sums of several sets say nothing together.
fn several_sums(seen: &Seen<'_>, one: &One<'_>) -> Option<&'static str> {
    let several = |column: &str| !one.columns.contains(column);
    match seen.sets {
        Sets::TagNumbers if several("tag") => Some("numbers of several tags are added"),
        Sets::EventNumbers if several("measure") => Some(
            "numbers of several measures are added; measure = '*' counts events, others are sums",
        ),
        Sets::EventNumbers if several("dimension") => Some(
            "an event counts once without a dimension and once for each; add the rows WHERE \
             dimension IS NULL, or those of one dimension",
        ),
        Sets::Groups | Sets::Tags | Sets::TagNumbers | Sets::Events | Sets::EventNumbers => None,
    }
}

/// A value stands for something else in another dimension.
fn several_meanings(seen: &Seen<'_>, one: &One<'_>) -> Option<String> {
    let is_of_events = matches!(seen.sets, Sets::Events | Sets::EventNumbers);
    let is_any = one.columns.contains("value") && !one.columns.contains("dimension");
    (is_of_events && is_any && !one.nulls.contains("value")).then(|| {
        "a value may be one of several dimensions, which are put together: name the dimension as \
         well"
            .to_owned()
    })
}

/// The rows that are sets which an expression is a column of.
fn seen_of<'a>(plan: &'a LogicalPlan, expression: &Expr) -> Option<Seen<'a>> {
    let (rows, column) = traced_of(plan, expression, &|node| sets_of(node).is_some())?;
    let sets = sets_of(rows)?;
    Some(Seen { rows, sets, column })
}

/// What the rows of a node are of; `None` for other nodes.
fn sets_of(node: &LogicalPlan) -> Option<Sets> {
    let name = match node {
        LogicalPlan::SubqueryAlias(alias) => alias.alias.table(),
        // A function of the name has the columns of the view.
        LogicalPlan::TableScan(scan) if artifact_of(scan).is_none() => scan.table_name.table(),
        _ => return None,
    };
    let sets = match name.trim_end_matches("()") {
        "group_sets" => Sets::Groups,
        "tag_sets" => Sets::Tags,
        "tag_stats" => Sets::TagNumbers,
        "event_sets" => Sets::Events,
        "event_stats" => Sets::EventNumbers,
        _ => return None,
    };
    let has = |name: &str| node.schema().has_column_with_unqualified_name(name);
    (has("app") && has("users")).then_some(sets)
}

impl<'a> One<'a> {
    /// Those that are grouped by, that a condition fixes, or that a join takes from elsewhere.
    fn of(call: &Call<'a>, seen: &Seen<'a>) -> Self {
        let mut one = Self {
            columns: BTreeSet::new(),
            nulls: BTreeSet::new(),
            tag: None,
        };
        let column = |plan: &'a LogicalPlan, expression: &Expr| {
            let found = seen_of(plan, expression)?;
            std::ptr::eq(found.rows, seen.rows).then_some(found.column)
        };
        let fields = seen.rows.schema().fields().iter();
        let fixed = fields.filter(|field| has_one_value(field));
        one.columns.extend(fixed.map(|field| field.name().as_str()));
        let grouped = call
            .groups
            .iter()
            .filter_map(|group| column(call.rows, group));
        one.columns.extend(grouped);
        for condition in call.filter.map(split_conjunction).unwrap_or_default() {
            one.add(condition, |expression| column(call.rows, expression));
        }
        // Walking a plan does not fail.
        let _ = call.rows.apply(|node| {
            match node {
                LogicalPlan::Filter(filter) => {
                    for condition in split_conjunction(&filter.predicate) {
                        one.add(condition, |expression| column(&filter.input, expression));
                    }
                }
                LogicalPlan::Join(join) => {
                    for (left, right) in &join.on {
                        one.columns.extend(column(&join.left, left));
                        one.columns.extend(column(&join.right, right));
                    }
                }
                _ => {}
            }
            Ok(TreeNodeRecursion::Continue)
        });
        one
    }

    fn add(&mut self, condition: &Expr, column: impl Fn(&Expr) -> Option<&'a str>) {
        match condition {
            Expr::BinaryExpr(both) if both.op == Operator::Eq => {
                for (side, other) in [(&both.left, &both.right), (&both.right, &both.left)] {
                    let of = column(side);
                    self.columns.extend(of);
                    if let (Some("tag"), Expr::Literal(value, _)) = (of, &**other) {
                        self.tag = value.try_as_str().flatten().map(str::to_owned);
                    }
                }
            }
            Expr::InList(list) if !list.negated && list.list.len() == 1 => {
                self.columns.extend(column(&list.expr));
            }
            Expr::IsNull(of) => {
                let of = column(of);
                self.columns.extend(of);
                self.nulls.extend(of);
            }
            _ => {}
        }
    }
}
