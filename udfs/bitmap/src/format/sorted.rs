//! Ascending values to canonical bytes, without a structure in between.

use super::scattered;
use super::writer::Writer;
use crate::kernels::words;
use crate::{ARRAY_MOST, BITSET_BYTES, COOKIE_NO_RUNS, COOKIE_RUNS};

/// Values are looked at one by one up to this many, with searches and vector loops beyond.
const FEW: usize = 16;

/// Of so few values an array is never larger than runs.
const TINY: usize = 3;

/// Runs are looked for one value after the other if they have at most so many on average.
const SHORT_RUN: usize = 8;

/// Appends the canonical bitmap of `{high << 32 | value}` to `out`.
///
/// `values` ascend strictly; without values an empty bitmap is written. Takes time proportional to
/// the bytes written where values are dense, and to the number of values elsewhere; allocates
/// nothing but room in `out` (beyond 32 containers: one list of them).
pub fn write_sorted(high: u32, values: &[u32], out: &mut Vec<u8>) {
    debug_assert!(
        values.is_sorted_by(|a, b| a < b),
        "values must ascend strictly"
    );
    let (Some(first), Some(last)) = (values.first(), values.last()) else {
        out.extend_from_slice(&0u64.to_le_bytes());
        return;
    };
    if first >> 16 == last >> 16 {
        let key = (first >> 16) as u16;
        return if values.len() <= TINY {
            write_tiny_array(high, key, values, out)
        } else {
            write_one_container(high, key, values, out)
        };
    }
    if values.len() <= scattered::MOST && scattered::write_arrays(high, values, out) {
        return;
    }
    let mut writer = Writer::new(out);
    write_bucket(&mut writer, high, values);
    writer.finish();
}

/// Appends the canonical bitmap of strictly ascending `values` to `out`; without values an empty
/// one.
pub fn write_sorted_u64(values: &[u64], out: &mut Vec<u8>) {
    let mut buckets = values.chunk_by(|a, b| a >> 32 == b >> 32).peekable();
    let lows = |bucket: &[u64]| {
        bucket
            .iter()
            .map(|value| *value as u32)
            .collect::<Vec<u32>>()
    };
    let Some(first) = buckets.next() else {
        return write_sorted(0, &[], out);
    };
    if buckets.peek().is_none() {
        return write_sorted((first[0] >> 32) as u32, &lows(first), out);
    }
    let mut writer = Writer::new(out);
    for bucket in std::iter::once(first).chain(buckets) {
        write_bucket(&mut writer, (bucket[0] >> 32) as u32, &lows(bucket));
    }
    writer.finish();
}

/// Writes a bucket with the ascending, non-empty `values`.
pub(crate) fn write_bucket(writer: &mut Writer<'_>, high: u32, values: &[u32]) {
    let (Some(first), Some(last)) = (values.first(), values.last()) else {
        return;
    };
    let most = values
        .len()
        .min((last >> 16) as usize - (first >> 16) as usize + 1);
    let (chunk, _) = split_chunk(values);
    writer.begin_bucket(high, most, is_run_smallest(chunk.len(), count_runs(chunk)));
    let mut rest = values;
    while !rest.is_empty() {
        let (chunk, others) = split_chunk(rest);
        write_chunk(writer, chunk);
        rest = others;
    }
    writer.end_bucket();
}

/// Writes the container with the ascending, non-empty values of one chunk.
#[inline]
pub(crate) fn write_chunk(writer: &mut Writer<'_>, chunk: &[u32]) {
    let from = writer.out.len();
    let is_run = append_container(chunk, writer.out);
    writer.end_container((chunk[0] >> 16) as u16, chunk.len() as u32, from, is_run);
}

/// A container of up to [`TINY`] values: stored where they stay, in words; nothing is loaded,
/// nothing is asked of a run.
#[inline]
fn write_tiny_array(high: u32, key: u16, values: &[u32], out: &mut Vec<u8>) {
    let from = out.len();
    out.extend_from_slice(&[0; 40]);
    let (words, _) = out[from..].as_chunks_mut::<8>();
    let low = |at: usize| values.get(at).map_or(0, |value| u64::from(*value as u16));
    let descriptor = u64::from(key) | (values.len() as u64 - 1) << 16;
    words[0] = 1u64.to_le_bytes();
    words[1] = (u64::from(high) | u64::from(COOKIE_NO_RUNS) << 32).to_le_bytes();
    words[2] = (1 | descriptor << 32).to_le_bytes();
    words[3] = (16 | low(0) << 32 | low(1) << 48).to_le_bytes();
    words[4] = low(2).to_le_bytes();
    out.truncate(from + 28 + values.len() * 2);
}

/// The path for small sets: everything is known before the first byte is written.
#[inline]
fn write_one_container(high: u32, key: u16, values: &[u32], out: &mut Vec<u8>) {
    let runs = count_runs(values);
    let is_run = is_run_smallest(values.len(), runs);
    let descriptor = u32::from(key) | (values.len() as u32 - 1) << 16;
    let mut header = [0u8; 28];
    header[0] = 1;
    header[8..12].copy_from_slice(&high.to_le_bytes());
    if is_run {
        out.reserve(21 + 2 + runs * 4);
        header[12..16].copy_from_slice(&COOKIE_RUNS.to_le_bytes());
        header[16] = 1;
        header[17..21].copy_from_slice(&descriptor.to_le_bytes());
        out.extend_from_slice(&header[..21]);
        append_runs(values, runs, out);
        return;
    }
    out.reserve(28 + (values.len() * 2).min(BITSET_BYTES));
    header[12..16].copy_from_slice(&COOKIE_NO_RUNS.to_le_bytes());
    header[16] = 1;
    header[20..24].copy_from_slice(&descriptor.to_le_bytes());
    header[24] = 16;
    out.extend_from_slice(&header);
    append_array_or_bitset(values, out);
}

/// Whether a run container is smaller than the array or bitset.
#[inline]
pub(crate) fn is_run_smallest(cardinality: usize, runs: usize) -> bool {
    2 + runs * 4 < (cardinality * 2).min(BITSET_BYTES)
}

/// Splits off the values that share their upper half with the first one.
#[inline]
fn split_chunk(values: &[u32]) -> (&[u32], &[u32]) {
    let key = values[0] >> 16;
    let mut low = 1;
    let few = values.len().min(FEW);
    while low < few && values[low] >> 16 == key {
        low += 1;
    }
    if low < FEW || low == values.len() {
        return values.split_at(low);
    }
    let mut step = FEW;
    while low + step < values.len() && values[low + step] >> 16 == key {
        low += step;
        step *= 2;
    }
    let within =
        values[low..values.len().min(low + step)].partition_point(|value| value >> 16 == key);
    values.split_at(low + within)
}

/// Number of runs in the non-empty, ascending values of a chunk.
#[inline]
fn count_runs(chunk: &[u32]) -> usize {
    if chunk[chunk.len() - 1].wrapping_sub(chunk[0]) == chunk.len() as u32 - 1 {
        return 1;
    }
    if chunk.len() <= FEW {
        return 1 + chunk
            .windows(2)
            .filter(|pair| pair[1].wrapping_sub(pair[0]) != 1)
            .count();
    }
    words::count_value_runs(chunk)
}

/// Appends the smallest container for the ascending values of one chunk; returns whether it is a
/// run container.
#[inline]
fn append_container(chunk: &[u32], out: &mut Vec<u8>) -> bool {
    let runs = count_runs(chunk);
    let is_run = is_run_smallest(chunk.len(), runs);
    if is_run {
        append_runs(chunk, runs, out);
    } else {
        append_array_or_bitset(chunk, out);
    }
    is_run
}

#[inline]
fn append_array_or_bitset(chunk: &[u32], out: &mut Vec<u8>) {
    if chunk.len() <= ARRAY_MOST {
        append_low_halves(chunk, out);
    } else {
        let mut block = [[0; 8]; 1024];
        words::fill_block(&mut block, chunk);
        out.extend_from_slice(block.as_flattened());
    }
}

#[inline]
fn append_low_halves(values: &[u32], out: &mut Vec<u8>) {
    for part in values.chunks(64) {
        let mut halves = [[0; 2]; 64];
        for (half, value) in halves.iter_mut().zip(part) {
            *half = (*value as u16).to_le_bytes();
        }
        out.extend_from_slice(halves[..part.len()].as_flattened());
    }
}

fn append_runs(chunk: &[u32], runs: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(&(runs as u16).to_le_bytes());
    if chunk.len() <= runs * SHORT_RUN {
        return append_short_runs(chunk, runs, out);
    }
    let mut rest = chunk;
    while !rest.is_empty() {
        let len = first_run(rest);
        out.extend_from_slice(&((rest[0] & 0xFFFF) | (len as u32 - 1) << 16).to_le_bytes());
        rest = &rest[len..];
    }
}

/// Runs that are too short to be searched for: every value is looked at, and written to where the
/// next run starts, without a branch.
fn append_short_runs(chunk: &[u32], runs: usize, out: &mut Vec<u8>) {
    let from = out.len();
    out.resize(from + (runs + 1) * 4, 0);
    let (places, _) = out[from..].as_chunks_mut::<4>();
    let (mut run, mut start) = (0, chunk[0]);
    for pair in chunk.windows(2) {
        places[run] = run_of(start, pair[0]);
        let is_end = pair[1].wrapping_sub(pair[0]) != 1;
        run += usize::from(is_end);
        start = if is_end { pair[1] } else { start };
    }
    places[run] = run_of(start, chunk[chunk.len() - 1]);
    out.truncate(from + runs * 4);
}

fn run_of(first: u32, last: u32) -> [u8; 4] {
    ((first & 0xFFFF) | (last - first) << 16).to_le_bytes()
}

/// Length of the run that `values` start with: a search, as the values ascend strictly.
#[inline]
fn first_run(values: &[u32]) -> usize {
    let continues = |index: usize| (values[index] - values[0]) as usize == index;
    let (mut low, mut step) = (0, 1);
    while low + step < values.len() && continues(low + step) {
        low += step;
        step *= 2;
    }
    let mut high = values.len().min(low + step);
    while high - low > 1 {
        let middle = (low + high) / 2;
        if continues(middle) {
            low = middle
        } else {
            high = middle
        }
    }
    high
}
