//! The SQL functions: one file per family, each a thin adaptor between Arrow columns and [`crate::bitmap`].
//!
//! A bitmap is a binary value; `Binary`, `LargeBinary` and `BinaryView` are read, `BinaryView` is written, because
//! its batches do not overflow at 2 GiB. Scalars give NULL for a NULL argument; aggregates skip NULLs.

mod array;
mod build_agg;
mod cardinality;
mod contains;
mod documentation;
mod fold_agg;
mod fold_state;
mod input;
mod or_agg;
mod output;
mod set_operation;
mod union_state;
mod wire;
mod wire_documentation;

use datafusion::error::Result;
use datafusion::logical_expr::{AggregateUDF, ScalarUDF};
use datafusion::prelude::SessionContext;

/// All scalar functions.
pub fn scalar_functions() -> Vec<ScalarUDF> {
    let mut functions = vec![
        ScalarUDF::from(cardinality::BitmapCardinality::default()),
        ScalarUDF::from(contains::BitmapContains::default()),
        ScalarUDF::from(array::BitmapToArray::default()),
        ScalarUDF::from(array::BitmapFromArray::default()),
    ];
    functions.extend(set_operation::all().map(ScalarUDF::from));
    functions.extend(wire::all().map(ScalarUDF::from));
    functions
}

/// All aggregate functions.
pub fn aggregate_functions() -> Vec<AggregateUDF> {
    vec![
        AggregateUDF::from(build_agg::BitmapBuildAgg::default()),
        AggregateUDF::from(or_agg::BitmapOrAgg::default()),
        AggregateUDF::from(fold_agg::BitmapFoldAgg::and()),
        AggregateUDF::from(fold_agg::BitmapFoldAgg::xor()),
    ]
}

/// Makes every function known to the session.
///
/// # Errors
/// None today; a later version may refuse a session that it does not fit.
pub fn register_all(context: &SessionContext) -> Result<()> {
    scalar_functions().into_iter().for_each(|function| context.register_udf(function));
    aggregate_functions().into_iter().for_each(|function| context.register_udaf(function));
    Ok(())
}
