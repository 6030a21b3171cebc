//! What is seen of the rows of a group that may be of several indexes, such as those of several
//! combinations, days or apps: whether a member has several numbers, and what all numbers add up
//! to.

use super::bsi_rows::SliceRows;
use super::input::Bitmaps;
use arrow::array::{Array, ArrayRef, AsArray, Decimal128Array, StringArray, UInt64Array};
use arrow::datatypes::{DataType, Decimal128Type, UInt64Type};
use datafusion::common::{exec_datafusion_err, exec_err};
use datafusion::error::Result;
use datafusion::logical_expr::EmitTo;
use std::sync::Arc;
use tagmill_bitmap::Slice;

/// What is seen of one group.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    /// What the numbers are of.
    of: Option<Box<str>>,
    /// Members of each row of slice -1, added up.
    pub(super) numbers: u64,
    /// Members of each other row, added up.
    pub(super) digits: u64,
    /// What all rows are worth to their members, added up.
    pub(super) sum: i128,
}

/// What a row, or a state, adds to what is seen of its group.
#[derive(Debug, Default)]
struct Added<'a> {
    of: Option<&'a str>,
    numbers: u64,
    digits: u64,
    sum: i128,
}

/// What is seen of many groups.
#[derive(Debug)]
pub(super) struct Several {
    function: &'static str,
    groups: Vec<Seen>,
}

impl Several {
    /// The columns of a state: names and types.
    pub(super) const STATE: [(&'static str, DataType); 4] = [
        ("of", DataType::Utf8),
        ("numbers", DataType::UInt64),
        ("digits", DataType::UInt64),
        ("sum", DataType::Decimal128(38, 0)),
    ];

    pub(super) fn new(function: &'static str) -> Self {
        Self {
            function,
            groups: Vec::new(),
        }
    }

    /// Makes room for groups that have no rows yet.
    pub(super) fn reserve(&mut self, groups: usize) {
        if self.groups.len() < groups {
            self.groups.resize(groups, Seen::default());
        }
    }

    /// Sees the rows of a batch.
    ///
    /// # Errors
    /// An execution error for numbers of two things in one group, and those of the rows.
    pub(super) fn add_rows(
        &mut self,
        rows: &SliceRows<'_>,
        of: &dyn Array,
        group_of: impl Fn(usize) -> usize,
    ) -> Result<()> {
        let bitmaps = Bitmaps::of_headers(rows.function, 2, rows.bitmaps)?;
        let of = of.as_string::<i32>();
        for row in 0..rows.len() {
            let (Some(slice), Some(bitmap)) = (rows.slice(row)?, bitmaps.get(row)?) else {
                continue;
            };
            let members = bitmap.cardinality();
            let (mut added, mut worth) = (Added::default(), slice.weight());
            if slice == Slice::Exists {
                worth = rows.offset(row)?.into();
                added.numbers = members;
            } else {
                added.digits = members;
            }
            added.sum = self.product(worth, members)?;
            added.of = of.is_valid(row).then(|| of.value(row));
            self.add(group_of(row), &added)?;
        }
        Ok(())
    }

    fn product(&self, worth: i128, members: u64) -> Result<i128> {
        let product = worth.checked_mul(members.into());
        product.ok_or_else(|| self.too_long())
    }

    fn too_long(&self) -> datafusion::error::DataFusionError {
        exec_datafusion_err!("{}: a sum of more than 38 digits", self.function)
    }

    fn add(&mut self, group: usize, added: &Added<'_>) -> Result<()> {
        self.reserve(group + 1);
        let sum = self.groups[group].sum.checked_add(added.sum);
        let sum = sum.ok_or_else(|| self.too_long())?;
        let seen = &mut self.groups[group];
        match (seen.of.as_deref(), added.of) {
            (Some(one), Some(other)) if one != other => {
                return exec_err!(
                    "{}: numbers of {one} and of {other} in one group, expected those of one: \
                     filter by what they are of, or GROUP BY it",
                    self.function
                );
            }
            (None, Some(of)) => seen.of = Some(of.into()),
            _ => {}
        }
        seen.numbers += added.numbers;
        seen.digits += added.digits;
        seen.sum = sum;
        Ok(())
    }

    /// Adds what others saw.
    ///
    /// # Errors
    /// As [`Self::add_rows`].
    pub(super) fn add_states(
        &mut self,
        states: &[ArrayRef],
        group_of: impl Fn(usize) -> usize,
    ) -> Result<()> {
        let of = states[0].as_string::<i32>();
        let [numbers, digits] = [1, 2].map(|at| states[at].as_primitive::<UInt64Type>());
        let sums = states[3].as_primitive::<Decimal128Type>();
        for row in 0..of.len() {
            let added = Added {
                of: of.is_valid(row).then(|| of.value(row)),
                numbers: numbers.value(row),
                digits: digits.value(row),
                sum: sums.value(row),
            };
            self.add(group_of(row), &added)?;
        }
        Ok(())
    }

    /// Takes out groups.
    pub(super) fn take(&mut self, emit_to: EmitTo) -> Vec<Seen> {
        emit_to.take_needed(&mut self.groups)
    }

    /// What is seen of a group.
    pub(super) fn of_group(&self, group: usize) -> Seen {
        self.groups.get(group).cloned().unwrap_or_default()
    }

    /// The columns of a state.
    ///
    /// # Errors
    /// None that can happen.
    pub(super) fn state_of(groups: &[Seen]) -> Result<Vec<ArrayRef>> {
        let of: StringArray = groups.iter().map(|seen| seen.of.as_deref()).collect();
        let of_numbers = groups.iter().map(|seen| seen.numbers);
        let of_digits = groups.iter().map(|seen| seen.digits);
        let sums = Decimal128Array::from_iter_values(groups.iter().map(|seen| seen.sum));
        Ok(vec![
            Arc::new(of),
            Arc::new(UInt64Array::from_iter_values(of_numbers)),
            Arc::new(UInt64Array::from_iter_values(of_digits)),
            Arc::new(sums.with_precision_and_scale(38, 0)?),
        ])
    }

    /// Bytes held.
    pub(super) fn size(&self) -> usize {
        self.groups.capacity() * size_of::<Seen>()
    }
}
