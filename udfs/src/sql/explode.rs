//! `bitmap_explode` and its names in other systems: the values of a bitmap as the rows of a table.
//!
//! Its argument is a constant, as for every table function; of a column, `unnest(bitmap_to_array(column))` gives the rows.

use crate::bitmap::BitmapRef;
use arrow::array::{ArrayRef, UInt64Array};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::record_batch::RecordBatch;
use datafusion::catalog::{MemTable, TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion::common::{plan_datafusion_err, plan_err};
use datafusion::error::Result;
use datafusion::logical_expr::Expr;
use datafusion::scalar::ScalarValue;
use std::sync::Arc;

/// Rows of a batch of the table.
const BATCH: usize = 8192;

/// The name here.
pub(super) const NAME: &str = "bitmap_explode";

/// The table function.
#[derive(Debug)]
pub(super) struct BitmapExplode;

impl TableFunctionImpl for BitmapExplode {
    fn call_with_args(&self, args: TableFunctionArgs<'_, '_>) -> Result<Arc<dyn TableProvider>> {
        let [expr] = args.exprs() else {
            return plan_err!("{NAME}: {} arguments, expected 1", args.exprs().len());
        };
        let bytes = match expr {
            Expr::Literal(
                ScalarValue::Binary(bytes) | ScalarValue::LargeBinary(bytes) | ScalarValue::BinaryView(bytes) | ScalarValue::FixedSizeBinary(_, bytes),
                _,
            ) => bytes.as_deref(),
            Expr::Literal(ScalarValue::Null, _) => None,
            other => return plan_err!("{NAME}: argument 1 is {other}, expected a constant bitmap; of a column, unnest(bitmap_to_array(...)) gives the rows"),
        };
        let mut values = Vec::new();
        if let Some(bytes) = bytes {
            let bitmap = BitmapRef::parse(bytes).map_err(|defect| plan_datafusion_err!("{NAME}: argument 1: {defect}"))?;
            bitmap.append_to(&mut values);
        }
        let schema = Arc::new(Schema::new(vec![Field::new("value", DataType::UInt64, false)]));
        let batches = values.chunks(BATCH).map(|part| {
            let column: ArrayRef = Arc::new(UInt64Array::from(part.to_vec()));
            RecordBatch::try_new(Arc::clone(&schema), vec![column])
        });
        let batches = batches.collect::<Result<Vec<_>, _>>()?;
        Ok(Arc::new(MemTable::try_new(Arc::clone(&schema), vec![batches])?))
    }
}
