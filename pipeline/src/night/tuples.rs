//! Rows of codes -> dense numbers: the distinct (event, dimension codes) tuples of one source in one shard.
//!
//! An event row is then eight bytes, (seat, tuple), however many dimensions it has.

use super::interner::prefetch;

const GROUP: usize = 32;
const FIRST_SLOTS: usize = 1 << 10;
/// Slots from home that are looked at before codes are fetched.
const NEAR: usize = 8;

/// An append-only set of tuples of `width` codes, each with a dense number.
pub struct Tuples {
    width: usize,
    slots: Vec<u64>,
    codes: Vec<u32>,
}

impl Tuples {
    /// An empty set of tuples of `width` codes.
    pub fn new(width: usize) -> Self {
        Self { width, slots: vec![0; FIRST_SLOTS], codes: Vec::new() }
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
        self.slots.capacity() * 8 + self.codes.capacity() * 4
    }

    /// Appends to `out` the number of the tuple of every row; `columns` are `width` columns of equal length.
    pub fn intern_batch(&mut self, columns: &[Vec<u32>], out: &mut Vec<u32>) {
        debug_assert_eq!(columns.len(), self.width);
        let rows = columns.first().map_or(0, Vec::len);
        out.reserve(rows);
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
            if let Some(slot) = near.take_while(|&slot| slot != 0).find(|slot| slot >> 32 == hash & 0xffff_ffff) {
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
            self.grow();
        }
        number
    }

    fn grow(&mut self) {
        let slots = self.slots.len() * 2;
        self.slots = vec![0; slots];
        for number in 0..self.len() as u32 {
            let hash = self.get(number).iter().fold(0, |hash, &code| mix(hash, code));
            let mut at = self.slot_of(hash);
            while self.slots[at] != 0 {
                at = (at + 1) & (slots - 1);
            }
            self.slots[at] = (hash & 0xffff_ffff) << 32 | u64::from(number + 1);
        }
    }

    fn slot_of(&self, hash: u64) -> usize {
        (hash >> (64 - self.slots.len().trailing_zeros())) as usize
    }
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

    #[test]
    fn equal_tuples_share_a_number_and_others_do_not() {
        let rows: Vec<[u32; 3]> = (0..50_000u32).map(|i| [i % 7, i % 411, i % 13]).collect();
        let columns: Vec<Vec<u32>> = (0..3).map(|c| rows.iter().map(|r| r[c]).collect()).collect();
        let mut tuples = Tuples::new(3);
        let mut numbers = Vec::new();
        tuples.intern_batch(&columns, &mut numbers);
        let mut oracle = BTreeMap::new();
        for (row, &number) in rows.iter().zip(&numbers) {
            let next = oracle.len() as u32;
            assert_eq!(*oracle.entry(row).or_insert(next), number);
            assert_eq!(tuples.get(number), row);
        }
    }
}
