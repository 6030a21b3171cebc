//! Columns of table functions that an argument fixes: told to who looks at a plan, in the field.

use arrow::datatypes::Field;

const KEY: &str = "tagmill.one_value";

/// The field of a column with one value in all rows.
pub(crate) fn with_one_value(field: Field) -> Field {
    field.with_metadata([(KEY.to_owned(), String::new())].into())
}

/// Whether a column is known to have one value in all rows.
pub(crate) fn has_one_value(field: &Field) -> bool {
    field.metadata().contains_key(KEY)
}
