//! Loops over run containers where they lie.

use super::container::Serialized;
use super::container::{Container, run_bounds};
use crate::kernels::value::Values;
use crate::kernels::value::value;
use crate::kernels::words::{Block, Words};

/// Beyond this many values per run, the array is searched for each run's bounds.
const SKEW: usize = 16;

/// Up to this many pairs of a value and a run are compared one by one.
const FEW_PAIRS: usize = 32;
/// Stretches compared at once.
const LANES: usize = 32;

/// Consecutive values of one container where they lie.
trait Stretch {
    /// First value and end, where the last value of a container, 65,535, counts as its end.
    fn span(&self) -> (u16, u16);
}

impl Stretch for [u8; 4] {
    #[inline(always)]
    fn span(&self) -> (u16, u16) {
        let run = u32::from_le_bytes(*self);
        (
            run as u16,
            (run as u16)
                .saturating_add((run >> 16) as u16)
                .saturating_add(1),
        )
    }
}

impl Stretch for [u8; 2] {
    #[inline(always)]
    fn span(&self) -> (u16, u16) {
        let value = value(self);
        (value, value.saturating_add(1))
    }
}

/// Up to [`LANES`] stretches side by side; those that are missing hold nothing.
struct Lanes {
    starts: [u16; LANES],
    ends: [u16; LANES],
}

#[expect(
    clippy::needless_range_loop,
    reason = "as iterators the loops over lanes do not become vectors: 2.6 times slower"
)]
impl Lanes {
    #[inline(always)]
    fn new<A: Stretch>(stretches: &[A]) -> Self {
        let mut lanes = Self {
            starts: [u16::MAX; LANES],
            ends: [0; LANES],
        };
        if let Some(stretches) = stretches.first_chunk::<LANES>() {
            for lane in 0..LANES {
                (lanes.starts[lane], lanes.ends[lane]) = stretches[lane].span();
            }
        } else {
            for (lane, stretch) in stretches.iter().enumerate() {
                (lanes.starts[lane % LANES], lanes.ends[lane % LANES]) = stretch.span();
            }
        }
        lanes
    }

    /// Number of values that also are in one of the others; 65,535 is not counted.
    #[inline(always)]
    fn count<B: Stretch>(&self, others: &[B]) -> u32 {
        let mut counts = [0u16; LANES];
        for other in others {
            let (start, end) = other.span();
            for lane in 0..LANES {
                counts[lane] += self.ends[lane]
                    .min(end)
                    .saturating_sub(self.starts[lane].max(start));
            }
        }
        counts.iter().map(|count| u32::from(*count)).sum()
    }
}

/// Number of values but 65,535 in both.
#[inline(always)]
fn overlap<A: Stretch, B: Stretch>(a: &[A], b: &[B]) -> u32 {
    let mut count = 0;
    let mut b = b;
    for block in a.chunks(LANES) {
        let (Some(first), Some(last)) = (block.first(), block.last()) else {
            break;
        };
        let (first, last) = (first.span().0, last.span().1);
        while let Some((next, rest)) = b.split_first()
            && next.span().1 <= first
        {
            b = rest;
        }
        let reached = b
            .iter()
            .position(|next| next.span().0 >= last)
            .unwrap_or(b.len());
        if reached > 0 {
            count += Lanes::new(block).count(&b[..reached]);
        }
    }
    count
}

crate::kernels::cpu::per_cpu! {
    fn overlap_of_runs(a: &Serialized, b: &Serialized) -> u32 {
        overlap(a, b)
    }

    fn overlap_of_values(values: &Values, runs: &Serialized) -> u32 {
        if values.len() >= runs.len() { overlap(values, runs) } else { overlap(runs, values) }
    }
}

#[inline(always)]
fn has_last<A: Stretch>(stretches: &[A], last: impl Fn(&A) -> u16) -> bool {
    stretches
        .last()
        .is_some_and(|stretch| last(stretch) == u16::MAX)
}

/// Number of values in both.
pub(crate) fn and_count(a: &Serialized, b: &Serialized) -> u32 {
    let (a, b) = if a.len() >= b.len() { (a, b) } else { (b, a) };
    let last = |run: &[u8; 4]| run_bounds(run).1;
    u32::from(has_last(a, last) && has_last(b, last)) + overlap_of_runs(a, b)
}

/// Number of array values that runs hold.
pub(crate) fn and_values_count(values: &Values, runs: &Serialized) -> u32 {
    if values.len() * runs.len() <= FEW_PAIRS {
        let is_in = |value: u16, run: u32| value.wrapping_sub(run as u16) <= (run >> 16) as u16;
        let in_runs = |value| {
            runs.iter()
                .map(|run| u32::from(is_in(value, u32::from_le_bytes(*run))))
                .sum::<u32>()
        };
        return values.iter().map(|bytes| in_runs(value(bytes))).sum();
    }
    if values.len() > runs.len() * SKEW {
        let mut count = 0;
        for_each_covered(values, runs, |start, end| count += (end - start) as u32);
        return count;
    }
    let are_at_end = has_last(values, value) && has_last(runs, |run| run_bounds(run).1);
    u32::from(are_at_end) + overlap_of_values(values, runs)
}

/// Calls `visit` with every stretch of array values that lie in one run: start and end index.
#[inline(always)]
pub(crate) fn for_each_covered(
    values: &Values,
    runs: &Serialized,
    mut visit: impl FnMut(usize, usize),
) {
    let mut at = 0;
    for run in runs {
        let (first, last) = run_bounds(run);
        at += crate::kernels::arrays::gallop(&values[at..], first);
        let end = match last.checked_add(1) {
            Some(after) => at + crate::kernels::arrays::gallop(&values[at..], after),
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
pub(crate) fn count_bits(block: &Block, runs: &Serialized) -> u32 {
    runs.iter()
        .map(|run| count_range(block, run_bounds(run)))
        .sum()
}

fn count_range(block: &Block, (first, last): (u16, u16)) -> u32 {
    let (head, tail) = (usize::from(first >> 6), usize::from(last >> 6));
    let head_mask = u64::MAX << (first & 63);
    let tail_mask = u64::MAX >> (63 - (last & 63));
    let word = |index: usize| u64::from_le_bytes(block[index]);
    if head == tail {
        return (word(head) & head_mask & tail_mask).count_ones();
    }
    let inner = crate::kernels::words::count_part(&block[head + 1..tail]);
    (word(head) & head_mask).count_ones() + inner + (word(tail) & tail_mask).count_ones()
}

/// The words with only the bits in the runs.
pub(crate) fn mask(block: &Block, runs: &Serialized) -> Words {
    let mut words = [0; 1024];
    crate::format::unite::or_one(&mut words, &Container::Run(runs, 0));
    crate::kernels::words::and_block(&mut words, block);
    words
}
