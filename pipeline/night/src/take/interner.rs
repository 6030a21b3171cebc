//! Bytes -> dense `u32` numbers, and beside each key a note: the table behind the user dictionary
//! and behind string values.
//!
//! ```text
//! slots:   [ tag | number+1 ], 32 bits         open addressing, linear, 0 = empty, at most 3/4 full; the more slots, the shorter the tag
//! entries: number -> note, length, key bytes   one cache line; a longer key stands in `long`, its place in the entry
//! ```
//!
//! Numbers count up from 0 in the order of first insertion. A look-up is two dependent memory
//! accesses, slot and entry, and brings the note along. [`Interner::intern_batch`] walks a group of
//! keys through each of them in turn and prefetches the next, so that the misses overlap.

use xxhash_rust::xxh3::xxh3_64;

use super::random_access::{in_large_pages, prefetch, zeroed};

/// Keys that are walked through the table together: enough to hide a memory access, few enough to
/// stay in L1.
const GROUP: usize = 32;
const FIRST_SLOTS: usize = 1 << 10;
/// Slots from home that are looked at before a key is compared.
const NEAR: usize = 8;
/// Bytes of a key that stand in its entry: with a note of eight bytes they fill a cache line.
const INLINE: usize = 52;

/// The number that no key has.
const NO_NUMBER: u32 = u32::MAX;

/// An append-only set of byte strings, each with a dense number and a note.
pub struct Interner<N = ()> {
    slots: Vec<u32>,
    entries: Vec<Entry<N>>,
    long: Vec<u8>,
}

#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Entry<N> {
    note: N,
    length: u32,
    bytes: [u8; INLINE],
}

impl<N: Copy + Default> Default for Interner<N> {
    fn default() -> Self {
        Self::with_slots(FIRST_SLOTS)
    }
}

impl<N: Copy + Default> Interner<N> {
    fn with_slots(slots: usize) -> Self {
        Self {
            slots: zeroed(slots),
            entries: Vec::new(),
            long: Vec::new(),
        }
    }

    /// An empty table with room for so many keys. Room that is not used is not touched.
    pub fn with_capacity(keys: usize) -> Self {
        let slots = (keys.saturating_mul(4) / 3 + 1)
            .next_power_of_two()
            .max(FIRST_SLOTS);
        let mut made = Self::with_slots(slots);
        made.reserve_entries();
        made
    }

    /// An empty table of the smallest size, for uses of which there are thousands.
    pub fn empty() -> Self {
        Self::with_slots(8)
    }

    /// Makes room for as many entries as come before the slots grow: look-ups read them at random.
    fn reserve_entries(&mut self) {
        let most = self.slots.len() / 4 * 3 + 1;
        self.entries.reserve_exact(most.saturating_sub(self.len()));
        in_large_pages(self.entries.spare_capacity_mut());
    }

    /// How many keys there are; they have the numbers `0..len`.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are no numbers left for another `keys` keys.
    pub fn is_full(&self, keys: usize) -> bool {
        self.len() + keys >= NO_NUMBER as usize
    }

    /// The bytes of the key with this number.
    #[inline]
    pub fn get(&self, number: u32) -> &[u8] {
        self.key(&self.entries[number as usize])
    }

    /// The note of the key with this number; the default until it is set.
    pub fn note(&self, number: u32) -> N {
        self.entries[number as usize].note
    }

    /// Sets the note of the key with this number.
    pub fn set_note(&mut self, number: u32, note: N) {
        self.entries[number as usize].note = note;
    }

    /// Puts a key that is needed soon on its way.
    pub fn prefetch(&self, number: u32) {
        prefetch(&self.entries, number as usize);
    }

    /// Heap bytes held, without room that is not touched yet.
    pub fn size(&self) -> usize {
        self.slots.capacity() * size_of::<u32>()
            + self.entries.len() * size_of::<Entry<N>>()
            + self.long.capacity()
    }

    /// The number of `key`, if it is known. `hash` is its XXH3-64.
    pub fn lookup(&self, hash: u64, key: &[u8]) -> Option<u32> {
        self.find(hash, key).ok()
    }

    /// The number of `key`, which is added when it is new. `hash` is its XXH3-64.
    pub fn intern(&mut self, hash: u64, key: &[u8]) -> u32 {
        self.find(hash, key)
            .unwrap_or_else(|slot| self.insert(slot, hash, key))
    }

    /// Calls `found(number, note)` for every key in turn; keys that are new are added. `key(i)` has
    /// the XXH3-64 `hashes[i]`.
    ///
    /// Three groups are on their way at a time: of the first the keys are compared, of the second
    /// the entries are asked for, of the third the slots.
    pub fn intern_batch<'a>(
        &mut self,
        hashes: &[u64],
        key: impl Fn(usize) -> &'a [u8],
        mut found: impl FnMut(u32, N),
    ) {
        let groups: Vec<&[u64]> = hashes.chunks(GROUP).collect();
        let mut candidates = [[NO_NUMBER; GROUP]; 2];
        for step in 0..groups.len() + 2 {
            if let Some(group) = groups.get(step) {
                group
                    .iter()
                    .for_each(|&hash| prefetch(&self.slots, self.slot_of(hash)));
            }
            if let Some(group) = step.checked_sub(1).and_then(|at| groups.get(at)) {
                self.guess(group, &mut candidates[(step - 1) % 2]);
            }
            let Some(at) = step.checked_sub(2) else {
                continue;
            };
            for (i, &hash) in groups[at].iter().enumerate() {
                let key = key(at * GROUP + i);
                let number = candidates[at % 2][i];
                match self.entries.get(number as usize) {
                    Some(entry) if equal(self.key(entry), key) => found(number, entry.note),
                    _ => {
                        let number = self.intern(hash, key);
                        found(number, self.note(number));
                    }
                }
            }
        }
    }

    /// The number in the first slot near home whose tag agrees, with the entry on its way. A third
    /// of the keys are not at home, but nearly all are in the same cache line or the next.
    fn guess(&self, hashes: &[u64], candidates: &mut [u32; GROUP]) {
        let mask = self.slots.len() - 1;
        for (candidate, &hash) in candidates.iter_mut().zip(hashes) {
            let home = self.slot_of(hash);
            let near = (0..NEAR).map(|step| self.slots[(home + step) & mask]);
            let agrees = near
                .take_while(|&slot| slot != 0)
                .find(|&slot| self.agrees(slot, hash));
            *candidate = agrees.map_or(NO_NUMBER, |slot| self.number_in(slot));
            prefetch(&self.entries, *candidate as usize);
        }
    }

    #[inline]
    fn key<'a>(&'a self, entry: &'a Entry<N>) -> &'a [u8] {
        let length = entry.length as usize;
        match entry.bytes.get(..length) {
            Some(bytes) => bytes,
            None => self.long_key(entry, length),
        }
    }

    #[cold]
    fn long_key(&self, entry: &Entry<N>, length: usize) -> &[u8] {
        let [a, b, c, d, e, f, g, h, ..] = entry.bytes;
        &self.long[u64::from_le_bytes([a, b, c, d, e, f, g, h]) as usize..][..length]
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
            if self.agrees(slot, hash) && equal(self.get(self.number_in(slot)), key) {
                return Ok(self.number_in(slot));
            }
            at = (at + 1) & mask;
        }
    }

    fn insert(&mut self, slot: usize, hash: u64, key: &[u8]) -> u32 {
        let number = self.len() as u32;
        let mut bytes = [0; INLINE];
        match bytes.get_mut(..key.len()) {
            Some(inline) => inline.copy_from_slice(key),
            None => {
                bytes[..8].copy_from_slice(&(self.long.len() as u64).to_le_bytes());
                self.long.extend_from_slice(key);
            }
        }
        self.entries.push(Entry {
            note: N::default(),
            length: key.len() as u32,
            bytes,
        });
        self.slots[slot] = self.packed(hash, number);
        if self.len() * 4 > self.slots.len() * 3 {
            self.grow();
        }
        number
    }

    /// Doubles the slots, and the room for entries. Hashes are not kept: they are computed again
    /// from the entries, which are read in order.
    fn grow(&mut self) {
        let slots = self.slots.len() * 2;
        self.slots = Vec::new(); // Freed before its successor is made.
        self.slots = zeroed(slots);
        let mask = slots - 1;
        for number in 0..self.len() as u32 {
            let hash = xxh3_64(self.get(number));
            let mut at = self.slot_of(hash);
            while self.slots[at] != 0 {
                at = (at + 1) & mask;
            }
            self.slots[at] = self.packed(hash, number);
        }
        self.reserve_entries();
    }

    /// The home slot: the high bits, because the low ones are the same for all of a shard when
    /// shards are a power of two.
    #[inline]
    fn slot_of(&self, hash: u64) -> usize {
        (hash >> (64 - self.slot_bits())) as usize
    }

    /// Bits that tell slots apart; a number plus 1 has no more.
    #[inline]
    fn slot_bits(&self) -> u32 {
        self.slots.len().trailing_zeros()
    }

    /// What a slot holds: bits that neither choose the slot nor are the same for all of a shard, as
    /// many as the number leaves.
    #[inline]
    fn packed(&self, hash: u64, number: u32) -> u32 {
        self.tag(hash) | (number + 1)
    }

    #[inline]
    fn tag(&self, hash: u64) -> u32 {
        (hash >> 8 << self.slot_bits()) as u32
    }

    #[inline]
    fn agrees(&self, slot: u32, hash: u64) -> bool {
        u64::from(slot ^ self.tag(hash)) >> self.slot_bits() == 0
    }

    #[inline]
    fn number_in(&self, slot: u32) -> u32 {
        let number = u64::from(slot) & ((1 << self.slot_bits()) - 1);
        (number as u32).wrapping_sub(1)
    }
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
    let word = |bytes: &[u8], at: usize| {
        bytes
            .get(at..at + 8)
            .and_then(|w| w.try_into().ok())
            .map_or(0, u64::from_le_bytes)
    };
    let last = a.len() - 8;
    let mut differs = word(a, last) ^ word(b, last);
    for at in (0..last).step_by(8) {
        differs |= word(a, at) ^ word(b, at);
    }
    differs == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn intern(ids: &mut Interner, hashes: &[u64], keys: &[String]) -> Vec<u32> {
        let mut numbers = Vec::new();
        ids.intern_batch(
            hashes,
            |i| keys[i].as_bytes(),
            |number, _| numbers.push(number),
        );
        numbers
    }

    /// Keys of every length around an entry's room, each several times, through several growths.
    #[test]
    fn numbers_are_dense_and_stable_across_growth() {
        let keys: Vec<String> = (0..20_000)
            .map(|i| format!("{:x>width$}", i % 7_000, width = i % 7_000 % 90))
            .collect();
        let mut ids = Interner::<()>::default();
        let hashes: Vec<u64> = keys.iter().map(|key| xxh3_64(key.as_bytes())).collect();
        let mut oracle = BTreeMap::new();
        for (key, number) in keys.iter().zip(intern(&mut ids, &hashes, &keys)) {
            let next = oracle.len() as u32;
            assert_eq!(*oracle.entry(key).or_insert(next), number);
            assert_eq!(ids.get(number), key.as_bytes());
            assert_eq!(
                ids.lookup(xxh3_64(key.as_bytes()), key.as_bytes()),
                Some(number)
            );
        }
        assert_eq!(ids.len(), oracle.len());
    }

    #[test]
    fn equal_hashes_of_different_keys_are_told_apart() {
        let keys = ["a", "b", "", "a"].map(str::to_owned);
        let mut ids = Interner::<()>::default();
        assert_eq!(intern(&mut ids, &[7; 4], &keys), [0, 1, 2, 0]);
        assert_eq!(ids.lookup(7, b"c"), None);
    }

    #[test]
    fn an_entry_is_a_cache_line() {
        assert_eq!(
            [size_of::<Entry<()>>(), size_of::<Entry<(u32, u32)>>()],
            [64, 64]
        );
    }
}
