//! Set operations on few stretches of values: runs, and array values as runs of one. Without a
//! branch on the values.
//!
//! A stretch is `first << 16 | last`, so stretches sort as integers.

use super::container::Container;
use crate::kernels::arrays;
use crate::kernels::value::Values;
use crate::kernels::value::value;
use std::hint::select_unpredictable;

/// Items that a buffer has room for from its first use on.
const FIRST_ROOM: usize = 1 << 10;

/// Room for both operands and the result, kept from one container to the next.
#[derive(Debug, Default)]
pub(crate) struct Stretches {
    words: Vec<u32>,
    halves: Vec<[u8; 2]>,
}

#[inline(always)]
fn of_run(run: &[u8; 4]) -> u32 {
    let run = u32::from_le_bytes(*run);
    run << 16 | (run + (run >> 16)) & 0xFFFF
}

#[inline(always)]
fn bounds(stretch: u32) -> (u32, u32) {
    (stretch >> 16, stretch & 0xFFFF)
}

/// Room for `len` items; what is in them does not matter.
#[inline(always)]
fn room<T: Copy + Default>(buffer: &mut Vec<T>, len: usize) -> &mut [T] {
    if buffer.len() < len {
        buffer.reserve(FIRST_ROOM.saturating_sub(buffer.len()));
        buffer.resize(len, T::default());
    }
    &mut buffer[..len]
}

/// The most stretches of an array or run container; none of a bitset.
#[inline(always)]
fn count(container: &Container<'_>) -> usize {
    match container {
        Container::Array(values) => values.len(),
        Container::Bitset(..) => 0,
        Container::Run(runs, _) => runs.len(),
    }
}

#[inline(always)]
fn of_value(bytes: &[u8; 2]) -> u32 {
    u32::from(value(bytes)) * 0x1_0001
}

/// Puts the stretches of a container into room for [`count`] of them.
#[inline(always)]
fn read(container: &Container<'_>, out: &mut [u32]) {
    match container {
        Container::Array(values) => out
            .iter_mut()
            .zip(*values)
            .for_each(|(place, bytes)| *place = of_value(bytes)),
        Container::Bitset(..) => {}
        Container::Run(runs, _) => out
            .iter_mut()
            .zip(*runs)
            .for_each(|(place, run)| *place = of_run(run)),
    }
}

/// Puts ascending stretches together where they overlap or touch.
struct Joined<'o> {
    out: &'o mut [u32],
    len: usize,
    first: u32,
    last: u32,
}

impl Joined<'_> {
    #[inline(always)]
    fn push(&mut self, next: u32) {
        let (first, last) = bounds(next);
        let is_new = first > self.last.wrapping_add(1);
        if let Some(place) = self.out.get_mut(self.len) {
            *place = self.first << 16 | self.last;
        }
        self.len += usize::from(is_new);
        self.first = select_unpredictable(is_new, first, self.first);
        self.last = select_unpredictable(is_new, last, self.last.max(last));
    }
}

/// Joins what `pushes` gives, at most one less than there is room for, beginning with `first`;
/// returns how many there are.
#[inline(always)]
fn join(first: u32, out: &mut [u32], pushes: impl FnOnce(&mut Joined<'_>)) -> usize {
    let (first, last) = bounds(first);
    let mut joined = Joined {
        out,
        len: 0,
        first,
        last,
    };
    pushes(&mut joined);
    let (len, stretch) = (joined.len, joined.first << 16 | joined.last);
    match out.get_mut(len) {
        Some(place) => *place = stretch,
        None => return len,
    }
    len + 1
}

/// Puts the maximal stretches of ascending values into room for one more than the values; returns
/// how many there are.
#[inline(always)]
pub(crate) fn join_values(values: &Values, out: &mut [u32]) -> usize {
    let Some(first) = values.first() else {
        return 0;
    };
    join(of_value(first), out, |joined| {
        values.iter().for_each(|bytes| joined.push(of_value(bytes)))
    })
}

/// A walk over two lists that writes where they overlap.
struct Overlap<'s> {
    a: &'s [u32],
    b: &'s [u32],
    i: usize,
    j: usize,
    out: &'s mut [u32],
    len: usize,
}

impl Overlap<'_> {
    #[inline(always)]
    fn step(&mut self) -> bool {
        let (Some(left), Some(right)) = (self.a.get(self.i), self.b.get(self.j)) else {
            return false;
        };
        let (left, right) = (bounds(*left), bounds(*right));
        let (first, last) = (left.0.max(right.0), left.1.min(right.1));
        if let Some(place) = self.out.get_mut(self.len) {
            *place = first << 16 | last;
        }
        self.len += usize::from(first <= last);
        self.i += usize::from(left.1 <= right.1);
        self.j += usize::from(right.1 <= left.1);
        true
    }
}

/// Puts where both have values into room for both; returns how many stretches there are. Walks the
/// lower and the upper half at once: each walk waits for its own loads only.
#[inline(always)]
fn overlap(a: &[u32], b: &[u32], out: &mut [u32]) -> usize {
    let half = a.len() / 2;
    let Some(pivot) = a.get(half).map(|stretch| stretch >> 16) else {
        return 0;
    };
    let split = b.partition_point(|stretch| stretch >> 16 < pivot);
    let reaches_over = split > 0 && bounds(b[split - 1]).1 >= pivot;
    let start = half + split;
    let (out_low, out_high) = out.split_at_mut(start);
    let mut low = Overlap {
        a: &a[..half],
        b: &b[..split],
        i: 0,
        j: 0,
        out: out_low,
        len: 0,
    };
    let mut high = Overlap {
        a: &a[half..],
        b: &b[split - usize::from(reaches_over)..],
        i: 0,
        j: 0,
        out: out_high,
        len: 0,
    };
    while low.step() & high.step() {}
    while low.step() {}
    while high.step() {}
    let (low, high) = (low.len, high.len);
    out.copy_within(start..start + high, low);
    low + high
}

/// Puts the stretches between those given, of which some may be empty, into room for one more;
/// returns how many there are.
#[inline(always)]
fn complement(stretches: &[u32], out: &mut [u32]) -> usize {
    let mut len = 0;
    let mut from = 0;
    for stretch in stretches {
        let (first, last) = bounds(*stretch);
        out[len] = from << 16 | first.wrapping_sub(1) & 0xFFFF;
        len += usize::from(first > 0);
        from = last + 1;
    }
    out[len] = from << 16 | 0xFFFF;
    len + usize::from(from <= 0xFFFF)
}

/// Puts where membership changes, at the start of a stretch and after its end, into room for twice
/// as many; returns how many changes there are. There is none beyond the last value.
#[inline(always)]
fn changes(stretches: &[u32], out: &mut [[u8; 2]]) -> usize {
    for (pair, stretch) in out.as_chunks_mut::<2>().0.iter_mut().zip(stretches) {
        let (first, last) = bounds(*stretch);
        *pair = [
            (first as u16).to_le_bytes(),
            (last as u16).wrapping_add(1).to_le_bytes(),
        ];
    }
    let ends_at_last = stretches
        .last()
        .is_some_and(|stretch| stretch & 0xFFFF == 0xFFFF);
    stretches.len() * 2 - usize::from(ends_at_last)
}

/// As [`changes`], from runs where they lie.
#[inline(always)]
fn changes_of_runs(runs: &[[u8; 4]], out: &mut [[u8; 2]]) -> usize {
    let places = out.as_flattened_mut().as_chunks_mut::<4>().0;
    for (place, run) in places.iter_mut().zip(runs) {
        let run = u32::from_le_bytes(*run);
        *place = run
            .wrapping_add(run << 16)
            .wrapping_add(1 << 16)
            .to_le_bytes();
    }
    let ends_at_last = runs
        .last()
        .is_some_and(|run| of_run(run) & 0xFFFF == 0xFFFF);
    runs.len() * 2 - usize::from(ends_at_last)
}

/// Puts where membership of a container changes into room for twice as many as it has stretches.
#[inline(always)]
fn changes_of(container: &Container<'_>, words: &mut Vec<u32>, out: &mut [[u8; 2]]) -> usize {
    let stretches = room(words, count(container) + 1);
    match container {
        Container::Array(values) => {
            let len = join_values(values, stretches);
            changes(&stretches[..len], out)
        }
        Container::Bitset(..) => 0,
        Container::Run(runs, _) => changes_of_runs(runs, out),
    }
}

impl Stretches {
    /// Both operands, and room for the result.
    #[inline(always)]
    fn operands(&mut self, a: &Container<'_>, b: &Container<'_>) -> (&[u32], &[u32], &mut [u32]) {
        let (a_len, b_len) = (count(a), count(b));
        let (left, rest) = room(&mut self.words, 2 * (a_len + b_len) + 1).split_at_mut(a_len);
        let (right, out) = rest.split_at_mut(b_len);
        read(a, left);
        read(b, right);
        (left, right, out)
    }

    /// Values in both.
    pub(crate) fn and(&mut self, a: &Container<'_>, b: &Container<'_>) -> &[u32] {
        let (a, b, out) = self.operands(a, b);
        let len = overlap(a, b, out);
        &out[..len]
    }

    /// Values of `a` that are not in `b`.
    pub(crate) fn and_not(&mut self, a: &Container<'_>, b: &Container<'_>) -> &[u32] {
        let (a_len, b_len) = (count(a), count(b));
        let (left, rest) = room(&mut self.words, 2 * (a_len + b_len) + 2).split_at_mut(a_len);
        let (right, out) = rest.split_at_mut(b_len + 1);
        read(a, left);
        read(b, out);
        let len = complement(&out[..b_len], right);
        let len = overlap(left, &right[..len], out);
        &out[..len]
    }

    /// Values in either.
    pub(crate) fn or(&mut self, a: &Container<'_>, b: &Container<'_>) -> &[u32] {
        let (a, b, out) = self.operands(a, b);
        let least = a
            .first()
            .into_iter()
            .chain(b.first())
            .min()
            .copied()
            .unwrap_or(0);
        let len = join(least, out, |joined| {
            let (mut i, mut j) = (0, 0);
            while let (Some(left), Some(right)) = (a.get(i), b.get(j)) {
                joined.push(*left.min(right));
                i += usize::from(left <= right);
                j += usize::from(left > right);
            }
            a[i..].iter().for_each(|rest| joined.push(*rest));
            b[j..].iter().for_each(|rest| joined.push(*rest));
        });
        &out[..len]
    }

    /// Values in exactly one: membership changes where it changes in exactly one.
    pub(crate) fn xor(&mut self, a: &Container<'_>, b: &Container<'_>) -> &[u32] {
        let (a_len, b_len) = (2 * count(a), 2 * count(b));
        let (left, rest) =
            room(&mut self.halves, 2 * (a_len + b_len) + arrays::SLACK).split_at_mut(a_len);
        let (right, merged) = rest.split_at_mut(b_len);
        let left_len = changes_of(a, &mut self.words, left);
        let right_len = changes_of(b, &mut self.words, right);
        let len = arrays::xor(&left[..left_len], &right[..right_len], merged);
        // An end beyond the last value wraps to zero.
        merged[len] = [0; 2];
        let out = room(&mut self.words, len.div_ceil(2));
        for (place, [start, end]) in out.iter_mut().zip(merged.as_chunks::<2>().0) {
            *place = u32::from(value(start)) << 16 | u32::from(value(end).wrapping_sub(1));
        }
        out
    }
}
