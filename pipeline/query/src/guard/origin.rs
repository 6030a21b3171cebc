//! Where a column of a plan comes from: the column of a release's table that it is, unchanged.

use datafusion::common::Column;
use datafusion::datasource::source_as_provider;
use datafusion::logical_expr::{Distinct, Expr, Join, JoinType, LogicalPlan, TableScan};
use tagmill_schemas::Artifact;

use crate::catalog::FileTable;

/// A column of one scan of a release's table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Origin<'a> {
    pub(super) scan: &'a TableScan,
    pub(super) artifact: Artifact,
    pub(super) column: &'a str,
}

impl Origin<'_> {
    /// Whether both are of one scan: a table may be scanned twice.
    pub(super) fn is_beside(&self, other: &Origin<'_>) -> bool {
        std::ptr::eq(self.scan, other.scan)
    }

    /// Whether the column holds users or their number: a part of a set.
    pub(super) fn is_part_of_set(&self) -> bool {
        is_part_of_set(self.column)
    }
}

/// Whether a release's column of this name holds users or their number.
pub(super) fn is_part_of_set(column: &str) -> bool {
    matches!(column, BITMAP | CARDINALITY)
}

/// The input of a join that has the column at a place of its output, 0 or 1, and the place there;
/// `None` for the column that a join makes itself.
pub(super) fn side(join: &Join, at: usize) -> Option<(usize, usize)> {
    let (left, right) = (
        join.left.schema().fields().len(),
        join.right.schema().fields().len(),
    );
    match join.join_type {
        JoinType::RightSemi | JoinType::RightAnti | JoinType::RightMark => {
            (at < right).then_some((1, at))
        }
        JoinType::LeftSemi | JoinType::LeftAnti | JoinType::LeftMark => {
            (at < left).then_some((0, at))
        }
        _ if at < left => Some((0, at)),
        _ => Some((1, at - left)),
    }
}

/// The column of bitmaps in every artifact that has them, and the one of their sizes.
pub(super) const BITMAP: &str = "bitmap";
pub(super) const CARDINALITY: &str = "cardinality";
/// The column of bit slices.
pub(super) const SLICE: &str = "slice";
/// The column that cuts every set into rows.
pub(super) const SHARD: &str = "shard";

/// The artifact that a scan reads; `None` for tables that are no release's.
pub(super) fn artifact_of(scan: &TableScan) -> Option<Artifact> {
    let provider = source_as_provider(&scan.source).ok()?;
    provider.downcast_ref::<FileTable>()?.artifact()
}

/// The number of the release that a scan reads.
pub(super) fn release_of(scan: &TableScan) -> Option<u64> {
    let provider = source_as_provider(&scan.source).ok()?;
    provider.downcast_ref::<FileTable>()?.release()
}

/// Where a column of a plan's output comes from; `None` for what is computed, or no release's.
pub(super) fn origin<'a>(plan: &'a LogicalPlan, column: &Column) -> Option<Origin<'a>> {
    let (scan, column) = scanned(plan, column)?;
    Some(Origin {
        scan,
        artifact: artifact_of(scan)?,
        column,
    })
}

/// The scan of any table, and the column of it, that a column of a plan's output is.
pub(super) fn scanned<'a>(
    plan: &'a LogicalPlan,
    column: &Column,
) -> Option<(&'a TableScan, &'a str)> {
    scanned_of(plan, &Expr::Column(column.clone()))
}

/// [`scanned`] of an expression that is a column, by whatever name.
fn scanned_of<'a>(plan: &'a LogicalPlan, expression: &Expr) -> Option<(&'a TableScan, &'a str)> {
    let is_scan = |node: &LogicalPlan| matches!(node, LogicalPlan::TableScan(_));
    match traced_of(plan, expression, &is_scan)? {
        (LogicalPlan::TableScan(scan), column) => Some((scan, column)),
        _ => None,
    }
}

/// The first node of a kind that an expression is a column of, through whatever lies between, and
/// the column's name there.
pub(super) fn traced_of<'a>(
    plan: &'a LogicalPlan,
    expression: &Expr,
    is_source: &dyn Fn(&LogicalPlan) -> bool,
) -> Option<(&'a LogicalPlan, &'a str)> {
    let traced = |expression: &Expr| traced_of(plan, expression, is_source);
    match expression {
        Expr::Column(column) => traced_at(
            plan,
            plan.schema().maybe_index_of_column(column)?,
            is_source,
        ),
        Expr::Alias(alias) => traced(&alias.expr),
        Expr::Cast(cast) => traced(&cast.expr),
        // The key of an outer join: the same column of either side.
        Expr::ScalarFunction(call) if call.func.name() == "coalesce" => {
            let mut sides = call.args.iter().map(traced);
            let first = sides.next()??;
            sides
                .all(|side| side.is_some_and(|(_, column)| column == first.1))
                .then_some(first)
        }
        _ => None,
    }
}

/// [`origin`] of an expression that is a column, by whatever name.
pub(super) fn origin_of<'a>(plan: &'a LogicalPlan, expression: &Expr) -> Option<Origin<'a>> {
    let (scan, column) = scanned_of(plan, expression)?;
    Some(Origin {
        scan,
        artifact: artifact_of(scan)?,
        column,
    })
}

/// The origins of all columns of an expression that have one.
pub(super) fn origins_in<'a>(plan: &'a LogicalPlan, expression: &Expr) -> Vec<Origin<'a>> {
    let mut columns: Vec<&Column> = expression.column_refs().into_iter().collect();
    columns.sort();
    let found = columns.into_iter().filter_map(|c| origin(plan, c));
    found.collect()
}

fn traced_at<'a>(
    plan: &'a LogicalPlan,
    at: usize,
    is_source: &dyn Fn(&LogicalPlan) -> bool,
) -> Option<(&'a LogicalPlan, &'a str)> {
    if is_source(plan) {
        return Some((plan, plan.schema().field(at).name()));
    }
    match plan {
        LogicalPlan::Projection(p) => traced_of(&p.input, p.expr.get(at)?, is_source),
        LogicalPlan::Aggregate(a) => match a.group_expr.get(at)? {
            Expr::GroupingSet(_) => None,
            expression => traced_of(&a.input, expression, is_source),
        },
        LogicalPlan::Join(join) => match side(join, at)? {
            (0, at) => traced_at(&join.left, at, is_source),
            (_, at) => traced_at(&join.right, at, is_source),
        },
        LogicalPlan::Union(union) => {
            let inputs = union.inputs.iter();
            let mut found = inputs.map(|input| traced_at(input, at, is_source));
            let first = found.next()??;
            found
                .all(|other| other.is_some_and(|(_, column)| column == first.1))
                .then_some(first)
        }
        LogicalPlan::Distinct(Distinct::All(input)) => traced_at(input, at, is_source),
        LogicalPlan::SubqueryAlias(_)
        | LogicalPlan::Filter(_)
        | LogicalPlan::Sort(_)
        | LogicalPlan::Limit(_)
        | LogicalPlan::Repartition(_)
        | LogicalPlan::Window(_) => {
            let input = *plan.inputs().first()?;
            (at < input.schema().fields().len())
                .then(|| traced_at(input, at, is_source))
                .flatten()
        }
        _ => None,
    }
}
