//! Loops over ascending intervals of values: run containers, and arrays seen as runs of one.

use super::arrays::Values;
use super::container::run_bounds;
use super::words::{Block, Words};

/// Beyond this many values per run, the array is searched for each run's bounds.
const SKEW: usize = 16;

/// Runs of an array or run container, ascending, as first and last value.
pub(super) type Runs = Vec<(u16, u16)>;
/// Runs of a run container where they lie.
pub(super) type Serialized = [[u8; 4]];

/// Number of values in both. Without a branch on the data.
pub(super) fn and_count(a: &Serialized, b: &Serialized) -> u32 {
    let (mut i, mut j) = (0, 0);
    let mut count = 0;
    while i < a.len() && j < b.len() {
        let (left, right) = (run_bounds(&a[i]), run_bounds(&b[j]));
        let (first, end) = (left.0.max(right.0), u32::from(left.1.min(right.1)) + 1);
        count += end.saturating_sub(u32::from(first));
        i += usize::from(left.1 <= right.1);
        j += usize::from(right.1 <= left.1);
    }
    count
}

/// Number of array values that runs hold.
pub(super) fn and_values_count(values: &Values, runs: &Serialized) -> u32 {
    let mut count = 0;
    if values.len() > runs.len() * SKEW {
        for_each_covered(values, runs, |start, end| count += (end - start) as u32);
        return count;
    }
    let (mut i, mut j) = (0, 0);
    while i < values.len() && j < runs.len() {
        let value = super::arrays::value(&values[i]);
        let (first, last) = run_bounds(&runs[j]);
        count += u32::from(first <= value && value <= last);
        i += usize::from(value <= last);
        j += usize::from(last < value);
    }
    count
}

/// Calls `visit` with first and last value of every stretch that is in both, ascending.
#[inline(always)]
pub(super) fn for_each_overlap(a: &Serialized, b: &Serialized, mut visit: impl FnMut(u16, u16)) {
    let (mut i, mut j) = (0, 0);
    while i < a.len() && j < b.len() {
        let (left, right) = (run_bounds(&a[i]), run_bounds(&b[j]));
        let (first, last) = (left.0.max(right.0), left.1.min(right.1));
        if first <= last {
            visit(first, last);
        }
        i += usize::from(left.1 <= right.1);
        j += usize::from(right.1 <= left.1);
    }
}

/// Calls `visit` with every stretch of array values that lie in one run: start and end index.
#[inline(always)]
pub(super) fn for_each_covered(values: &Values, runs: &Serialized, mut visit: impl FnMut(usize, usize)) {
    let mut at = 0;
    for run in runs {
        let (first, last) = run_bounds(run);
        at += super::arrays::gallop(&values[at..], first);
        let end = match last.checked_add(1) {
            Some(after) => at + super::arrays::gallop(&values[at..], after),
            None => values.len(),
        };
        if end > at {
            visit(at, end);
            at = end;
        }
        if at == values.len() {
            return;
        }
    }
}

/// Number of bits set in the runs.
pub(super) fn count_bits(block: &Block, runs: &Serialized) -> u32 {
    runs.iter().map(|run| count_range(block, run_bounds(run))).sum()
}

fn count_range(block: &Block, (first, last): (u16, u16)) -> u32 {
    let (head, tail) = (usize::from(first >> 6), usize::from(last >> 6));
    let head_mask = u64::MAX << (first & 63);
    let tail_mask = u64::MAX >> (63 - (last & 63));
    let word = |index: usize| u64::from_le_bytes(block[index]);
    if head == tail {
        return (word(head) & head_mask & tail_mask).count_ones();
    }
    let inner = super::words::count_part(&block[head + 1..tail]);
    (word(head) & head_mask).count_ones() + inner + (word(tail) & tail_mask).count_ones()
}

/// Appends a stretch after the runs, merging it with the last one where they overlap or touch.
#[inline(always)]
fn append(runs: &mut Runs, first: u16, last: u16) {
    match runs.last_mut() {
        Some(before) if u32::from(first) <= u32::from(before.1) + 1 => before.1 = before.1.max(last),
        _ => runs.push((first, last)),
    }
}

/// The values in either, as maximal runs, for two ascending sequences of stretches.
#[inline(always)]
pub(super) fn or(a: impl Iterator<Item = (u16, u16)>, b: impl Iterator<Item = (u16, u16)>, out: &mut Runs) {
    out.clear();
    let (mut a, mut b) = (a.peekable(), b.peekable());
    loop {
        let next = match (a.peek(), b.peek()) {
            (Some(left), Some(right)) if left.0 <= right.0 => a.next(),
            (_, Some(_)) => b.next(),
            _ => a.next(),
        };
        let Some((first, last)) = next else { return };
        append(out, first, last);
    }
}

/// The values of `a` that are not in `b`, as maximal runs, for two ascending sequences of separate stretches.
#[inline(always)]
pub(super) fn and_not(a: impl Iterator<Item = (u16, u16)>, b: impl Iterator<Item = (u16, u16)>, out: &mut Runs) {
    out.clear();
    let mut b = b.peekable();
    for (first, last) in a {
        let mut from = u32::from(first);
        while let Some((hole, hole_last)) = b.peek().copied() {
            if hole > last {
                break;
            }
            if u32::from(hole) > from {
                append(out, from as u16, hole - 1);
            }
            from = from.max(u32::from(hole_last) + 1);
            if hole_last > last {
                break;
            }
            b.next();
        }
        if from <= u32::from(last) {
            append(out, from as u16, last);
        }
    }
}

/// The values in exactly one, as maximal runs, for two ascending sequences of separate stretches: where a stretch starts
/// or has ended, membership changes; changes at the same place cancel out.
#[inline(always)]
pub(super) fn xor(a: impl Iterator<Item = (u16, u16)>, b: impl Iterator<Item = (u16, u16)>, out: &mut Runs) {
    out.clear();
    let changes = |(first, last): (u16, u16)| [u32::from(first), u32::from(last) + 1];
    let (mut a, mut b) = (a.flat_map(changes), b.flat_map(changes));
    let (mut left, mut right) = (a.next(), b.next());
    let mut start = None;
    loop {
        let at = match (left, right) {
            (Some(x), Some(y)) if x == y => {
                (left, right) = (a.next(), b.next());
                continue;
            }
            (Some(x), y) if y.is_none_or(|y| x < y) => {
                left = a.next();
                x
            }
            (_, Some(y)) => {
                right = b.next();
                y
            }
            _ => return,
        };
        match start.take() {
            None => start = Some(at),
            Some(first) if first < at => append(out, first as u16, (at - 1) as u16),
            Some(_) => {}
        }
    }
}

/// The words with only the bits in the runs.
pub(super) fn mask(block: &Block, runs: &Serialized) -> Words {
    let mut words = [0; 1024];
    for run in runs {
        let (first, last) = run_bounds(run);
        super::words::set_range(&mut words, usize::from(first), usize::from(last));
    }
    super::words::and_block(&mut words, block);
    words
}
