//! Puts containers, keys ascending, together to a canonical serialized bitmap.

use crate::{COOKIE_NO_RUNS, COOKIE_RUNS, OFFSETS_FROM};

/// Entries kept without an allocation.
const INLINE: usize = 16;

/// What the header says of one container.
#[derive(Debug, Clone, Copy, Default)]
struct Entry {
    key: u16,
    cardinality_less_one: u16,
    /// Bytes, and in the highest bit whether it is a run container.
    size_and_kind: u32,
}

const RUN: u32 = 1 << 31;

impl Entry {
    fn size(&self) -> u32 {
        self.size_and_kind & !RUN
    }

    fn is_run(&self) -> bool {
        self.size_and_kind & RUN != 0
    }
}

/// The containers of the bucket that is being written.
#[derive(Debug)]
struct Entries {
    first: [Entry; INLINE],
    others: Vec<Entry>,
    len: usize,
}

impl Entries {
    #[inline]
    fn push(&mut self, entry: Entry) {
        match self.first.get_mut(self.len) {
            Some(place) => *place = entry,
            None => self.others.push(entry),
        }
        self.len += 1;
    }

    fn iter(&self) -> impl Iterator<Item = &Entry> + Clone {
        self.first[..self.len.min(INLINE)]
            .iter()
            .chain(&self.others)
    }
}

/// Appends one serialized bitmap to a vector.
///
/// Containers are appended to [`Writer::out`] where they will stay if the header has the length
/// that [`Writer::begin_bucket`] was told to expect; otherwise the bucket's containers move once.
#[derive(Debug)]
pub(crate) struct Writer<'o> {
    pub(crate) out: &'o mut Vec<u8>,
    start: usize,
    buckets: u64,
    bucket_start: usize,
    reserved: usize,
    entries: Entries,
    has_runs: bool,
}

/// Bytes before the first container.
#[inline]
fn header_len(count: usize, has_runs: bool) -> usize {
    match has_runs {
        false => 8 + count * 8,
        true if count < OFFSETS_FROM => 4 + count.div_ceil(8) + count * 4,
        true => 4 + count.div_ceil(8) + count * 8,
    }
}

impl<'o> Writer<'o> {
    /// Starts a bitmap at the end of `out`.
    #[inline]
    pub(crate) fn new(out: &'o mut Vec<u8>) -> Self {
        let start = out.len();
        out.extend_from_slice(&[0; 8]);
        let entries = Entries {
            first: [Entry::default(); INLINE],
            others: Vec::new(),
            len: 0,
        };
        Self {
            out,
            start,
            buckets: 0,
            bucket_start: start,
            reserved: 0,
            entries,
            has_runs: false,
        }
    }

    /// Starts a bucket of about `containers` containers.
    #[inline]
    pub(crate) fn begin_bucket(&mut self, high: u32, containers: usize, expects_runs: bool) {
        self.out.extend_from_slice(&high.to_le_bytes());
        self.bucket_start = self.out.len();
        self.reserved = header_len(containers, expects_runs);
        self.out.resize(self.bucket_start + self.reserved, 0);
        self.entries.len = 0;
        self.entries.others.clear();
        self.entries
            .others
            .reserve(containers.saturating_sub(INLINE));
        self.has_runs = false;
    }

    /// Records that the container `key` of `cardinality` values has been appended to `out` from
    /// byte `from` on.
    #[inline]
    pub(crate) fn end_container(&mut self, key: u16, cardinality: u32, from: usize, is_run: bool) {
        let size = (self.out.len() - from) as u32;
        let size_and_kind = if is_run { size | RUN } else { size };
        self.entries.push(Entry {
            key,
            cardinality_less_one: (cardinality - 1) as u16,
            size_and_kind,
        });
        self.has_runs |= is_run;
    }

    /// Writes the header of the bucket; without containers, takes the bucket back.
    pub(crate) fn end_bucket(&mut self) {
        let count = self.entries.len;
        if count == 0 {
            self.out.truncate(self.bucket_start - 4);
            return;
        }
        self.buckets += 1;
        let wanted = header_len(count, self.has_runs);
        self.move_containers(wanted);
        let header = &mut self.out[self.bucket_start..self.bucket_start + wanted];
        let rest = if self.has_runs {
            let (cookie, rest) = header.split_at_mut(4);
            cookie.copy_from_slice(&(COOKIE_RUNS | (count as u32 - 1) << 16).to_le_bytes());
            let (flags, rest) = rest.split_at_mut(count.div_ceil(8));
            flags.fill(0);
            for (index, _) in self
                .entries
                .iter()
                .enumerate()
                .filter(|(_, entry)| entry.is_run())
            {
                flags[index / 8] |= 1 << (index % 8);
            }
            rest
        } else {
            let (cookie, rest) = header.split_at_mut(8);
            cookie[..4].copy_from_slice(&COOKIE_NO_RUNS.to_le_bytes());
            cookie[4..].copy_from_slice(&(count as u32).to_le_bytes());
            rest
        };
        let (descriptors, offsets) = rest.as_chunks_mut::<4>().0.split_at_mut(count);
        let mut offset = wanted as u32;
        let mut offsets = offsets.iter_mut();
        for (descriptor, entry) in descriptors.iter_mut().zip(self.entries.iter()) {
            *descriptor =
                (u32::from(entry.key) | u32::from(entry.cardinality_less_one) << 16).to_le_bytes();
            if let Some(place) = offsets.next() {
                *place = offset.to_le_bytes();
            }
            offset += entry.size();
        }
    }

    /// Moves the containers to where they begin after a header of `wanted` bytes.
    #[inline]
    fn move_containers(&mut self, wanted: usize) {
        if wanted == self.reserved {
            return;
        }
        let (from, to) = (
            self.bucket_start + self.reserved,
            self.bucket_start + wanted,
        );
        let end = self.out.len();
        if wanted > self.reserved {
            self.out.resize(end + wanted - self.reserved, 0);
        }
        self.out.copy_within(from..end, to);
        self.out.truncate(to + end - from);
    }

    /// Completes the bitmap.
    #[inline]
    pub(crate) fn finish(self) {
        if let Some(place) = self.out[self.start..].first_chunk_mut() {
            *place = self.buckets.to_le_bytes();
        }
    }
}
