//! Union of containers in words. Its loops are loops: what closures do is not compiled for the
//! processor at hand. Bench: `or of 20` in `benches/kernels.rs`.

use crate::format::container::{Container, Serialized, run_bounds};
use crate::kernels::cpu::per_cpu;
use crate::kernels::value::Values;
use crate::kernels::value::value;
use crate::kernels::words;
use crate::kernels::words::Words;

#[inline(always)]
fn set_value(words: &mut Words, bytes: &[u8; 2]) {
    let value = value(bytes);
    words[usize::from(value >> 6)] |= 1 << (value & 63);
}

/// Sets the bits of values.
#[inline(always)]
fn set_values(words: &mut Words, values: &Values) {
    for value in values {
        set_value(words, value);
    }
}

/// Runs that are turned to bits at once.
const RUNS: usize = 16;

/// What a run of up to 64 values sets: a word, bits of it, and bits of the next one.
#[inline(always)]
fn bits_of(run: u32) -> (u16, u64, u64) {
    let (first, more) = (run as u16, run >> 16);
    let (bits, shift) = (u64::MAX >> (63 - (more & 63)), u64::from(first & 63));
    (first >> 6, bits << shift, bits >> 1 >> (63 - shift))
}

#[inline(always)]
fn set_run(words: &mut Words, run: u32) {
    let (first, more) = ((run & 0xFFFF) as usize, (run >> 16) as usize);
    if more > 63 {
        return words::set_range(words, first, first + more);
    }
    let (head, low, high) = bits_of(run);
    words[usize::from(head & 1023)] |= low;
    words[usize::from(head + 1) & 1023] |= high;
}

/// Sets the bits of runs. Those of up to 64 values take no branch: what they reach of the next word
/// may be nothing.
#[inline(always)]
fn set_block(words: &mut Words, runs: &[[u8; 4]; RUNS]) {
    let (mut heads, mut lows, mut highs, mut longest) = ([0; RUNS], [0; RUNS], [0; RUNS], 0);
    for at in 0..RUNS {
        let run = u32::from_le_bytes(runs[at]);
        (heads[at], lows[at], highs[at]) = bits_of(run);
        longest |= run >> 16;
    }
    if longest > 63 {
        for run in runs {
            set_run(words, u32::from_le_bytes(*run));
        }
        return;
    }
    for at in 0..RUNS {
        let head = usize::from(heads[at] & 1023);
        words[head] |= lows[at];
        // Beyond the last word there is nothing.
        words[(head + 1) & 1023] |= highs[at];
    }
}

/// Sets the bits of runs.
#[inline(always)]
fn set_runs(words: &mut Words, runs: &Serialized) {
    let (blocks, rest) = runs.as_chunks::<RUNS>();
    for block in blocks {
        set_block(words, block);
    }
    for run in rest {
        set_run(words, u32::from_le_bytes(*run));
    }
}

#[inline(always)]
fn set(words: &mut Words, container: &Container<'_>) {
    match container {
        Container::Array(values) => set_values(words, values),
        Container::Bitset(block, _) => {
            for (word, bytes) in words.iter_mut().zip(*block) {
                *word |= u64::from_le_bytes(*bytes);
            }
        }
        Container::Run(runs, _) => set_runs(words, runs),
    }
}

per_cpu! {
    /// Sets the bits of a container's values.
    pub(crate) fn or_one(words: &mut Words, container: &Container<'_>) {
        set(words, container)
    }

    /// Sets the bits of all values of several containers.
    pub(crate) fn or_all(words: &mut Words, containers: &[Container<'_>]) {
        for container in containers {
            set(words, container);
        }
    }
}

/// Sets the bit of every value; bit 0 is the container's value 0. Values beyond the end of `bits`
/// are ignored.
pub(crate) fn or_into(bits: &mut [u64], container: &Container<'_>) {
    if let Ok(words) = bits.try_into() {
        return or_one(words, container);
    }
    match container {
        Container::Array(values) => {
            for value in values.iter().map(value) {
                if let Some(word) = bits.get_mut(usize::from(value >> 6)) {
                    *word |= 1 << (value & 63);
                }
            }
        }
        Container::Bitset(block, _) => words::or_block(bits, block),
        Container::Run(runs, _) => {
            for (first, last) in runs.iter().map(run_bounds) {
                words::set_range(bits, usize::from(first), usize::from(last));
            }
        }
    }
}
