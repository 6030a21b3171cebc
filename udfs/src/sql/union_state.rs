//! The state behind `bitmap_build_agg` and `bitmap_or_agg`: sets that only grow, for many groups or
//! for one.
//!
//! A state that goes from one operator to the next is a bitmap or, when DataFusion sees that
//! grouping does not reduce the rows, one value a row: nine bytes, which no bitmap has, and which a
//! view holds in itself.

use super::input::Bitmaps;
use super::output::BitmapColumn;
use arrow::array::{
    Array, ArrayRef, AsArray, BinaryViewArray, BooleanArray, ByteView, UInt64Array,
};
use arrow::buffer::{Buffer, NullBuffer, ScalarBuffer};
use arrow::compute::cast;
use arrow::datatypes::{DataType, UInt64Type};
use datafusion::common::exec_datafusion_err;
use datafusion::error::Result;
use datafusion::logical_expr::{Accumulator, EmitTo, GroupsAccumulator};
use datafusion::scalar::ScalarValue;
use std::sync::Arc;
use tagmill_bitmap::{BitmapRef, DrainedGroups, GroupSets, SharedBytes, write_sorted};

/// Bitmaps of a group are united together up to about this many bytes: what a processor has at
/// hand.
const TOGETHER: usize = 256 << 10;

/// States are not shared where all have fewer bytes: they are copied, or become rows, for less than
/// that costs.
const LEAST_SHARED: u32 = 256;

/// What the rows of the aggregate's argument are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Input {
    /// UInt64 values to be added.
    Values,
    /// Bitmaps whose values are to be added.
    Bitmaps,
}

/// Which rows take part: not NULL, and let through by the filter.
pub(super) fn takes_part(row: usize, array: &dyn Array, filter: Option<&BooleanArray>) -> bool {
    array.is_valid(row) && filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row))
}

/// The sets of many groups.
#[derive(Debug)]
pub(super) struct UnionGroups {
    function: &'static str,
    input: Input,
    sets: GroupSets,
    /// Groups so far.
    count: usize,
    /// Groups that were given a bitmap without values: they are empty, not NULL. As long as the
    /// last of them.
    are_empty: Vec<bool>,
}

impl UnionGroups {
    pub(super) fn new(function: &'static str, input: Input) -> Self {
        Self {
            function,
            input,
            sets: GroupSets::default(),
            count: 0,
            are_empty: Vec::new(),
        }
    }

    fn add_values(
        &mut self,
        values: &UInt64Array,
        groups: &[usize],
        filter: Option<&BooleanArray>,
    ) {
        if values.null_count() == 0 && filter.is_none() {
            self.sets.insert_batch(groups, values.values(), self.count);
        } else {
            let rows = groups
                .iter()
                .copied()
                .zip(values.values().iter().copied())
                .enumerate();
            self.sets.insert_all(
                rows.filter(|(row, _)| takes_part(*row, values, filter))
                    .map(|(_, row)| row),
            );
        }
    }

    fn add_bitmaps(
        &mut self,
        array: &ArrayRef,
        groups: &[usize],
        filter: Option<&BooleanArray>,
    ) -> Result<()> {
        let bitmaps = Bitmaps::of_array(self.function, 1, array)?;
        // Bitmaps of one group that come together are united together.
        let (mut together, mut bytes, mut of_group) = (Vec::new(), 0, 0);
        for (row, group) in groups.iter().copied().enumerate() {
            let bitmap = if takes_part(row, array, filter) {
                bitmaps.get(row)?
            } else {
                None
            };
            let Some(bitmap) = bitmap else { continue };
            if bitmap.is_empty() {
                self.note_empty(group);
                continue;
            }
            if group != of_group || bytes >= TOGETHER {
                self.sets.merge_all(of_group, &together);
                together.clear();
                (bytes, of_group) = (0, group);
            }
            bytes += bitmap.as_bytes().len();
            together.push(bitmap);
        }
        self.sets.merge_all(of_group, &together);
        Ok(())
    }

    /// Adds states: bitmaps and single values.
    fn add_states(&mut self, array: &ArrayRef, groups: &[usize]) -> Result<()> {
        let views = cast(array, &DataType::BinaryView)?;
        let views = views.as_binary_view();
        if views.null_count() == 0 && views.views().iter().all(|view| *view as u32 == SINGLE) {
            let values = views.views().iter().map(|view| (view >> 32) as u64);
            self.sets.insert_all(groups.iter().copied().zip(values));
            return Ok(());
        }
        let is_shared = views
            .views()
            .iter()
            .any(|view| *view as u32 >= LEAST_SHARED);
        let mut shared = Vec::new();
        for (group, (row, bytes)) in groups.iter().copied().zip(views.iter().enumerate()) {
            match bytes {
                None => {}
                Some([value @ .., 0]) if bytes.map(<[u8]>::len) == Some(SINGLE as usize) => {
                    let value = value
                        .first_chunk()
                        .map_or(0, |value| u64::from_le_bytes(*value));
                    self.sets.insert_all(std::iter::once((group, value)));
                }
                Some(bytes) => match BitmapRef::parse(bytes) {
                    Ok(bitmap) if bitmap.is_empty() => self.note_empty(group),
                    Ok(_) if is_shared => shared.push((group, ByteView::from(views.views()[row]))),
                    Ok(bitmap) => self.sets.merge(group, &bitmap),
                    Err(defect) => {
                        return Err(exec_datafusion_err!(
                            "{}: state, row {row} of the batch: {defect}",
                            self.function
                        ));
                    }
                },
            }
        }
        if !shared.is_empty() {
            self.merge_shared(views.data_buffers(), &shared);
        }
        Ok(())
    }

    /// Adds checked bitmaps of more than the bytes that a view holds in itself. A batch may have
    /// many buffers of which it uses few.
    fn merge_shared(&mut self, buffers: &[Buffer], bitmaps: &[(usize, ByteView)]) {
        let (mut numbers, mut used) = (vec![usize::MAX; buffers.len()], Vec::new());
        for (_, view) in bitmaps {
            let number = &mut numbers[view.buffer_index as usize];
            if *number == usize::MAX {
                *number = used.len();
                used.push(SharedBytes::new(Bytes(
                    buffers[view.buffer_index as usize].clone(),
                )));
            }
        }
        let place =
            |view: &ByteView| view.offset as usize..view.offset as usize + view.length as usize;
        self.sets.merge_shared(
            used,
            bitmaps
                .iter()
                .map(|(group, view)| (*group, numbers[view.buffer_index as usize], place(view))),
        );
    }

    fn note_empty(&mut self, group: usize) {
        if self.are_empty.len() <= group {
            self.are_empty.resize(group + 1, false);
        }
        self.are_empty[group] = true;
    }

    /// Takes groups out: their sets, how many they are, which of them are empty.
    fn take(&mut self, emit_to: EmitTo) -> (DrainedGroups, usize, Vec<bool>) {
        match emit_to {
            EmitTo::All => (
                self.sets.drain(),
                std::mem::take(&mut self.count),
                std::mem::take(&mut self.are_empty),
            ),
            EmitTo::First(count) => {
                self.count -= count;
                let noted = self.are_empty.len().min(count);
                (
                    self.sets.drain_first(count),
                    count,
                    self.are_empty.drain(..noted).collect(),
                )
            }
        }
    }
}

impl GroupsAccumulator for UnionGroups {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.count = self.count.max(total_num_groups);
        match self.input {
            Input::Values => self.add_values(
                values[0].as_primitive::<UInt64Type>(),
                group_indices,
                opt_filter,
            ),
            Input::Bitmaps => self.add_bitmaps(&values[0], group_indices, opt_filter)?,
        }
        Ok(())
    }

    fn merge_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        total_num_groups: usize,
    ) -> Result<()> {
        self.count = self.count.max(total_num_groups);
        self.add_states(&values[0], group_indices)
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let (mut sets, count, are_empty) = self.take(emit_to);
        let mut column = BitmapColumn::with_capacity(count);
        for group in 0..count {
            column.push(|out| {
                let is_set = sets.write_next(out);
                let is_empty = !is_set && are_empty.get(group) == Some(&true);
                if is_empty {
                    write_sorted(0, &[], out);
                }
                Ok(is_set || is_empty)
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
        let state = match self.input {
            Input::Values => single_values(values[0].as_primitive::<UInt64Type>(), opt_filter),
            Input::Bitmaps => {
                let bitmaps = filtered_bitmaps(&values[0], opt_filter)?;
                expect_no_single(self.function, bitmaps.as_binary_view())?;
                bitmaps
            }
        };
        Ok(vec![state])
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.sets.size() + self.are_empty.capacity()
    }
}

/// A buffer as bytes.
struct Bytes(Buffer);

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// Bytes of a state that is a single value: the value, little endian, and a zero.
const SINGLE: u32 = 9;

/// A state of each value.
fn single_values(values: &UInt64Array, filter: Option<&BooleanArray>) -> ArrayRef {
    let views: ScalarBuffer<u128> = values
        .values()
        .iter()
        .map(|value| u128::from(SINGLE) | u128::from(*value) << 32)
        .collect();
    let let_through = filter.map(|filter| match filter.nulls() {
        Some(nulls) => NullBuffer::new(filter.values() & nulls.inner()),
        None => NullBuffer::new(filter.values().clone()),
    });
    let nulls = NullBuffer::union(values.nulls(), let_through.as_ref());
    // SAFETY: views of nine bytes hold them: the value, a zero, and zeros up to the end of the
    // view. There is one for each row.
    Arc::new(unsafe { BinaryViewArray::new_unchecked(views, Vec::new(), nulls) })
}

/// Refuses bytes that would be taken for a state of a single value.
fn expect_no_single(function: &str, views: &BinaryViewArray) -> Result<()> {
    let found = views.iter().enumerate().find_map(|(row, bytes)| {
        bytes
            .filter(|bytes| bytes.len() == SINGLE as usize)
            .map(|bytes| (row, bytes))
    });
    match found.and_then(|(row, bytes)| Some((row, BitmapRef::parse(bytes).err()?))) {
        Some((row, defect)) => Err(exec_datafusion_err!(
            "{function}: argument 1, row {row} of the batch: {defect}"
        )),
        None => Ok(()),
    }
}

/// The bitmaps as they are, NULL where the filter keeps a row out.
pub(super) fn filtered_bitmaps(
    array: &ArrayRef,
    filter: Option<&BooleanArray>,
) -> Result<ArrayRef> {
    let views = cast(array, &DataType::BinaryView)?;
    let Some(filter) = filter else {
        return Ok(views);
    };
    let is_out = (0..array.len()).map(|row| Some(!takes_part(row, array, Some(filter))));
    Ok(arrow::compute::nullif(
        &views,
        &is_out.collect::<BooleanArray>(),
    )?)
}

/// The set of one group: for aggregates without GROUP BY and for window functions.
#[derive(Debug)]
pub(super) struct UnionSet(UnionGroups);

impl UnionSet {
    pub(super) fn new(function: &'static str, input: Input) -> Self {
        Self(UnionGroups::new(function, input))
    }
}

impl Accumulator for UnionSet {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        match self.0.input {
            Input::Values => {
                let values = values[0].as_primitive::<UInt64Type>();
                if values.null_count() == 0 {
                    self.0
                        .sets
                        .insert_all(values.values().iter().map(|value| (0, *value)));
                } else {
                    self.0
                        .sets
                        .insert_all(values.iter().flatten().map(|value| (0, value)));
                }
                Ok(())
            }
            Input::Bitmaps => self
                .0
                .add_bitmaps(&values[0], &vec![0; values[0].len()], None),
        }
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.0.add_states(&states[0], &vec![0; states[0].len()])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let mut bytes = Vec::new();
        let is_set = self.0.sets.write(0, &mut bytes);
        if !is_set && self.0.are_empty.first() == Some(&true) {
            write_sorted(0, &[], &mut bytes);
        }
        Ok(ScalarValue::BinaryView(
            (!bytes.is_empty()).then_some(bytes),
        ))
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.evaluate()?])
    }

    fn size(&self) -> usize {
        self.0.size()
    }
}
