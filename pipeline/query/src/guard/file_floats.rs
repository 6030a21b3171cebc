//! Comparisons with floats of files are the night's: not-a-number is no value, -0.0 is 0.
//!
//! DataFusion takes not-a-number for the greatest of all, unless statistics of a file spare its
//! rows, and -0.0 for another number than 0.0 in IN lists of four and more. What a query gives back
//! of such a column stays as it is in the file, and so does `isnan`.

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::datasource::listing::ListingTable;
use datafusion::datasource::source_as_provider;
use datafusion::error::Result;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan};
use datafusion::optimizer::AnalyzerRule;
use tagmill_engine::PlainFloat;

use super::origin::scanned;

/// The rule; it stands before the coercion of types.
#[derive(Debug, Default)]
pub struct FileFloats;

impl AnalyzerRule for FileFloats {
    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        let plain = plan.transform_up_with_subqueries(|node| {
            let inputs = node.inputs();
            let [rows] = inputs.as_slice() else {
                return Ok(Transformed::no(node));
            };
            let rows = (*rows).clone();
            let names = NamePreserver::new(&node);
            node.map_expressions(|expression| {
                let name = names.save(&expression);
                let plain = with_plain_comparisons(expression, &rows)?;
                Ok(plain.update_data(|plain| name.restore(plain)))
            })
        });
        plain.map(|plain| plain.data)
    }

    fn name(&self) -> &'static str {
        "file_floats"
    }
}

fn with_plain_comparisons(expression: Expr, rows: &LogicalPlan) -> Result<Transformed<Expr>> {
    expression.transform_up(|node| {
        if !is_comparison(&node) {
            return Ok(Transformed::no(node));
        }
        node.map_children(|operand| {
            Ok(match is_float_of_file(&operand, rows) {
                true => Transformed::yes(PlainFloat::call(operand)),
                false => Transformed::no(operand),
            })
        })
    })
}

fn is_comparison(node: &Expr) -> bool {
    match node {
        Expr::BinaryExpr(both) => both.op.supports_propagation(),
        Expr::Between(_) | Expr::InList(_) => true,
        Expr::Case(case) => case.expr.is_some(),
        Expr::ScalarFunction(call) => call.func.name() == "nullif",
        _ => false,
    }
}

fn is_float_of_file(operand: &Expr, rows: &LogicalPlan) -> bool {
    let Expr::Column(column) = operand else {
        return false;
    };
    let is_float = operand
        .get_type(rows.schema())
        .is_ok_and(|t| t.is_floating());
    let provider = || source_as_provider(&scanned(rows, column)?.0.source).ok();
    is_float && provider().is_some_and(|table| table.downcast_ref::<ListingTable>().is_some())
}
