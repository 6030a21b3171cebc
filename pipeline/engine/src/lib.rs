//! DataFusion's errors as ours, and back: the only table that says who can do something about one,
//! and what. How numbers are compared in SQL; and how deep SQL may be, so that none ends the stack.
//!
//! ```text
//! DataFusionError ── chain of causes ─┬─ one of ours ─► as it is: kind, reason, place, cause, fix
//!                                     └─ a fault ─────► the table's row for this work
//! ```

mod depth;
mod fault;
mod numbers;
mod work;

use datafusion::error::DataFusionError;
use tagmill_schemas::Error;

pub use crate::depth::check_depth;
pub use crate::fault::panicked;
use crate::fault::{Fault, own_in};
pub use crate::numbers::{ExactLiterals, PlainFloat, exact_literals, plain_floats};
pub use crate::work::Work;

/// Our own error if DataFusion only carried it, alone or shared by several partitions; else what
/// the fault means for this work, with DataFusion's error as the cause.
pub fn of_datafusion(work: Work, stage: &'static str, error: impl Into<DataFusionError>) -> Error {
    let error = error.into();
    match own_in(&error) {
        Some(own) => own.clone(),
        None => work.explain(stage, Fault::of(&error)).because(error),
    }
}

/// Whether an expression fails on a value, and not for what else there is: memory, a store, a file.
pub fn fails_on_data(error: &DataFusionError) -> bool {
    own_in(error).is_none() && matches!(Fault::of(error), Fault::Expression | Fault::Data)
}

/// The error of ours that DataFusion only carries, if it does.
pub fn carried(error: &DataFusionError) -> Option<&Error> {
    own_in(error)
}

/// Carries one of our errors through DataFusion; [`of_datafusion`] takes it out again.
pub fn external(error: Error) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

#[cfg(test)]
mod tests;
