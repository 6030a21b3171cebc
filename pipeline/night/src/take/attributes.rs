//! The attributes of one source while rows stream in: one code a tag and seat, the winning row of
//! duplicates only.

use std::cmp::Ordering;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::DataType;
use datafusion::error::Result;
use tagmill_schemas::value::ValueType;

use super::accounting::{Accounting, SUPERSEDED};
use super::batch::AcceptedRows;
use super::narrow::NarrowTable;
use super::seating::Seating;
use super::values::{NULL_CODE, Values};
use crate::plan::columns::ExchangedColumn;

/// One tag of the source.
pub struct TagColumn {
    /// Name of the tag.
    pub name: String,
    /// Whether a user can have several values.
    pub multi: bool,
    /// Decimal digits kept for the bit-sliced index of doubles.
    pub scale: Option<u8>,
    /// Its encoder.
    pub values: Values,
    /// By provisional seat: the code; of a multi-valued tag the number of a list, counted from 1.
    codes: NarrowTable,
    lists: Vec<Vec<u32>>,
    /// Heap bytes of the lists.
    listed: usize,
}

/// What one row says of one tag.
enum Incoming {
    Codes(Vec<u32>),
    Lists(Vec<Vec<u32>>),
}

/// The state of one attributes source.
pub struct Attributes {
    /// Its tags.
    pub tags: Vec<TagColumn>,
    /// By provisional seat: whether a row of today came.
    is_present: Vec<bool>,
    /// By provisional seat: the order that row had; empty when no column orders duplicates.
    orders: Vec<i64>,
}

impl TagColumn {
    /// A tag without values.
    pub fn new(name: String, value_type: ValueType, multi: bool, scale: Option<u8>) -> Self {
        Self {
            name,
            multi,
            scale,
            values: Values::new(value_type),
            codes: NarrowTable::default(),
            lists: Vec::new(),
            listed: 0,
        }
    }

    /// The codes of this provisional seat, distinct, none for null.
    pub fn codes(&self, seat: u32) -> impl Iterator<Item = u32> + '_ {
        let own = Some(self.codes.get(seat as usize)).filter(|&own| own != NULL_CODE);
        let list = own
            .filter(|_| self.multi)
            .map_or(&[][..], |list| &self.lists[list as usize - 1]);
        own.filter(|_| !self.multi)
            .into_iter()
            .chain(list.iter().copied())
    }

    /// The code of this provisional seat, [`NULL_CODE`] for null; of a single-valued tag.
    pub fn code(&self, seat: u32) -> u32 {
        self.codes.get(seat as usize)
    }

    /// Adds a value that was published before, for `content = "changes"` and for carried sources.
    pub fn carry(&mut self, seat: u32, code: u32) {
        let seat = seat as usize;
        match self.codes.get(seat) {
            _ if !self.multi => self.codes.set(seat, code),
            NULL_CODE => self.set_list(seat, vec![code]),
            list => {
                let list = &mut self.lists[list as usize - 1];
                let before = list.capacity();
                list.push(code);
                self.listed += (list.capacity() - before) * size_of::<u32>();
            }
        }
    }

    fn set(&mut self, seat: usize, incoming: &Incoming, row: usize) {
        match incoming {
            Incoming::Codes(codes) => self.codes.set(seat, codes[row]),
            Incoming::Lists(lists) if lists[row].is_empty() => self.codes.set(seat, NULL_CODE),
            Incoming::Lists(lists) => self.set_list(seat, lists[row].clone()),
        }
    }

    fn set_list(&mut self, seat: usize, list: Vec<u32>) {
        self.listed += size_of::<Vec<u32>>() + list.capacity() * size_of::<u32>();
        self.lists.push(list);
        self.codes.set(seat, self.lists.len() as u32);
    }

    fn read(&mut self, array: &ArrayRef) -> Result<Incoming> {
        let mut codes = Vec::new();
        if !self.multi {
            self.values.encode(array, &mut codes)?;
            return Ok(Incoming::Codes(codes));
        }
        let array = as_list(array)?;
        let list = array.as_list::<i32>();
        // A batch may be a slice of a larger one: only the elements of its own rows.
        let start = list.value_offsets()[0] as usize;
        self.values.encode(
            &list
                .values()
                .slice(start, list.value_offsets()[list.len()] as usize - start),
            &mut codes,
        )?;
        let distinct = |row: usize| {
            if list.is_null(row) {
                return Vec::new();
            }
            let offsets = list.value_offsets();
            let mut codes: Vec<u32> = codes
                [offsets[row] as usize - start..offsets[row + 1] as usize - start]
                .iter()
                .copied()
                .filter(|&c| c != NULL_CODE)
                .collect();
            codes.sort_unstable();
            codes.dedup();
            codes
        };
        Ok(Incoming::Lists((0..list.len()).map(distinct).collect()))
    }

    /// Order of what a row says against what the seat has, by value: it does not depend on arrival.
    fn compare(&self, incoming: &Incoming, row: usize, seat: u32) -> Ordering {
        let new = match incoming {
            Incoming::Codes(codes) => std::slice::from_ref(&codes[row]),
            Incoming::Lists(lists) => lists[row].as_slice(),
        };
        let sorted = |codes: &mut dyn Iterator<Item = u32>| {
            let mut values: Vec<_> = codes.filter_map(|code| self.values.value(code)).collect();
            values.sort_by(|a, b| a.cmp_total(b));
            values
        };
        let (new, old) = (
            sorted(&mut new.iter().copied()),
            sorted(&mut self.codes(seat)),
        );
        let difference = new
            .iter()
            .zip(&old)
            .map(|(a, b)| a.cmp_total(b))
            .find(|o| o.is_ne());
        difference.unwrap_or_else(|| new.len().cmp(&old.len()))
    }

    /// Heap bytes held.
    pub fn size(&self) -> usize {
        self.values.size() + self.codes.size() + self.listed
    }
}

impl Attributes {
    /// No rows yet.
    pub fn new(tags: Vec<TagColumn>) -> Self {
        Self {
            tags,
            is_present: Vec::new(),
            orders: Vec::new(),
        }
    }

    /// Takes accepted rows: of several rows of one user the one with the greatest order stays, then
    /// the one with the greatest values.
    ///
    /// # Errors
    /// As [`Seating::seat`], and those of encoding the tags' values.
    pub fn take(
        &mut self,
        rows: &AcceptedRows<'_>,
        seating: &mut Seating<'_>,
        account: &mut Accounting,
    ) -> Result<()> {
        let values = (0..self.tags.len())
            .map(|tag| rows.batch.column(ExchangedColumn::Tag(tag)))
            .collect::<Result<Vec<_>>>()?;
        let again = self.push(seating.seat(rows)?, rows.batch.orders()?, &values)?;
        for row in again {
            account.note(rows.apps[row], SUPERSEDED, 1);
        }
        for (tag, array) in self.tags.iter_mut().zip(values) {
            let infinite = tag.values.take_infinite();
            account.note_infinite(rows.apps, rows_of_elements(array, infinite));
        }
        Ok(())
    }

    /// `values` are the tags' values, in the order of the tags. Returns the rows of users who had
    /// one before.
    fn push(
        &mut self,
        seats: &[u32],
        orders: Option<&[i64]>,
        values: &[&ArrayRef],
    ) -> Result<Vec<usize>> {
        let incoming = self
            .tags
            .iter_mut()
            .zip(values)
            .map(|(tag, array)| tag.read(array))
            .collect::<Result<Vec<_>>>()?;
        let most = seats.iter().max().map_or(0, |&seat| seat as usize + 1);
        if most > self.is_present.len() {
            self.is_present.resize(most, false);
            self.tags.iter_mut().for_each(|tag| tag.codes.reach(most));
            if orders.is_some() {
                self.orders.resize(most, 0);
            }
        }
        let mut again = Vec::new();
        for (row, &seat) in seats.iter().enumerate() {
            if self.is_present[seat as usize] {
                again.push(row);
            }
            let order = orders.map_or(0, |orders| orders[row]);
            if self.wins(order, seat, row, &incoming) {
                self.is_present[seat as usize] = true;
                if orders.is_some() {
                    self.orders[seat as usize] = order;
                }
                for (tag, incoming) in self.tags.iter_mut().zip(&incoming) {
                    tag.set(seat as usize, incoming, row);
                }
            }
        }
        Ok(again)
    }

    /// Makes room for so many seats.
    pub fn reserve(&mut self, seats: usize) {
        self.is_present.reserve(seats);
        self.tags
            .iter_mut()
            .for_each(|tag| tag.codes.reserve(seats));
    }

    fn wins(&self, order: i64, seat: u32, row: usize, incoming: &[Incoming]) -> bool {
        if !self.is_present[seat as usize] {
            return true;
        }
        let by_value = || {
            let each = self
                .tags
                .iter()
                .zip(incoming)
                .map(|(tag, incoming)| tag.compare(incoming, row, seat));
            each.fold(Ordering::Equal, Ordering::then)
        };
        let present = self.orders.get(seat as usize).copied().unwrap_or(0);
        order.cmp(&present).then_with(by_value).is_gt()
    }

    /// Heap bytes held.
    pub fn size(&self) -> usize {
        self.orders.capacity() * 8
            + self.is_present.capacity()
            + self.tags.iter().map(TagColumn::size).sum::<usize>()
    }
}

/// A value as a list of one.
fn as_list(array: &ArrayRef) -> Result<ArrayRef> {
    Ok(match array.data_type() {
        DataType::List(_) => ArrayRef::clone(array),
        other => arrow::compute::cast(array, &DataType::new_list(other.clone(), true))?,
    })
}

/// The rows that have these elements; of what is no list an element is its row.
fn rows_of_elements(array: &ArrayRef, elements: Vec<usize>) -> Vec<usize> {
    let Some(list) = array.as_list_opt::<i32>().filter(|_| !elements.is_empty()) else {
        return elements;
    };
    let (start, offsets) = (list.value_offsets()[0], list.value_offsets());
    let row = |element: usize| {
        let ends_before = |&end: &i32| (end - start) as usize <= element;
        offsets[1..].partition_point(ends_before)
    };
    elements.into_iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Int64Array, StringArray};
    use std::sync::Arc;

    fn push(state: &mut Attributes, rows: &[(u32, i64, &str, i64)]) {
        let seats: Vec<u32> = rows.iter().map(|r| r.0).collect();
        let orders: Vec<i64> = rows.iter().map(|r| r.1).collect();
        let names: ArrayRef = Arc::new(StringArray::from_iter_values(rows.iter().map(|r| r.2)));
        let ages: ArrayRef = Arc::new(Int64Array::from_iter_values(rows.iter().map(|r| r.3)));
        state.push(&seats, Some(&orders), &[&names, &ages]).unwrap();
    }

    #[test]
    fn the_latest_row_wins_and_ties_do_not_depend_on_arrival() {
        let rows = [
            (0, 5, "b", 1),
            (0, 7, "a", 2),
            (0, 7, "a", 3),
            (0, 6, "z", 9),
        ];
        for turn in 0..rows.len() {
            let mut rows = rows;
            rows.rotate_left(turn);
            let tags = vec![
                TagColumn::new("n".into(), ValueType::String, false, None),
                TagColumn::new("a".into(), ValueType::Integer, false, None),
            ];
            let mut state = Attributes::new(tags);
            rows.iter().for_each(|row| push(&mut state, &[*row]));
            let value = |tag: usize| {
                state.tags[tag]
                    .values
                    .value(state.tags[tag].codes(0).next().unwrap())
                    .unwrap()
                    .to_string()
            };
            assert_eq!((value(0), value(1)), ("a".into(), "3".into()));
        }
    }
}
