//! What makes accumulators of an aggregate that another one stands around.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Schema};
use datafusion::error::Result;
use datafusion::logical_expr::function::AccumulatorArgs;
use datafusion::logical_expr::type_coercion::functions::fields_with_udf;
use datafusion::logical_expr::{Accumulator, AggregateUDF};
use datafusion::physical_expr::PhysicalExpr;

/// The types of a call: those that the aggregate wants for its argument, the keys as they are.
///
/// # Errors
/// Those of the aggregate.
pub(super) fn coerced(function: &AggregateUDF, types: &[DataType]) -> Result<Vec<DataType>> {
    let (argument, keys) = types.split_at(types.len().min(1));
    let fields = argument
        .iter()
        .map(|found| -> FieldRef { Arc::new(Field::new("argument", found.clone(), true)) });
    let fields = fields_with_udf(&fields.collect::<Vec<_>>(), function)?;
    let argument = fields.iter().map(|field| field.data_type().clone());
    Ok(argument.chain(keys.iter().cloned()).collect())
}

/// An aggregate over the first argument of the one around it.
pub(super) struct Inner {
    function: Arc<AggregateUDF>,
    return_field: FieldRef,
    schema: Schema,
    exprs: Vec<Arc<dyn PhysicalExpr>>,
    fields: Vec<FieldRef>,
}

impl Inner {
    pub(super) fn new(function: &Arc<AggregateUDF>, args: &AccumulatorArgs<'_>) -> Self {
        Self {
            function: Arc::clone(function),
            return_field: Arc::clone(&args.return_field),
            schema: args.schema.clone(),
            exprs: args.exprs.iter().take(1).cloned().collect(),
            fields: args.expr_fields.iter().take(1).cloned().collect(),
        }
    }

    pub(super) fn name(&self) -> &str {
        self.function.name()
    }

    /// One that has seen nothing yet.
    ///
    /// # Errors
    /// Those of the aggregate.
    pub(super) fn accumulator(&self) -> Result<Box<dyn Accumulator>> {
        self.function.accumulator(AccumulatorArgs {
            return_field: Arc::clone(&self.return_field),
            schema: &self.schema,
            ignore_nulls: false,
            order_bys: &[],
            is_reversed: false,
            name: self.function.name(),
            is_distinct: false,
            exprs: &self.exprs,
            expr_fields: &self.fields,
        })
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
