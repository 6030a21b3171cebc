//! The state of aggregates over rows of a bitmap and a key, for many groups or for one.
//!
//! A state that goes from one operator to the next is two lists: keys, and the bitmap of each. When
//! DataFusion sees that grouping does not reduce the rows, each list has one entry, which may be
//! NULL: the row as it came.

use super::input::Bitmaps;
use super::keyed_sets::{DrainedKeys, KeyedSets};
use super::output::BitmapColumn;
use super::union_state::{filtered_bitmaps, takes_part};
use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Int64Array, ListArray, new_empty_array,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, FieldRef, Int64Type};
use datafusion::common::{exec_datafusion_err, exec_err};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::function::StateFieldsArgs;
use datafusion::logical_expr::utils::format_state_name;
use datafusion::logical_expr::{Accumulator, EmitTo, GroupsAccumulator};
use datafusion::scalar::ScalarValue;
use std::fmt::Debug;
use std::sync::Arc;
use tagmill_bitmap::{BitmapRef, Defect};

/// An aggregate over rows of a bitmap and a key.
pub(super) trait Keyed: Debug + Send + Sync + 'static {
    /// Which of the first two arguments is the bitmap, from 0; the other one is the key.
    const BITMAP: usize;

    /// Name of the function.
    fn function(&self) -> &'static str;

    /// How many keys there are.
    fn keys(&self) -> usize;

    /// The number of a row's key, below [`Keyed::keys`]; `None` for a row that does not take part.
    ///
    /// # Errors
    /// An execution error for a value that is no key.
    fn key(&self, keys: &dyn Array, row: usize) -> Result<Option<usize>>;

    /// The type of the result.
    fn data_type(&self) -> DataType;

    /// The result of a group from the bitmaps of its keys, ascending; keys without a bitmap are
    /// missing.
    ///
    /// # Errors
    /// An execution error that names the function.
    fn result(&self, sets: &[(usize, &[u8])]) -> Result<ScalarValue>;
}

/// An error about the bytes of the state itself.
#[cold]
pub(super) fn state_error(defect: Defect) -> DataFusionError {
    exec_datafusion_err!("state of a bitmap aggregate: {defect}")
}

/// A list array of values and the lengths of its lists.
pub(super) fn list_of(
    values: ArrayRef,
    lengths: impl IntoIterator<Item = usize>,
) -> Result<ArrayRef> {
    let item = Arc::new(Field::new_list_field(values.data_type().clone(), true));
    Ok(Arc::new(ListArray::try_new(
        item,
        OffsetBuffer::from_lengths(lengths),
        values,
        None,
    )?))
}

/// The columns of the state.
pub(super) fn state_fields(args: &StateFieldsArgs<'_>) -> Vec<FieldRef> {
    let list = |item| DataType::List(Arc::new(Field::new_list_field(item, true)));
    let field = |name, item| {
        Arc::new(Field::new(
            format_state_name(args.name, name),
            list(item),
            true,
        ))
    };
    vec![
        field("keys", DataType::Int64),
        field("bitmaps", DataType::BinaryView),
    ]
}

/// The bitmaps of many groups by key.
#[derive(Debug)]
pub(super) struct KeyedGroups<K> {
    aggregate: K,
    sets: KeyedSets,
    /// Groups so far.
    count: usize,
}

impl<K: Keyed> KeyedGroups<K> {
    pub(super) fn new(aggregate: K) -> Self {
        Self {
            sets: KeyedSets::new(aggregate.keys()),
            aggregate,
            count: 0,
        }
    }

    /// Makes room for groups that have no rows yet.
    pub(super) fn reserve(&mut self, groups: usize) {
        self.count = self.count.max(groups);
    }

    /// The bitmaps of a group with their keys, which stay.
    pub(super) fn of_group(&mut self, group: usize) -> Vec<(usize, Vec<u8>)> {
        self.sets.of_group(group)
    }

    /// Takes out groups with what `result` makes of the place of each, from 0, and of its bitmaps by
    /// key.
    ///
    /// # Errors
    /// Those of `result`.
    pub(super) fn evaluate_with(
        &mut self,
        emit_to: EmitTo,
        result: impl Fn(&K, usize, &[(usize, &[u8])]) -> Result<ScalarValue>,
    ) -> Result<ArrayRef> {
        let (mut sets, count) = self.take(emit_to);
        if count == 0 {
            return Ok(new_empty_array(&self.aggregate.data_type()));
        }
        let results = (0..count).map(|group| {
            result(
                &self.aggregate,
                group,
                &sets.next_group().collect::<Vec<_>>(),
            )
        });
        ScalarValue::iter_to_array(results.collect::<Result<Vec<_>>>()?)
    }

    fn add_rows(
        &mut self,
        values: &[ArrayRef],
        group_of: impl Fn(usize) -> usize,
        filter: Option<&BooleanArray>,
    ) -> Result<()> {
        let (array, keys) = (&values[K::BITMAP], values[1 - K::BITMAP].as_ref());
        let bitmaps = Bitmaps::of_array(self.aggregate.function(), K::BITMAP + 1, array)?;
        for row in 0..array.len() {
            if takes_part(row, array, filter)
                && let Some(key) = self.aggregate.key(keys, row)?
                && let Some(bitmap) = bitmaps.get(row)?
            {
                self.sets.add(group_of(row), key, &bitmap)?;
            }
        }
        Ok(())
    }

    fn add_states(&mut self, states: &[ArrayRef], group_of: impl Fn(usize) -> usize) -> Result<()> {
        let (Some(keys), Some(bitmaps)) = (
            states[0].as_list_opt::<i32>(),
            states[1].as_list_opt::<i32>(),
        ) else {
            return exec_err!(
                "state of a bitmap aggregate is {} and {}, expected lists",
                states[0].data_type(),
                states[1].data_type()
            );
        };
        for row in 0..keys.len() {
            if keys.is_null(row) || bitmaps.is_null(row) {
                continue;
            }
            let (of_keys, of_bitmaps) = (keys.value_offsets(), bitmaps.value_offsets());
            if keys.value_length(row) != bitmaps.value_length(row) {
                return exec_err!(
                    "state of a bitmap aggregate has {} keys and {} bitmaps",
                    keys.value_length(row),
                    bitmaps.value_length(row)
                );
            }
            let (numbers, views) = (
                keys.values().as_primitive::<Int64Type>(),
                bitmaps.values().as_binary_view(),
            );
            let entries =
                (of_keys[row] as usize..of_keys[row + 1] as usize).zip(of_bitmaps[row] as usize..);
            for (key, bitmap) in
                entries.filter(|(key, bitmap)| numbers.is_valid(*key) && views.is_valid(*bitmap))
            {
                let number = usize::try_from(numbers.value(key))
                    .ok()
                    .filter(|number| *number < self.sets.keys());
                let number = number.ok_or_else(|| {
                    exec_datafusion_err!(
                        "state of a bitmap aggregate has key {}",
                        numbers.value(key)
                    )
                })?;
                self.sets.add(
                    group_of(row),
                    number,
                    &BitmapRef::parse(views.value(bitmap)).map_err(state_error)?,
                )?;
            }
        }
        Ok(())
    }

    fn take(&mut self, emit_to: EmitTo) -> (DrainedKeys, usize) {
        match emit_to {
            EmitTo::All => (self.sets.drain(), std::mem::take(&mut self.count)),
            EmitTo::First(count) => {
                self.count -= count;
                (self.sets.drain_first(count), count)
            }
        }
    }
}

impl<K: Keyed> GroupsAccumulator for KeyedGroups<K> {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.count = self.count.max(total_num_groups);
        self.add_rows(values, |row| group_indices[row], opt_filter)
    }

    fn merge_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        total_num_groups: usize,
    ) -> Result<()> {
        self.count = self.count.max(total_num_groups);
        self.add_states(values, |row| group_indices[row])
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        self.evaluate_with(emit_to, |aggregate, _, sets| aggregate.result(sets))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        let (mut sets, count) = self.take(emit_to);
        let (mut keys, mut lengths, mut bitmaps) = (
            Vec::new(),
            Vec::with_capacity(count),
            BitmapColumn::with_capacity(count),
        );
        for _ in 0..count {
            let before = keys.len();
            for (key, bytes) in sets.next_group() {
                keys.push(key as i64);
                bitmaps.push(|out| {
                    out.extend_from_slice(bytes);
                    Ok(true)
                })?;
            }
            lengths.push(keys.len() - before);
        }
        Ok(vec![
            list_of(Arc::new(Int64Array::from(keys)), lengths.iter().copied())?,
            list_of(bitmaps.finish()?, lengths)?,
        ])
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        opt_filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        let bitmaps = filtered_bitmaps(&values[K::BITMAP], opt_filter)?;
        let keys = (0..bitmaps.len()).map(|row| match bitmaps.is_valid(row) {
            true => Ok(self
                .aggregate
                .key(values[1 - K::BITMAP].as_ref(), row)?
                .map(|key| key as i64)),
            false => Ok(None),
        });
        let keys = keys.collect::<Result<Int64Array>>()?;
        let lengths = || std::iter::repeat_n(1, keys.len());
        Ok(vec![
            list_of(Arc::new(keys.clone()), lengths())?,
            list_of(bitmaps, lengths())?,
        ])
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.sets.size()
    }
}

/// The bitmaps of one group by key: for aggregates without GROUP BY and for window functions.
#[derive(Debug)]
pub(super) struct KeyedSet<K>(KeyedGroups<K>);

impl<K: Keyed> KeyedSet<K> {
    pub(super) fn new(aggregate: K) -> Self {
        Self(KeyedGroups::new(aggregate))
    }
}

impl<K: Keyed> Accumulator for KeyedSet<K> {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.0.add_rows(values, |_| 0, None)
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.0.add_states(states, |_| 0)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let sets = self.0.sets.of_group(0);
        self.0.aggregate.result(
            &sets
                .iter()
                .map(|(key, bytes)| (*key, bytes.as_slice()))
                .collect::<Vec<_>>(),
        )
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.0.count = 1;
        let lists = self.0.state(EmitTo::All)?;
        lists
            .iter()
            .map(|list| ScalarValue::try_from_array(list, 0))
            .collect()
    }

    fn size(&self) -> usize {
        self.0.size()
    }
}
