//! The state behind `bitmap_and_agg` and `bitmap_xor_agg`: one serialized bitmap per group,
//! combined with each row's.

use super::input::Bitmaps;
use super::output::BitmapColumn;
use super::union_state::{filtered_bitmaps, takes_part};
use arrow::array::{Array, ArrayRef, BooleanArray};
use datafusion::common::exec_datafusion_err;
use datafusion::error::Result;
use datafusion::logical_expr::{Accumulator, EmitTo, GroupsAccumulator};
use datafusion::scalar::ScalarValue;
use tagmill_bitmap::{BitmapRef, or_many};

/// Appends the combination of two bitmaps to a vector.
pub(super) type Combine = fn(&BitmapRef<'_>, &BitmapRef<'_>, &mut Vec<u8>);

/// The bitmaps of many groups.
#[derive(Debug)]
pub(super) struct FoldGroups {
    function: &'static str,
    combine: Combine,
    /// Canonical bytes; `None` before the first bitmap of the group.
    groups: Vec<Option<Box<[u8]>>>,
    /// Bytes behind `groups`.
    held: usize,
    /// Where a new combination is written.
    scratch: Vec<u8>,
}

impl FoldGroups {
    pub(super) fn new(function: &'static str, combine: Combine) -> Self {
        Self {
            function,
            combine,
            groups: Vec::new(),
            held: 0,
            scratch: Vec::new(),
        }
    }

    fn fold(
        &mut self,
        array: &ArrayRef,
        groups: &[usize],
        filter: Option<&BooleanArray>,
        count: usize,
    ) -> Result<()> {
        if self.groups.len() < count {
            self.groups.resize(count, None);
        }
        let bitmaps = Bitmaps::of_array(self.function, 1, array)?;
        for (row, group) in groups.iter().enumerate() {
            if takes_part(row, array, filter)
                && let Some(bitmap) = bitmaps.get(row)?
            {
                self.fold_one(*group, &bitmap)?;
            }
        }
        Ok(())
    }

    fn fold_one(&mut self, group: usize, bitmap: &BitmapRef<'_>) -> Result<()> {
        self.scratch.clear();
        let before = match &self.groups[group] {
            None => {
                or_many(&[*bitmap], &mut self.scratch);
                0
            }
            Some(bytes) => {
                let so_far = BitmapRef::parse_layout(bytes);
                let so_far = so_far
                    .map_err(|defect| exec_datafusion_err!("{}: state: {defect}", self.function))?;
                (self.combine)(&so_far, bitmap, &mut self.scratch);
                bytes.len()
            }
        };
        self.held = self.held + self.scratch.len() - before;
        match &mut self.groups[group] {
            Some(bytes) if bytes.len() == self.scratch.len() => {
                bytes.copy_from_slice(&self.scratch)
            }
            place => *place = Some(self.scratch.as_slice().into()),
        }
        Ok(())
    }
}

impl GroupsAccumulator for FoldGroups {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.fold(&values[0], group_indices, opt_filter, total_num_groups)
    }

    fn merge_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        total_num_groups: usize,
    ) -> Result<()> {
        self.fold(&values[0], group_indices, None, total_num_groups)
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let mut column = BitmapColumn::default();
        for bytes in emit_to.take_needed(&mut self.groups) {
            self.held -= bytes.as_ref().map_or(0, |bytes| bytes.len());
            column.push(|out| {
                out.extend_from_slice(bytes.as_deref().unwrap_or_default());
                Ok(bytes.is_some())
            })?;
        }
        column.finish()
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(vec![self.evaluate(emit_to)?])
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        opt_filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        Ok(vec![filtered_bitmaps(&values[0], opt_filter)?])
    }

    fn size(&self) -> usize {
        let places = self.groups.capacity() * size_of::<Option<Box<[u8]>>>();
        size_of::<Self>() + places + self.held + self.scratch.capacity()
    }
}

/// The bitmap of one group: for aggregates without GROUP BY and for window functions.
#[derive(Debug)]
pub(super) struct FoldSet(FoldGroups);

impl FoldSet {
    pub(super) fn new(function: &'static str, combine: Combine) -> Self {
        Self(FoldGroups::new(function, combine))
    }
}

impl Accumulator for FoldSet {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.0.fold(&values[0], &vec![0; values[0].len()], None, 1)
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.update_batch(states)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let bytes = self.0.groups.first().and_then(Option::as_deref);
        Ok(ScalarValue::BinaryView(bytes.map(<[u8]>::to_vec)))
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.evaluate()?])
    }

    fn size(&self) -> usize {
        self.0.size()
    }
}
