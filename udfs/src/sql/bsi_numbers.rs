//! The state behind `bsi_build_agg`: a number for each member of each group, as rows that are
//! sorted and added up now and then.
//!
//! A state that goes from one operator to the next is two lists: members, and the number of each.

use super::bsi_build_agg::{NAME, slice_fields};
use super::keyed_state::list_of;
use super::output::BitmapColumn;
use super::union_state::takes_part;
use super::whole::{Elements, Misfit, integers};
use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Int16Array, Int64Array, StructArray, UInt64Array,
};
use datafusion::common::exec_datafusion_err;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{Accumulator, EmitTo, GroupsAccumulator};
use datafusion::scalar::ScalarValue;
use std::sync::Arc;
use tagmill_bitmap::{Width, write_sorted_u64};

/// Rows are not added up before there are this many.
const LEAST: usize = 1 << 12;
/// How far they may grow from then on.
const GROWTH: usize = 3;

/// A number, or part of one, of a member of a group.
#[derive(Debug, Clone, Copy)]
struct Row {
    group: usize,
    member: u64,
    number: i64,
}

/// The numbers of the members of many groups.
#[derive(Debug)]
pub(super) struct NumberGroups {
    /// Subtracted before numbers are sliced; without one, numbers may be below zero.
    offset: Option<i64>,
    rows: Vec<Row>,
    /// Rows at which they are added up.
    limit: usize,
    /// Groups so far.
    count: usize,
}

impl NumberGroups {
    pub(super) fn new(offset: Option<i64>) -> Self {
        Self {
            offset,
            rows: Vec::new(),
            limit: LEAST,
            count: 0,
        }
    }

    fn add(&mut self, rows: impl Iterator<Item = Row>) -> Result<()> {
        self.rows.extend(rows);
        if self.rows.len() >= self.limit {
            self.add_up()?;
            self.limit = LEAST.max(self.rows.len() * GROWTH);
        }
        Ok(())
    }

    fn add_rows(
        &mut self,
        values: &[ArrayRef],
        group_of: impl Fn(usize) -> usize,
        filter: Option<&BooleanArray>,
    ) -> Result<()> {
        let members = Elements::Checked.of_column(&values[0]);
        let (members, numbers) = (
            &members.map_err(|misfit| refused(1, &misfit))?,
            &integers(&values[1]).map_err(|misfit| refused(2, &misfit))?,
        );
        let rows = (0..members.len())
            .filter(|row| takes_part(*row, members, filter) && numbers.is_valid(*row));
        self.add(rows.map(|row| Row {
            group: group_of(row),
            member: members.value(row),
            number: numbers.value(row),
        }))
    }

    fn add_states(&mut self, states: &[ArrayRef], group_of: impl Fn(usize) -> usize) -> Result<()> {
        for (row, (members, numbers)) in states[0]
            .as_list::<i32>()
            .iter()
            .zip(states[1].as_list::<i32>().iter())
            .enumerate()
        {
            if let (Some(members), Some(numbers)) = (members, numbers) {
                self.add_rows(&[members, numbers], |_| group_of(row), None)?;
            }
        }
        Ok(())
    }

    /// Makes one row of those of a member, and sorts them by group and member.
    fn add_up(&mut self) -> Result<()> {
        self.rows
            .sort_unstable_by_key(|row| (row.group, row.member));
        let (mut kept, mut start) = (0, 0);
        while let Some(first) = self.rows.get(start).copied() {
            let same = self.rows[start..]
                .iter()
                .take_while(|row| (row.group, row.member) == (first.group, first.member));
            let (count, sum) = same.fold((0, 0), |(count, sum), row| {
                (count + 1, sum + i128::from(row.number))
            });
            let number = i64::try_from(sum);
            let number = number.map_err(|_| {
                exec_datafusion_err!(
                    "{NAME}: the numbers of member {} add up to more than 64 bits",
                    first.member
                )
            })?;
            self.rows[kept] = Row { number, ..first };
            kept += 1;
            start += count;
        }
        self.rows.truncate(kept);
        Ok(())
    }

    /// Takes out groups: their rows, added up, and how many groups they are.
    fn take(&mut self, emit_to: EmitTo) -> Result<(Vec<Row>, usize)> {
        self.add_up()?;
        let EmitTo::First(count) = emit_to else {
            return Ok((
                std::mem::take(&mut self.rows),
                std::mem::take(&mut self.count),
            ));
        };
        let mut others = self
            .rows
            .split_off(self.rows.partition_point(|row| row.group < count));
        others.iter_mut().for_each(|row| row.group -= count);
        self.count -= count;
        Ok((std::mem::replace(&mut self.rows, others), count))
    }

    /// The lists of slices of groups.
    fn slices(&self, rows: &[Row], count: usize) -> Result<ArrayRef> {
        let (mut members, mut lists) = (Vec::new(), SliceLists::default());
        for rows in groups(rows, count) {
            let width = match self.offset {
                Some(_) => Width::UNSIGNED,
                None => Width::of(rows.iter().map(|row| row.number)),
            };
            members.resize(members.len().max(width.keys() as usize), Vec::new());
            for row in rows {
                let mut put = |key: u32| members[key as usize].push(row.member);
                match self.offset {
                    Some(offset) => width
                        .keys_of_digits(above(row.number, offset)?)
                        .for_each(&mut put),
                    None => width.keys_of(row.number).for_each(&mut put),
                }
            }
            lists.push(width, &mut members)?;
        }
        lists.finish()
    }

    fn lists(rows: &[Row], count: usize) -> Result<Vec<ArrayRef>> {
        let lengths = || groups(rows, count).map(<[Row]>::len);
        let members = UInt64Array::from_iter_values(rows.iter().map(|row| row.member));
        let numbers = Int64Array::from_iter_values(rows.iter().map(|row| row.number));
        Ok(vec![
            list_of(Arc::new(members), lengths())?,
            list_of(Arc::new(numbers), lengths())?,
        ])
    }
}

#[cold]
fn refused(argument: usize, misfit: &Misfit) -> DataFusionError {
    exec_datafusion_err!(
        "{NAME}: argument {argument}, row {} of the batch: {misfit}",
        misfit.row
    )
}

/// The rows of each group of sorted rows.
fn groups(rows: &[Row], count: usize) -> impl Iterator<Item = &[Row]> {
    let mut left = rows;
    (0..count).map(move |group| {
        let len = left.iter().take_while(|row| row.group == group).count();
        let (own, others) = left.split_at(len);
        left = others;
        own
    })
}

/// What a number is above an offset.
fn above(number: i64, offset: i64) -> Result<u64> {
    let above = u64::try_from(i128::from(number) - i128::from(offset));
    above.map_err(|_| exec_datafusion_err!("{NAME}: number {number}, expected from {offset} on"))
}

/// Lists of slices and bitmaps while they are written.
#[derive(Default)]
pub(super) struct SliceLists {
    slices: Vec<i16>,
    bitmaps: BitmapColumn,
    lengths: Vec<usize>,
}

impl SliceLists {
    /// Adds the list of a group, and empties the members of its keys.
    pub(super) fn push(&mut self, width: Width, members: &mut [Vec<u64>]) -> Result<()> {
        let before = self.slices.len();
        for (key, members) in (0..).zip(members) {
            if !members.is_empty() {
                self.slices.push(width.slice(key).number());
                self.bitmaps.push(|out| {
                    write_sorted_u64(members, out);
                    Ok(true)
                })?;
                members.clear();
            }
        }
        self.lengths.push(self.slices.len() - before);
        Ok(())
    }

    pub(super) fn finish(self) -> Result<ArrayRef> {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Int16Array::from(self.slices)),
            self.bitmaps.finish()?,
        ];
        list_of(
            Arc::new(StructArray::try_new(slice_fields(), columns, None)?),
            self.lengths,
        )
    }
}

impl GroupsAccumulator for NumberGroups {
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
        let (rows, count) = self.take(emit_to)?;
        self.slices(&rows, count)
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        let (rows, count) = self.take(emit_to)?;
        Self::lists(&rows, count)
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        opt_filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        let mut rows = Self::new(self.offset);
        rows.count = values[0].len();
        rows.add_rows(values, |row| row, opt_filter)?;
        rows.state(EmitTo::All)
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.rows.capacity() * size_of::<Row>()
    }
}

/// The numbers of the members of one group: for aggregates without GROUP BY and for window
/// functions.
#[derive(Debug)]
pub(super) struct NumberSet(NumberGroups);

impl NumberSet {
    pub(super) fn new(offset: Option<i64>) -> Self {
        Self(NumberGroups::new(offset))
    }
}

impl Accumulator for NumberSet {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.0.add_rows(values, |_| 0, None)
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.0.add_states(states, |_| 0)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.0.add_up()?;
        ScalarValue::try_from_array(&self.0.slices(&self.0.rows, 1)?, 0)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.0.add_up()?;
        NumberGroups::lists(&self.0.rows, 1)?
            .iter()
            .map(|list| ScalarValue::try_from_array(list, 0))
            .collect()
    }

    fn size(&self) -> usize {
        self.0.size()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use tagmill_bitmap::{BitmapRef, Slice};

    type Expected = BTreeMap<(usize, u64), i64>;
    /// The groups of the rows, and their columns.
    type Batch = (Vec<usize>, [ArrayRef; 2]);

    /// Batches of rows of random members of random groups, a tenth of them NULL, and their sums.
    fn batches(groups: u64, seed: u64) -> (Vec<Batch>, Expected) {
        let mut state = seed | 1;
        let mut next = move |below: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state % below
        };
        let mut expected = Expected::new();
        let batches = (0..20).map(|_| {
            let rows: Vec<(usize, Option<u64>, i64)> = (0..700)
                .map(|_| {
                    (
                        next(groups) as usize,
                        (next(10) > 0).then(|| next(300)),
                        next(5_000) as i64 - 40,
                    )
                })
                .collect();
            for (group, member, number) in &rows {
                member
                    .iter()
                    .for_each(|member| *expected.entry((*group, *member)).or_default() += number);
            }
            let members: ArrayRef = Arc::new(rows.iter().map(|row| row.1).collect::<UInt64Array>());
            let numbers: ArrayRef =
                Arc::new(rows.iter().map(|row| Some(row.2)).collect::<Int64Array>());
            (rows.iter().map(|row| row.0).collect(), [members, numbers])
        });
        (batches.collect(), expected)
    }

    /// The numbers that slices stand for, of groups counted from `first`.
    fn numbers(lists: &ArrayRef, first: usize, offset: Option<i64>) -> Expected {
        let mut numbers = Expected::new();
        for (group, list) in lists.as_list::<i32>().iter().enumerate() {
            let list = list.unwrap();
            let (slices, bitmaps) = (
                list.as_struct()
                    .column(0)
                    .as_primitive::<arrow::datatypes::Int16Type>(),
                list.as_struct().column(1).as_binary_view(),
            );
            for (slice, bytes) in slices.values().iter().zip(bitmaps.iter()) {
                for member in BitmapRef::parse(bytes.unwrap()).unwrap().iter() {
                    let number = numbers.entry((first + group, member)).or_insert(0);
                    let slice = Slice::from_number((*slice).into()).unwrap();
                    *number += match slice {
                        Slice::Exists => offset.unwrap_or(0),
                        other => i64::try_from(other.weight()).unwrap(),
                    };
                }
            }
        }
        numbers
    }

    #[test]
    fn numbers_of_a_member_are_added_up_in_any_form() {
        let offset = Some(-40 * 20 * 700);
        for (groups, seed, offset) in [
            (1, 3, offset),
            (9, 5, offset),
            (2_000, 7, offset),
            (9, 11, None),
        ] {
            let (batches, expected) = batches(groups, seed);
            let (mut whole, mut merged) = (NumberGroups::new(offset), NumberGroups::new(offset));
            for (number, (at, values)) in batches.iter().enumerate() {
                whole
                    .update_batch(values, at, None, groups as usize)
                    .unwrap();
                if number % 2 == 0 {
                    merged
                        .merge_batch(
                            &whole.convert_to_state(values, None).unwrap(),
                            at,
                            groups as usize,
                        )
                        .unwrap();
                } else {
                    let mut part = NumberGroups::new(offset);
                    part.update_batch(values, at, None, groups as usize)
                        .unwrap();
                    let every: Vec<usize> = (0..groups as usize).collect();
                    merged
                        .merge_batch(&part.state(EmitTo::All).unwrap(), &every, groups as usize)
                        .unwrap();
                }
            }
            let first = groups as usize / 3;
            let mut found = numbers(&whole.evaluate(EmitTo::First(first)).unwrap(), 0, offset);
            found.extend(numbers(
                &whole.evaluate(EmitTo::All).unwrap(),
                first,
                offset,
            ));
            assert!(found == expected, "{groups} groups");
            assert!(
                numbers(&merged.evaluate(EmitTo::All).unwrap(), 0, offset) == expected,
                "{groups} groups, merged"
            );
        }
    }
}
