//! Rows of codes -> dense numbers: the distinct (event, dimension codes) tuples of one source in
//! one shard.
//!
//! An event row is then six bytes, (seat, tuple), however many dimensions it has. As long as the
//! product of the columns' sizes is small, which it is for columns that people group by, a tuple is
//! found by its place in that product; else by hashing.

use super::random_access::{prefetch, zeroed};

const GROUP: usize = 32;
const FIRST_SLOTS: usize = 1 << 10;
/// Slots from home that are looked at before codes are fetched.
const NEAR: usize = 8;
/// The largest product that gets a table: 4 MiB of numbers.
const MOST_CELLS: usize = 1 << 20;

/// An append-only set of tuples of `width` codes, each with a dense number.
pub struct Tuples {
    width: usize,
    index: Index,
    /// Cells or hashes of the rows at hand.
    places: Vec<u32>,
}

enum Index {
    Cells(Cells),
    Slots(Slots),
}

/// Every possible tuple has a cell: the number of the tuple plus 1, or 0.
struct Cells {
    /// By column how many codes there is room for.
    rooms: Vec<usize>,
    numbers: Vec<u32>,
    /// The cell of each tuple.
    cells: Vec<u32>,
}

/// Tuples by hash, and their codes.
struct Slots {
    width: usize,
    slots: Vec<u64>,
    codes: Vec<u32>,
}

impl Tuples {
    /// An empty set of tuples of `width` codes.
    pub fn new(width: usize) -> Self {
        let cells = Cells {
            rooms: vec![0; width],
            numbers: Vec::new(),
            cells: Vec::new(),
        };
        Self {
            width,
            index: Index::Cells(cells),
            places: Vec::new(),
        }
    }

    /// How many distinct tuples there are.
    pub fn len(&self) -> usize {
        match &self.index {
            Index::Cells(cells) => cells.cells.len(),
            Index::Slots(slots) => slots.len(),
        }
    }

    /// The codes of every tuple, column by column.
    pub fn columns(&self) -> Vec<Vec<u32>> {
        match &self.index {
            Index::Cells(cells) => cells.columns(),
            Index::Slots(slots) => (0..self.width)
                .map(|at| {
                    slots
                        .codes
                        .iter()
                        .skip(at)
                        .step_by(self.width)
                        .copied()
                        .collect()
                })
                .collect(),
        }
    }

    /// Heap bytes held.
    pub fn size(&self) -> usize {
        match &self.index {
            Index::Cells(cells) => (cells.numbers.capacity() + cells.cells.capacity()) * 4,
            Index::Slots(slots) => slots.slots.capacity() * 8 + slots.codes.capacity() * 4,
        }
    }

    /// Appends to `out` the number of the tuple of every row; `columns` are `width` columns of
    /// equal length, and every code of column `i` is below `sizes[i]`, which never shrinks.
    pub fn intern_batch(&mut self, columns: &[Vec<u32>], sizes: &[usize], out: &mut Vec<u32>) {
        debug_assert_eq!(columns.len(), self.width);
        out.reserve(columns.first().map_or(0, Vec::len));
        self.make_room(sizes);
        match &mut self.index {
            Index::Cells(cells) => {
                cells.places(columns, &mut self.places);
                out.extend(self.places.iter().map(|&place| cells.number(place)));
            }
            Index::Slots(slots) => slots.intern_batch(columns, out),
        }
    }

    /// Gives every code a place; beyond the largest product hashing takes over for good.
    fn make_room(&mut self, sizes: &[usize]) {
        let Index::Cells(cells) = &self.index else {
            return;
        };
        if cells
            .rooms
            .iter()
            .zip(sizes)
            .all(|(room, size)| size <= room)
        {
            return;
        }
        let with_reserve =
            |(&room, &size): (&usize, &usize)| if size <= room { room } else { size + size / 4 };
        let rooms: Vec<usize> = cells.rooms.iter().zip(sizes).map(with_reserve).collect();
        let columns = cells.columns();
        self.index = match Cells::new(rooms, &columns) {
            Some(cells) => Index::Cells(cells),
            None => Index::Slots(Slots::new(&columns)),
        };
    }
}

impl Slots {
    fn new(columns: &[Vec<u32>]) -> Self {
        let (width, tuples) = (columns.len(), columns.first().map_or(0, Vec::len));
        let codes = (0..tuples)
            .flat_map(|tuple| columns.iter().map(move |column| column[tuple]))
            .collect();
        let mut made = Self {
            width,
            slots: Vec::new(),
            codes,
        };
        made.rehash((tuples * 2).next_power_of_two().max(FIRST_SLOTS));
        made
    }

    fn len(&self) -> usize {
        self.codes.len() / self.width
    }

    fn get(&self, number: u32) -> &[u32] {
        &self.codes[number as usize * self.width..][..self.width]
    }

    fn intern_batch(&mut self, columns: &[Vec<u32>], out: &mut Vec<u32>) {
        let rows = columns.first().map_or(0, Vec::len);
        let mut key = vec![0; self.width];
        let mut hashes = [0u64; GROUP];
        for first in (0..rows).step_by(GROUP) {
            let group = GROUP.min(rows - first);
            hashes[..group].fill(0);
            for column in columns {
                for (hash, &code) in hashes.iter_mut().zip(&column[first..first + group]) {
                    *hash = mix(*hash, code);
                }
            }
            self.fetch(&hashes[..group]);
            for (row, &hash) in hashes[..group].iter().enumerate() {
                for (code, column) in key.iter_mut().zip(columns) {
                    *code = column[first + row];
                }
                out.push(self.intern(hash, &key));
            }
        }
    }

    /// Puts slots, then the codes that they point to, on their way.
    fn fetch(&self, hashes: &[u64]) {
        for &hash in hashes {
            prefetch(&self.slots, self.slot_of(hash));
        }
        let mask = self.slots.len() - 1;
        for &hash in hashes {
            let home = self.slot_of(hash);
            let near = (0..NEAR).map(|step| self.slots[(home + step) & mask]);
            if let Some(slot) = near
                .take_while(|&slot| slot != 0)
                .find(|slot| slot >> 32 == hash & 0xffff_ffff)
            {
                prefetch(&self.codes, (slot as u32 - 1) as usize * self.width);
            }
        }
    }

    fn intern(&mut self, hash: u64, key: &[u32]) -> u32 {
        let mask = self.slots.len() - 1;
        let tag = hash & 0xffff_ffff;
        let mut at = self.slot_of(hash);
        loop {
            let slot = self.slots[at];
            if slot == 0 {
                break;
            }
            if slot >> 32 == tag && equal(self.get(slot as u32 - 1), key) {
                return slot as u32 - 1;
            }
            at = (at + 1) & mask;
        }
        let number = self.len() as u32;
        self.codes.extend_from_slice(key);
        self.slots[at] = tag << 32 | u64::from(number + 1);
        if self.len() * 4 > self.slots.len() * 3 {
            self.rehash(self.slots.len() * 2);
        }
        number
    }

    fn rehash(&mut self, size: usize) {
        self.slots = Vec::new(); // Freed before its successor is made.
        self.slots = zeroed(size);
        for (number, tuple) in self.codes.chunks_exact(self.width).enumerate() {
            let hash = tuple.iter().fold(0, |hash, &code| mix(hash, code));
            let mut at = self.slot_of(hash);
            while self.slots[at] != 0 {
                at = (at + 1) & (size - 1);
            }
            self.slots[at] = (hash & 0xffff_ffff) << 32 | (number as u64 + 1);
        }
    }

    /// The high bits of the hash are the good ones.
    #[inline]
    fn slot_of(&self, hash: u64) -> usize {
        (hash >> (64 - self.slots.len().trailing_zeros())) as usize
    }
}

impl Cells {
    /// Cells with these rooms for the tuples of `columns`; `None` if they are too many.
    fn new(rooms: Vec<usize>, columns: &[Vec<u32>]) -> Option<Self> {
        let cells = rooms
            .iter()
            .try_fold(1usize, |product, &room| product.checked_mul(room))
            .filter(|&cells| cells <= MOST_CELLS)?;
        let mut made = Self {
            rooms,
            numbers: zeroed(cells),
            cells: Vec::new(),
        };
        let mut places = Vec::new();
        made.places(columns, &mut places);
        for place in places {
            made.number(place);
        }
        Some(made)
    }

    /// The number of the tuple in this cell.
    #[inline]
    fn number(&mut self, place: u32) -> u32 {
        let number = &mut self.numbers[place as usize];
        if *number == 0 {
            self.cells.push(place);
            *number = self.cells.len() as u32;
        }
        *number - 1
    }

    fn columns(&self) -> Vec<Vec<u32>> {
        let mut rest = self.cells.clone();
        let mut columns: Vec<Vec<u32>> = Vec::with_capacity(self.rooms.len());
        for &room in self.rooms.iter().rev() {
            let room = room.max(1) as u32;
            columns.push(rest.iter().map(|place| place % room).collect());
            rest.iter_mut().for_each(|place| *place /= room);
        }
        columns.reverse();
        columns
    }

    /// The cell of every row, column by column.
    fn places(&self, columns: &[Vec<u32>], places: &mut Vec<u32>) {
        places.clear();
        places.resize(columns.first().map_or(0, Vec::len), 0);
        for (column, &room) in columns.iter().zip(&self.rooms) {
            for (place, &code) in places.iter_mut().zip(column) {
                *place = *place * room as u32 + code;
            }
        }
    }
}

/// Equality without a call: tuples are short.
#[inline]
fn equal(a: &[u32], b: &[u32]) -> bool {
    a.iter().zip(b).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
}

/// Folds one code into a hash whose high bits are the good ones.
fn mix(hash: u64, code: u32) -> u64 {
    (hash ^ u64::from(code))
        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
        .rotate_left(29)
        .wrapping_mul(0xbf58_476d_1ce4_e5b9)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// Columns that grow as rows come: small ones, then one that no table has room for.
    #[test]
    fn equal_tuples_share_a_number_and_others_do_not() {
        let rows: Vec<[u32; 3]> = (0..80_000u32)
            .map(|i| [i % 7, i * 7 % (1 + i / 50), i % 13 * (1 + i / 10_000)])
            .collect();
        let mut tuples = Tuples::new(3);
        let mut numbers = Vec::new();
        let mut sizes = vec![0; 3];
        for chunk in rows.chunks(1000) {
            let columns: Vec<Vec<u32>> = (0..3)
                .map(|c| chunk.iter().map(|r| r[c]).collect())
                .collect();
            for (size, column) in sizes.iter_mut().zip(&columns) {
                *size = column
                    .iter()
                    .map(|&code| code as usize + 1)
                    .fold(*size, usize::max);
            }
            tuples.intern_batch(&columns, &sizes, &mut numbers);
            let is_wide = sizes.iter().map(|size| size + size / 4).product::<usize>() > MOST_CELLS;
            assert!(is_wide || matches!(tuples.index, Index::Cells(_)));
        }
        assert!(matches!(tuples.index, Index::Slots(_)));
        let columns = tuples.columns();
        let mut oracle = BTreeMap::new();
        for (row, &number) in rows.iter().zip(&numbers) {
            let next = oracle.len() as u32;
            assert_eq!(*oracle.entry(row).or_insert(next), number);
            assert_eq!(
                columns
                    .iter()
                    .map(|column| column[number as usize])
                    .collect::<Vec<_>>(),
                row
            );
        }
    }
}
