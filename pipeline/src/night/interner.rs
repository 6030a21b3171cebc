//! Bytes -> dense `u32` numbers: the table behind the user dictionary and behind string values.
//!
//! Numbers count up from 0 in the order of first insertion; the keys stand one after another in one arena.
//!
//! ```text
//! slots:  [ tag:24 bits | place+1:40 bits ]       open addressing, linear, 0 = empty, at most 3/4 full
//! arena:  place -> number:u32 length:u32 bytes, padded to 8
//! places: number -> place
//! ```
//!
//! A look-up of one key is two dependent memory accesses, slot and arena. [`Interner::intern_batch`] walks a group of keys
//! through each of them in turn and prefetches the next, so that the misses overlap.

use xxhash_rust::xxh3::xxh3_64;

/// Keys that are walked through the table together: enough to hide a memory access, few enough to stay in L1.
const GROUP: usize = 32;
const FIRST_SLOTS: usize = 1 << 10;
const PLACE_BITS: u32 = 40;
const PLACE_MASK: u64 = (1 << PLACE_BITS) - 1;
/// Slots from home that are looked at before a key is compared.
const NEAR: usize = 8;
/// Bytes before a key in the arena.
const HEADER: usize = 8;

/// Keys begin at multiples of so many bytes.
const ALIGN: usize = 8;
/// The arena's largest size: places in units of [`ALIGN`] are 32 bits.
const MOST_BYTES: usize = (u32::MAX as usize) * ALIGN;

/// The number that no key has.
pub const NO_NUMBER: u32 = u32::MAX;

/// An append-only set of byte strings, each with a dense number.
pub struct Interner {
    slots: Vec<u64>,
    shift: u32,
    arena: Vec<u8>,
    /// In units of [`ALIGN`] bytes.
    places: Vec<u32>,
}

impl Default for Interner {
    fn default() -> Self {
        Self::with_slots(FIRST_SLOTS)
    }
}

impl Interner {
    fn with_slots(slots: usize) -> Self {
        Self { slots: zeroed(slots), shift: shift_of(slots), arena: Vec::new(), places: Vec::new() }
    }

    /// An empty table with room for `keys` keys of `bytes` bytes in all.
    pub fn with_capacity(keys: usize, bytes: usize) -> Self {
        let slots = (keys.saturating_mul(4) / 3 + 1).next_power_of_two().max(FIRST_SLOTS);
        let mut made = Self::with_slots(slots);
        made.places.reserve(keys);
        made.arena.reserve(bytes + keys * (HEADER + 4));
        made
    }

    /// An empty table of the smallest size, for uses of which there are thousands.
    pub fn empty() -> Self {
        Self::with_slots(4)
    }

    /// How many keys there are; they have the numbers `0..len`.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether there is no room for another `bytes` bytes of keys.
    pub fn is_full(&self, bytes: usize) -> bool {
        self.len() >= NO_NUMBER as usize - 1 || self.arena.len() + bytes > MOST_BYTES
    }

    /// The bytes of the key with this number.
    pub fn get(&self, number: u32) -> &[u8] {
        self.key_at(self.place(number)).1
    }

    /// Puts the bytes of a key that is needed soon on their way.
    pub fn prefetch(&self, number: u32) {
        if (number as usize) < self.places.len() {
            prefetch(&self.arena, self.place(number));
            prefetch(&self.arena, self.place(number) + HEADER + 24);
        }
    }

    /// Heap bytes held.
    pub fn size(&self) -> usize {
        self.slots.capacity() * 8 + self.places.capacity() * 4 + self.arena.capacity()
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
    ///
    /// Three groups are on their way at a time: of the first the keys are compared, of the second the arena is asked for, of
    /// the third the slots.
    pub fn intern_batch<'a>(&mut self, hashes: &[u64], key: impl Fn(usize) -> &'a [u8], out: &mut Vec<u32>) {
        out.reserve(hashes.len());
        let groups: Vec<&[u64]> = hashes.chunks(GROUP).collect();
        let mut candidates = [[NO_PLACE; GROUP]; 2];
        for step in 0..groups.len() + 2 {
            if let Some(group) = groups.get(step) {
                group.iter().for_each(|&hash| prefetch(&self.slots, self.slot_of(hash)));
            }
            if let Some(group) = step.checked_sub(1).and_then(|at| groups.get(at)) {
                self.guess(group, &mut candidates[(step - 1) % 2]);
            }
            let Some(at) = step.checked_sub(2) else { continue };
            for (i, &hash) in groups[at].iter().enumerate() {
                let key = key(at * GROUP + i);
                out.push(match self.candidate(candidates[at % 2][i], key) {
                    Some(number) => number,
                    None => self.intern(hash, key),
                });
            }
        }
    }

    /// The place in the first slot of each hash if its tag agrees, with everything a comparison needs on its way.
    fn guess(&self, hashes: &[u64], candidates: &mut [usize; GROUP]) {
        for (candidate, &hash) in candidates.iter_mut().zip(hashes) {
            *candidate = self.probe(hash);
            if *candidate != NO_PLACE {
                prefetch(&self.arena, *candidate);
                prefetch(&self.arena, *candidate + HEADER + 24);
            }
        }
    }

    /// The place in the first slot near home whose tag agrees. A third of the keys are not at home, but nearly all are in
    /// the same cache line or the next.
    #[inline]
    fn probe(&self, hash: u64) -> usize {
        let mask = self.slots.len() - 1;
        let home = self.slot_of(hash);
        for step in 0..NEAR {
            let slot = self.slots[(home + step) & mask];
            if slot == 0 {
                break;
            }
            if slot >> PLACE_BITS == tag_of(hash) {
                return (slot & PLACE_MASK) as usize - 1;
            }
        }
        NO_PLACE
    }

    #[inline]
    fn candidate(&self, place: usize, key: &[u8]) -> Option<u32> {
        if place == NO_PLACE {
            return None;
        }
        let (number, found) = self.key_at(place);
        equal(found, key).then_some(number)
    }

    #[inline]
    fn place(&self, number: u32) -> usize {
        self.places[number as usize] as usize * ALIGN
    }

    #[inline]
    fn key_at(&self, place: usize) -> (u32, &[u8]) {
        let header = &self.arena[place..place + HEADER];
        let number = u32::from_le_bytes([header[0], header[1], header[2], header[3]]);
        let length = u32::from_le_bytes([header[4], header[5], header[6], header[7]]) as usize;
        (number, &self.arena[place + HEADER..place + HEADER + length])
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
            if slot >> PLACE_BITS == tag_of(hash)
                && let Some(number) = self.candidate((slot & PLACE_MASK) as usize - 1, key)
            {
                return Ok(number);
            }
            at = (at + 1) & mask;
        }
    }

    fn insert(&mut self, slot: usize, hash: u64, key: &[u8]) -> u32 {
        let number = self.len() as u32;
        let place = self.arena.len();
        self.arena.extend_from_slice(&number.to_le_bytes());
        self.arena.extend_from_slice(&(key.len() as u32).to_le_bytes());
        self.arena.extend_from_slice(key);
        self.arena.resize(self.arena.len().next_multiple_of(ALIGN), 0);
        self.places.push((place / ALIGN) as u32);
        self.slots[slot] = packed(hash, place);
        if self.len() * 4 > self.slots.len() * 3 {
            self.grow();
        }
        number
    }

    /// Doubles the slots. Hashes are not kept: they are computed again from the arena, which is read in order.
    fn grow(&mut self) {
        let slots = self.slots.len() * 2;
        self.slots = Vec::new(); // Freed before its successor is made.
        self.slots = zeroed(slots);
        self.shift = shift_of(slots);
        let mask = slots - 1;
        for number in 0..self.len() as u32 {
            let place = self.place(number);
            let hash = xxh3_64(self.key_at(place).1);
            let mut at = self.slot_of(hash);
            while self.slots[at] != 0 {
                at = (at + 1) & mask;
            }
            self.slots[at] = packed(hash, place);
        }
    }

    /// The home slot: the high bits, because the low ones are the same for all of a shard when shards are a power of two.
    #[inline]
    fn slot_of(&self, hash: u64) -> usize {
        (hash >> self.shift) as usize
    }
}

const NO_PLACE: usize = usize::MAX;

/// Zeros that are written: pages that nobody wrote are mapped twice, for the first read and for the first write.
pub fn zeroed<T: Copy + Default>(len: usize) -> Vec<T> {
    let mut zeros = Vec::with_capacity(len);
    zeros.resize(std::hint::black_box(len), T::default());
    zeros
}

fn shift_of(slots: usize) -> u32 {
    64 - slots.trailing_zeros()
}

/// 24 bits that neither choose the slot nor are the same for all of a shard.
#[inline]
fn tag_of(hash: u64) -> u64 {
    hash >> 8 & 0xff_ffff
}

fn packed(hash: u64, place: usize) -> u64 {
    tag_of(hash) << PLACE_BITS | (place as u64 + 1)
}

/// Equality of short keys without a call: eight bytes at a time, the last eight overlapping.
#[inline]
fn equal(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    if a.len() < 8 || a.len() > 64 {
        return a == b;
    }
    let word = |bytes: &[u8], at: usize| bytes.get(at..at + 8).and_then(|w| w.try_into().ok()).map_or(0, u64::from_le_bytes);
    let last = a.len() - 8;
    let mut differs = word(a, last) ^ word(b, last);
    for at in (0..last).step_by(8) {
        differs |= word(a, at) ^ word(b, at);
    }
    differs == 0
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
