//! How numbers are compared in SQL, the same in the night and in `tagmill sql`.
//!
//! - A literal with a point is a double, and DataFusion lets doubles meet decimals in
//!   DECIMAL(30, 15), where the double 8.89 is 8.890000000000001: [`exact_literals`] makes the
//!   literal a decimal where it stands beside one.
//! - DataFusion takes not-a-number for the greatest of all, unless statistics of a file spare its
//!   rows, and -0.0 for 0.0 in `=` but not in long IN lists: [`plain_floats`] reads the one as null
//!   and the other as 0.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, PrimitiveArray};
use arrow::datatypes::{DataType, Float32Type, Float64Type};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::error::Result;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ExprSchemable, LogicalPlan, Operator, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature, Volatility,
};
use datafusion::optimizer::AnalyzerRule;
use tagmill_schemas::number::text_of_double;

/// Digits of the widest decimal that a comparison may need.
const MOST_DIGITS: u8 = 38;
/// Functions whose arguments meet in one type.
const MEETING: [&str; 5] = ["coalesce", "nullif", "nvl", "greatest", "least"];

/// The expression with its double literals as decimals where they meet decimals and no double: the
/// literal's shortest digits, which are those that it was written with up to 15 of them.
///
/// # Errors
/// Those of walking the expression.
pub fn exact_literals(expression: Expr, schema: &DFSchema) -> Result<Expr> {
    let exact = expression.transform_up(|node| {
        let Some(digits) = digits_beside(&node, schema) else {
            return Ok(Transformed::no(node));
        };
        node.map_children(|child| {
            Ok(match decimal_of(&child, digits) {
                Some(decimal) => Transformed::yes(Expr::Literal(decimal, None)),
                None => Transformed::no(child),
            })
        })
    });
    exact.map(|exact| exact.data)
}

/// Digits before and behind the point.
type Digits = (u8, u8);

/// The widest digits of the decimals that a node's other parts are; `None` where no literal has to
/// become one.
fn digits_beside(node: &Expr, schema: &DFSchema) -> Option<Digits> {
    let meets = match node {
        Expr::BinaryExpr(binary) => {
            binary.op.supports_propagation()
                || matches!(
                    binary.op,
                    Operator::Plus | Operator::Minus | Operator::Multiply
                )
        }
        Expr::Between(_) | Expr::InList(_) | Expr::Case(_) => true,
        Expr::ScalarFunction(function) => MEETING.contains(&function.func.name()),
        _ => false,
    };
    if !meets {
        return None;
    }
    let (mut widest, mut has_literal, mut has_float) = (None::<Digits>, false, false);
    let walked = node.apply_children(|child| {
        match (child, child.get_type(schema)) {
            (Expr::Literal(ScalarValue::Float64(Some(_)), _), _) => has_literal = true,
            (_, Ok(DataType::Decimal128(precision, scale))) if scale >= 0 => {
                let (whole, fraction) = widest.unwrap_or_default();
                let scale = scale as u8;
                let before = precision.saturating_sub(scale);
                widest = Some((whole.max(before), fraction.max(scale)));
            }
            (_, Ok(other)) => has_float |= other.is_floating(),
            (_, Err(_)) => {}
        }
        Ok(datafusion::common::tree_node::TreeNodeRecursion::Continue)
    });
    widest.filter(|_| walked.is_ok() && has_literal && !has_float)
}

/// A double literal as a decimal that fits beside others of these digits.
fn decimal_of(literal: &Expr, (before, behind): Digits) -> Option<ScalarValue> {
    let Expr::Literal(ScalarValue::Float64(Some(value)), _) = literal else {
        return None;
    };
    let text = text_of_double(*value);
    let unsigned = text.trim_start_matches('-');
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
    let (whole, scale) = (
        u8::try_from(whole.len()).ok()?,
        u8::try_from(fraction.len()).ok()?,
    );
    let needed = before.max(whole).checked_add(behind.max(scale))?;
    let signed = if text.starts_with('-') {
        -digits
    } else {
        digits
    };
    (needed <= MOST_DIGITS)
        .then(|| ScalarValue::Decimal128(Some(signed), whole + scale, scale as i8))
}

/// The expression with [`PlainFloat`] over every column of floats; a column alone stays as it is.
///
/// # Errors
/// Those of walking the expression.
pub fn plain_floats(expression: Expr, schema: &DFSchema) -> Result<Expr> {
    if matches!(expression, Expr::Column(_)) {
        return Ok(expression);
    }
    let plain = expression.transform_up(|node| match &node {
        Expr::Column(_) if node.get_type(schema).is_ok_and(|found| found.is_floating()) => {
            Ok(Transformed::yes(PlainFloat::call(node)))
        }
        _ => Ok(Transformed::no(node)),
    });
    plain.map(|plain| plain.data)
}

/// `tagmill_float(column)`: a float as it counts: not-a-number is null, -0.0 is 0.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct PlainFloat {
    signature: Signature,
}

impl Default for PlainFloat {
    fn default() -> Self {
        Self {
            signature: Signature::any(1, Volatility::Immutable),
        }
    }
}

impl PlainFloat {
    /// The call over `value`.
    pub fn call(value: Expr) -> Expr {
        ScalarUDF::from(Self::default()).call(vec![value])
    }
}

impl ScalarUDFImpl for PlainFloat {
    fn name(&self) -> &'static str {
        "tagmill_float"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        Ok(types.first().cloned().unwrap_or(DataType::Null))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let Some(array) = arrays.first() else {
            return datafusion::common::plan_err!("tagmill_float: expected an argument");
        };
        Ok(ColumnarValue::Array(match array.data_type() {
            DataType::Float32 => plain::<Float32Type>(array, |v| v.is_nan(), |v| v + 0.0),
            DataType::Float64 => plain::<Float64Type>(array, |v| v.is_nan(), |v| v + 0.0),
            _ => Arc::clone(array),
        }))
    }
}

/// Most batches stay as they are.
fn plain<T: ArrowPrimitiveType>(
    array: &ArrayRef,
    is_nothing: impl Fn(T::Native) -> bool,
    unsigned: impl Fn(T::Native) -> T::Native,
) -> ArrayRef {
    let floats = array.as_primitive::<T>();
    let values: PrimitiveArray<T> = floats.unary(unsigned);
    if !values.values().iter().any(|&value| is_nothing(value)) {
        return Arc::new(values);
    }
    let kept = values
        .iter()
        .map(|value| value.filter(|&value| !is_nothing(value)));
    Arc::new(kept.collect::<PrimitiveArray<T>>())
}

/// [`exact_literals`] for whole statements; stands before DataFusion's own coercion of types.
#[derive(Debug, Default)]
pub struct ExactLiterals;

impl AnalyzerRule for ExactLiterals {
    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        let exact = plan.transform_up_with_subqueries(|plan| {
            let mut schema = merge_schema(&plan.inputs());
            schema.merge(plan.schema());
            let names = NamePreserver::new(&plan);
            let rewritten = plan.map_expressions(|expression| {
                let name = names.save(&expression);
                let exact = exact_literals(expression.clone(), &schema)?;
                if exact == expression {
                    return Ok(Transformed::no(expression));
                }
                Ok(Transformed::yes(name.restore(exact)))
            })?;
            match rewritten.transformed {
                true => rewritten.map_data(LogicalPlan::recompute_schema),
                false => Ok(rewritten),
            }
        });
        exact.map(|exact| exact.data)
    }

    fn name(&self) -> &'static str {
        "exact_literals"
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use arrow::array::{Decimal128Array, Float64Array, RecordBatch};
    use arrow::datatypes::{Field, Schema};
    use datafusion::execution::SessionStateBuilder;
    use datafusion::optimizer::Analyzer;
    use datafusion::prelude::SessionContext;

    /// Amounts from 0.01 to 100.00, as decimals and as doubles.
    fn spent() -> SessionContext {
        let mut rules = Analyzer::new().rules;
        rules.insert(0, Arc::new(ExactLiterals));
        let state = SessionStateBuilder::new()
            .with_default_features()
            .with_analyzer_rules(rules)
            .build();
        let ctx = SessionContext::new_with_state(state);
        let cents = Decimal128Array::from_iter_values(1..=10_000)
            .with_precision_and_scale(10, 2)
            .unwrap();
        let doubles = Float64Array::from_iter_values((1..=10_000).map(|c| f64::from(c) / 100.0));
        let schema = Schema::new(vec![
            Field::new("amount", DataType::Decimal128(10, 2), true),
            Field::new("score", DataType::Float64, true),
        ]);
        let batch =
            RecordBatch::try_new(Arc::new(schema), vec![Arc::new(cents), Arc::new(doubles)]);
        ctx.register_batch("spent", batch.unwrap()).unwrap();
        ctx
    }

    async fn count(ctx: &SessionContext, condition: &str) -> usize {
        let sql = format!("SELECT amount FROM spent WHERE {condition}");
        ctx.sql(&sql).await.unwrap().count().await.unwrap()
    }

    #[tokio::test]
    async fn a_literal_is_equal_to_the_decimal_that_it_writes() {
        let ctx = spent();
        for (condition, expected) in [
            ("amount = 8.89", 1),
            ("amount BETWEEN 8.89 AND 8.90", 2),
            ("amount IN (4.07, 4.11, 8.889)", 2),
            ("amount >= 99.999", 1),
            ("amount <> 8.890", 9_999),
            ("coalesce(amount, 4.07) = 4.07", 1),
            ("amount * 1.1 = 9.779", 1),
            ("score = 8.89", 1),
            ("score IN (4.07, 4.11, 8.889)", 2),
            ("score < 1e300", 10_000),
        ] {
            assert_eq!(count(&ctx, condition).await, expected, "{condition}");
        }
        let all: Vec<String> = (1..=10_000)
            .map(|cents| format!("{}.{:02}", cents / 100, cents % 100))
            .collect();
        for part in all.chunks(500) {
            let condition = format!("amount IN ({})", part.join(", "));
            assert_eq!(count(&ctx, &condition).await, part.len());
        }
    }

    #[test]
    fn not_a_number_is_null_and_minus_zero_is_zero() {
        let floats: ArrayRef = Arc::new(Float64Array::from(vec![
            Some(f64::NAN),
            Some(-0.0),
            None,
            Some(f64::INFINITY),
        ]));
        let found = plain::<Float64Type>(&floats, f64::is_nan, |v| v + 0.0);
        let found: Vec<Option<u64>> = found
            .as_primitive::<Float64Type>()
            .iter()
            .map(|value| value.map(f64::to_bits))
            .collect();
        let bits = |value: f64| Some(value.to_bits());
        assert_eq!(found, [None, bits(0.0), None, bits(f64::INFINITY)]);
    }
}
