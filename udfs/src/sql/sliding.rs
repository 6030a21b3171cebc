//! [`Sliding`]: an aggregate whose window may move, as `ROWS BETWEEN 6 PRECEDING AND CURRENT ROW`.
//!
//! DataFusion asks an accumulator to take rows back. A union can not: who was there on two days
//! stays when one of them leaves. So the rows of the frame are kept, and each answer is computed
//! from them: a frame of seven bitmaps is seven steps a row.

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, FieldRef, Schema};
use datafusion::common::exec_err;
use datafusion::error::Result;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, Documentation, GroupsAccumulator, Signature,
};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::scalar::ScalarValue;
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

/// An aggregate as it is, and over frames that move.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Sliding {
    aggregate: AggregateUDF,
}

impl Sliding {
    pub(super) fn over(aggregate: AggregateUDF) -> AggregateUDF {
        AggregateUDF::from(Self { aggregate })
    }
}

impl AggregateUDFImpl for Sliding {
    fn name(&self) -> &str {
        self.aggregate.name()
    }

    fn aliases(&self) -> &[String] {
        self.aggregate.aliases()
    }

    fn signature(&self) -> &Signature {
        self.aggregate.signature()
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        self.aggregate.coerce_types(types)
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.aggregate.return_type(types)
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        self.aggregate.state_fields(args)
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        self.aggregate.accumulator(args)
    }

    fn create_sliding_accumulator(
        &self,
        args: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Frame {
            of: Arguments::of(&self.aggregate, &args),
            rows: VecDeque::new(),
            gone: 0,
        }))
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs<'_>) -> bool {
        self.aggregate.groups_accumulator_supported(args)
    }

    fn create_groups_accumulator(
        &self,
        args: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        self.aggregate.create_groups_accumulator(args)
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.aggregate.documentation()
    }
}

/// What an accumulator is made of, kept.
struct Arguments {
    aggregate: AggregateUDF,
    return_field: FieldRef,
    schema: Schema,
    ignore_nulls: bool,
    is_distinct: bool,
    exprs: Vec<Arc<dyn PhysicalExpr>>,
    fields: Vec<FieldRef>,
}

impl Arguments {
    fn of(aggregate: &AggregateUDF, args: &AccumulatorArgs<'_>) -> Self {
        Self {
            aggregate: aggregate.clone(),
            return_field: Arc::clone(&args.return_field),
            schema: args.schema.clone(),
            ignore_nulls: args.ignore_nulls,
            is_distinct: args.is_distinct,
            exprs: args.exprs.to_vec(),
            fields: args.expr_fields.to_vec(),
        }
    }

    fn accumulator(&self) -> Result<Box<dyn Accumulator>> {
        self.aggregate.accumulator(AccumulatorArgs {
            return_field: Arc::clone(&self.return_field),
            schema: &self.schema,
            ignore_nulls: self.ignore_nulls,
            order_bys: &[],
            is_reversed: false,
            name: self.aggregate.name(),
            is_distinct: self.is_distinct,
            exprs: &self.exprs,
            expr_fields: &self.fields,
        })
    }
}

/// The rows of a frame, oldest first.
struct Frame {
    of: Arguments,
    /// The arguments' columns, batch by batch.
    rows: VecDeque<Vec<ArrayRef>>,
    /// Rows of the first batch that have left the frame.
    gone: usize,
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frame")
            .field("of", &self.of.aggregate.name())
            .field("batches", &self.rows.len())
            .finish_non_exhaustive()
    }
}

impl Frame {
    fn accumulated(&self) -> Result<Box<dyn Accumulator>> {
        let mut accumulator = self.of.accumulator()?;
        let mut gone = self.gone;
        for columns in &self.rows {
            let rows = length(columns) - gone;
            let left: Vec<ArrayRef> = columns.iter().map(|c| c.slice(gone, rows)).collect();
            accumulator.update_batch(&left)?;
            gone = 0;
        }
        Ok(accumulator)
    }
}

/// Rows of a batch.
fn length(columns: &[ArrayRef]) -> usize {
    columns.first().map_or(0, |column| column.len())
}

impl Accumulator for Frame {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        if length(values) > 0 {
            self.rows.push_back(values.to_vec());
        }
        Ok(())
    }

    /// Rows leave a frame in the order in which they came.
    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.gone += length(values);
        while let Some(first) = self.rows.front() {
            let rows = length(first);
            if self.gone < rows {
                return Ok(());
            }
            self.gone -= rows;
            self.rows.pop_front();
        }
        match self.gone {
            0 => Ok(()),
            more => exec_err!(
                "{}: {more} rows leave a frame that has none",
                self.of.aggregate.name()
            ),
        }
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn merge_batch(&mut self, _: &[ArrayRef]) -> Result<()> {
        exec_err!(
            "{}: a frame has no states to merge",
            self.of.aggregate.name()
        )
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.accumulated()?.evaluate()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.accumulated()?.state()
    }

    fn size(&self) -> usize {
        let columns = self.rows.iter().flatten();
        let bytes: usize = columns.map(|column| column.get_array_memory_size()).sum();
        size_of::<Self>() + bytes
    }
}
