//! Rows of codes -> dense numbers: the distinct (event, dimension codes) tuples of one source in one shard.
//!
//! An event row is then eight bytes, (seat, tuple), however many dimensions it has. As long as the product of the columns'
//! sizes is small, which it is for columns that people group by, a tuple is found by its place in that product; else by hashing.

use super::interner::{prefetch, zeroed};

const GROUP: usize = 32;
const FIRST_SLOTS: usize = 1 << 10;
/// Slots from home that are looked at before codes are fetched.
const NEAR: usize = 8;
/// The largest product that gets a table: 4 MiB of numbers.
const MOST_CELLS: usize = 1 << 20;

/// An append-only set of tuples of `width` codes, each with a dense number.
pub struct Tuples {
    width: usize,
    codes: Vec<u32>,
    index: Index,
    /// Cells or hashes of the rows at hand.
    places: Vec<u32>,
}

enum Index {
    Cells(Cells),
    Slots(Vec<u64>),
}

/// Every possible tuple has a cell: the number of the tuple plus 1, or 0.
struct Cells {
    /// By column how many codes there is room for.
    rooms: Vec<usize>,
    numbers: Vec<u32>,
}

impl Tuples {
    /// An empty set of tuples of `width` codes.
    pub fn new(width: usize) -> Self {
        let cells = Cells { rooms: vec![0; width], numbers: Vec::new() };
        Self { width, codes: Vec::new(), index: Index::Cells(cells), places: Vec::new() }
    }

    /// How many distinct tuples there are.
    pub fn len(&self) -> usize {
        self.codes.len() / self.width
    }

    /// The codes of the tuple with this number.
    pub fn get(&self, number: u32) -> &[u32] {
        &self.codes[number as usize * self.width..][..self.width]
    }

    /// Heap bytes held.
    pub fn size(&self) -> usize {
        let index = match &self.index {
            Index::Cells(cells) => cells.numbers.capacity() * 4,
            Index::Slots(slots) => slots.capacity() * 8,
        };
        index + self.codes.capacity() * 4
    }

    /// Appends to `out` the number of the tuple of every row; `columns` are `width` columns of equal length, and every code of
    /// column `i` is below `sizes[i]`, which never shrinks.
    pub fn intern_batch(&mut self, columns: &[Vec<u32>], sizes: &[usize], out: &mut Vec<u32>) {
        debug_assert_eq!(columns.len(), self.width);
        out.reserve(columns.first().map_or(0, Vec::len));
        self.make_room(sizes);
        let Self { width, codes, index, places } = self;
        match index {
            Index::Cells(cells) => {
                cells.places(columns, places);
                for (row, &place) in places.iter().enumerate() {
                    let number = &mut cells.numbers[place as usize];
                    if *number == 0 {
                        codes.extend(columns.iter().map(|column| column[row]));
                        *number = (codes.len() / *width) as u32;
                    }
                    out.push(*number - 1);
                }
            }
            Index::Slots(_) => self.intern_hashed(columns, out),
        }
    }

    /// Gives every code a place; beyond the largest product hashing takes over for good.
    fn make_room(&mut self, sizes: &[usize]) {
        let Index::Cells(cells) = &self.index else { return };
        if cells.rooms.iter().zip(sizes).all(|(room, size)| size <= room) {
            return;
        }
        let with_reserve = |(&room, &size): (&usize, &usize)| if size <= room { room } else { size + size / 4 };
        let rooms: Vec<usize> = cells.rooms.iter().zip(sizes).map(with_reserve).collect();
        match Cells::new(rooms) {
            Some(mut cells) => {
                for (number, tuple) in self.codes.chunks_exact(self.width).enumerate() {
                    let place = cells.place(tuple);
                    cells.numbers[place] = number as u32 + 1;
                }
                self.index = Index::Cells(cells);
            }
            None => self.rehash((self.len() * 2).next_power_of_two().max(FIRST_SLOTS)),
        }
    }

    fn intern_hashed(&mut self, columns: &[Vec<u32>], out: &mut Vec<u32>) {
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

    fn slots(&self) -> &[u64] {
        match &self.index {
            Index::Slots(slots) => slots,
            Index::Cells(_) => &[],
        }
    }

    /// Puts slots, then the codes that they point to, on their way.
    fn fetch(&self, hashes: &[u64]) {
        let slots = self.slots();
        for &hash in hashes {
            prefetch(slots, slot_of(slots, hash));
        }
        let mask = slots.len() - 1;
        for &hash in hashes {
            let home = slot_of(slots, hash);
            let near = (0..NEAR).map(|step| slots[(home + step) & mask]);
            if let Some(slot) = near.take_while(|&slot| slot != 0).find(|slot| slot >> 32 == hash & 0xffff_ffff) {
                prefetch(&self.codes, (slot as u32 - 1) as usize * self.width);
            }
        }
    }

    fn intern(&mut self, hash: u64, key: &[u32]) -> u32 {
        let slots = self.slots();
        let mask = slots.len() - 1;
        let tag = hash & 0xffff_ffff;
        let mut at = slot_of(slots, hash);
        loop {
            let slot = slots[at];
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
        let full = self.codes.len() / self.width * 4 > (mask + 1) * 3;
        if let Index::Slots(slots) = &mut self.index {
            slots[at] = tag << 32 | u64::from(number + 1);
        }
        if full {
            self.rehash((mask + 1) * 2);
        }
        number
    }

    fn rehash(&mut self, size: usize) {
        let mut slots = zeroed(size);
        for (number, tuple) in self.codes.chunks_exact(self.width).enumerate() {
            let hash = tuple.iter().fold(0, |hash, &code| mix(hash, code));
            let mut at = slot_of(&slots, hash);
            while slots[at] != 0 {
                at = (at + 1) & (size - 1);
            }
            slots[at] = (hash & 0xffff_ffff) << 32 | (number as u64 + 1);
        }
        self.index = Index::Slots(slots);
    }
}

impl Cells {
    fn new(rooms: Vec<usize>) -> Option<Self> {
        let cells = rooms.iter().try_fold(1usize, |product, &room| product.checked_mul(room))?;
        (cells <= MOST_CELLS).then(|| Self { rooms, numbers: zeroed(cells) })
    }

    fn place(&self, tuple: &[u32]) -> usize {
        tuple.iter().zip(&self.rooms).fold(0, |place, (&code, room)| place * room + code as usize)
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

/// The high bits of the hash are the good ones.
#[inline]
fn slot_of(slots: &[u64], hash: u64) -> usize {
    (hash >> (64 - slots.len().trailing_zeros())) as usize
}

/// Equality without a call: tuples are short.
#[inline]
fn equal(a: &[u32], b: &[u32]) -> bool {
    a.iter().zip(b).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
}

/// Folds one code into a hash whose high bits are the good ones.
fn mix(hash: u64, code: u32) -> u64 {
    (hash ^ u64::from(code)).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29).wrapping_mul(0xbf58_476d_1ce4_e5b9)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// Columns that grow as rows come: small ones, then one that no table has room for.
    #[test]
    fn equal_tuples_share_a_number_and_others_do_not() {
        let rows: Vec<[u32; 3]> = (0..80_000u32).map(|i| [i % 7, i * 7 % (1 + i / 50), i % 13 * (1 + i / 10_000)]).collect();
        let mut tuples = Tuples::new(3);
        let mut numbers = Vec::new();
        let mut sizes = vec![0; 3];
        for chunk in rows.chunks(1000) {
            let columns: Vec<Vec<u32>> = (0..3).map(|c| chunk.iter().map(|r| r[c]).collect()).collect();
            for (size, column) in sizes.iter_mut().zip(&columns) {
                *size = column.iter().map(|&code| code as usize + 1).fold(*size, usize::max);
            }
            tuples.intern_batch(&columns, &sizes, &mut numbers);
            let is_wide = sizes.iter().map(|size| size + size / 4).product::<usize>() > MOST_CELLS;
            assert!(is_wide || matches!(tuples.index, Index::Cells(_)));
        }
        assert!(matches!(tuples.index, Index::Slots(_)));
        let mut oracle = BTreeMap::new();
        for (row, &number) in rows.iter().zip(&numbers) {
            let next = oracle.len() as u32;
            assert_eq!(*oracle.entry(row).or_insert(next), number);
            assert_eq!(tuples.get(number), row);
        }
    }
}
