//! Bitsets for the chunks of groups that hold many values, found by group and chunk.

use super::grid::{Grid, NONE};
use super::words::Words;

/// Bitsets that lie side by side: those that lie anywhere touch half as many pages again, more than a processor has at hand.
const BESIDE: usize = 16;

/// The bitsets of one group under one high word.
#[derive(Debug, Default)]
struct Table {
    high: u32,
    /// Key of the first slot.
    base: u16,
    /// Bitset per key from `base` on.
    slots: Vec<u32>,
}

/// The bitsets of all groups.
#[derive(Debug, Default)]
pub(super) struct Dense {
    /// Per group, where its tables are in `tables`.
    groups: Vec<u32>,
    /// Tables of a group, by ascending high word.
    tables: Vec<Vec<Table>>,
    /// Bitset `s` is number `s % BESIDE` of slab `s / BESIDE`.
    slabs: Vec<Vec<Words>>,
    grid: Grid,
    bytes: usize,
}

impl Dense {
    /// Whether there is no bitset at all.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.slabs.is_empty()
    }

    /// Bytes held, kept up to date as they change.
    pub(super) fn bytes(&self) -> usize {
        self.bytes + self.grid.bytes()
    }

    /// Whether a group has a bitset.
    #[inline]
    pub(super) fn has(&self, group: u32) -> bool {
        self.groups.get(group as usize).is_some_and(|at| *at != NONE)
    }

    /// The bitset that holds the chunk of a value of a group.
    #[inline]
    pub(super) fn find(&mut self, group: u32, value: u64) -> Option<&mut Words> {
        let slot = if self.grid.is_whole() { self.grid.find(group, value >> 16) } else { self.slot(group, (value >> 32) as u32, (value >> 16) as u16) };
        self.slabs.get_mut(slot as usize / BESIDE)?.get_mut(slot as usize % BESIDE)
    }

    /// The bitset of a chunk, made if there is none.
    pub(super) fn find_or_make(&mut self, group: u32, high: u32, key: u16) -> &mut Words {
        let slot = match self.slot(group, high, key) {
            NONE => self.make(group, high, key),
            slot => slot,
        };
        &mut self.slabs[slot as usize / BESIDE][slot as usize % BESIDE]
    }

    /// The number of the bitset that holds the chunk of a value of a group; of none if there is none.
    fn slot(&self, group: u32, high: u32, key: u16) -> u32 {
        let Some(tables) = self.groups.get(group as usize).and_then(|at| self.tables.get(*at as usize)) else { return NONE };
        let table = match tables.as_slice() {
            [only] if only.high == high => only,
            several => match several.binary_search_by_key(&high, |table| table.high) {
                Ok(at) => &several[at],
                Err(_) => return NONE,
            },
        };
        table.slots.get(usize::from(key).wrapping_sub(usize::from(table.base))).copied().unwrap_or(NONE)
    }

    fn make(&mut self, group: u32, high: u32, key: u16) -> u32 {
        let group = group as usize;
        if self.groups.len() <= group {
            self.bytes += (group + 1 - self.groups.len()) * size_of::<u32>();
            self.groups.resize(group + 1, NONE);
        }
        if self.groups[group] == NONE {
            self.groups[group] = self.tables.len() as u32;
            self.tables.push(Vec::new());
            self.bytes += size_of::<Vec<Table>>();
        }
        let tables = &mut self.tables[self.groups[group] as usize];
        let at = match tables.binary_search_by_key(&high, |table| table.high) {
            Ok(at) => at,
            Err(at) => {
                tables.insert(at, Table { high, base: key, slots: Vec::new() });
                self.bytes += size_of::<Table>();
                at
            }
        };
        let beside = self.slabs.last().map_or(BESIDE, Vec::len);
        if beside == BESIDE {
            self.slabs.push(Vec::with_capacity(BESIDE));
        }
        let slab = self.slabs.len() - 1;
        let slot = (slab * BESIDE + beside % BESIDE) as u32;
        self.slabs[slab].push([0; 1024]);
        self.bytes += tables[at].put(key, slot) * size_of::<u32>();
        self.bytes += size_of::<Words>();
        self.grid.put(group as u32, u64::from(high) << 16 | u64::from(key), slot);
        slot
    }

    /// The chunks of a group that have a bitset, ascending: high word, key, bits.
    pub(super) fn chunks(&self, group: u32) -> impl Iterator<Item = (u32, u16, &Words)> {
        let at = self.groups.get(group as usize).copied().filter(|at| *at != NONE);
        let tables = at.map_or(&[][..], |at| self.tables[at as usize].as_slice());
        tables.iter().flat_map(move |table| {
            let slots = table.slots.iter().enumerate().filter(|(_, slot)| **slot != NONE);
            slots.map(move |(at, slot)| (table.high, table.base + at as u16, &self.slabs[*slot as usize / BESIDE][*slot as usize % BESIDE]))
        })
    }

    /// Takes the first groups out; the others are counted from 0 again.
    pub(super) fn split_first(&mut self, count: usize) -> Self {
        let mut others = Self::default();
        let mut first = Self::default();
        for (group, at) in self.groups.iter().enumerate().filter(|(_, at)| **at != NONE) {
            let (target, group) = if group < count { (&mut first, group) } else { (&mut others, group - count) };
            for table in std::mem::take(&mut self.tables[*at as usize]) {
                for (key, slot) in table.slots.iter().enumerate().filter(|(_, slot)| **slot != NONE) {
                    let bits = &self.slabs[*slot as usize / BESIDE][*slot as usize % BESIDE];
                    *target.find_or_make(group as u32, table.high, table.base + key as u16) = *bits;
                }
            }
        }
        *self = others;
        first
    }
}

impl Table {
    /// Enters a bitset; returns by how many slots the table grew.
    fn put(&mut self, key: u16, slot: u32) -> usize {
        let before = self.slots.len();
        if self.slots.is_empty() {
            self.base = key;
        }
        if key < self.base {
            let missing = usize::from(self.base - key);
            self.slots.splice(0..0, std::iter::repeat_n(NONE, missing));
            self.base = key;
        }
        let at = usize::from(key - self.base);
        if self.slots.len() <= at {
            self.slots.resize(at + 1, NONE);
        }
        self.slots[at] = slot;
        self.slots.len() - before
    }
}
