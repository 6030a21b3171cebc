//! One group as canonical bytes: its rows, its bitsets and the bitmaps that it was given, united.

use super::dense::Dense;
use super::pending::Pending;
use super::rows::GroupRows;
use crate::BITSET_BYTES;
use crate::format::encode::write_words;
use crate::format::sorted::write_chunk;
use crate::format::writer::Writer;
use crate::kernels::words::Words;
use std::ops::Range;

/// Where groups are put together; kept from one to the next.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    /// Lower words of one bucket.
    lows: Vec<u32>,
    /// Rows and bitsets of a group that has bitmaps, too.
    other: Vec<u8>,
}

/// Writes a group from its rows, its bitsets and its bitmaps; returns whether it has any.
#[inline]
pub(crate) fn write_group(
    rows: GroupRows<'_>,
    dense: &Dense,
    group: u32,
    (pending, bitmaps): (&Pending, Range<usize>),
    scratch: &mut Scratch,
    out: &mut Vec<u8>,
) -> bool {
    if bitmaps.is_empty() {
        return write_rows_and_bitsets(rows, dense, group, &mut scratch.lows, out);
    }
    scratch.other.clear();
    let has_other =
        write_rows_and_bitsets(rows, dense, group, &mut scratch.lows, &mut scratch.other);
    pending.write(has_other.then_some(scratch.other.as_slice()), bitmaps, out);
    true
}

/// Writes a group from its rows and its bitsets; returns whether it has any.
#[inline]
fn write_rows_and_bitsets(
    mut rows: GroupRows<'_>,
    dense: &Dense,
    group: u32,
    lows: &mut Vec<u32>,
    out: &mut Vec<u8>,
) -> bool {
    if !dense.has(group) {
        let is_any = !rows.is_empty();
        rows.write(lows, out);
        return is_any;
    }
    let mut chunks = dense.chunks(group).peekable();
    let mut writer = Writer::new(out);
    while let Some(high) = rows
        .high()
        .into_iter()
        .chain(chunks.peek().map(|(high, _, _)| *high))
        .min()
    {
        rows.take_bucket(high, lows);
        let keyed = std::iter::from_fn(|| chunks.next_if(|(found, _, _)| *found == high));
        write_mixed(
            &mut writer,
            high,
            lows,
            keyed.map(|(_, key, words)| (key, words)),
        );
    }
    writer.finish();
    true
}

/// Writes a bucket from ascending values and bitsets with ascending keys.
fn write_mixed<'w>(
    writer: &mut Writer<'_>,
    high: u32,
    lows: &[u32],
    keyed: impl Iterator<Item = (u16, &'w Words)>,
) {
    let bitsets: Vec<_> = keyed.collect();
    let mut chunks = lows.chunk_by(|a, b| a >> 16 == b >> 16).peekable();
    let count = bitsets.len()
        + chunks
            .clone()
            .filter(|chunk| {
                bitsets
                    .binary_search_by_key(&key_of(chunk), |(key, _)| *key)
                    .is_err()
            })
            .count();
    writer.begin_bucket(high, count, false);
    // At once, as room that grows leaves holes of its size behind.
    writer
        .out
        .reserve(bitsets.len() * BITSET_BYTES + lows.len() * size_of::<u16>());
    for (key, words) in bitsets {
        while let Some(chunk) = chunks.next_if(|chunk| key_of(chunk) < key) {
            write_chunk(writer, chunk);
        }
        match chunks.next_if(|chunk| key_of(chunk) == key) {
            None => write_words(writer, key, words),
            Some(chunk) => {
                let mut both = *words;
                chunk
                    .iter()
                    .for_each(|low| both[(low >> 6 & 1023) as usize] |= 1 << (low & 63));
                write_words(writer, key, &both);
            }
        }
    }
    for chunk in chunks {
        write_chunk(writer, chunk);
    }
    writer.end_bucket();
}

fn key_of(chunk: &[u32]) -> u16 {
    (chunk[0] >> 16) as u16
}
