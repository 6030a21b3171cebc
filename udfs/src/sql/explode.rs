//! `bitmap_explode` and its names in other systems: the values of a bitmap as the rows of a table.
//!
//! Its argument is a constant, as for every table function; of a column,
//! `unnest(bitmap_to_array(column))` gives the rows.

use arrow::array::{Array, ArrayRef, UInt64Array};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use datafusion::catalog::streaming::StreamingTable;
use datafusion::catalog::{TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion::common::{exec_datafusion_err, plan_datafusion_err, plan_err};
use datafusion::error::Result;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::Expr;
use datafusion::physical_plan::stream::RecordBatchReceiverStreamBuilder;
use datafusion::physical_plan::streaming::PartitionStream;
use datafusion::scalar::ScalarValue;
use std::sync::Arc;
use tagmill_bitmap::BitmapRef;

/// Rows of a batch of the table.
const BATCH: usize = 8192;
/// Batches that wait to be read.
const BATCHES_AHEAD: usize = 2;

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
                ScalarValue::Binary(bytes)
                | ScalarValue::LargeBinary(bytes)
                | ScalarValue::BinaryView(bytes)
                | ScalarValue::FixedSizeBinary(_, bytes),
                _,
            ) => bytes.as_deref(),
            Expr::Literal(ScalarValue::Null, _) => None,
            other => {
                return plan_err!(
                    "{NAME}: argument 1 is {other}, expected a constant bitmap; of a column, \
                     unnest(bitmap_to_array(...)) gives the rows"
                );
            }
        };
        if let Some(bytes) = bytes {
            BitmapRef::parse(bytes)
                .map_err(|defect| plan_datafusion_err!("{NAME}: argument 1: {defect}"))?;
        }
        let schema = Arc::new(Schema::new(vec![Field::new(
            "value",
            DataType::UInt64,
            false,
        )]));
        let values = Values {
            schema: Arc::clone(&schema),
            bitmap: bytes.map(Arc::from),
        };
        Ok(Arc::new(StreamingTable::try_new(
            schema,
            vec![Arc::new(values)],
        )?))
    }
}

/// The values of a bitmap, made while they are asked for: there may be many more of them than
/// bytes.
#[derive(Debug)]
struct Values {
    schema: SchemaRef,
    bitmap: Option<Arc<[u8]>>,
}

impl PartitionStream for Values {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let mut builder =
            RecordBatchReceiverStreamBuilder::new(Arc::clone(&self.schema), BATCHES_AHEAD);
        if let Some(bytes) = self.bitmap.clone() {
            let (schema, batches) = (Arc::clone(&self.schema), builder.tx());
            builder.spawn_blocking(move || {
                let bitmap = BitmapRef::parse(&bytes)
                    .map_err(|defect| exec_datafusion_err!("{NAME}: argument 1: {defect}"))?;
                let mut values = bitmap.iter();
                loop {
                    let column: ArrayRef =
                        Arc::new(UInt64Array::from_iter_values(values.by_ref().take(BATCH)));
                    // Nobody listens any more when a LIMIT is reached.
                    if column.is_empty()
                        || batches
                            .blocking_send(Ok(RecordBatch::try_new(
                                Arc::clone(&schema),
                                vec![column],
                            )?))
                            .is_err()
                    {
                        return Ok(());
                    }
                }
            });
        }
        builder.build()
    }
}
