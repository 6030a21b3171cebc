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

/// Where the walk over two lists of runs is.
struct Walk<'r> {
    a: &'r Serialized,
    b: &'r Serialized,
    i: usize,
    j: usize,
    count: u32,
}

impl<'r> Walk<'r> {
    fn new(a: &'r Serialized, b: &'r Serialized) -> Self {
        Self { a, b, i: 0, j: 0, count: 0 }
    }

    /// Counts one overlap and steps over the run that ends first; false at the end. Without a branch on the data.
    #[inline(always)]
    fn step(&mut self) -> bool {
        let (Some(left), Some(right)) = (self.a.get(self.i), self.b.get(self.j)) else { return false };
        let (left, right) = (run_bounds(left), run_bounds(right));
        let (first, last) = (left.0.max(right.0), left.1.min(right.1));
        self.count += (u32::from(last) + 1).saturating_sub(u32::from(first));
        self.i += usize::from(left.1 <= right.1);
        self.j += usize::from(right.1 <= left.1);
        true
    }
}

/// Number of values in both. Walks the lower and the upper half at once: each walk waits for its own loads only.
pub(super) fn and_count(a: &Serialized, b: &Serialized) -> u32 {
    let half = a.len() / 2;
    let Some(pivot) = a.get(half).map(|run| run_bounds(run).0) else { return 0 };
    let split = b.partition_point(|run| run_bounds(run).0 < pivot);
    let reaches_over = split > 0 && run_bounds(&b[split - 1]).1 >= pivot;
    let mut low = Walk::new(&a[..half], &b[..split]);
    let mut high = Walk::new(&a[half..], &b[split - usize::from(reaches_over)..]);
    while low.step() & high.step() {}
    while low.step() {}
    while high.step() {}
    low.count + high.count
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

/// Where membership changes: at the start of a stretch, and after its end; beyond the last one, nowhere.
struct Changes<I> {
    stretches: I,
    next: u32,
    end: u32,
}

impl<I: Iterator<Item = (u16, u16)>> Changes<I> {
    fn new(stretches: I) -> Self {
        let mut changes = Self { stretches, next: u32::MAX, end: u32::MAX };
        changes.step();
        changes
    }

    #[inline(always)]
    fn step(&mut self) {
        if self.end != u32::MAX {
            self.next = self.end;
            self.end = u32::MAX;
        } else if let Some((first, last)) = self.stretches.next() {
            self.next = u32::from(first);
            self.end = u32::from(last) + 1;
        } else {
            self.next = u32::MAX;
        }
    }
}

/// The values in exactly one, as maximal runs, for two ascending sequences of separate stretches. Changes of both at the
/// same place cancel out.
#[inline(always)]
pub(super) fn xor(a: impl Iterator<Item = (u16, u16)>, b: impl Iterator<Item = (u16, u16)>, out: &mut Runs) {
    out.clear();
    let (mut a, mut b) = (Changes::new(a), Changes::new(b));
    let mut start = u32::MAX;
    loop {
        let place = a.next.min(b.next);
        if place == u32::MAX {
            return;
        }
        let is_change = a.next != b.next;
        if a.next == place {
            a.step();
        }
        if b.next == place {
            b.step();
        }
        if is_change && start == u32::MAX {
            start = place;
        } else if is_change {
            if start < place {
                append(out, start as u16, (place - 1) as u16);
            }
            start = u32::MAX;
        }
    }
}

/// The words with only the bits in the runs.
pub(super) fn mask(block: &Block, runs: &Serialized) -> Words {
    let mut words = [0; 1024];
    super::words::set_runs(&mut words, runs);
    super::words::and_block(&mut words, block);
    words
}
