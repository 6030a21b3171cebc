//! Rows on which an expression of the configuration fails: DataFusion refuses a whole batch for one.
//! Only when it did, the expressions of that source are asked row by row; a row on which one fails is
//! rejected, and the night goes on.

use tagmill_night::FAILED_EXPRESSION;
use tagmill_schemas::{Error, Reason};

use super::Observer;
use super::sources::{Decision, SourceInput};

/// Has the rows of the source rejected whose expression failed, or of all where nobody knows which;
/// whether that is new of any.
pub fn mark_failing(
    error: &Error,
    sources: &mut [SourceInput<'_>],
    observer: &dyn Observer,
) -> bool {
    if error.reason() != Some(Reason::Expression) {
        return false;
    }
    let place = error.place().unwrap_or_default();
    let is_of_one = place.contains("source ");
    let mut is_marked = false;
    for input in sources {
        let name = &input.source.name;
        let Decision::Read(files) = &mut input.decision else {
            continue;
        };
        if files.rejects_failures || (is_of_one && !place.ends_with(&format!("source {name}"))) {
            continue;
        }
        files.rejects_failures = true;
        is_marked = true;
        observer.warn(&format!(
            "source {name}: {}: rows on which an expression fails are rejected as \
             {FAILED_EXPRESSION}",
            why(error)
        ));
    }
    is_marked
}

/// What DataFusion says of the first one.
fn why(error: &Error) -> String {
    match std::error::Error::source(error) {
        Some(cause) => cause.to_string(),
        None => error.what().to_owned(),
    }
}
