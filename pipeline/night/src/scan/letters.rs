//! Columns of text files that an expression compares with each other: all of them are text, and
//! `9` is greater than `10`.

use arrow::datatypes::DataType;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema};
use datafusion::logical_expr::{Between, Expr, ExprSchemable, Operator};

use super::files::{RawFile, RawFiles};

/// A sentence for each pair of columns that is compared by letters.
pub(super) fn compared_by_letters<'e>(
    expressions: impl Iterator<Item = &'e Expr>,
    files: &RawFiles,
    schema: &DFSchema,
) -> Vec<String> {
    if !files.files.iter().any(RawFile::is_text) {
        return Vec::new();
    }
    let mut told = Vec::new();
    for expression in expressions {
        let _: datafusion::error::Result<TreeNodeRecursion> = expression.apply(|node| {
            for (left, right) in compared(node) {
                let [left, right] = [left, right].map(|side| text_column(side, schema));
                if let (Some(left), Some(right)) = (left, right) {
                    told.push(sentence(&left.name, &right.name));
                }
            }
            Ok(TreeNodeRecursion::Continue)
        });
    }
    told.sort();
    told.dedup();
    told
}

fn sentence(left: &str, right: &str) -> String {
    format!(
        "{left} and {right} are columns of text files and compared by their letters, \"9\" is \
         greater than \"10\": if they are numbers, write cast({left} as double) and \
         cast({right} as double)"
    )
}

/// What an expression compares by order.
fn compared(node: &Expr) -> Vec<(&Expr, &Expr)> {
    match node {
        Expr::BinaryExpr(pair) if is_order(pair.op) => {
            vec![(pair.left.as_ref(), pair.right.as_ref())]
        }
        Expr::Between(Between {
            expr, low, high, ..
        }) => vec![
            (expr.as_ref(), low.as_ref()),
            (expr.as_ref(), high.as_ref()),
        ],
        _ => Vec::new(),
    }
}

fn is_order(operator: Operator) -> bool {
    [Operator::Lt, Operator::LtEq, Operator::Gt, Operator::GtEq].contains(&operator)
}

fn text_column<'e>(side: &'e Expr, schema: &DFSchema) -> Option<&'e Column> {
    let Expr::Column(column) = side else {
        return None;
    };
    let found = side.get_type(schema).ok()?;
    (found.is_string() || found == DataType::Null).then_some(column)
}
