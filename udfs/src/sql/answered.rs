//! The states behind a [`SetAggregate`](super::set_aggregate::SetAggregate): those of a set, with
//! what is given of it at the end.

use super::input::{Bitmaps, Depth};
use super::output::BitmapColumn;
use super::set_aggregate::{Aggregate, Gives, Takes};
use arrow::array::{Array, ArrayRef, BooleanArray, UInt64Array};
use datafusion::common::exec_datafusion_err;
use datafusion::error::Result;
use datafusion::logical_expr::{Accumulator, ColumnarValue, EmitTo, GroupsAccumulator};
use datafusion::scalar::ScalarValue;
use std::sync::Arc;

impl Aggregate {
    /// The argument as the set's state takes it.
    fn read(&self, values: &[ArrayRef]) -> Result<Vec<ArrayRef>> {
        let (Takes::Numbers(elements) | Takes::Anything(elements)) = self.takes else {
            return Ok(values.to_vec());
        };
        let read = elements.of_column(&values[0]).map_err(|misfit| {
            exec_datafusion_err!(
                "{}: argument 1, row {} of the batch: {misfit}",
                self.name,
                misfit.row
            )
        })?;
        Ok(vec![Arc::new(read)])
    }

    /// The result of sets that are NULL where there was no row.
    fn answer(&self, sets: ArrayRef) -> Result<ArrayRef> {
        let value = ColumnarValue::Array(Arc::clone(&sets));
        let bitmaps = Bitmaps::of_value(self.name, 1, Depth::Headers, &value)?;
        let counts =
            || (0..sets.len()).map(|row| Ok(bitmaps.get(row)?.map(|bitmap| bitmap.cardinality())));
        match self.gives {
            Gives::BitmapOrNull => Ok(sets),
            Gives::Bitmap if sets.null_count() == 0 => Ok(sets),
            Gives::Bitmap => {
                let mut column = BitmapColumn::default();
                for row in 0..sets.len() {
                    let bitmap = bitmaps.get(row)?;
                    column.push(|out| {
                        out.extend_from_slice(
                            bitmap
                                .as_ref()
                                .map_or([0; 8].as_slice(), |bitmap| bitmap.as_bytes()),
                        );
                        Ok(true)
                    })?;
                }
                column.finish()
            }
            Gives::CountOrNull => Ok(Arc::new(counts().collect::<Result<UInt64Array>>()?)),
            Gives::Count => {
                let counts = counts().map(|count: Result<Option<u64>>| Ok(count?.unwrap_or(0)));
                Ok(Arc::new(UInt64Array::from(
                    counts.collect::<Result<Vec<u64>>>()?,
                )))
            }
        }
    }
}

/// The sets of many groups.
pub(super) struct AnsweredGroups {
    aggregate: &'static Aggregate,
    sets: Box<dyn GroupsAccumulator>,
}

impl AnsweredGroups {
    pub(super) fn new(aggregate: &'static Aggregate, sets: Box<dyn GroupsAccumulator>) -> Self {
        Self { aggregate, sets }
    }
}

impl GroupsAccumulator for AnsweredGroups {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.sets.update_batch(
            &self.aggregate.read(values)?,
            group_indices,
            opt_filter,
            total_num_groups,
        )
    }

    fn merge_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        total_num_groups: usize,
    ) -> Result<()> {
        self.sets
            .merge_batch(values, group_indices, total_num_groups)
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        self.aggregate.answer(self.sets.evaluate(emit_to)?)
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        self.sets.state(emit_to)
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        opt_filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        self.sets
            .convert_to_state(&self.aggregate.read(values)?, opt_filter)
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.sets.size()
    }
}

/// The set of one group.
#[derive(Debug)]
pub(super) struct AnsweredSet {
    aggregate: &'static Aggregate,
    set: Box<dyn Accumulator>,
}

impl AnsweredSet {
    pub(super) fn new(aggregate: &'static Aggregate, set: Box<dyn Accumulator>) -> Self {
        Self { aggregate, set }
    }
}

impl Accumulator for AnsweredSet {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.set.update_batch(&self.aggregate.read(values)?)
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.set.merge_batch(states)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let set = self.set.evaluate()?.to_array()?;
        ScalarValue::try_from_array(&self.aggregate.answer(set)?, 0)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.set.state()
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.set.size()
    }
}
