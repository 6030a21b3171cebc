//! One container from two with the same key, for each set operation.

use crate::ARRAY_MOST;
use crate::format::container::Serialized;
use crate::format::container::{Container, has_bit, run_bounds};
use crate::format::encode::{array_room, end_array, write_container, write_runs, write_words};
use crate::format::runs;
use crate::format::stretches::Stretches;
use crate::format::unite;
use crate::format::writer::Writer;
use crate::kernels::arrays;
use crate::kernels::value::Values;
use crate::kernels::value::value;
use crate::kernels::words;
use crate::kernels::words::Words;
use Container::{Array, Bitset, Run};

/// Up to this many stretches, runs are merged one by one; beyond, as words.
const FEW_STRETCHES: usize = 512;

/// Puts the values together that `keep` chooses among those of an array.
fn filter_array(writer: &mut Writer<'_>, key: u16, values: &Values, keep: impl Fn(u16) -> bool) {
    let from = writer.out.len();
    let room = array_room(writer, values.len());
    let mut len = 0;
    for bytes in values {
        if let Some(place) = room.get_mut(len) {
            *place = *bytes;
        }
        len += usize::from(keep(value(bytes)));
    }
    end_array(writer, key, from, len);
}

/// An array container made by a loop over two arrays that needs room for `most` values and some
/// more.
fn from_arrays(
    writer: &mut Writer<'_>,
    key: u16,
    most: usize,
    fill: impl FnOnce(&mut Values) -> usize,
) {
    let from = writer.out.len();
    let len = fill(array_room(writer, most + arrays::SLACK));
    end_array(writer, key, from, len);
}

/// The values of an array that lie in runs.
fn cover_array(writer: &mut Writer<'_>, key: u16, values: &Values, covers: &Serialized) {
    let from = writer.out.len();
    let mut len = 0;
    runs::for_each_covered(values, covers, |start, end| {
        writer
            .out
            .extend_from_slice(values[start..end].as_flattened());
        len += end - start;
    });
    end_array(writer, key, from, len);
}

/// The values of an array that lie in no run.
fn uncover_array(writer: &mut Writer<'_>, key: u16, values: &Values, covers: &Serialized) {
    let from = writer.out.len();
    let mut at = 0;
    runs::for_each_covered(values, covers, |start, end| {
        writer
            .out
            .extend_from_slice(values[at..start].as_flattened());
        at = end;
    });
    writer.out.extend_from_slice(values[at..].as_flattened());
    let len = (writer.out.len() - from) / 2;
    end_array(writer, key, from, len);
}

fn load(container: &Container<'_>) -> Words {
    match container {
        Bitset(block, _) => block.map(u64::from_le_bytes),
        other => {
            let mut words = [0; 1024];
            unite::or_into(&mut words, other);
            words
        }
    }
}

/// Whether merging stretches is cheaper than going through words.
fn are_few(a: &Container<'_>, b: &Container<'_>) -> bool {
    let stretches = |container: &Container<'_>| match container {
        Array(values) => values.len(),
        Bitset(..) => usize::MAX / 2,
        Run(runs, _) => runs.len(),
    };
    stretches(a) + stretches(b) <= FEW_STRETCHES
}

/// Values in both.
pub(crate) fn and(
    writer: &mut Writer<'_>,
    key: u16,
    a: &Container<'_>,
    b: &Container<'_>,
    found: &mut Stretches,
) {
    match (a, b) {
        (Array(a), Array(b)) => from_arrays(writer, key, a.len().min(b.len()), |out| {
            arrays::and(a, b, out)
        }),
        (Array(values), Bitset(block, _)) | (Bitset(block, _), Array(values)) => {
            filter_array(writer, key, values, |value| has_bit(block, value));
        }
        (Array(values), Run(runs, _)) | (Run(runs, _), Array(values)) => {
            cover_array(writer, key, values, runs)
        }
        // To count is much faster than to write, and what is shared is often nothing.
        (Run(left, _), Run(right, _)) => {
            if runs::and_count(left, right) > 0 {
                write_runs(writer, key, found.and(a, b));
            }
        }
        (Run(runs, _), Bitset(block, _)) | (Bitset(block, _), Run(runs, _)) => {
            write_words(writer, key, &runs::mask(block, runs));
        }
        (Bitset(a, _), Bitset(b, _)) => write_words(writer, key, &words::and(a, b)),
    }
}

/// Values in `a` that are not in `b`.
pub(crate) fn and_not(
    writer: &mut Writer<'_>,
    key: u16,
    a: &Container<'_>,
    b: &Container<'_>,
    found: &mut Stretches,
) {
    match (a, b) {
        (Array(a), Array(b)) => from_arrays(writer, key, a.len(), |out| arrays::and_not(a, b, out)),
        (Array(values), Bitset(block, _)) => {
            filter_array(writer, key, values, |value| !has_bit(block, value))
        }
        (Array(values), Run(runs, _)) => uncover_array(writer, key, values, runs),
        (Run(..), Array(_) | Run(..)) if are_few(a, b) => {
            write_runs(writer, key, found.and_not(a, b));
        }
        _ => {
            let mut words = load(a);
            clear(&mut words, b);
            write_words(writer, key, &words);
        }
    }
}

fn clear(words: &mut Words, container: &Container<'_>) {
    match container {
        Array(values) => {
            for value in values.iter().map(value) {
                words[usize::from(value >> 6)] &= !(1 << (value & 63));
            }
        }
        Bitset(block, _) => words::and_not_block(words, block),
        Run(runs, _) => runs
            .iter()
            .map(run_bounds)
            .for_each(|(first, last)| words::clear_range(words, first, last)),
    }
}

/// Flips the bit of every value.
pub(crate) fn flip(words: &mut Words, container: &Container<'_>) {
    match container {
        Array(values) => {
            for value in values.iter().map(value) {
                words[usize::from(value >> 6)] ^= 1 << (value & 63);
            }
        }
        Bitset(block, _) => words::xor_block(words, block),
        Run(runs, _) => runs
            .iter()
            .map(run_bounds)
            .for_each(|(first, last)| words::flip_range(words, first, last)),
    }
}

fn is_full(container: &Container<'_>) -> bool {
    container.cardinality() == 1 << 16
}

/// Values in either.
pub(crate) fn or(
    writer: &mut Writer<'_>,
    key: u16,
    a: &Container<'_>,
    b: &Container<'_>,
    found: &mut Stretches,
) {
    match (a, b) {
        _ if is_full(a) => write_container(writer, key, a),
        _ if is_full(b) => write_container(writer, key, b),
        (Array(a), Array(b)) if a.len() + b.len() <= ARRAY_MOST => {
            from_arrays(writer, key, a.len() + b.len(), |out| arrays::or(a, b, out));
        }
        (Run(..), Array(_) | Run(..)) | (Array(_), Run(..)) if are_few(a, b) => {
            write_runs(writer, key, found.or(a, b));
        }
        _ => {
            let (base, other) = if matches!(b, Bitset(..)) {
                (b, a)
            } else {
                (a, b)
            };
            let mut words = load(base);
            unite::or_into(&mut words, other);
            write_words(writer, key, &words);
        }
    }
}

/// Values in exactly one.
pub(crate) fn xor(
    writer: &mut Writer<'_>,
    key: u16,
    a: &Container<'_>,
    b: &Container<'_>,
    found: &mut Stretches,
) {
    match (a, b) {
        (Array(a), Array(b)) if a.len() + b.len() <= ARRAY_MOST => {
            from_arrays(writer, key, a.len() + b.len(), |out| arrays::xor(a, b, out));
        }
        (Run(..), Array(_) | Run(..)) | (Array(_), Run(..)) if are_few(a, b) => {
            write_runs(writer, key, found.xor(a, b));
        }
        _ => {
            let (base, other) = if matches!(b, Bitset(..)) {
                (b, a)
            } else {
                (a, b)
            };
            let mut words = load(base);
            flip(&mut words, other);
            write_words(writer, key, &words);
        }
    }
}

/// Number of values in both. Part of its callers, so that a container need not go through memory to
/// get here.
#[inline(always)]
pub(crate) fn and_count(a: &Container<'_>, b: &Container<'_>) -> u32 {
    match (a, b) {
        (Array(a), Array(b)) => arrays::and_count(a, b),
        (Array(values), Bitset(block, _)) | (Bitset(block, _), Array(values)) => {
            words::count_values(block, values)
        }
        (Array(values), Run(runs, _)) | (Run(runs, _), Array(values)) => {
            runs::and_values_count(values, runs)
        }
        (Run(a, _), Run(b, _)) => runs::and_count(a, b),
        (Run(runs, _), Bitset(block, _)) | (Bitset(block, _), Run(runs, _)) => {
            runs::count_bits(block, runs)
        }
        (Bitset(a, _), Bitset(b, _)) => words::and_count(a, b),
    }
}
