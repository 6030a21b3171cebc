//! The canonical container for values that are an array, words, runs, or another container.

use super::container::Container;
use super::sorted::is_run_smallest;
use super::words::{self, Words};
use super::writer::Writer;
use super::{ARRAY_MOST, BITSET_BYTES, arrays};

/// With fewer values than this, an array is never larger than a run container.
const LEAST_FOR_RUN: usize = 4;

/// Room for an array of `most` values at the end of the output.
pub(super) fn array_room<'w>(writer: &'w mut Writer<'_>, most: usize) -> &'w mut [[u8; 2]] {
    let from = writer.out.len();
    writer.out.resize(from + most * 2, 0);
    writer.out[from..].as_chunks_mut().0
}

/// Completes a container whose `len` values (at most 4,096) were put at the start of the room at byte `from`.
pub(super) fn end_array(writer: &mut Writer<'_>, key: u16, from: usize, len: usize) {
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
    let mut found = Vec::with_capacity(runs as usize);
    collect_runs(values.as_chunks().0.iter().map(arrays::value), &mut found);
    append_runs(writer, key, len as u32, &found);
}

fn collect_runs(values: impl Iterator<Item = u16>, runs: &mut Vec<(u16, u16)>) {
    for value in values {
        match runs.last_mut() {
            Some(run) if run.1.checked_add(1) == Some(value) => run.1 = value,
            _ => runs.push((value, value)),
        }
    }
}

/// Appends a run container with these runs.
fn append_runs(writer: &mut Writer<'_>, key: u16, cardinality: u32, runs: &[(u16, u16)]) {
    let from = writer.out.len();
    writer.out.extend_from_slice(&(runs.len() as u16).to_le_bytes());
    writer.out.extend(runs.iter().flat_map(|(first, last)| (u32::from(*first) | u32::from(last - first) << 16).to_le_bytes()));
    writer.end_container(key, cardinality, from, true);
}

/// Writes ascending maximal runs; nothing for none.
pub(super) fn write_runs(writer: &mut Writer<'_>, key: u16, runs: &[(u16, u16)]) {
    let cardinality: u32 = runs.iter().map(|(first, last)| u32::from(last - first) + 1).sum();
    let from = writer.out.len();
    if cardinality == 0 {
    } else if is_run_smallest(cardinality as usize, runs.len()) {
        append_runs(writer, key, cardinality, runs);
    } else if cardinality as usize <= ARRAY_MOST {
        for (first, last) in runs {
            writer.out.extend((*first..=*last).flat_map(u16::to_le_bytes));
        }
        writer.end_container(key, cardinality, from, false);
    } else {
        let mut words = [0; 1024];
        for (first, last) in runs {
            words::set_range(&mut words, usize::from(*first), usize::from(*last));
        }
        append_bitset(writer, key, cardinality, &words);
    }
}

/// Appends a bitset container with these bits.
fn append_bitset(writer: &mut Writer<'_>, key: u16, cardinality: u32, words: &Words) {
    let from = writer.out.len();
    writer.out.extend_from_slice(words.map(u64::to_le_bytes).as_flattened());
    writer.end_container(key, cardinality, from, false);
}

/// Appends a run container with the runs of set bits, which are fewer than 2,048.
fn append_word_runs(writer: &mut Writer<'_>, key: u16, cardinality: u32, words: &Words) {
    let (mut starts, mut ends) = ([[0; 2]; 2048 + words::SLACK], [[0; 2]; 2048 + words::SLACK]);
    let count = words::extract(&words::starts(words), &mut starts);
    words::extract(&words::ends(words), &mut ends);
    let from = writer.out.len();
    writer.out.extend_from_slice(&(count as u16).to_le_bytes());
    writer.out.extend(starts[..count].iter().zip(&ends).flat_map(|(start, end)| {
        let more = arrays::value(end).wrapping_sub(arrays::value(start)).to_le_bytes();
        [start[0], start[1], more[0], more[1]]
    }));
    writer.end_container(key, cardinality, from, true);
}

/// Writes the set bits; nothing for none.
pub(super) fn write_words(writer: &mut Writer<'_>, key: u16, words: &Words) {
    let cardinality = words::count_words(words);
    if cardinality == 0 {
        return;
    }
    let runs = words::count_runs(words);
    if is_run_smallest(cardinality as usize, runs as usize) {
        append_word_runs(writer, key, cardinality, words);
    } else if cardinality as usize <= ARRAY_MOST {
        let from = writer.out.len();
        let len = words::extract(words, array_room(writer, cardinality as usize + words::SLACK));
        writer.out.truncate(from + len * 2);
        writer.end_container(key, cardinality, from, false);
    } else {
        append_bitset(writer, key, cardinality, words);
    }
}

/// Writes a container as it is, or in its canonical form if it is not.
pub(super) fn write_container(writer: &mut Writer<'_>, key: u16, container: &Container<'_>) {
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
            writer.out.extend_from_slice(&(runs.len() as u16).to_le_bytes());
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
            other.or_into(&mut words);
            write_words(writer, key, &words);
        }
    }
}
