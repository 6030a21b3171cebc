//! The sets of many groups while they are built, from values in any order and from other bitmaps.
//!
//! ```text
//! (group, value) ──► bitset of the chunk, if it has one
//!               └──► one of the logs ── when it is full: sort, remove duplicates, move crowded chunks to bitsets;
//!                                       pack what is left if there is much of it
//! (group, bitmap) ──► as it is, if its containers are not tiny nor, where it has to be copied, crowded; else container by container
//! drain: log by log, sort, remove duplicates, write each group's rows and bitsets as canonical bytes, united with its bitmaps;
//!        what has been written is let go of
//! ```
//! A group costs nothing but its rows, so ten million groups of one value cost eight bytes each;
//! ten groups of all values cost a bit each; in between a value costs two or three bytes.

use super::dense::Dense;
use super::group::{Scratch, write_group};
use super::logs::{Logs, LogsWalk};
use super::pending::Pending;
use super::shared::SharedBytes;
use super::window::{Window, words_of};
use crate::format::container::Container;
use crate::format::unite;
use crate::format::view::BitmapRef;
use crate::sets::chunks::Chunks;
use std::ops::Range;

/// A container with at least this many values goes to a bitset at once.
const CROWDED: u32 = 1024;

/// So does a chunk that gets this many from one batch: more are to come.
const CROWDED_AT_ONCE: u32 = CROWDED / 2;

/// With at least this many values a container on average, a bitmap is kept as it is: that takes
/// less room than its rows.
const LEAST_KEPT: u64 = 8;

/// For so few groups bitsets stay at hand while bitmaps come in.
const FEW_GROUPS: usize = 4;

/// Sets of u64 values, one per group; groups are numbered from 0.
#[derive(Debug, Default)]
pub struct GroupSets {
    logs: Logs,
    dense: Dense,
    pending: Pending,
    /// Where the values of a batch are gathered.
    flags: Vec<u8>,
}

impl GroupSets {
    /// Adds a value to each group named.
    pub fn insert_all(&mut self, mut rows: impl Iterator<Item = (usize, u64)>) {
        while self.dense.is_empty() {
            let Some((group, value)) = rows.next() else {
                return;
            };
            self.logs.push(group as u32, value, &mut self.dense);
        }
        for (group, value) in rows {
            self.insert(group as u32, value);
        }
    }

    /// Adds a value to the group of each row; groups are below `count`.
    pub fn insert_batch(&mut self, groups: &[usize], values: &[u64], count: usize) {
        let Some(window) = Window::of(values, count) else {
            return self.insert_all(groups.iter().copied().zip(values.iter().copied()));
        };
        let mut flags = std::mem::take(&mut self.flags);
        let mut words = Vec::with_capacity(window.width);
        window.gather(groups, values, count, &mut flags, |group, value| {
            self.insert(group as u32, value)
        });
        for (group, flags) in flags.chunks(window.width * 64).enumerate() {
            words.clear();
            words.extend(words_of(flags));
            self.insert_words(group as u32, window.first, &words);
        }
        self.flags = flags;
    }

    /// Adds the bits of words; the first word is a value without its lowest six bits.
    fn insert_words(&mut self, group: u32, first: u64, mut words: &[u64]) {
        let mut first = first;
        while !words.is_empty() {
            let start = (first & 1023) as usize;
            let (of_chunk, others) = words.split_at(words.len().min(1024 - start));
            let value = first << 6;
            let count: u32 = of_chunk.iter().map(|bits| bits.count_ones()).sum();
            if count >= CROWDED_AT_ONCE {
                self.dense
                    .find_or_make(group, (value >> 32) as u32, (value >> 16) as u16);
            }
            match self.dense.find(group, value) {
                Some(bitset) => bitset[start..]
                    .iter_mut()
                    .zip(of_chunk)
                    .for_each(|(word, bits)| *word |= bits),
                None => {
                    for (word, bits) in (first..).zip(of_chunk) {
                        let mut left = *bits;
                        while left != 0 {
                            self.insert(group, word << 6 | u64::from(left.trailing_zeros()));
                            left &= left - 1;
                        }
                    }
                }
            }
            first += of_chunk.len() as u64;
            words = others;
        }
    }

    #[inline]
    fn insert(&mut self, group: u32, value: u64) {
        match self.dense.find(group, value) {
            Some(words) => words[usize::from(value as u16 >> 6)] |= 1 << (value & 63),
            None => self.logs.push(group, value, &mut self.dense),
        }
    }

    /// Adds all values of a bitmap to a group.
    pub fn merge(&mut self, group: usize, bitmap: &BitmapRef<'_>) {
        if !self.keeps(group as u32, bitmap, CROWDED) {
            self.merge_containers(group as u32, bitmap);
        } else if self.pending.push(group as u32, bitmap) && self.pending.len() <= FEW_GROUPS {
            self.move_crowded();
        }
    }

    /// Adds all values of checked bitmaps that may stay where they are: group, which of `bytes`,
    /// and where in them.
    pub fn merge_shared(
        &mut self,
        bytes: Vec<SharedBytes>,
        bitmaps: impl Iterator<Item = (usize, usize, Range<usize>)>,
    ) {
        let first = self.pending.share(&bytes);
        for (group, number, range) in bitmaps {
            let Some(Ok(bitmap)) = bytes
                .get(number)
                .and_then(|bytes| bytes.as_bytes().get(range.clone()))
                .map(BitmapRef::parse_layout)
            else {
                continue;
            };
            let is_kept = self.keeps(group as u32, &bitmap, u32::MAX);
            self.pending
                .offer(group as u32, first + number, range, is_kept);
            if !is_kept {
                self.merge_containers(group as u32, &bitmap);
            }
        }
        if self.pending.settle(first) && self.pending.len() <= FEW_GROUPS {
            self.move_crowded();
        }
    }

    /// Adds all values of several bitmaps to a group: chunk by chunk, so that each bitset is at
    /// hand for all of them.
    pub fn merge_all(&mut self, group: usize, bitmaps: &[BitmapRef<'_>]) {
        let mut rest = bitmaps;
        while let Some((first, others)) = rest.split_first()
            && !(self.dense.has(group as u32) && rest.len() > 1)
        {
            self.merge(group, first);
            rest = others;
        }
        for (chunk, containers) in Chunks::of(rest).iter() {
            self.merge_chunk(group as u32, chunk, containers);
        }
    }

    fn merge_chunk(&mut self, group: u32, chunk: u64, containers: &[Container<'_>]) {
        if containers.iter().map(Container::cardinality).sum::<u32>() >= CROWDED {
            unite::or_all(
                self.dense
                    .find_or_make(group, (chunk >> 16) as u32, chunk as u16),
                containers,
            );
        } else if let Some(words) = self.dense.find(group, chunk << 16) {
            unite::or_all(words, containers);
        } else {
            for container in containers {
                container.for_each(|value| self.insert(group, chunk << 16 | u64::from(value)));
            }
        }
    }

    fn merge_containers(&mut self, group: u32, bitmap: &BitmapRef<'_>) {
        for (high, bucket) in bitmap.buckets() {
            for (key, container) in bucket.containers() {
                self.merge_container(group, high, key, &container);
            }
        }
    }

    /// Moves bitmaps that have become crowded to bitsets: what else the group is given goes there
    /// directly.
    fn move_crowded(&mut self) {
        let mut pending = std::mem::take(&mut self.pending);
        let containers = |bitmap: &BitmapRef<'_>| {
            bitmap
                .buckets()
                .map(|(_, bucket)| bucket.container_count() as u64)
                .sum::<u64>()
        };
        let is_crowded = |bitmap: &BitmapRef<'_>| {
            bitmap.cardinality() >= containers(bitmap) * u64::from(CROWDED)
        };
        pending.take_out(is_crowded, |group, bitmap| {
            self.merge_containers(group, bitmap)
        });
        self.pending = pending;
    }

    /// Whether a bitmap is better kept as it is; not if a container has so many values.
    fn keeps(&self, group: u32, bitmap: &BitmapRef<'_>, many: u32) -> bool {
        let mut containers = 0;
        !self.dense.has(group)
            && bitmap.buckets().all(|(_, bucket)| {
                containers += bucket.container_count() as u64;
                bucket.largest() < many
            })
            && containers > 0
            && bitmap.cardinality() >= LEAST_KEPT * containers
    }

    fn merge_container(&mut self, group: u32, high: u32, key: u16, container: &Container<'_>) {
        if container.cardinality() >= CROWDED {
            unite::or_into(self.dense.find_or_make(group, high, key), container);
        } else if let Some(words) = self.dense.find(group, join(high, key)) {
            unite::or_into(words, container);
        } else {
            let upper = join(high, key);
            container.for_each(|value| self.insert(group, upper | u64::from(value)));
        }
    }

    /// Appends the canonical bitmap of one group, which stays; writes nothing, and returns false,
    /// for a group without values.
    pub fn write(&mut self, group: usize, out: &mut Vec<u8>) -> bool {
        let group = group as u32;
        self.logs.compact_group(group, &mut self.dense);
        let rows = self.logs.of_group(group);
        self.pending.sort();
        let bitmaps = self.pending.of_group(group);
        write_group(
            rows,
            &self.dense,
            group,
            (&self.pending, bitmaps),
            &mut Scratch::default(),
            out,
        )
    }

    /// Bytes held; takes no time.
    pub fn size(&self) -> usize {
        self.logs.bytes() + self.dense.bytes() + self.pending.bytes() + self.flags.capacity()
    }

    /// Takes out the first `count` groups; the others are counted from 0 again.
    pub fn drain_first(&mut self, count: usize) -> DrainedGroups {
        DrainedGroups::new(
            self.logs.split_first(count),
            self.dense.split_first(count),
            self.pending.split_first(count),
        )
    }

    /// Takes out all groups.
    pub fn drain(&mut self) -> DrainedGroups {
        let Self {
            logs,
            dense,
            mut pending,
            ..
        } = std::mem::take(self);
        pending.sort();
        DrainedGroups::new(logs, dense, pending)
    }
}

/// Groups taken out of [`GroupSets`], to be written one after the other from group 0 on.
#[derive(Debug)]
pub struct DrainedGroups {
    rows: LogsWalk,
    dense: Dense,
    pending: Pending,
    /// The next group.
    group: u32,
    /// The first bitmap that may be the next group's.
    bitmap: usize,
    scratch: Scratch,
}

impl DrainedGroups {
    fn new(logs: Logs, dense: Dense, pending: Pending) -> Self {
        Self {
            rows: logs.into_walk(),
            dense,
            pending,
            group: 0,
            bitmap: 0,
            scratch: Scratch::default(),
        }
    }

    /// Skips groups up to this one, which must not be before the next.
    pub fn skip_to(&mut self, group: usize) {
        debug_assert!(
            group >= self.group as usize,
            "groups are written in ascending order"
        );
        self.group = group as u32;
        self.bitmap = self.pending.start_of_group(self.group, self.bitmap);
    }

    /// Appends the canonical bitmap of the next group; writes nothing, and returns false, for a
    /// group without values.
    #[inline]
    pub fn write_next(&mut self, out: &mut Vec<u8>) -> bool {
        let group = self.group;
        self.group += 1;
        let bitmaps = self.bitmap..self.pending.end_of_group(group, self.bitmap);
        self.bitmap = bitmaps.end;
        let is_any = write_group(
            self.rows.of_group(group),
            &self.dense,
            group,
            (&self.pending, bitmaps.clone()),
            &mut self.scratch,
            out,
        );
        self.dense.release(group);
        self.pending.release(bitmaps);
        is_any
    }
}

/// The smallest value of a chunk.
fn join(high: u32, key: u16) -> u64 {
    u64::from(high) << 32 | u64::from(key) << 16
}
