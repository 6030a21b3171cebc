//! 64-bit keys -> dense `u32` numbers: integers, dates, the bits of doubles and booleans.
//!
//! Small keys (most ages, levels, counts) go through a direct table; the others through open
//! addressing.

use std::hash::BuildHasher;

use hashbrown::DefaultHashBuilder;
use hashbrown::HashTable;

/// Keys below this have a place of their own.
const DIRECT: usize = 1 << 12;
const UNSEEN: u32 = u32::MAX;

/// An append-only set of 64-bit keys, each with a dense number.
pub struct Numbers {
    keys: Vec<u64>,
    direct: Vec<u32>,
    table: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

impl Default for Numbers {
    fn default() -> Self {
        Self {
            keys: Vec::new(),
            direct: vec![UNSEEN; DIRECT],
            table: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
        }
    }
}

impl Numbers {
    /// A table without the direct part, for encoders of which there are thousands.
    pub fn empty() -> Self {
        Self {
            keys: Vec::new(),
            direct: Vec::new(),
            table: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
        }
    }

    /// The number of `key`, which is added when it is new.
    pub fn intern(&mut self, key: u64) -> u32 {
        match self.direct.get_mut(key as usize) {
            Some(number) => {
                if *number == UNSEEN {
                    *number = self.keys.len() as u32;
                    self.keys.push(key);
                }
                *number
            }
            _ => self.intern_large(key),
        }
    }

    fn intern_large(&mut self, key: u64) -> u32 {
        let Self {
            keys,
            table,
            hasher,
            ..
        } = self;
        let entry = table.entry(
            hasher.hash_one(key),
            |&n| keys[n as usize] == key,
            |&n| hasher.hash_one(keys[n as usize]),
        );
        match entry {
            hashbrown::hash_table::Entry::Occupied(found) => *found.get(),
            hashbrown::hash_table::Entry::Vacant(free) => {
                let number = keys.len() as u32;
                free.insert(number);
                keys.push(key);
                number
            }
        }
    }

    /// The key with this number.
    pub fn get(&self, number: u32) -> u64 {
        self.keys[number as usize]
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Heap bytes held.
    pub fn size(&self) -> usize {
        self.keys.capacity() * 8 + self.direct.capacity() * 4 + self.table.capacity() * 5
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_and_large_keys_share_one_numbering() {
        let mut numbers = Numbers::default();
        let keys = [
            5,
            u64::MAX,
            5,
            1 << 40,
            u64::MAX,
            DIRECT as u64,
            DIRECT as u64 - 1,
        ];
        let got: Vec<u32> = keys.iter().map(|&k| numbers.intern(k)).collect();
        assert_eq!(got, [0, 1, 0, 2, 1, 3, 4]);
        assert!(keys.iter().zip(got).all(|(&k, n)| numbers.get(n) == k));
    }
}
