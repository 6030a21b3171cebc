//! Text columns as dictionaries: their type, and when two batches share one.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef};
use arrow::datatypes::DataType;

/// How a text column is read whose pages are encoded by a dictionary: its keys are copied, its
/// texts are not.
pub fn dictionary_type() -> DataType {
    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
}

/// Whether two arrays are the same memory: batches of one row group share their dictionary.
pub fn is_same(a: &ArrayRef, b: &ArrayRef) -> bool {
    Arc::ptr_eq(a, b) || (a.len() == b.len() && a.to_data().ptr_eq(&b.to_data()))
}
