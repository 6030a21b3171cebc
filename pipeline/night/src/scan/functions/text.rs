//! Text in every encoding: views, offsets, dictionaries.

use arrow::array::{ArrayRef, AsArray, StringViewArray};
use arrow::datatypes::DataType;
use datafusion::error::Result;

use crate::scan::numbers::texts;

/// Whether a column is text; a dictionary is what its values are.
pub fn is_text(data_type: &DataType) -> bool {
    match data_type {
        DataType::Dictionary(_, values) => is_text(values),
        other => other.is_string(),
    }
}

/// An array as text, as [`texts`] writes it.
///
/// # Errors
/// Those of a cast to text.
pub fn text(array: &ArrayRef) -> Result<StringViewArray> {
    match array.as_string_view_opt() {
        Some(views) => Ok(views.clone()),
        None => texts(array),
    }
}

/// The values of a dictionary, or all of them: a check of these spares the rows.
///
/// # Errors
/// As [`text`].
pub fn distinct(array: &ArrayRef) -> Result<StringViewArray> {
    match array.as_any_dictionary_opt() {
        Some(dictionary) => text(dictionary.values()),
        None => text(array),
    }
}
