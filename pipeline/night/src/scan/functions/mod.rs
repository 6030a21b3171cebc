//! The functions that the scan computes for every row: hash of the id, status, hash of the dedupe
//! key; and those that read times, dates and ids that are written in different ways.

mod folder;
mod hash;
mod key;
mod read_as;
mod status;
mod text;
mod text_of_bytes;
mod text_times;
mod verdicts;
mod wall_clock;

use datafusion::logical_expr::ScalarUDF;
use datafusion::prelude::SessionContext;

use super::convert::ValueFunction;
use super::lost::LostFunction;
use super::null_tokens::NullTokens;
use crate::exchange::RouteFunction;

pub(super) use folder::FolderDays;
pub use hash::HashFunction;
pub use key::KeyFunction;
pub(super) use read_as::{is_more_than_a_cast, read_as};
pub use status::StatusFunction;
pub(super) use status::StatusSpec;
pub(super) use text_of_bytes::{BrokenText, TextOfBytes};
pub(crate) use text_times::date_with_offset;
pub(super) use text_times::{date_of_text, instant_of_text};
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
    context.register_udf(ScalarUDF::from(TextOfBytes::default()));
    context.register_udf(ScalarUDF::from(BrokenText::default()));
    context.register_udf(ScalarUDF::from(read_as::ReadAs::default()));
    context.register_udf(ScalarUDF::from(text_times::InstantOfText::default()));
    context.register_udf(ScalarUDF::from(text_times::DateOfText::default()));
}
