//! The functions that the scan computes for every row: hash of the id, status, hash of the dedupe
//! key.

mod hash;
mod key;
mod status;
mod text;
mod verdicts;

use datafusion::logical_expr::ScalarUDF;
use datafusion::prelude::SessionContext;

use super::convert::ValueFunction;
use super::lost::LostFunction;
use super::null_tokens::NullTokens;
use crate::exchange::RouteFunction;

pub use hash::HashFunction;
pub use key::KeyFunction;
pub use status::StatusFunction;
pub(super) use status::StatusSpec;
pub(super) use verdicts::DayBounds;

/// Registers the functions of the scan, for plans that are sent to another process.
pub fn register_functions(context: &SessionContext) {
    context.register_udf(ScalarUDF::from(HashFunction::default()));
    context.register_udf(ScalarUDF::from(KeyFunction::default()));
    context.register_udf(ScalarUDF::from(StatusFunction::default()));
    context.register_udf(ScalarUDF::from(ValueFunction::default()));
    context.register_udf(ScalarUDF::from(LostFunction::default()));
    context.register_udf(ScalarUDF::from(NullTokens::default()));
    context.register_udf(ScalarUDF::from(tagmill_engine::PlainFloat::default()));
    context.register_udf(ScalarUDF::from(RouteFunction::default()));
}
