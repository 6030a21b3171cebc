//! The sets of many groups while they are built, from values in any order and from other bitmaps.
//!
//! ```text
//! (group, value) ──► bitset of the chunk, if it has one
//!               └──► one of the logs ── when it is full: sort, remove duplicates, move crowded chunks to bitsets
//! (group, bitmap) ──► as it is, if its containers are neither tiny nor crowded; else container by container, as above
//! drain: log by log, sort, remove duplicates, write each group's rows and bitsets as canonical bytes, united with its bitmaps
//! ```
//! A group costs nothing but its rows, so ten million groups of one value cost eight bytes each; ten groups of all
//! values cost a bit each.

use super::chunks::Chunks;
use super::container::Container;
use super::dense::Dense;
use super::encode::write_words;
use super::logs::{Logs, LogsWalk};
use super::pending::Pending;
use super::rows::GroupRows;
use super::sorted::{write_bucket, write_chunk, write_sorted};
use super::unite;
use super::view::BitmapRef;
use super::words::Words;
use super::writer::Writer;
use std::ops::Range;

/// A container with at least this many values goes to a bitset at once.
const CROWDED: u32 = 1024;

/// With at least this many values a container on average, a bitmap is kept as it is: that takes less room than its rows.
const LEAST_KEPT: u64 = 8;

/// For so few groups bitsets stay at hand while bitmaps come in.
const FEW_GROUPS: usize = 4;

/// Sets of u64 values, one per group; groups are numbered from 0.
#[derive(Debug, Default)]
pub struct GroupSets {
    logs: Logs,
    dense: Dense,
    pending: Pending,
}

impl GroupSets {
    /// Adds a value to each group named.
    pub fn insert_all(&mut self, mut rows: impl Iterator<Item = (usize, u64)>) {
        while self.dense.is_empty() {
            let Some((group, value)) = rows.next() else { return };
            self.logs.push(group as u32, value, &mut self.dense);
        }
        for (group, value) in rows {
            self.insert(group as u32, value);
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
        if !self.keeps(group as u32, bitmap) {
            self.merge_containers(group as u32, bitmap);
        } else if self.pending.push(group as u32, bitmap) && self.pending.len() <= FEW_GROUPS {
            self.move_crowded();
        }
    }

    /// Adds all values of several bitmaps to a group: chunk by chunk, so that each bitset is at hand for all of them.
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
            unite::or_all(self.dense.find_or_make(group, (chunk >> 16) as u32, chunk as u16), containers);
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

    /// Moves bitmaps that have become crowded to bitsets: what else the group is given goes there directly.
    fn move_crowded(&mut self) {
        let mut pending = std::mem::take(&mut self.pending);
        let containers = |bitmap: &BitmapRef<'_>| bitmap.buckets().map(|(_, bucket)| bucket.container_count() as u64).sum::<u64>();
        let is_crowded = |bitmap: &BitmapRef<'_>| bitmap.cardinality() >= containers(bitmap) * u64::from(CROWDED);
        pending.take_out(is_crowded, |group, bitmap| self.merge_containers(group, bitmap));
        self.pending = pending;
    }

    /// Whether a bitmap is better kept as it is.
    fn keeps(&self, group: u32, bitmap: &BitmapRef<'_>) -> bool {
        let mut containers = 0;
        !self.dense.has(group)
            && bitmap.buckets().all(|(_, bucket)| {
                containers += bucket.container_count() as u64;
                bucket.largest() < CROWDED
            })
            && containers > 0
            && bitmap.cardinality() >= LEAST_KEPT * containers
    }

    fn merge_container(&mut self, group: u32, high: u32, key: u16, container: &Container<'_>) {
        if container.cardinality() >= CROWDED {
            container.or_into(self.dense.find_or_make(group, high, key));
        } else if let Some(words) = self.dense.find(group, join(high, key)) {
            container.or_into(words);
        } else {
            let upper = join(high, key);
            container.for_each(|value| self.insert(group, upper | u64::from(value)));
        }
    }

    /// Appends the canonical bitmap of one group, which stays; writes nothing, and returns false, for a group without
    /// values.
    pub fn write(&mut self, group: usize, out: &mut Vec<u8>) -> bool {
        let group = group as u32;
        self.logs.compact_group(group, &mut self.dense);
        let rows = self.logs.of_group(group);
        self.pending.sort();
        let bitmaps = self.pending.of_group(group);
        write_all(rows, &self.dense, group, (&self.pending, bitmaps), &mut Vec::new(), out)
    }

    /// Bytes held; takes no time.
    pub fn size(&self) -> usize {
        self.logs.bytes() + self.dense.bytes() + self.pending.bytes()
    }

    /// Takes out the first `count` groups; the others are counted from 0 again.
    pub fn drain_first(&mut self, count: usize) -> DrainedGroups {
        DrainedGroups::new(self.logs.split_first(count), self.dense.split_first(count), self.pending.split_first(count))
    }

    /// Takes out all groups.
    pub fn drain(&mut self) -> DrainedGroups {
        let Self { logs, dense, mut pending } = std::mem::take(self);
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
    /// Lower words of one bucket.
    lows: Vec<u32>,
}

impl DrainedGroups {
    fn new(logs: Logs, dense: Dense, pending: Pending) -> Self {
        Self { rows: logs.into_walk(), dense, pending, group: 0, bitmap: 0, lows: Vec::new() }
    }

    /// Skips groups up to this one, which must not be before the next.
    pub fn skip_to(&mut self, group: usize) {
        debug_assert!(group >= self.group as usize, "groups are written in ascending order");
        self.group = group as u32;
        self.bitmap = self.pending.start_of_group(self.group, self.bitmap);
    }

    /// Appends the canonical bitmap of the next group; writes nothing, and returns false, for a group without values.
    #[inline]
    pub fn write_next(&mut self, out: &mut Vec<u8>) -> bool {
        let group = self.group;
        self.group += 1;
        let bitmaps = self.bitmap..self.pending.end_of_group(group, self.bitmap);
        self.bitmap = bitmaps.end;
        write_all(self.rows.of_group(group), &self.dense, group, (&self.pending, bitmaps), &mut self.lows, out)
    }
}

/// Writes a group from its rows, its bitsets and its bitmaps; returns whether it has any.
fn write_all(rows: GroupRows<'_>, dense: &Dense, group: u32, (pending, bitmaps): (&Pending, Range<usize>), lows: &mut Vec<u32>, out: &mut Vec<u8>) -> bool {
    if bitmaps.is_empty() {
        return write_group(rows, dense, group, lows, out);
    }
    let mut other = Vec::new();
    let has_other = write_group(rows, dense, group, lows, &mut other);
    pending.write(has_other.then_some(other.as_slice()), bitmaps, out);
    true
}

/// Writes a group from its rows and its bitsets; returns whether it has any.
#[inline]
fn write_group(mut rows: GroupRows<'_>, dense: &Dense, group: u32, lows: &mut Vec<u32>, out: &mut Vec<u8>) -> bool {
    if !dense.has(group) {
        let is_any = !rows.is_empty();
        write_rows(rows, lows, out);
        return is_any;
    }
    let mut chunks = dense.chunks(group).peekable();
    let mut writer = Writer::new(out);
    while let Some(high) = rows.high().into_iter().chain(chunks.peek().map(|(high, _, _)| *high)).min() {
        rows.take_bucket(high, lows);
        let keyed = std::iter::from_fn(|| chunks.next_if(|(found, _, _)| *found == high));
        write_mixed(&mut writer, high, lows, keyed.map(|(_, key, words)| (key, words)));
    }
    writer.finish();
    true
}

/// Writes a group that has rows and no bitsets.
#[inline]
fn write_rows(mut rows: GroupRows<'_>, lows: &mut Vec<u32>, out: &mut Vec<u8>) {
    let Some(high) = rows.high() else { return };
    rows.take_bucket(high, lows);
    if rows.is_empty() {
        write_sorted(high, lows, out);
        return;
    }
    let mut writer = Writer::new(out);
    write_bucket(&mut writer, high, lows);
    while let Some(high) = rows.high() {
        rows.take_bucket(high, lows);
        write_bucket(&mut writer, high, lows);
    }
    writer.finish();
}

/// Writes a bucket from ascending values and bitsets with ascending keys.
fn write_mixed<'w>(writer: &mut Writer<'_>, high: u32, lows: &[u32], keyed: impl Iterator<Item = (u16, &'w Words)>) {
    let bitsets: Vec<_> = keyed.collect();
    let mut chunks = lows.chunk_by(|a, b| a >> 16 == b >> 16).peekable();
    let count = bitsets.len() + chunks.clone().filter(|chunk| bitsets.binary_search_by_key(&key_of(chunk), |(key, _)| *key).is_err()).count();
    writer.begin_bucket(high, count, false);
    for (key, words) in bitsets {
        while let Some(chunk) = chunks.next_if(|chunk| key_of(chunk) < key) {
            write_chunk(writer, chunk);
        }
        match chunks.next_if(|chunk| key_of(chunk) == key) {
            None => write_words(writer, key, words),
            Some(chunk) => {
                let mut both = *words;
                chunk.iter().for_each(|low| both[(low >> 6 & 1023) as usize] |= 1 << (low & 63));
                write_words(writer, key, &both);
            }
        }
    }
    for chunk in chunks {
        write_chunk(writer, chunk);
    }
    writer.end_bucket();
}

/// The smallest value of a chunk.
fn join(high: u32, key: u16) -> u64 {
    u64::from(high) << 32 | u64::from(key) << 16
}

fn key_of(chunk: &[u32]) -> u16 {
    (chunk[0] >> 16) as u16
}
