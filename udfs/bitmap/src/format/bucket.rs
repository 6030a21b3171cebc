//! A serialized 32-bit bitmap inside a 64-bit one, read in place: its parts, its containers by
//! index and by key.

use super::check::{Check, check_container, check_keys};
use super::container::Container;
use super::cursor::Cursor;
use super::defect::Defect;
use super::keys::{Keys, key_of};
use super::unite;
use crate::{ARRAY_MOST, BITSET_BYTES, COOKIE_NO_RUNS, COOKIE_RUNS, OFFSETS_FROM};
use std::ops::Range;

/// The values of a bitmap that share one high word. Made by [`BitmapRef`](crate::BitmapRef).
#[derive(Debug, Clone, Copy)]
pub struct Bitmap32Ref<'a> {
    /// The 32-bit bitmap from its cookie on; more may follow until it is measured.
    bytes: &'a [u8],
    /// `{ key: u16, cardinality - 1: u16 }` per container.
    descriptors: &'a [[u8; 4]],
    /// Where each container starts in `bytes`; `None` with runs and fewer than 4 containers.
    offsets: Option<&'a [[u8; 4]]>,
    /// One bit per container; `None` without run containers.
    run_flags: Option<&'a [u8]>,
    /// Where the first container starts in `bytes`.
    body_at: usize,
    keys: Keys,
}

#[inline]
fn cardinality_of(descriptor: &[u8; 4]) -> u32 {
    u32::from(u16::from_le_bytes([descriptor[2], descriptor[3]])) + 1
}

/// Reads the container at the start of `body`; `None` if it is cut off. Also gives its size in
/// bytes.
#[inline(always)]
fn container_at<'a>(
    body: &'a [u8],
    descriptor: &[u8; 4],
    is_run: bool,
) -> Option<(Container<'a>, usize)> {
    let cardinality = cardinality_of(descriptor);
    if is_run {
        let count = usize::from(u16::from_le_bytes(*body.first_chunk()?));
        let runs = body.get(2..2 + count * 4)?.as_chunks().0;
        return Some((Container::Run(runs, cardinality), 2 + count * 4));
    }
    if cardinality as usize <= ARRAY_MOST {
        let size = cardinality as usize * 2;
        return Some((Container::Array(body.get(..size)?.as_chunks().0), size));
    }
    let block = body
        .get(..BITSET_BYTES)?
        .as_chunks::<8>()
        .0
        .try_into()
        .ok()?;
    Some((Container::Bitset(block, cardinality), BITSET_BYTES))
}

impl<'a> Bitmap32Ref<'a> {
    /// Reads one 32-bit bitmap off the cursor and checks it. Also gives its cardinality.
    pub(crate) fn parse(cursor: &mut Cursor<'a>, check: Check) -> Result<(Self, u64), Defect> {
        let start = cursor.at;
        let bitmap = Self::parse_header(cursor)?;
        check_keys(
            bitmap.descriptors,
            start + bitmap.body_at - bitmap.header_tail(),
        )?;
        let mut at = bitmap.body_at;
        let mut cardinality = 0;
        for (index, descriptor) in bitmap.descriptors.iter().enumerate() {
            let key = key_of(descriptor);
            if let Some(offsets) = bitmap.offsets
                && u32::from_le_bytes(offsets[index]) as usize != at
            {
                return Err(Defect::WrongOffset {
                    key,
                    found: u32::from_le_bytes(offsets[index]),
                    expected: at as u32,
                });
            }
            let Some((container, size)) =
                container_at(&bitmap.bytes[at..], descriptor, bitmap.is_run(index))
            else {
                return Err(bitmap.truncated(start, at, index));
            };
            check_container(key, &container, check)?;
            cardinality += u64::from(container.cardinality());
            at += size;
        }
        cursor.take(at - bitmap.body_at)?;
        Ok((bitmap, cardinality))
    }

    /// Reads one 32-bit bitmap off the cursor and checks everything in it.
    pub(crate) fn parse_checked(cursor: &mut Cursor<'a>) -> Result<Self, Defect> {
        Self::parse(cursor, Check::Everything).map(|(bitmap, _)| bitmap)
    }

    /// Reads one 32-bit bitmap, which has been checked before, off the cursor without looking at
    /// all of it.
    pub(crate) fn reparse(cursor: &mut Cursor<'a>) -> Result<Self, Defect> {
        let bitmap = Self::parse_header(cursor)?;
        let end = match bitmap.descriptors.len().checked_sub(1) {
            None => bitmap.body_at,
            Some(last) => bitmap
                .locate(last)
                .map_or(bitmap.body_at, |(at, _, size)| at + size),
        };
        cursor.take(end - bitmap.body_at)?;
        Ok(bitmap)
    }

    fn parse_header(cursor: &mut Cursor<'a>) -> Result<Self, Defect> {
        let start = cursor.at;
        let bytes = cursor.rest;
        let (count, run_flags) = Self::parse_cookie(cursor)?;
        let descriptors = cursor.take_fours(count)?;
        let has_offsets = run_flags.is_none() || count >= OFFSETS_FROM;
        let offsets = if has_offsets {
            Some(cursor.take_fours(count)?)
        } else {
            None
        };
        Ok(Self {
            bytes,
            descriptors,
            offsets,
            run_flags,
            body_at: cursor.at - start,
            keys: Keys::of(descriptors),
        })
    }

    /// Bytes of descriptors and offsets.
    fn header_tail(&self) -> usize {
        (self.descriptors.len() + self.offsets.map_or(0, <[_]>::len)) * 4
    }

    /// Reads cookie, container count and run flags.
    fn parse_cookie(cursor: &mut Cursor<'a>) -> Result<(usize, Option<&'a [u8]>), Defect> {
        let at = cursor.at;
        let cookie = cursor.take_u32()?;
        if cookie == COOKIE_NO_RUNS {
            let at = cursor.at;
            let found = cursor.take_u32()?;
            if found > 1 << 16 {
                return Err(Defect::TooManyContainers { at, found });
            }
            return Ok((found as usize, None));
        }
        if cookie & 0xFFFF != COOKIE_RUNS {
            return Err(Defect::BadCookie { at, found: cookie });
        }
        let count = (cookie >> 16) as usize + 1;
        let flags = cursor.take(count.div_ceil(8))?;
        let last = flags.last().copied().unwrap_or(0);
        if !count.is_multiple_of(8) && last >> (count % 8) != 0 {
            return Err(Defect::StrayRunFlags { at: cursor.at - 1 });
        }
        Ok((count, Some(flags)))
    }

    #[cold]
    fn truncated(&self, start: usize, at: usize, index: usize) -> Defect {
        let rest = &self.bytes[at..];
        let cardinality = cardinality_of(&self.descriptors[index]) as usize;
        let wanted = match rest.first_chunk() {
            _ if !self.is_run(index) => (cardinality * 2).min(BITSET_BYTES),
            Some(count) => 2 + usize::from(u16::from_le_bytes(*count)) * 4,
            None => 2,
        };
        Defect::Truncated {
            at: start + at,
            wanted,
            left: rest.len(),
        }
    }

    /// Where the container with this index starts, the container, its size in bytes.
    #[inline(always)]
    fn locate(&self, index: usize) -> Option<(usize, Container<'a>, usize)> {
        let at = match self.offsets {
            Some(offsets) => u32::from_le_bytes(*offsets.get(index)?) as usize,
            None => self.walk_to(index)?,
        };
        let (container, size) = container_at(
            self.bytes.get(at..)?,
            self.descriptors.get(index)?,
            self.is_run(index),
        )?;
        Some((at, container, size))
    }

    /// Where a container of a bitmap without offsets starts: after at most two others.
    fn walk_to(&self, index: usize) -> Option<usize> {
        self.descriptors.iter().take(index).enumerate().try_fold(
            self.body_at,
            |at, (before, descriptor)| {
                let (_, size) =
                    container_at(self.bytes.get(at..)?, descriptor, self.is_run(before))?;
                Some(at + size)
            },
        )
    }

    #[inline]
    fn is_run(&self, index: usize) -> bool {
        self.run_flags
            .is_some_and(|flags| flags[index / 8] >> (index % 8) & 1 == 1)
    }

    /// Number of values, added up from the descriptors.
    #[inline]
    pub fn cardinality(&self) -> u64 {
        self.descriptors
            .iter()
            .map(|descriptor| u64::from(cardinality_of(descriptor)))
            .sum()
    }

    /// Number of values of the largest container; 0 without containers.
    pub(crate) fn largest(&self) -> u32 {
        self.descriptors
            .iter()
            .map(cardinality_of)
            .max()
            .unwrap_or(0)
    }

    /// Number of containers.
    #[inline]
    pub fn container_count(&self) -> usize {
        self.descriptors.len()
    }

    /// Whether the bitmap says that it has run containers.
    pub(crate) fn may_have_runs(&self) -> bool {
        self.run_flags.is_some()
    }

    /// Key of the container with this index, in ascending order.
    #[inline]
    pub(crate) fn key(&self, index: usize) -> Option<u16> {
        self.descriptors.get(index).map(key_of)
    }

    /// The first and the last key; `None` without containers.
    pub(crate) fn key_bounds(&self) -> Option<(u16, u16)> {
        Some((
            key_of(self.descriptors.first()?),
            key_of(self.descriptors.last()?),
        ))
    }

    /// Calls `visit` with every key, ascending.
    #[inline]
    pub(crate) fn for_each_key(&self, visit: impl FnMut(u16)) {
        self.descriptors.iter().map(key_of).for_each(visit);
    }

    /// Which keys there are.
    #[inline]
    pub(crate) fn keys(&self) -> Keys {
        self.keys
    }

    /// Whether each bit of [`Self::keys`] stands for one key.
    #[inline(always)]
    pub(crate) fn has_exact_keys(&self) -> bool {
        Keys::are_exact(self.descriptors.last().map(key_of))
    }

    /// Index of the first key that is not below `wanted`, searched in growing steps from one that
    /// is.
    #[inline]
    pub(crate) fn advance(&self, from: usize, wanted: u16) -> usize {
        let is_below = |index: usize| {
            self.descriptors
                .get(index)
                .is_some_and(|descriptor| key_of(descriptor) < wanted)
        };
        let (mut low, mut step) = (from, 1);
        while is_below(low + step) {
            low += step;
            step *= 2;
        }
        let mut high = self.descriptors.len().min(low + step);
        while high - low > 1 {
            let middle = (low + high) / 2;
            if is_below(middle) {
                low = middle
            } else {
                high = middle
            }
        }
        high
    }

    /// The indices of the containers with keys from `first` to `last`.
    pub(crate) fn indices(&self, first: u16, last: u16) -> Range<usize> {
        let start = self
            .descriptors
            .partition_point(|descriptor| key_of(descriptor) < first);
        let end = self
            .descriptors
            .partition_point(|descriptor| key_of(descriptor) <= last);
        start..end.max(start)
    }

    /// Number of values in the first `count` containers.
    pub(crate) fn cardinality_of_first(&self, count: usize) -> u64 {
        self.descriptors
            .iter()
            .take(count)
            .map(|descriptor| u64::from(cardinality_of(descriptor)))
            .sum()
    }

    /// The container with the value that has `index` smaller ones, and how many values are in those
    /// before it.
    pub(crate) fn find_nth(&self, index: u64) -> Option<(usize, u64)> {
        let mut before = 0;
        for (at, descriptor) in self.descriptors.iter().enumerate() {
            let end = before + u64::from(cardinality_of(descriptor));
            if index < end {
                return Some((at, before));
            }
            before = end;
        }
        None
    }

    /// The container with this index.
    #[inline]
    pub(crate) fn container_at(&self, index: usize) -> Option<Container<'a>> {
        self.locate(index).map(|(_, container, _)| container)
    }

    /// The containers with their keys (the upper 16 of 32 bits), ascending.
    #[inline]
    pub fn containers(&self) -> Containers<'a> {
        Containers {
            bitmap: *self,
            index: 0,
            at: self.body_at,
        }
    }

    /// Calls `visit` with every key and its container, ascending.
    #[inline(always)]
    pub(crate) fn for_each_container(&self, mut visit: impl FnMut(u16, Container<'a>)) {
        let mut rest = self.bytes.get(self.body_at..).unwrap_or_default();
        for (index, descriptor) in self.descriptors.iter().enumerate() {
            let Some((container, size)) = container_at(rest, descriptor, self.is_run(index)) else {
                return;
            };
            visit(key_of(descriptor), container);
            rest = rest.get(size..).unwrap_or_default();
        }
    }

    /// The container with this key.
    pub fn container(&self, key: u16) -> Option<Container<'a>> {
        let index = self.descriptors.binary_search_by_key(&key, key_of).ok()?;
        self.container_at(index)
    }

    /// Whether the value is in the bitmap.
    pub fn contains(&self, value: u32) -> bool {
        self.container((value >> 16) as u16)
            .is_some_and(|container| container.contains(value as u16))
    }

    /// Appends all values, ascending.
    pub fn append_to(&self, out: &mut Vec<u32>) {
        out.reserve(self.cardinality() as usize);
        for (key, container) in self.containers() {
            container.append_to(u32::from(key) << 16, out);
        }
    }

    /// Sets bit `v` of `words` (bit `v % 64` of word `v / 64`) for every value; values beyond the
    /// end are ignored.
    pub fn or_into_words(&self, words: &mut [u64]) {
        for (key, container) in self.containers() {
            let start = usize::from(key) * 1024;
            let Some(part) = words.get_mut(start..) else {
                return;
            };
            let end = part.len().min(1024);
            unite::or_into(&mut part[..end], &container);
        }
    }
}

/// Iterator over the containers of a [`Bitmap32Ref`].
#[derive(Debug, Clone)]
pub struct Containers<'a> {
    bitmap: Bitmap32Ref<'a>,
    index: usize,
    at: usize,
}

impl<'a> Iterator for Containers<'a> {
    type Item = (u16, Container<'a>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let descriptor = self.bitmap.descriptors.get(self.index)?;
        let rest = self.bitmap.bytes.get(self.at..)?;
        let (container, size) = container_at(rest, descriptor, self.bitmap.is_run(self.index))?;
        self.at += size;
        self.index += 1;
        Some((key_of(descriptor), container))
    }
}
