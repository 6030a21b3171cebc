//! Loops over run containers where they lie.

use super::arrays::Values;
use super::container::run_bounds;
use super::words::{Block, Words};

/// Beyond this many values per run, the array is searched for each run's bounds.
const SKEW: usize = 16;

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

/// The words with only the bits in the runs.
pub(super) fn mask(block: &Block, runs: &Serialized) -> Words {
    let mut words = [0; 1024];
    super::words::set_runs(&mut words, runs);
    super::words::and_block(&mut words, block);
    words
}
