//! What a plan's filters say of the rows of a release's table.

use std::collections::BTreeSet;

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{Expr, LogicalPlan, Operator};
use datafusion::scalar::ScalarValue;

use super::origin::{Origin, origin_of};
use super::sets::set_columns;

/// A condition that holds for all rows, and the plan whose columns it is about.
#[derive(Debug, Clone, Copy)]
struct Condition<'a> {
    expression: &'a Expr,
    plan: &'a LogicalPlan,
}

/// The conditions of a plan's filters.
#[derive(Debug, Default)]
pub(super) struct Conditions<'a> {
    all: Vec<Condition<'a>>,
    /// Columns that a join takes for equal.
    equal: Vec<(Origin<'a>, Origin<'a>)>,
    /// Columns that a join takes for equal to what is computed.
    computed: Vec<Origin<'a>>,
}

impl<'a> Conditions<'a> {
    /// Those that hold for the rows of a plan, with those of an aggregate's own filter.
    pub(super) fn of(plan: &'a LogicalPlan, filter: Option<&'a Expr>) -> Self {
        let mut conditions = Self::default();
        conditions.add(filter, plan);
        // Walking a plan does not fail.
        let _ = plan.apply(|node| {
            conditions.add_node(node);
            Ok(TreeNodeRecursion::Continue)
        });
        conditions
    }

    fn add_node(&mut self, node: &'a LogicalPlan) {
        match node {
            LogicalPlan::Filter(filter) => self.add(Some(&filter.predicate), &filter.input),
            LogicalPlan::Join(join) => {
                self.add(join.filter.as_ref(), node);
                for (left, right) in &join.on {
                    self.add_equal(origin_of(&join.left, left), origin_of(&join.right, right));
                }
            }
            _ => {}
        }
    }

    fn add(&mut self, predicate: Option<&'a Expr>, plan: &'a LogicalPlan) {
        for expression in predicate.map(split_conjunction).unwrap_or_default() {
            self.all.push(Condition { expression, plan });
            if let Expr::BinaryExpr(both) = expression
                && both.op == Operator::Eq
                && !both.left.column_refs().is_empty()
                && !both.right.column_refs().is_empty()
            {
                self.add_equal(origin_of(plan, &both.left), origin_of(plan, &both.right));
            }
        }
    }

    fn add_equal(&mut self, left: Option<Origin<'a>>, right: Option<Origin<'a>>) {
        match (left, right) {
            (Some(left), Some(right)) => self.equal.push((left, right)),
            (Some(one), None) | (None, Some(one)) => self.computed.push(one),
            (None, None) => {}
        }
    }

    /// Whether a join takes a column for equal to what is computed.
    pub(super) fn is_computed(&self, scan: &Origin<'_>, column: &str) -> bool {
        let mut computed = self.computed.iter();
        computed.any(|origin| origin.is_beside(scan) && origin.column == column)
    }

    /// Whether a column has one value in all rows.
    pub(super) fn is_fixed(&self, scan: &Origin<'_>, column: &str) -> bool {
        let of_column = |origin: &Origin<'_>| origin.is_beside(scan) && origin.column == column;
        let others = self.equal.iter().filter_map(|(left, right)| {
            match (of_column(left), of_column(right)) {
                (true, _) => Some(right),
                (_, true) => Some(left),
                _ => None,
            }
        });
        self.has_one_value(scan, column)
            || others
                .into_iter()
                .any(|other| self.has_one_value(other, other.column))
    }

    fn has_one_value(&self, scan: &Origin<'_>, column: &str) -> bool {
        self.one_value(scan, column).is_some()
    }

    /// The value that a column has in all rows, where a condition says it.
    pub(super) fn one_value(&self, scan: &Origin<'_>, column: &str) -> Option<ScalarValue> {
        self.all.iter().find_map(|condition| {
            let (of, values) = values(condition.expression, condition.plan)?;
            let is_it = of.is_beside(scan) && of.column == column && values.len() == 1;
            values.into_iter().next().filter(|_| is_it)
        })
    }

    /// Whether a column is NULL in all rows.
    pub(super) fn is_null(&self, scan: &Origin<'_>, column: &str) -> bool {
        self.all.iter().any(|condition| {
            values(condition.expression, condition.plan).is_some_and(|(of, values)| {
                of.is_beside(scan) && of.column == column && values.iter().all(ScalarValue::is_null)
            })
        })
    }

    /// Whether two scans are joined where this column is equal.
    pub(super) fn are_joined_on(&self, a: &Origin<'_>, b: &Origin<'_>, column: &str) -> bool {
        let is = |origin: &Origin<'_>, scan: &Origin<'_>| {
            origin.is_beside(scan) && origin.column == column
        };
        self.equal
            .iter()
            .any(|(left, right)| (is(left, a) && is(right, b)) || (is(left, b) && is(right, a)))
    }

    /// Columns of this name of two scans that are equal.
    pub(super) fn joined_on(&self, column: &str) -> impl Iterator<Item = (Origin<'a>, Origin<'a>)> {
        let pairs = self.equal.iter().copied();
        pairs.filter(move |(left, right)| {
            left.column == column && right.column == column && !left.is_beside(right)
        })
    }

    /// How many sets of a scan the conditions name one by one; 0 where they do not.
    ///
    /// Columns in `grouped` may differ between groups, and name no set of a group.
    pub(super) fn named_sets(&self, scan: &Origin<'_>, grouped: &BTreeSet<&str>) -> usize {
        let named = self
            .all
            .iter()
            .filter_map(|condition| named(condition.expression, condition.plan, scan, grouped));
        named.map(|sets| sets.len()).max().unwrap_or(0)
    }
}

/// The column and the values that it is compared with: `=`, IN, IS NULL.
fn values<'a>(expression: &Expr, plan: &'a LogicalPlan) -> Option<(Origin<'a>, Vec<ScalarValue>)> {
    match expression {
        Expr::BinaryExpr(both) if both.op == Operator::Eq => {
            let (column, value) = match (literal(&both.left), literal(&both.right)) {
                (None, Some(value)) => (&both.left, value),
                (Some(value), None) => (&both.right, value),
                _ => return None,
            };
            Some((origin_of(plan, column)?, vec![value]))
        }
        Expr::InList(list) if !list.negated => {
            let values: Option<BTreeSet<Written>> = list
                .list
                .iter()
                .map(|v| Some(Written(literal(v)?)))
                .collect();
            let values = values?.into_iter().map(|written| written.0).collect();
            Some((origin_of(plan, &list.expr)?, values))
        }
        Expr::IsNull(column) => Some((origin_of(plan, column)?, vec![ScalarValue::Null])),
        _ => None,
    }
}

fn literal(expression: &Expr) -> Option<ScalarValue> {
    match expression {
        Expr::Literal(value, _) => Some(value.clone()),
        Expr::Cast(cast) => literal(&cast.expr),
        _ => None,
    }
}

/// A literal in the order of how it is written.
#[derive(Debug, Clone)]
struct Written(ScalarValue);

impl PartialEq for Written {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Written {}

impl PartialOrd for Written {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Written {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.to_string().cmp(&other.0.to_string())
    }
}

/// The sets that a condition names, each by how it is written; `None` where it may be any.
fn named(
    expression: &Expr,
    plan: &LogicalPlan,
    scan: &Origin<'_>,
    grouped: &BTreeSet<&str>,
) -> Option<BTreeSet<String>> {
    if let Expr::BinaryExpr(both) = expression {
        let sides = || [&both.left, &both.right].map(|side| named(side, plan, scan, grouped));
        match (both.op, sides()) {
            (Operator::Or, [Some(left), Some(right)]) => return Some(&left | &right),
            (Operator::And, [Some(left), Some(right)]) => {
                let both = left
                    .iter()
                    .flat_map(|l| right.iter().map(move |r| format!("{l} {r}")));
                return Some(both.collect());
            }
            (Operator::And, [one, other]) => return one.or(other),
            (Operator::Or, _) => return None,
            _ => {}
        }
    }
    let (of, values) = values(expression, plan)?;
    let is_key = of.is_beside(scan)
        && !grouped.contains(of.column)
        && set_columns(scan.artifact).any(|column| column == of.column);
    is_key.then(|| {
        let name = |value: ScalarValue| format!("{}={value}", of.column);
        values.into_iter().map(name).collect()
    })
}
