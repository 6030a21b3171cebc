//! Takes along, from a scan of a release up through a plan, which set each row is a part of.
//!
//! ```text
//! Aggregate: bitmap_and_agg(b)            Aggregate: bitmap_and_agg(b, __set_1)
//!   Projection: bitmap AS b        ─►       Projection: bitmap AS b, __set_1
//!     TableScan: groups                       Projection: *, tagmill_set('groups', app, group) AS __set_1
//!                                               TableScan: groups
//! ```

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::{Column, ScalarValue};
use datafusion::error::Result;
use datafusion::functions::expr_fn::concat;
use datafusion::logical_expr::{
    Expr, LogicalPlan, Projection, SubqueryAlias, TableScan, TableScanBuilder, Union, cast, lit,
};
use tagmill_schemas::Artifact;

use super::origin::{
    SHARD, SLICE, artifact_of, is_part_of_set, origin_of, origins_in, release_of, side,
};
use super::set_key::SetKey;
use super::sets::set_columns;

/// What a key tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    /// Sets.
    Set,
    /// Sets and their shards.
    SetAndShard,
    /// What the numbers of a bit slice are above.
    Offset,
    /// What the numbers of a bit slice are of, in words.
    NumbersOf,
}

impl Key {
    fn is_of_sets(self) -> bool {
        matches!(self, Self::Set | Self::SetAndShard)
    }

    /// Whether it belongs to a release's column of this name.
    fn is_of(self, column: &str) -> bool {
        match self.is_of_sets() {
            true => is_part_of_set(column),
            false => column == SLICE,
        }
    }

    /// That of a row of an artifact. The set of the same name in another release is another set;
    /// what may be added once only is not.
    fn of_row(
        self,
        (artifact, release): (Artifact, Option<u64>),
        column: impl Fn(&str) -> Expr,
    ) -> Expr {
        let of_set = |shard, release: Option<u64>| {
            let columns = set_columns(artifact).chain(shard).map(&column);
            let table = [lit(artifact.name()), lit(ScalarValue::UInt64(release))];
            SetKey::of(table.into_iter().chain(columns).collect())
        };
        match self {
            Self::Set => of_set(None, release),
            Self::SetAndShard => of_set(Some(SHARD), None),
            Self::Offset => column("offset"),
            Self::NumbersOf => {
                let scale = cast(column("scale"), DataType::Utf8);
                let name = match artifact {
                    Artifact::TagNumbers => {
                        vec![column("tag"), lit(" ("), column("type"), lit(", ")]
                    }
                    Artifact::Windows => {
                        vec![column("what"), lit(" of "), column("event"), lit(" (")]
                    }
                    _ => vec![column("measure"), lit(" (")],
                };
                concat([name, vec![lit("scale "), scale, lit(")")]].concat())
            }
        }
    }

    /// One of those of the columns of an expression; `None` where it can not be one.
    fn of_expression(self, mut keys: Vec<Expr>) -> Option<Expr> {
        match self.is_of_sets() {
            true => Some(SetKey::of(keys)),
            false => keys.pop().filter(|_| keys.is_empty()),
        }
    }
}

/// Carries keys through plans, under names of their own.
#[derive(Debug, Default)]
pub(super) struct Carrier {
    names: usize,
}

/// A plan with a column more.
type Carried = Option<(LogicalPlan, Column)>;

impl Carrier {
    /// The plan with columns that tell the sets of which an expression over its rows takes parts,
    /// and those columns. `None` when the expression takes none, or they can not be told.
    ///
    /// # Errors
    /// Those of building the plan.
    pub(super) fn carry(
        &mut self,
        plan: &LogicalPlan,
        expression: &Expr,
        key: Key,
    ) -> Result<Option<(LogicalPlan, Vec<Expr>)>> {
        let mut columns: Vec<&Column> = expression.column_refs().into_iter().collect();
        columns.sort();
        let (mut carried, mut keys) = (plan.clone(), Vec::new());
        for column in columns {
            let Some(at) = carried.schema().maybe_index_of_column(column) else {
                continue;
            };
            if let Some((with_key, name)) = self.carry_at(&carried, at, key)? {
                carried = with_key;
                keys.push(Expr::Column(name));
            }
        }
        Ok((!keys.is_empty()).then_some((carried, keys)))
    }

    fn carry_at(&mut self, plan: &LogicalPlan, at: usize, key: Key) -> Result<Carried> {
        match plan {
            LogicalPlan::TableScan(scan) => self.of_scan(scan, at, key),
            LogicalPlan::SubqueryAlias(alias) => {
                let Some((input, column)) = self.carry_at(&alias.input, at, key)? else {
                    return Ok(None);
                };
                let plan = SubqueryAlias::try_new(Arc::new(input), alias.alias.clone())?;
                found(LogicalPlan::SubqueryAlias(plan), &column.name)
            }
            LogicalPlan::Projection(projection) => self.of_projection(projection, at, key),
            LogicalPlan::Aggregate(_) if key.is_of_sets() => self.of_union_aggregate(plan, at),
            LogicalPlan::Union(union) => self.of_union(union, at, key),
            LogicalPlan::Join(join) => match side(join, at) {
                Some((input, at)) => self.of_input(plan, input, at, key),
                None => Ok(None),
            },
            LogicalPlan::Filter(_)
            | LogicalPlan::Sort(_)
            | LogicalPlan::Limit(_)
            | LogicalPlan::Repartition(_)
            | LogicalPlan::Window(_) => self.of_input(plan, 0, at, key),
            _ => Ok(None),
        }
    }

    /// Through a plan that gives the columns of an input as they are.
    fn of_input(
        &mut self,
        plan: &LogicalPlan,
        input: usize,
        at: usize,
        key: Key,
    ) -> Result<Carried> {
        let inputs = plan.inputs();
        if at >= inputs[input].schema().fields().len() {
            return Ok(None);
        }
        let Some((carried, column)) = self.carry_at(inputs[input], at, key)? else {
            return Ok(None);
        };
        let mut inputs: Vec<LogicalPlan> = inputs.into_iter().cloned().collect();
        inputs[input] = carried;
        found(
            plan.with_new_exprs(plan.expressions(), inputs)?,
            &column.name,
        )
    }

    fn of_scan(&mut self, scan: &TableScan, at: usize, key: Key) -> Result<Carried> {
        let column = scan.projected_schema.field(at).name();
        let is_of_key = key.is_of(column);
        let Some(artifact) = artifact_of(scan).filter(|_| is_of_key) else {
            return Ok(None);
        };
        // Columns that the scan leaves out may be those of the key.
        let whole = TableScanBuilder::new(scan.table_name.clone(), Arc::clone(&scan.source))
            .with_filters(scan.filters.clone())
            .with_fetch(scan.fetch)
            .build()?;
        let key = key.of_row((artifact, release_of(scan)), |name| {
            Expr::Column(Column::new(Some(scan.table_name.clone()), name))
        });
        let columns = scan.projected_schema.columns();
        self.project(
            LogicalPlan::TableScan(whole),
            columns.into_iter().map(Expr::Column).collect(),
            key,
        )
    }

    fn of_projection(&mut self, projection: &Projection, at: usize, key: Key) -> Result<Carried> {
        let Some(expression) = projection.expr.get(at) else {
            return Ok(None);
        };
        let Some((input, keys)) = self.carry(&projection.input, expression, key)? else {
            return Ok(None);
        };
        match key.of_expression(keys) {
            Some(key) => self.project(input, projection.expr.clone(), key),
            None => Ok(None),
        }
    }

    /// Above an aggregate of a set's parts: the set is named by what they are grouped by, without
    /// the shard. Another aggregate makes other sets.
    fn of_union_aggregate(&mut self, plan: &LogicalPlan, at: usize) -> Result<Carried> {
        let LogicalPlan::Aggregate(aggregate) = plan else {
            return Ok(None);
        };
        let groups = &aggregate.group_expr;
        let is_plain = !groups.iter().any(|g| matches!(g, Expr::GroupingSet(_)));
        let made = at.checked_sub(groups.len()).filter(|_| is_plain);
        let Some(made) = made.and_then(|at| aggregate.aggr_expr.get(at)) else {
            return Ok(None);
        };
        let origins = origins_in(&aggregate.input, made);
        if !origins.iter().any(|origin| origin.is_part_of_set()) {
            return Ok(None);
        }
        let columns = plan.schema().columns();
        let of_key = groups.iter().zip(&columns).filter(|(group, _)| {
            origin_of(&aggregate.input, group).is_none_or(|origin| origin.column != SHARD)
        });
        let of_key = of_key.map(|(_, column)| Expr::Column(column.clone()));
        let key = SetKey::of(std::iter::once(lit(self.name())).chain(of_key).collect());
        let columns = columns.iter().cloned().map(Expr::Column).collect();
        self.project(plan.clone(), columns, key)
    }

    /// Every input carries a key of its own; they meet in one column.
    fn of_union(&mut self, union: &Union, at: usize, key: Key) -> Result<Carried> {
        let name = self.name();
        let mut inputs = Vec::with_capacity(union.inputs.len());
        for input in &union.inputs {
            let Some((carried, column)) = self.carry_at(input, at, key)? else {
                return Ok(None);
            };
            let columns = input.schema().columns().into_iter().map(Expr::Column);
            let columns = columns.chain([Expr::Column(column).alias(&name)]);
            let carried = Projection::try_new(columns.collect(), Arc::new(carried))?;
            inputs.push(Arc::new(LogicalPlan::Projection(carried)));
        }
        found(LogicalPlan::Union(Union::try_new(inputs)?), &name)
    }

    fn project(
        &mut self,
        input: LogicalPlan,
        mut columns: Vec<Expr>,
        key: Expr,
    ) -> Result<Carried> {
        let name = self.name();
        columns.push(key.alias(&name));
        let plan = Projection::try_new(columns, Arc::new(input))?;
        found(LogicalPlan::Projection(plan), &name)
    }

    fn name(&mut self) -> String {
        self.names += 1;
        format!("__set_{}", self.names)
    }
}

/// The plan, and its column of a name that nothing else has.
fn found(plan: LogicalPlan, name: &str) -> Result<Carried> {
    let columns = plan.schema().columns();
    let column = columns.into_iter().find(|column| column.name == name);
    Ok(column.map(|column| (plan, column)))
}
