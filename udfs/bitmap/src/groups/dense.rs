//! Bitsets of 65,536 bits for densely populated chunks, indexed by group and chunk.

use super::grid::{Grid, NONE};
use crate::kernels::words::Words;

/// The most bitsets of one group in one allocation. Scattered ones touch half as many pages again,
/// more than the TLB covers.
const BESIDE: usize = 16;

/// Groups of a page.
const PAGE: usize = 1024;

/// The bitsets of one group under one high word.
#[derive(Debug, Default)]
struct Table {
    high: u32,
    /// Key of the first slot.
    base: u16,
    /// Bitset per key from `base` on.
    slots: Vec<u32>,
}

/// The bitsets of one group.
#[derive(Debug, Default)]
struct OfGroup {
    /// By ascending high word.
    tables: Vec<Table>,
    /// How many bitsets there are.
    count: usize,
    /// The slab that takes the next one, if there is room.
    slab: u32,
}

/// The bitsets of all groups.
#[derive(Debug, Default)]
pub(crate) struct Dense {
    /// Index into `groups`: of group `g` at `g % PAGE` of page `g / PAGE`; pages without groups are
    /// empty.
    pages: Vec<Vec<u32>>,
    groups: Vec<OfGroup>,
    /// Bitset `s` is at `s % BESIDE` of slab `s / BESIDE`. A slab belongs to one group and is freed
    /// with it.
    slabs: Vec<Vec<Words>>,
    grid: Grid,
    bytes: usize,
}

impl Dense {
    /// Whether there is no bitset at all.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.slabs.is_empty()
    }

    /// Bytes held, maintained incrementally.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes + self.grid.bytes()
    }

    /// Whether a group has a bitset.
    #[inline]
    pub(crate) fn has(&self, group: u32) -> bool {
        self.at(group) != NONE
    }

    /// The index of a group in `groups`.
    #[inline]
    fn at(&self, group: u32) -> u32 {
        self.pages
            .get(group as usize / PAGE)
            .and_then(|page| page.get(group as usize % PAGE))
            .copied()
            .unwrap_or(NONE)
    }

    /// The bitset of a value's chunk, if the group has one.
    #[inline]
    pub(crate) fn find(&mut self, group: u32, value: u64) -> Option<&mut Words> {
        let slot = if self.grid.is_whole() {
            self.grid.find(group, value >> 16)
        } else {
            self.slot(group, (value >> 32) as u32, (value >> 16) as u16)
        };
        self.slabs
            .get_mut(slot as usize / BESIDE)?
            .get_mut(slot as usize % BESIDE)
    }

    /// The bitset of a chunk, made if there is none.
    pub(crate) fn find_or_make(&mut self, group: u32, high: u32, key: u16) -> &mut Words {
        let slot = match self.slot(group, high, key) {
            NONE => self.make(group, high, key),
            slot => slot,
        };
        &mut self.slabs[slot as usize / BESIDE][slot as usize % BESIDE]
    }

    /// The bitset number of a value's chunk; [`NONE`] if there is none.
    fn slot(&self, group: u32, high: u32, key: u16) -> u32 {
        let Some(found) = self.groups.get(self.at(group) as usize) else {
            return NONE;
        };
        let table = match found.tables.as_slice() {
            [only] if only.high == high => only,
            several => match several.binary_search_by_key(&high, |table| table.high) {
                Ok(at) => &several[at],
                Err(_) => return NONE,
            },
        };
        table
            .slots
            .get(usize::from(key).wrapping_sub(usize::from(table.base)))
            .copied()
            .unwrap_or(NONE)
    }

    fn make(&mut self, group: u32, high: u32, key: u16) -> u32 {
        let (page, place) = (group as usize / PAGE, group as usize % PAGE);
        if self.pages.len() <= page {
            self.bytes += (page + 1 - self.pages.len()) * size_of::<Vec<u32>>();
            self.pages.resize_with(page + 1, Vec::new);
        }
        if self.pages[page].is_empty() {
            self.pages[page] = vec![NONE; PAGE];
            self.bytes += PAGE * size_of::<u32>();
        }
        if self.pages[page][place] == NONE {
            self.pages[page][place] = self.groups.len() as u32;
            self.groups.push(OfGroup::default());
            self.bytes += size_of::<OfGroup>();
        }
        let found = &mut self.groups[self.pages[page][place] as usize];
        let at = match found.tables.binary_search_by_key(&high, |table| table.high) {
            Ok(at) => at,
            Err(at) => {
                found.tables.insert(
                    at,
                    Table {
                        high,
                        base: key,
                        slots: Vec::new(),
                    },
                );
                self.bytes += size_of::<Table>();
                at
            }
        };
        if self
            .slabs
            .get(found.slab as usize)
            .is_none_or(|slab| found.count == 0 || slab.len() == slab.capacity().min(BESIDE))
        {
            // As many as there are, at most: a group of one bitset takes no room for others.
            let room = found.count.clamp(1, BESIDE);
            found.slab = self.slabs.len() as u32;
            self.slabs.push(Vec::with_capacity(room));
        }
        let slab = &mut self.slabs[found.slab as usize];
        let slot = found.slab * BESIDE as u32 + slab.len() as u32;
        slab.push([0; 1024]);
        found.count += 1;
        self.bytes += size_of::<Words>();
        self.bytes += found.tables[at].put(key, slot) * size_of::<u32>();
        self.grid
            .put(group, u64::from(high) << 16 | u64::from(key), slot);
        slot
    }

    /// The chunks of a group that have a bitset, ascending: high word, key, bits.
    pub(crate) fn chunks(&self, group: u32) -> impl Iterator<Item = (u32, u16, &Words)> {
        let tables = self
            .groups
            .get(self.at(group) as usize)
            .map_or(&[][..], |found| found.tables.as_slice());
        tables.iter().flat_map(move |table| {
            let slots = table
                .slots
                .iter()
                .enumerate()
                .filter(|(_, slot)| **slot != NONE);
            slots.map(move |(at, slot)| {
                (
                    table.high,
                    table.base + at as u16,
                    &self.slabs[*slot as usize / BESIDE][*slot as usize % BESIDE],
                )
            })
        })
    }

    /// Frees a group's bitsets; they are not requested again.
    #[inline]
    pub(crate) fn release(&mut self, group: u32) {
        let at = self.at(group) as usize;
        let released = self
            .groups
            .get_mut(at)
            .map(std::mem::take)
            .unwrap_or_default();
        for slot in released
            .tables
            .iter()
            .flat_map(|table| &table.slots)
            .filter(|slot| **slot != NONE)
        {
            self.slabs[*slot as usize / BESIDE] = Vec::new();
        }
    }

    /// Splits off the first `count` groups; the remaining groups are renumbered from 0.
    pub(crate) fn split_first(&mut self, count: usize) -> Self {
        let mut others = Self::default();
        let mut first = Self::default();
        let places = self
            .pages
            .iter()
            .enumerate()
            .flat_map(|(page, places)| (page * PAGE..).zip(places));
        for (group, at) in places.filter(|(_, at)| **at != NONE) {
            let (target, group) = if group < count {
                (&mut first, group)
            } else {
                (&mut others, group - count)
            };
            for table in std::mem::take(&mut self.groups[*at as usize]).tables {
                for (key, slot) in table
                    .slots
                    .iter()
                    .enumerate()
                    .filter(|(_, slot)| **slot != NONE)
                {
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
    /// Inserts a bitset's number. Returns by how many slots the table grew.
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
