//! The state of the bitmap aggregates on its way from one operator to the next: a bitmap in a struct of one field.
//!
//! The struct is there for its memory: where rows are dealt out to partitions, Arrow copies the bytes of a bare `BinaryView` column
//! as soon as a partition gets less than half of them, while those that went to other partitions, and the whole, are still held.
//! Inside a struct views stay views. The price: who asks a batch for its size hears of all blocks that its views point to.

use arrow::array::{ArrayRef, AsArray, StructArray};
use arrow::datatypes::{DataType, Field, FieldRef, Fields};
use datafusion::common::exec_datafusion_err;
use datafusion::error::Result;
use datafusion::logical_expr::function::StateFieldsArgs;
use datafusion::logical_expr::utils::format_state_name;
use datafusion::scalar::ScalarValue;
use std::sync::{Arc, LazyLock};

static FIELDS: LazyLock<Fields> = LazyLock::new(|| Fields::from(vec![Field::new("bitmap", DataType::BinaryView, true)]));

/// The column of the state.
pub(super) fn state_field(function: &str, args: &StateFieldsArgs<'_>) -> Vec<FieldRef> {
    vec![Arc::new(Field::new(format_state_name(args.name, function), DataType::Struct(FIELDS.clone()), true))]
}

/// States from bitmaps.
///
/// # Errors
/// None for a `BinaryView` array.
pub(super) fn states_of(bitmaps: ArrayRef) -> Result<Vec<ArrayRef>> {
    Ok(vec![Arc::new(StructArray::try_new(FIELDS.clone(), vec![bitmaps], None)?)])
}

/// The state from one bitmap.
///
/// # Errors
/// As [`states_of`].
pub(super) fn state_of(bitmap: &ScalarValue) -> Result<Vec<ScalarValue>> {
    states_of(bitmap.to_array()?)?.iter().map(|states| ScalarValue::try_from_array(states, 0)).collect()
}

/// The bitmaps of states.
///
/// # Errors
/// An execution error for a column that is no struct of one field.
pub(super) fn bitmaps_of(states: &[ArrayRef]) -> Result<&ArrayRef> {
    let bitmaps = states.first().and_then(|states| states.as_struct_opt()?.columns().first());
    bitmaps.ok_or_else(|| exec_datafusion_err!("state of a bitmap aggregate is {:?}, expected a struct", states.first().map(|states| states.data_type())))
}
