//! Bytes -> dense `u32` numbers: the table behind the user dictionary and behind string values.
//!
//! Numbers count up from 0 in the order of first insertion; the bytes stand one after another in one arena.
//!
//! ```text
//! slots:  [ tag:u32 | number+1:u32 ]  open addressing, linear, 0 = empty, at most 3/4 full
//! starts: number -> first byte in the arena        bytes: the arena
//! ```
//!
//! A look-up of one key is three dependent memory accesses (slot, start, bytes). [`Interner::intern_batch`] walks a
//! group of keys through each of them in turn and prefetches the next, so that the misses overlap.

use xxhash_rust::xxh3::xxh3_64;

/// Keys that are walked through the table together: enough to hide a memory access, few enough to stay in L1.
const GROUP: usize = 32;
const FIRST_SLOTS: usize = 1 << 10;

/// The number that no key has.
pub const NO_NUMBER: u32 = u32::MAX;

/// An append-only set of byte strings, each with a dense number.
pub struct Interner {
    slots: Vec<u64>,
    shift: u32,
    starts: Vec<u64>,
    bytes: Vec<u8>,
}

impl Default for Interner {
    fn default() -> Self {
        Self { slots: vec![0; FIRST_SLOTS], shift: shift_of(FIRST_SLOTS), starts: vec![0], bytes: Vec::new() }
    }
}

impl Interner {
    /// An empty table with room for `keys` keys of `bytes` bytes in all.
    pub fn with_capacity(keys: usize, bytes: usize) -> Self {
        let slots = (keys.saturating_mul(4) / 3 + 1).next_power_of_two().max(FIRST_SLOTS);
        let mut starts = Vec::with_capacity(keys + 1);
        starts.push(0);
        Self { slots: vec![0; slots], shift: shift_of(slots), starts, bytes: Vec::with_capacity(bytes) }
    }

    /// An empty table of the smallest size, for uses of which there are thousands.
    pub fn empty() -> Self {
        Self { slots: vec![0; 4], shift: shift_of(4), starts: vec![0], bytes: Vec::new() }
    }

    /// How many keys there are; they have the numbers `0..len`.
    pub fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes of the key with this number.
    pub fn get(&self, number: u32) -> &[u8] {
        let number = number as usize;
        &self.bytes[self.starts[number] as usize..self.starts[number + 1] as usize]
    }

    /// Heap bytes held.
    pub fn size(&self) -> usize {
        self.slots.capacity() * 8 + self.starts.capacity() * 8 + self.bytes.capacity()
    }

    /// The number of `key`, which is added when it is new. `hash` is its XXH3-64.
    pub fn intern(&mut self, hash: u64, key: &[u8]) -> u32 {
        match self.find(hash, key) {
            Ok(number) => number,
            Err(slot) => self.insert(slot, hash, key),
        }
    }

    /// The number of `key`, if it is known.
    pub fn lookup(&self, hash: u64, key: &[u8]) -> Option<u32> {
        self.find(hash, key).ok()
    }

    /// [`Self::intern`] for every key in turn: `key(i)` belongs to `hashes[i]`; the numbers are appended to `out`.
    pub fn intern_batch<'a>(&mut self, hashes: &[u64], key: impl Fn(usize) -> &'a [u8], out: &mut Vec<u32>) {
        out.reserve(hashes.len());
        let mut candidates = [NO_NUMBER; GROUP];
        for (chunk, group) in hashes.chunks(GROUP).enumerate() {
            let first = chunk * GROUP;
            self.guess(group, &mut candidates);
            for (i, &hash) in group.iter().enumerate() {
                let key = key(first + i);
                let candidate = candidates[i];
                let number = if candidate != NO_NUMBER && self.get(candidate) == key {
                    candidate
                } else {
                    self.intern(hash, key)
                };
                out.push(number);
            }
        }
    }

    /// The number in the first slot of each hash if its tag agrees, with everything a comparison needs on its way.
    fn guess(&self, hashes: &[u64], candidates: &mut [u32; GROUP]) {
        for &hash in hashes {
            prefetch(&self.slots, self.slot_of(hash));
        }
        for (candidate, &hash) in candidates.iter_mut().zip(hashes) {
            let slot = self.slots[self.slot_of(hash)];
            let agrees = slot != 0 && (slot >> 32) as u32 == hash as u32;
            *candidate = if agrees { slot as u32 - 1 } else { NO_NUMBER };
            if agrees {
                prefetch(&self.starts, *candidate as usize);
            }
        }
        for &candidate in candidates.iter().take(hashes.len()) {
            if candidate != NO_NUMBER {
                prefetch(&self.bytes, self.starts[candidate as usize] as usize);
            }
        }
    }

    /// The number of `key`, or the slot where it belongs.
    fn find(&self, hash: u64, key: &[u8]) -> Result<u32, usize> {
        let mask = self.slots.len() - 1;
        let mut at = self.slot_of(hash);
        loop {
            let slot = self.slots[at];
            if slot == 0 {
                return Err(at);
            }
            if (slot >> 32) as u32 == hash as u32 && self.get(slot as u32 - 1) == key {
                return Ok(slot as u32 - 1);
            }
            at = (at + 1) & mask;
        }
    }

    fn insert(&mut self, slot: usize, hash: u64, key: &[u8]) -> u32 {
        let number = self.len() as u32;
        self.bytes.extend_from_slice(key);
        self.starts.push(self.bytes.len() as u64);
        self.slots[slot] = packed(hash, number);
        if self.len() * 4 > self.slots.len() * 3 {
            self.grow();
        }
        number
    }

    /// Doubles the slots. Hashes are not kept: they are computed again from the arena, which is read in order.
    fn grow(&mut self) {
        let slots = self.slots.len() * 2;
        self.slots = Vec::new();
        self.slots.resize(slots, 0);
        self.shift = shift_of(slots);
        let mask = slots - 1;
        for number in 0..self.len() as u32 {
            let hash = xxh3_64(self.get(number));
            let mut at = self.slot_of(hash);
            while self.slots[at] != 0 {
                at = (at + 1) & mask;
            }
            self.slots[at] = packed(hash, number);
        }
    }

    /// The home slot: the high bits, because the low ones are the same for all of a shard when shards are a power of two.
    fn slot_of(&self, hash: u64) -> usize {
        (hash >> self.shift) as usize
    }
}

fn shift_of(slots: usize) -> u32 {
    64 - slots.trailing_zeros()
}

fn packed(hash: u64, number: u32) -> u64 {
    (hash & 0xffff_ffff) << 32 | u64::from(number + 1)
}

/// Asks for the cache line of `items[at]`; does nothing where the processor has no such instruction.
#[inline(always)]
pub fn prefetch<T>(items: &[T], at: usize) {
    #[cfg(target_arch = "x86_64")]
    if at < items.len() {
        // SAFETY: the address is inside the slice, and a prefetch reads nothing.
        unsafe {
            use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
            _mm_prefetch::<_MM_HINT_T0>(items.as_ptr().add(at).cast());
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (items, at);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn numbers_are_dense_and_stable_across_growth() {
        let keys: Vec<String> = (0..20_000).map(|i| format!("user-{}", i % 7_000)).collect();
        let mut interner = Interner::default();
        let mut oracle = BTreeMap::new();
        let hashes: Vec<u64> = keys.iter().map(|k| xxh3_64(k.as_bytes())).collect();
        let mut numbers = Vec::new();
        interner.intern_batch(&hashes, |i| keys[i].as_bytes(), &mut numbers);
        for (key, number) in keys.iter().zip(numbers) {
            let next = oracle.len() as u32;
            assert_eq!(*oracle.entry(key).or_insert(next), number);
            assert_eq!(interner.get(number), key.as_bytes());
        }
        assert_eq!(interner.len(), 7_000);
    }

    #[test]
    fn equal_hashes_of_different_keys_are_told_apart() {
        let mut interner = Interner::default();
        let numbers: Vec<u32> = ["a", "b", "", "a"].iter().map(|k| interner.intern(7, k.as_bytes())).collect();
        assert_eq!(numbers, [0, 1, 2, 0]);
        assert_eq!(interner.lookup(7, b"c"), None);
    }
}
