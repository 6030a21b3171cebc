//! What is natural to ask of a release's rows and would be wrong: made right, refused, or told.
//!
//! A set of a release is several rows, one a shard; functions of SQL see rows. [`ReleaseRules`]
//! looks at the columns that come from a table of a release, through subqueries, views and joins.
//! Over all other columns functions mean what their dialect means.
//!
//! ```text
//! aggregate over a release's column ── rule ─┬─ over sets: the rows of a set are united first
//!                                            ├─ refused: what was found, what to write
//!                                            └─ as it is, perhaps with a note
//! ```

mod added_once;
mod carry;
mod combinations;
mod conditions;
mod counts;
mod facts;
mod file_floats;
mod inner;
mod intersections;
mod notes;
mod numbers;
mod origin;
mod over_sets;
mod parts;
mod scalars;
mod set_key;
mod set_rows;
mod sets;
mod sums;

use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::error::Result;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{
    Aggregate, AggregateUDF, Expr, LogicalPlan, Projection, Window, WindowFunctionDefinition,
};
use datafusion::optimizer::AnalyzerRule;

use carry::Carrier;
pub use facts::Facts;
pub use file_floats::FileFloats;
pub use notes::Notes;
use origin::{Origin, origin_of};

/// The rules, in the order in which they are asked; the first that changes a call is the last.
const RULES: [Rule; 5] = [
    set_rows::of_one_set,
    intersections::over_sets,
    sums::added_once,
    counts::of_rows,
    numbers::of_one_thing,
];

/// A call of an aggregate over the rows of a plan.
struct Call<'a> {
    function: &'a Arc<AggregateUDF>,
    args: &'a [Expr],
    filter: Option<&'a Expr>,
    /// What the rows are grouped or partitioned by.
    groups: &'a [Expr],
    is_distinct: bool,
    is_window: bool,
    /// The rows, as the statement has them.
    rows: &'a LogicalPlan,
}

impl Call<'_> {
    /// Whether a column of a scan is one of those that rows are grouped by.
    fn is_grouped_by(&self, scan: &Origin<'_>, column: &str) -> bool {
        let mut groups = self.groups.iter().filter_map(|g| origin_of(self.rows, g));
        groups.any(|group| group.is_beside(scan) && group.column == column)
    }
}

/// What a call becomes.
struct Changed {
    function: Arc<AggregateUDF>,
    args: Vec<Expr>,
}

/// What rules work with.
struct Context<'a> {
    /// The rows of the call, with the columns that rules carried along.
    rows: LogicalPlan,
    carrier: &'a mut Carrier,
    facts: &'a Facts,
    notes: &'a Notes,
}

/// `None` leaves a call as it is.
type Rule = fn(&Call<'_>, &mut Context<'_>) -> Result<Option<Changed>>;

/// The rules for columns of a release, as a rule of DataFusion's analyzer; stands after the rewrites
/// of functions and before the coercion of types.
#[derive(Debug, Default)]
pub struct ReleaseRules {
    facts: Facts,
    notes: Arc<Notes>,
}

impl ReleaseRules {
    /// Rules for a release of these facts, which tell `notes` what a person should know.
    pub fn new(facts: Facts, notes: Arc<Notes>) -> Self {
        Self { facts, notes }
    }
}

impl AnalyzerRule for ReleaseRules {
    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        let mut carrier = Carrier::default();
        parts::check(&plan, &self.notes);
        combinations::check(&plan)?;
        plan.apply_with_subqueries(|node| {
            scalars::check(node, &self.notes)?;
            Ok(TreeNodeRecursion::Continue)
        })?;
        let guarded = plan.transform_up_with_subqueries(|node| match node {
            LogicalPlan::Aggregate(aggregate) => self.aggregate(aggregate, &mut carrier),
            LogicalPlan::Window(window) => self.window(window, &mut carrier),
            other => Ok(Transformed::no(other)),
        });
        guarded.map(|guarded| guarded.data)
    }

    fn name(&self) -> &'static str {
        "release_rules"
    }
}

impl ReleaseRules {
    fn aggregate(
        &self,
        aggregate: Aggregate,
        carrier: &mut Carrier,
    ) -> Result<Transformed<LogicalPlan>> {
        let mut context = self.context(&aggregate.input, carrier);
        let (rows, groups) = (&*aggregate.input, &aggregate.group_expr);
        let changed = aggregate
            .aggr_expr
            .iter()
            .map(|expression| context.changed(expression, rows, groups));
        let changed = changed.collect::<Result<Vec<_>>>()?;
        if changed.iter().all(|expression| !expression.transformed) {
            return Ok(Transformed::no(LogicalPlan::Aggregate(aggregate)));
        }
        let changed = changed.into_iter().map(|expression| expression.data);
        let rows = Arc::new(context.rows);
        let guarded = Aggregate::try_new(rows, aggregate.group_expr.clone(), changed.collect())?;
        Ok(Transformed::yes(LogicalPlan::Aggregate(guarded)))
    }

    fn window(&self, window: Window, carrier: &mut Carrier) -> Result<Transformed<LogicalPlan>> {
        let mut context = self.context(&window.input, carrier);
        let changed = window
            .window_expr
            .iter()
            .map(|expression| context.changed(expression, &window.input, &[]));
        let changed = changed.collect::<Result<Vec<_>>>()?;
        if changed.iter().all(|expression| !expression.transformed) {
            return Ok(Transformed::no(LogicalPlan::Window(window)));
        }
        let changed = changed.into_iter().map(|expression| expression.data);
        let guarded = Window::try_new(changed.collect(), Arc::new(context.rows))?;
        // The rows have columns more, which nobody above expects.
        let columns = window.schema.columns().into_iter().map(Expr::Column);
        let guarded = Arc::new(LogicalPlan::Window(guarded));
        let guarded = Projection::try_new(columns.collect(), guarded)?;
        Ok(Transformed::yes(LogicalPlan::Projection(guarded)))
    }

    fn context<'a>(&'a self, rows: &LogicalPlan, carrier: &'a mut Carrier) -> Context<'a> {
        Context {
            rows: rows.clone(),
            carrier,
            facts: &self.facts,
            notes: &self.notes,
        }
    }
}

impl Context<'_> {
    /// An expression with its calls as the rules want them, under the name that it had.
    fn changed(
        &mut self,
        expression: &Expr,
        rows: &LogicalPlan,
        groups: &[Expr],
    ) -> Result<Transformed<Expr>> {
        let name = NamePreserver::new_for_projection().save(expression);
        let changed = expression
            .clone()
            .transform_up(|node| self.changed_call(node, rows, groups))?;
        Ok(match changed.transformed {
            true => Transformed::yes(name.restore(changed.data)),
            false => changed,
        })
    }

    fn changed_call(
        &mut self,
        node: Expr,
        rows: &LogicalPlan,
        groups: &[Expr],
    ) -> Result<Transformed<Expr>> {
        match node {
            Expr::AggregateFunction(mut call) => {
                let changed = self.ask(&Call {
                    function: &call.func,
                    args: &call.params.args,
                    filter: call.params.filter.as_deref(),
                    groups,
                    is_distinct: call.params.distinct,
                    is_window: false,
                    rows,
                })?;
                let is_changed = changed.is_some();
                if let Some(changed) = changed {
                    (call.func, call.params.args) = (changed.function, changed.args);
                }
                Ok(Transformed::new_transformed(
                    Expr::AggregateFunction(call),
                    is_changed,
                ))
            }
            Expr::WindowFunction(mut call) => {
                let WindowFunctionDefinition::AggregateUDF(function) = &call.fun else {
                    return Ok(Transformed::no(Expr::WindowFunction(call)));
                };
                let changed = self.ask(&Call {
                    function,
                    args: &call.params.args,
                    filter: call.params.filter.as_deref(),
                    groups: &call.params.partition_by,
                    is_distinct: call.params.distinct,
                    is_window: true,
                    rows,
                })?;
                let is_changed = changed.is_some();
                if let Some(changed) = changed {
                    call.fun = WindowFunctionDefinition::AggregateUDF(changed.function);
                    call.params.args = changed.args;
                }
                Ok(Transformed::new_transformed(
                    Expr::WindowFunction(call),
                    is_changed,
                ))
            }
            other => Ok(Transformed::no(other)),
        }
    }

    fn ask(&mut self, call: &Call<'_>) -> Result<Option<Changed>> {
        for rule in RULES {
            if let Some(changed) = rule(call, self)? {
                return Ok(Some(changed));
            }
        }
        Ok(None)
    }
}
