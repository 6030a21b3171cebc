//! The canonical container for values that are an array, words, runs, or another container.

use super::container::Container;
use super::sorted::is_run_smallest;
use super::stretches;
use super::unite;
use super::writer::Writer;
use crate::kernels::arrays;
use crate::kernels::positions;
use crate::kernels::words;
use crate::kernels::words::Words;
use crate::{ARRAY_MOST, BITSET_BYTES};

/// With fewer values than this, an array is never larger than a run container.
const LEAST_FOR_RUN: usize = 4;

/// Values of a run that are written at once.
const EXPANDED: usize = 4;

/// Room for an array of `most` values at the end of the output.
pub(crate) fn array_room<'w>(writer: &'w mut Writer<'_>, most: usize) -> &'w mut [[u8; 2]] {
    let from = writer.out.len();
    writer.out.resize(from + most * 2, 0);
    writer.out[from..].as_chunks_mut().0
}

/// Completes a container whose `len` values (at most 4,096) were put at the start of the room at
/// byte `from`.
pub(crate) fn end_array(writer: &mut Writer<'_>, key: u16, from: usize, len: usize) {
    writer.out.truncate(from + len * 2);
    if len == 0 {
        return;
    }
    if len < LEAST_FOR_RUN {
        writer.end_container(key, len as u32, from, false);
        return;
    }
    let runs = arrays::count_runs(writer.out[from..].as_chunks().0);
    if !is_run_smallest(len, runs as usize) {
        writer.end_container(key, len as u32, from, false);
        return;
    }
    let values = writer.out.split_off(from);
    let mut found = vec![0; len + 1];
    let count = stretches::join_values(values.as_chunks().0, &mut found);
    append_runs(writer, key, len as u32, &found[..count]);
}

/// Appends a run container with these runs.
fn append_runs(writer: &mut Writer<'_>, key: u16, cardinality: u32, runs: &[u32]) {
    let from = writer.out.len();
    writer.out.resize(from + 2 + runs.len() * 4, 0);
    let (count, places) = writer.out[from..].split_at_mut(2);
    count.copy_from_slice(&(runs.len() as u16).to_le_bytes());
    for (place, run) in places.as_chunks_mut::<4>().0.iter_mut().zip(runs) {
        let (first, last) = (run >> 16, run & 0xFFFF);
        *place = (first | last.wrapping_sub(first) << 16).to_le_bytes();
    }
    writer.end_container(key, cardinality, from, true);
}

/// Writes the values of ascending runs to room for all and [`EXPANDED`] more, for most runs without
/// a branch on the data.
fn expand(runs: &[u32], out: &mut [[u8; 2]]) {
    let mut len = 0;
    for run in runs {
        let first = run >> 16;
        let count = (run & 0xFFFF).wrapping_sub(first) as usize + 1;
        let Some((room, others)) = out
            .get_mut(len..)
            .and_then(|room| room.split_first_chunk_mut::<EXPANDED>())
        else {
            return;
        };
        for (place, value) in room.iter_mut().zip(first..) {
            *place = (value as u16).to_le_bytes();
        }
        if count > EXPANDED {
            for (place, value) in others
                .iter_mut()
                .take(count - EXPANDED)
                .zip(first + EXPANDED as u32..)
            {
                *place = (value as u16).to_le_bytes();
            }
        }
        len += count;
    }
}

/// Writes ascending maximal runs, each `first << 16 | last`; nothing for none.
pub(crate) fn write_runs(writer: &mut Writer<'_>, key: u16, runs: &[u32]) {
    let cardinality: u32 = runs
        .iter()
        .map(|run| (run & 0xFFFF).wrapping_sub(run >> 16) + 1)
        .sum();
    if cardinality == 0 {
    } else if is_run_smallest(cardinality as usize, runs.len()) {
        append_runs(writer, key, cardinality, runs);
    } else if cardinality as usize <= ARRAY_MOST {
        let from = writer.out.len();
        expand(runs, array_room(writer, cardinality as usize + EXPANDED));
        writer.out.truncate(from + cardinality as usize * 2);
        writer.end_container(key, cardinality, from, false);
    } else {
        let mut words = [0; 1024];
        for run in runs {
            words::set_range(&mut words, (run >> 16) as usize, (run & 0xFFFF) as usize);
        }
        append_bitset(writer, key, cardinality, &words);
    }
}

/// Appends a bitset container with these bits.
fn append_bitset(writer: &mut Writer<'_>, key: u16, cardinality: u32, words: &Words) {
    let from = writer.out.len();
    writer
        .out
        .extend_from_slice(words.map(u64::to_le_bytes).as_flattened());
    writer.end_container(key, cardinality, from, false);
}

/// Appends a run container with the runs of set bits, of which there are `count`.
fn append_word_runs(
    writer: &mut Writer<'_>,
    key: u16,
    cardinality: u32,
    words: &Words,
    count: usize,
) {
    let from = writer.out.len();
    writer
        .out
        .resize(from + 2 + count * 4 + positions::SLACK * 2, 0);
    let (head, places) = writer.out[from..].split_at_mut(2);
    head.copy_from_slice(&(count as u16).to_le_bytes());
    let places = places.as_chunks_mut::<2>().0;
    let found = positions::extract(&words::changes(words), places);
    // A run that holds the last value ends beyond it.
    places[found] = [0; 2];
    for run in places
        .as_flattened_mut()
        .as_chunks_mut::<4>()
        .0
        .iter_mut()
        .take(count)
    {
        let bounds = u32::from_le_bytes(*run);
        *run = bounds
            .wrapping_sub(bounds << 16)
            .wrapping_sub(1 << 16)
            .to_le_bytes();
    }
    writer.out.truncate(from + 2 + count * 4);
    writer.end_container(key, cardinality, from, true);
}

/// Writes the set bits; nothing for none.
pub(crate) fn write_words(writer: &mut Writer<'_>, key: u16, words: &Words) {
    let (cardinality, runs) = words::count_words_and_runs(words);
    if cardinality == 0 {
        return;
    }
    if is_run_smallest(cardinality as usize, runs as usize) {
        append_word_runs(writer, key, cardinality, words, runs as usize);
    } else if cardinality as usize <= ARRAY_MOST {
        let from = writer.out.len();
        let len = positions::extract(
            words,
            array_room(writer, cardinality as usize + positions::SLACK),
        );
        writer.out.truncate(from + len * 2);
        writer.end_container(key, cardinality, from, false);
    } else {
        append_bitset(writer, key, cardinality, words);
    }
}

/// Writes a container as it is, or in its canonical form if it is not.
pub(crate) fn write_container(writer: &mut Writer<'_>, key: u16, container: &Container<'_>) {
    let cardinality = container.cardinality();
    let from = writer.out.len();
    if let Container::Array(values) = container
        && values.len() < LEAST_FOR_RUN
    {
        writer.out.extend_from_slice(values.as_flattened());
        writer.end_container(key, cardinality, from, false);
        return;
    }
    let is_run = is_run_smallest(cardinality as usize, container.count_runs() as usize);
    match container {
        Container::Run(runs, _) if is_run => {
            writer
                .out
                .extend_from_slice(&(runs.len() as u16).to_le_bytes());
            writer.out.extend_from_slice(runs.as_flattened());
            writer.end_container(key, cardinality, from, true);
        }
        Container::Array(values) if !is_run => {
            writer.out.extend_from_slice(values.as_flattened());
            writer.end_container(key, cardinality, from, false);
        }
        Container::Bitset(block, _) if !is_run => {
            writer.out.extend_from_slice(block.as_flattened());
            debug_assert_eq!(writer.out.len() - from, BITSET_BYTES);
            writer.end_container(key, cardinality, from, false);
        }
        other => {
            let mut words = [0; 1024];
            unite::or_into(&mut words, other);
            write_words(writer, key, &words);
        }
    }
}
