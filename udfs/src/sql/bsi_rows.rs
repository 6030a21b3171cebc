//! Rows of slices as sets with keys: which key a slice has, and which slices a row's offset adds.

use super::union_state::takes_part;
use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::Int64Type;
use datafusion::common::{exec_datafusion_err, exec_err};
use datafusion::error::Result;
use tagmill_bitmap::Slice;

/// Keys of an index: its slices, and the one worth 2^64 that positive offsets need.
pub(super) const KEYS: usize = (Slice::MOST - Slice::LEAST) as usize + 2;

/// The key of a slice.
pub(super) fn key_of(slice: Slice) -> i64 {
    i64::from(slice.number() - Slice::LEAST)
}

/// The slice of a key.
pub(super) fn slice_of(key: usize) -> Slice {
    let number = key as i64 + i64::from(Slice::LEAST);
    Slice::from_number(number).unwrap_or(Slice::Plus(u64::BITS))
}

/// The arguments of an aggregate over slices, batch by batch.
#[derive(Debug, Clone, Copy)]
pub(super) struct SliceRows<'a> {
    pub(super) function: &'static str,
    pub(super) slices: &'a Int64Array,
    pub(super) bitmaps: &'a ArrayRef,
    /// The offsets, and which argument they are, from 1.
    offsets: Option<(&'a Int64Array, usize)>,
    filter: Option<&'a BooleanArray>,
}

/// Rows of a key and a bitmap; those without a key take no part.
#[derive(Debug)]
pub(super) struct KeyedRows {
    pub(super) keys: Int64Array,
    pub(super) bitmaps: ArrayRef,
    /// The row that each comes from, if they are not the rows as they were.
    from: Option<UInt32Array>,
}

impl KeyedRows {
    /// What belongs to each row, of what belongs to the rows as they were.
    pub(super) fn groups(&self, groups: &[usize]) -> Vec<usize> {
        match &self.from {
            None => groups.to_vec(),
            Some(from) => from
                .values()
                .iter()
                .map(|row| groups[*row as usize])
                .collect(),
        }
    }

    /// Whether these are the rows as they were.
    pub(super) fn are_as_given(&self) -> bool {
        self.from.is_none()
    }
}

impl<'a> SliceRows<'a> {
    /// Of the columns of a batch: slice, bitmap and, at `offset`, what was subtracted.
    pub(super) fn of(
        function: &'static str,
        values: &'a [ArrayRef],
        offset: usize,
        filter: Option<&'a BooleanArray>,
    ) -> Self {
        let offsets = values.get(offset).map(AsArray::as_primitive::<Int64Type>);
        Self {
            function,
            slices: values[0].as_primitive(),
            bitmaps: &values[1],
            offsets: offsets.map(|offsets| (offsets, offset + 1)),
            filter,
        }
    }

    /// Number of rows.
    pub(super) fn len(&self) -> usize {
        self.slices.len()
    }

    /// The slice of a row; `None` for a row that takes no part.
    ///
    /// # Errors
    /// An execution error for a number that no slice has.
    pub(super) fn slice(&self, row: usize) -> Result<Option<Slice>> {
        if self.slices.is_null(row) || !takes_part(row, self.bitmaps, self.filter) {
            return Ok(None);
        }
        let number = self.slices.value(row);
        let slice = Slice::from_number(number).ok_or_else(|| {
            exec_datafusion_err!(
                "{}: argument 1, row {row} of the batch: slice {number}, expected {} to {}",
                self.function,
                Slice::LEAST,
                Slice::MOST
            )
        });
        slice.map(Some)
    }

    /// What the numbers of a row's members were above before they were sliced.
    ///
    /// # Errors
    /// An execution error for NULL.
    pub(super) fn offset(&self, row: usize) -> Result<i64> {
        match self.offsets {
            None => Ok(0),
            Some((offsets, _)) if offsets.is_valid(row) => Ok(offsets.value(row)),
            Some((_, argument)) => exec_err!(
                "{}: argument {argument}, row {row} of the batch: found NULL, expected an integer",
                self.function
            ),
        }
    }

    /// The rows by key. Who has a number is in the slices of the row's offset as well.
    ///
    /// # Errors
    /// Those of slices and offsets.
    pub(super) fn keyed(&self) -> Result<KeyedRows> {
        let mut keys: Vec<Option<i64>> = Vec::with_capacity(self.len());
        let mut more: Vec<(u32, i64)> = Vec::new();
        for row in 0..self.len() {
            let slice = self.slice(row)?;
            keys.push(slice.map(key_of));
            if slice == Some(Slice::Exists) {
                let slices = Slice::of_offset(self.offset(row)?);
                more.extend(slices.map(|slice| (row as u32, key_of(slice))));
            }
        }
        if more.is_empty() {
            return Ok(KeyedRows {
                keys: keys.into(),
                bitmaps: self.bitmaps.clone(),
                from: None,
            });
        }
        let from: UInt32Array = (0..self.len() as u32)
            .chain(more.iter().map(|(row, _)| *row))
            .collect();
        keys.extend(more.iter().map(|(_, key)| Some(*key)));
        Ok(KeyedRows {
            keys: keys.into(),
            bitmaps: take(self.bitmaps, &from, None)?,
            from: Some(from),
        })
    }
}
