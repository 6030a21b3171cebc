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
    scanned_at(plan, plan.schema().maybe_index_of_column(column)?)
}

/// [`scanned`] of an expression that is a column, by whatever name.
fn scanned_of<'a>(plan: &'a LogicalPlan, expression: &Expr) -> Option<(&'a TableScan, &'a str)> {
    match expression {
        Expr::Column(column) => scanned(plan, column),
        Expr::Alias(alias) => scanned_of(plan, &alias.expr),
        Expr::Cast(cast) => scanned_of(plan, &cast.expr),
        // The key of an outer join: the same column of either side.
        Expr::ScalarFunction(call) if call.func.name() == "coalesce" => {
            let mut sides = call.args.iter().map(|side| scanned_of(plan, side));
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

fn scanned_at(plan: &LogicalPlan, at: usize) -> Option<(&TableScan, &str)> {
    match plan {
        LogicalPlan::TableScan(scan) => Some((scan, scan.projected_schema.field(at).name())),
        LogicalPlan::Projection(p) => scanned_of(&p.input, p.expr.get(at)?),
        LogicalPlan::Aggregate(a) => match a.group_expr.get(at)? {
            Expr::GroupingSet(_) => None,
            expression => scanned_of(&a.input, expression),
        },
        LogicalPlan::Join(join) => match side(join, at)? {
            (0, at) => scanned_at(&join.left, at),
            (_, at) => scanned_at(&join.right, at),
        },
        LogicalPlan::Union(union) => {
            let mut found = union.inputs.iter().map(|input| scanned_at(input, at));
            let first = found.next()??;
            found
                .all(|other| other.is_some_and(|(_, column)| column == first.1))
                .then_some(first)
        }
        LogicalPlan::Distinct(Distinct::All(input)) => scanned_at(input, at),
        LogicalPlan::SubqueryAlias(_)
        | LogicalPlan::Filter(_)
        | LogicalPlan::Sort(_)
        | LogicalPlan::Limit(_)
        | LogicalPlan::Repartition(_)
        | LogicalPlan::Window(_) => {
            let input = *plan.inputs().first()?;
            (at < input.schema().fields().len())
                .then(|| scanned_at(input, at))
                .flatten()
        }
        _ => None,
    }
}
